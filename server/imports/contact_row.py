"""What one row of a list of contacts says. What sounds like a warning is taken as one."""

import re

from server.imports import values, withheld
from server.imports.families import bare
from server.imports.headings import Row
from server.imports.known import KEYS
from server.imports.said import Said

ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}


def lacking(fields: set[str]) -> str | None:
    """What a list of contacts cannot do without."""
    if not ("contact_name" in fields or "contact_surname" in fields):
        return "There is no column for the contact's name."
    named = {"pupil_surname", "pupil_forename"} <= fields or "pupil_whole_name" in fields
    if not (fields & set(KEYS) or (named and "pupil_born_on" in fields)):
        return "There is nothing to say whose contacts they are: no UPN, admission number, MIS id, or name with date of birth."
    return None


def read(row: Row, headings: dict[str, str]) -> Said:
    said = Said(row, headings)
    if not said.refuse_formulas():
        _read_name(said)
        _read_plain(said)
        _read_numbers(said)
        _read_do_not_contact(said)
        _read_address(said)
        _read_responsibility(said)
    return said


def whose(said: Said) -> dict[str, str | None]:
    """The pupil's keys, name and birthday, as far as the row gives them."""
    asked: dict[str, str | None] = {key: said.given(key) or None for key in KEYS}
    asked["upn"] = values.upn(said.given("upn")) or None
    forename, surname = values.whole_name(said.given("pupil_whole_name")) or (None, None)
    asked["forename"] = said.given("pupil_forename") or forename
    asked["surname"] = said.given("pupil_surname") or surname
    born = values.day(said.given("pupil_born_on"))
    asked["born_on"] = born.isoformat() if born else None
    return asked


def _read_name(said: Said) -> None:
    forename, surname = values.name(said.given("contact_forename")), values.name(said.given("contact_surname"))
    whole = said.given("contact_name")
    if "," in whole:
        whole = values.person(bare(whole))
    name = f"{forename or said.given('title')} {surname}".strip() if surname else values.name(whole)
    if name:
        said.fields["name"] = name
    else:
        said.wrong("contact_name" if "contact_name" in said.headings else "contact_surname", "the contact has no name")


def _read_plain(said: Said) -> None:
    for one in ("relationship", "email"):
        if said.given(one):
            said.fields[one] = said.given(one)
    if not (given := said.given("position")):
        return
    word = next((place for name, place in ORDINALS.items() if name in given.casefold()), None)
    figures = re.search(r"\d{1,2}", given)
    if word or figures:
        said.fields["position"] = word or int(figures[0] if figures else 0)
    else:
        said.check("position", "not a place in the order: put after the others")


def _read_numbers(said: Said) -> None:
    notes = [said.given("note")]
    for one in ("phone", "other_phone"):
        if given := said.given(one):
            number, words = values.phone(given)
            if number:
                said.fields[one] = number
                notes.append(words)
            else:
                said.check(one, "no phone number")
    if values.yes_or_no(said.given("court_order")) is None:
        notes.append(said.given("court_order"))
    if any(notes):
        said.fields["note"] = "; ".join(dict.fromkeys(filter(None, notes)))


def _words(said: Said) -> list[str]:
    return [said.given(one) for one in ("note", "relationship", "phone", "other_phone", "contact_name", "court_order")]


def _read_do_not_contact(said: Said) -> None:
    columns = [said.given(one) for one in ("do_not_contact", "contact_allowed", "court_order")]
    barred, unsure = withheld.is_not_to_be_contacted(*columns, *_words(said))
    if barred or any(columns):
        said.fields["do_not_contact"] = barred
    if unsure:
        said.check("do_not_contact", "read as do not contact: check at the desk")


def _read_address(said: Said) -> None:
    flag, address = said.given("address_withheld"), said.given("address")
    is_withheld, unsure = withheld.is_withheld(flag, address, *_words(said))
    if unsure:
        said.check("address_withheld", "not plainly yes or no: read as withheld")
    if is_withheld:
        said.fields |= {"address_withheld": True, "address": None}
    elif address:
        said.fields["address"] = address
    if flag and not is_withheld:
        said.fields["address_withheld"] = False


def _read_responsibility(said: Said) -> None:
    if given := said.given("parental_responsibility"):
        says = values.yes_or_no(given)
        said.fields["parental_responsibility"] = says is True
        if says is None:
            said.check("parental_responsibility", "not plainly yes or no: read as no")
