"""What one row of a list of pupils says."""

from datetime import date

from server.imports import values, withheld
from server.imports.headings import Row
from server.imports.known import KEYS
from server.imports.said import Said

DAY = 86_400_000_000  # µs
NOON = DAY // 2


def lacking(fields: set[str]) -> str | None:
    """What a list of pupils cannot do without."""
    if not ({"surname", "forename"} <= fields or "whole_name" in fields):
        return f"There is no column for the {'forename' if 'surname' in fields else 'surname'}."
    if "year" not in fields:
        return "There is no column for the year group."
    if not fields & {*KEYS, "born_on"}:
        return "There is nothing to tell one pupil from another by: no UPN, admission number, MIS id or date of birth."
    return None


def read(row: Row, headings: dict[str, str], today: date) -> Said:
    said = Said(row, headings)
    if not said.refuse_formulas():
        _read_names(said)
        _read_keys(said)
        _read_class(said)
        _read_birthday(said, today)
        _read_leaving(said, today)
        _read_address(said)
    return said


def _read_names(said: Said) -> None:
    if said.given("whole_name") and not (said.given("surname") and said.given("forename")):
        names = values.whole_name(said.given("whole_name"))
        if names is None:
            said.wrong("whole_name", "nobody can tell forename from surname here: write Surname, Forename")
            return
        said.fields["forename"], said.fields["surname"] = names
    for one in ("surname", "forename"):
        if said.given(one):
            said.fields[one] = values.name(said.given(one))
        elif one not in said.fields:
            said.wrong(one, f"the {one} is missing")
    if preferred := values.name(said.given("preferred")):
        said.fields["preferred"] = preferred if preferred != said.fields.get("forename") else None


def _read_keys(said: Said) -> None:
    for key in ("mis_id", "admission_no"):
        if said.given(key):
            said.fields[key] = said.given(key)
    if said.given("upn"):
        said.fields["upn"] = values.upn(said.given("upn"))
        if trouble := values.upn_problem(said.fields["upn"]):
            said.check("upn", f"{trouble}: taken in as it is, check it")


def _read_class(said: Said) -> None:
    given = said.given("year")
    year = values.year_group(given)
    if year is None:
        said.wrong("year", f"“{given}” is no year group" if given else "the year group is missing")
        return
    said.fields["year"] = year
    if said.given("form"):
        said.fields["form"] = said.given("form")


def _read_birthday(said: Said, today: date) -> None:
    if not (given := said.given("born_on")):
        return
    born = values.day(given)
    if born is None:
        said.wrong("born_on", f"“{given}” is no date: write 31/12/2012 or 2012-12-31")
    elif not values.is_school_age(born, today):
        said.wrong("born_on", f"{born:%d/%m/%Y} is no pupil's date of birth")
    else:
        said.fields["born_on"] = born.isoformat()


def _read_leaving(said: Said, today: date) -> None:
    if not (given := said.given("left_on")):
        return
    left = values.day(given)
    if left is None:
        said.wrong("left_on", f"“{given}” is no date")
    elif left <= today:
        said.fields["left_at"] = (left.toordinal() - date(1970, 1, 1).toordinal()) * DAY + NOON


def _read_address(said: Said) -> None:
    flag, address = said.given("address_withheld"), said.given("address")
    is_withheld, unsure = withheld.is_withheld(flag, address)
    if unsure:
        said.check("address_withheld", "not plainly yes or no: read as withheld")
    if is_withheld:
        said.fields |= {"address_withheld": True, "address": None}  # what is not kept need not be guarded
    elif address:
        said.fields["address"] = address
    if flag and not is_withheld:
        said.fields["address_withheld"] = False
