"""What one cell of an export says: dates, year groups, names, numbers, yes and no. Each answers None for "cannot tell"."""

import re
import unicodedata
from datetime import date, timedelta

EXCEL_BEGAN = date(1899, 12, 30)  # day 0 of the serials, with Excel's own leap-year mistake allowed for
SERIALS = range(20_000, 80_000)  # 1954 to 2119
YOUNGEST, OLDEST = 2, 25  # years of age a pupil list may hold

MONTHS = {name: i for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1)}
NUMBERS_END = re.compile(r"\s*/\s*|\s+-+\s+|\s+(?=[+(0])")  # where one phone number may stop and the next begin
SHORTEST, LONGEST = 10, 15  # figures of a number with its code; no number in the world has more
EXCEL_ERRORS = {"#REF", "#VALUE", "#NAME", "#DIV/0", "#NUM", "#NULL"}
UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"

YES = {"yes", "y", "true", "t", "1", "x", "✓", "✔", "on"}
NO = {"no", "n", "false", "f", "0", "off"}


class MonthFirst(Exception):
    """A date that only an American reading makes sense of: no date of its file can be trusted."""


def day(text: str) -> date | None:
    """12/03/2012, 2012-03-12 (with or without a time), 12 Mar 2012, 12-Mar-12, 40980. Day first, always."""
    text = re.sub(r"[T ]\d{1,2}:\d{2}.*$", "", text.strip())
    if re.fullmatch(r"\d{5}(\.\d+)?", text) and int(float(text)) in SERIALS:
        return EXCEL_BEGAN + timedelta(days=int(float(text)))
    if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text):
        return _date(*map(int, found.groups()))
    if found := re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})", text):
        first, second, last = map(int, found.groups())
        if second > 12 >= first and second <= 31:
            raise MonthFirst
        return _date(_century(last), second, first)
    if found := re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)?[-/. ]([A-Za-z]{3,9})[-/., ]+(\d{4}|\d{2})", text):
        number, month, year = found.groups()
        return _date(_century(int(year)), MONTHS.get(month[:3].lower(), 0), int(number))
    if re.fullmatch(r"\d{8}", text):
        return _date(int(text[:4]), int(text[4:6]), int(text[6:]))
    return None


def _century(year: int) -> int:
    return year if year > 99 else 2000 + year if year < 70 else 1900 + year


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def is_school_age(born: date, today: date) -> bool:
    return YOUNGEST <= (today - born).days / 365.25 <= OLDEST


def year_group(text: str) -> str | None:
    """`Year 9`, `Yr 09`, `Y9`, `9`, `NCY 9` → `9`; `Reception` → `R`."""
    plain = text.strip().casefold()
    if plain in {"r", "reception", "year r"}:
        return "R"
    if plain in {"n", "n1", "n2", "nursery"}:
        return "N"
    found = re.fullmatch(r"(?:national curriculum |nc ?|curriculum )?(?:year|yr|y)?(?: group)? ?\.?0?(\d{1,2})(?:\.0)?(?: ?\(.*\))?", plain)
    return str(int(found[1])) if found and 1 <= int(found[1]) <= 14 else None


def name(text: str) -> str:
    """A name as people write it: only what is all capitals, or all small, is changed."""
    if not (text.isupper() or text.islower()) or len(text) < 3:
        return text
    small = text.casefold()
    words = re.sub(r"(^|[\s\-'’(])(\w)", lambda found: found[1] + found[2].upper(), small)
    return re.sub(r"\bMc(\w)", lambda found: "Mc" + found[1].upper(), words)


def upn(text: str) -> str:
    return text.replace(" ", "").upper()


