"""A list of pupils against those the school has: who is new, and what would change.

A blank cell says nothing: it never empties what the school knows. A pupil who is not in the file stays as they are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from server.imports import values
from server.imports.headings import Table
from server.imports.known import KEY_WORDS, KEYS, Known, NotPlain, find, who
from server.imports.plan import Addition, Change, Fields, Plan, differences
from server.imports.pupil_row import read
from server.imports.said import Said
from server.imports.values import fold

NAMES = ("surname", "forename", "preferred")
BLANK: Fields = {
    "mis_id": None, "upn": None, "admission_no": None, "forename": "", "surname": "", "preferred": None, "year": "", "form": "",
    "born_on": None, "family": None, "address": None, "address_withheld": False, "left_at": None,
}  # fmt: skip


def plan(table: Table, pupils: Iterable[Mapping[str, Any]], mint: Callable[[], str], today: date) -> Plan:
    known = Known.of(pupils)
    rows = [read(row, table.headings, today) for row in table.rows]
    _refuse_twins(rows)
    result, met = Plan("pupils"), set[str]()
    for said in rows:
        if said.is_usable:
            _place(said, known, met, result, mint)
        result.problems += said.problems
    mentioned = met | _meant_by_problems(rows, known)
    result.absent = [who(pupil) for pupil in known.pupils if pupil["id"] not in mentioned and pupil["left_at"] is None]
    return result


def _place(said: Said, known: Known, met: set[str], result: Plan, mint: Callable[[], str]) -> None:
    try:
        pupil = find(said.fields, known)
        if pupil and pupil["id"] in met:
            raise NotPlain("surname", f"an earlier row is already about {who(pupil)}")
    except NotPlain as trouble:
        said.wrong(*trouble.args)
        return
    if any(values.lost_letters(said.fields.get(one) or "") for one in NAMES):
        _keep_whole_names(said, pupil)
    if not said.is_usable:
        return
    if pupil is None:
        row = BLANK | said.fields | {"id": mint()}
        result.added.append(Addition(who(row), row))
        return
    met.add(pupil["id"])
    _keep_what_is_safer(said, pupil)
    if changes := differences(pupil, said.fields):
        result.changed.append(Change(who(pupil), pupil["id"], {one: pupil[one] for one in changes}, changes))
    else:
        result.unchanged += 1


def _keep_whole_names(said: Said, pupil: Mapping[str, Any] | None) -> None:
    """A name the school has is never overwritten by what an old encoding left of it."""
    for one in NAMES:
        if values.lost_letters(said.fields.get(one) or ""):
            if pupil and values.may_be(said.fields[one], pupil[one]):
                said.check(one, f"{values.LOST_WORDS}. Left as {pupil[one]}")
                del said.fields[one]
            else:
                said.wrong(one, values.LOST_WORDS)


def _keep_what_is_safer(said: Said, pupil: Mapping[str, Any]) -> None:
    """An import may raise a warning, and never lowers one that somebody may have set by hand."""
    if pupil["address_withheld"]:
        if said.fields.get("address_withheld") is False:
            said.check("address_withheld", "the school withholds this address and the file does not: left withheld; lift it at the desk")
        said.fields = {one: value for one, value in said.fields.items() if one not in ("address", "address_withheld")}
    if pupil["left_at"] is not None and "left_at" not in said.fields:
        said.fields["left_at"] = None  # in the list without a leaving date: back at school


def _refuse_twins(rows: list[Said]) -> None:
    """Two rows with one key, or one name and birthday: neither is taken in, whichever is right."""
    for one in (*KEYS, "born_on"):
        seen: dict[Any, list[Said]] = defaultdict(list)
        for said in rows:
            if mark := said.fields.get(one):
                seen[mark, _named(said.fields) if one == "born_on" else None].append(said)
        for twins in seen.values():
            if len(twins) > 1:
                numbers = " and ".join(str(said.row.number) for said in twins)
                for said in twins:
                    said.wrong(one, f"rows {numbers} have the same {KEY_WORDS.get(one, 'name and date of birth')}")


def _meant_by_problems(rows: list[Said], known: Known) -> set[str]:
    """Pupils whom a row left out seems to be about are not missing from the file."""
    found: set[str] = set()
    for said in rows:
        if not said.is_usable:
            for key in KEYS:
                found.update(pupil["id"] for pupil in known.by_key[key].get(said.fields.get(key) or "", []))
            found.update(pupil["id"] for pupil in known.by_name.get(_named(said.fields), []))
    return found


def _named(fields: Fields) -> tuple[str, str]:
    return fold(fields.get("surname")), fold(fields.get("forename"))
