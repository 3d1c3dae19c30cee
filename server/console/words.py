"""Moments, spans and counts as a person at the desk would say them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
AT_ONCE = 2 * MINUTE  # nearer together than this, two moments are told as one

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")

SCHOOL_TIME = ZoneInfo("Europe/London")


def local(moment: int) -> datetime:
    """A moment in µs as the clock on the school's wall showed it. Years beyond the calendar come out as its nearest end."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).astimezone(SCHOOL_TIME)
    except OverflowError:
        return datetime(9999, 12, 31, tzinfo=SCHOOL_TIME) if moment > 0 else datetime(1, 1, 1, tzinfo=SCHOOL_TIME)


def clock(moment: int) -> str:
    return local(moment).strftime("%H:%M")


def day(moment: int, now: int) -> str:
    """Today, Yesterday, Tue 24 Nov, or Tue 24 Nov 2025 when the year is another one."""
    return day_of(local(moment).date(), local(now).date())


def day_of(on: date, today: date) -> str:
    if on == today:
        return "Today"
    if (today - on).days == 1:
        return "Yesterday"
    told = f"{on:%a} {on.day} {on:%b}"
    return told if on.year == today.year else f"{told} {on.year}"


def full_day(moment: int) -> str:
    at = local(moment)
    return f"{at:%a} {at.day} {at:%b} {at.year}"


def stamp(moment: int, now: int) -> str:
    """The shortest that cannot mislead: the time today, the day before that."""
    on, today = local(moment).date(), local(now).date()
    if on == today:
        return clock(moment)
    return f"{on.day} {on:%b}" if on.year == today.year else f"{on.day} {on:%b} {on:%y}"


def when(moment: int, now: int) -> str:
    """`10:42` today, `yesterday, 10:42`, `Tue 24 Nov, 10:42`: as it reads inside a sentence."""
    on = local(moment).date()
    if on == local(now).date():
        return clock(moment)
    told = day(moment, now)
    return f"{told.lower() if told == 'Yesterday' else told}, {clock(moment)}"


def beside(moment: int, other: int) -> str:
    """A moment told beside another whose day is known already: `10:42` on that day, `Tue 24 Nov, 10:42` on any other."""
    if local(moment).date() == local(other).date():
        return clock(moment)
    on = local(moment)
    return f"{on:%a} {on.day} {on:%b}{'' if on.year == local(other).year else f' {on.year}'}, {clock(moment)}"


def span(microseconds: int) -> str:
    """`7 min`, `2 h 5 min`, `3 days`: whole units, two at most."""
    minutes = abs(microseconds) // MINUTE
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        hours, left = divmod(minutes, 60)
        return f"{hours} h {left} min" if left else f"{hours} h"
    return count(minutes // (24 * 60), "day")


def after(later: int, earlier: int) -> str:
    """How long after what happened somebody wrote of it."""
    if later < earlier:
        return f"{span(earlier - later)} before"
    return "at the time" if later - earlier < AT_ONCE else f"{span(later - earlier)} after"


def ago(moment: int, now: int) -> str:
    return "just now" if now - moment < MINUTE else f"{span(now - moment)} ago"


def day_named(day_text: str) -> str:
    """`Fri 20 Nov 2026` for `2026-11-20`."""
    on = date.fromisoformat(day_text)
    return f"{on:%a} {on.day} {on:%b} {on.year}"


def start_of(day_text: str, days: int = 0) -> int | None:
    """The first moment of a day of the school's, or of one `days` later, in µs. None where it is no day."""
    try:
        day = date.fromisoformat(day_text) + timedelta(days=days)
        start = datetime(day.year, day.month, day.day, tzinfo=SCHOOL_TIME)
        return (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def number(how_many: int) -> str:
    """Two, as a heading says it; figures from eleven on."""
    return NUMBERS[how_many] if how_many < len(NUMBERS) else str(how_many)


def joined(names: list[str]) -> str:
    """Amira, Ben and Carol."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def initials(name: str) -> str:
    parts = [part for part in name.replace("-", " ").split() if part[0].isalpha()]
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper() if parts else "?"


def figure(text: str) -> int:
    """A number as an address or a form has it; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def sentence(text: str) -> str:
    """With a capital, and a full stop at the end."""
    return text[:1].upper() + text[1:] + ("" if text[-1:] in "….?!" else ".")


def lower_first(text: str) -> str:
    """`What happened?` as it reads inside a sentence; `DSL told?` stays as it is."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