def upn_problem(number: str) -> str | None:
    """What is wrong with a unique pupil number: a letter, then 12 figures (the last may be a letter), the first checking the rest."""
    if not re.fullmatch(r"[A-Z]\d{11}[0-9A-Z]", number):
        return "a UPN is a letter and 12 figures"
    if number[-1] in "IOS":
        return f"a UPN never ends in {number[-1]}"
    last = UPN_LETTERS.index(number[-1]) if number[-1].isalpha() else int(number[-1])
    total = sum(weight * int(figure) for weight, figure in enumerate(number[1:12], start=2)) + 13 * last
    right = UPN_LETTERS[total % 23]
    return None if number[0] == right else f"its check letter should be {right}, not {number[0]}"


def yes_or_no(text: str) -> bool | None:
    plain = text.strip().casefold()
    return True if plain in YES else False if plain in NO else None


def phone(text: str) -> tuple[str | None, str]:
    """The first number in a cell, spaced as written, and whatever stands beside it. `7700900123` lost its nought in Excel."""
    found = re.search(r"(?:\+|00)?\(?\d[\d\s()./\-]{5,}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?", text)
    number = _first_number(found[0]) if found else ""
    if not found or _figures(number) > LONGEST or re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})", number):
        return None, text.strip()
    words = " ".join((text[: found.start()] + " " + text[found.start() + len(number) :]).split()).strip(" -,;:/()")
    if re.fullmatch(r"[127]\d{9}", number):
        number = "0" + number
    return number, words


def _first_number(text: str) -> str:
    """`07700 900123 / 01632 960001` is two. A space ends a number only where it would be too long for one."""
    for end in NUMBERS_END.finditer(text):
        if _figures(text[: end.start()]) >= SHORTEST and (end[0].strip() or _figures(text) > LONGEST):
            return text[: end.start()]
    return text.strip()


def _figures(text: str) -> int:
    """How many, not counting those of an extension."""
    return sum(letter.isdigit() for letter in text.partition("x")[0])


def same_phone(number: str) -> str:
    """Two spellings of one number come out alike: +44 7700 900123, 07700900123."""
    figures = re.sub(r"\s?(?:x|ext\.?)\s?\d{1,6}$", "", number)
    figures = re.sub(r"\D", "", figures)
    return "0" + figures.removeprefix("0044").removeprefix("44").lstrip("0") if figures.startswith(("0044", "44")) else figures


def whole_name(text: str) -> tuple[str, str] | None:
    """(forename, surname) of `Khan, Amira`. Without a comma nobody can tell which is which."""
    surname, comma, forename = text.partition(",")
    return (name(forename.strip()), name(surname.strip())) if comma and forename.strip() and surname.strip() else None


LOST = re.compile("[?\ufffd]")
LOST_WORDS = "letters of it were lost when it was exported: export it as UTF-8 or as Excel"


def lost_letters(text: str) -> bool:
    """`Jab?o?ska`: what an old encoding makes of Jabłońska."""
    return bool(LOST.search(text))


def may_be(damaged: str, whole: str | None) -> bool:
    """Whether a name with lost letters can be this one."""
    pattern = LOST.sub(".", re.sub(r"([^\w\s?\ufffd])", r"\\\1", damaged))
    return bool(whole and re.fullmatch(pattern, whole, re.IGNORECASE))


PARTICLES = {"al", "bin", "binti", "da", "de", "del", "der", "di", "el", "la", "ní", "ó", "van", "von"}


def person(text: str) -> str:
    """`Haddad, Nadia` → `Nadia Haddad`; `Social care, duty team` as it is."""
    parts = whole_name(text)
    words = text.replace(",", " ").split()
    named = all(word[:1].isupper() or word in PARTICLES for word in words) and len(words) <= 6
    return " ".join(parts) if parts and named else name(text)


def looks_computed(text: str) -> bool:
    """A formula, or an Excel error, where a plain value belongs."""
    return text[:1] in ("=", "@") or text.rstrip("!?").upper() in EXCEL_ERRORS


def fold(text: str | None) -> str:
    """For comparing names: no case, accents, apostrophes, hyphens or spaces."""
    decomposed = unicodedata.normalize("NFKD", (text or "").casefold()).replace("ł", "l").replace("ø", "o")
    return "".join(letter for letter in decomposed if letter.isalnum())
