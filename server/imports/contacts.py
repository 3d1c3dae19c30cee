"""A list of contacts against those the school has: who is new, what would change, who is one adult and who is one family.

Warnings are only ever raised by an import: lifting one is for a person at the desk. Nobody is taken off for not being listed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from server.imports import families, values
from server.imports.contact_row import read, whose
from server.imports.headings import Table
from server.imports.known import KEYS, Known, NotPlain, by_keys, by_name, is_somebody_else, who
from server.imports.plan import Addition, Change, Fields, Plan, Problem, differences
from server.imports.said import Said
from server.imports.values import fold

BLANK: Fields = {
    "position": 0, "name": "", "relationship": "", "phone": None, "other_phone": None, "email": None, "address": None,
    "parental_responsibility": False, "do_not_contact": False, "address_withheld": False, "note": "", "gone": False,
}  # fmt: skip
RAISED_ONLY = ("do_not_contact", "address_withheld")


class Book:
    """The school's contacts while a list is taken in: what was, what is becoming of it, and which row said so."""

    def __init__(self, contacts: Iterable[Mapping[str, Any]]) -> None:
        self.before = {contact["id"]: dict(contact) for contact in contacts}
        self.now = {id: dict(contact) for id, contact in self.before.items()}
        self.row_of: dict[str, Said] = {}
        self.of_pupil: dict[str, list[Fields]] = defaultdict(list)
        for contact in self.now.values():
            self.of_pupil[contact["pupil"]].append(contact)

    def begin(self, pupil: str, id: str) -> Fields:
        theirs = self.of_pupil[pupil]
        contact = BLANK | {"id": id, "pupil": pupil, "person": id, "position": 1 + max((one["position"] for one in theirs), default=0)}
        self.now[id] = contact
        theirs.append(contact)
        return contact


def plan(table: Table, pupils: Iterable[Mapping[str, Any]], contacts: Iterable[Mapping[str, Any]], mint: Callable[[], str]) -> Plan:
    known, book = Known.of(pupils), Book(contacts)
    rows = [read(row, table.headings) for row in table.rows]
    for said in rows:
        if said.is_usable and (pupil := _pupil(said, known)):
            _take(said, pupil, book, mint)
    families.share_persons(book.now.values(), {contact["person"] for contact in book.before.values()})
    _spread_withheld(book.now.values())
    _ask_about_uneven_warnings(book)
    return _compare(book, known, [problem for said in rows for problem in said.problems], mint)


def _pupil(said: Said, known: Known) -> Mapping[str, Any] | None:
    asked = whose(said)
    try:
        _, found = by_keys(asked, known)
        named = asked["surname"] and asked["forename"]
        if found and named and is_somebody_else(asked, found):
            raise NotPlain("pupil_surname", f"the number is {who(found)}'s, but the pupil's name is not")
        if not found and named and asked["born_on"]:
            found = by_name(asked, known)
        if not found:
            raise NotPlain(next((key for key in KEYS if asked[key]), "pupil_surname"), "no such pupil here: take the pupils in first")
        return found
    except NotPlain as trouble:
        said.wrong(*trouble.args)
        return None


def _take(said: Said, pupil: Mapping[str, Any], book: Book, mint: Callable[[], str]) -> None:
    contact = _same_contact(said.fields, book.of_pupil[pupil["id"]])
    if values.lost_letters(said.fields["name"]):
        if contact is None:
            said.wrong("contact_name", values.LOST_WORDS)
            return
        said.check("contact_name", f"{values.LOST_WORDS}. Left as {contact['name']}")
        said.fields["name"] = contact["name"]
    if contact and (earlier := book.row_of.get(contact["id"])):
        if differences(contact, said.fields):
            said.wrong("contact_name", f"row {earlier.row.number} is also about {contact['name']} for {who(pupil)}, and says otherwise")
        return
    contact = contact or book.begin(pupil["id"], mint())
    _raise_only(said, contact)
    contact |= said.fields | {"gone": False}
    book.row_of[contact["id"]] = said


def _same_contact(said: Fields, theirs: list[Fields]) -> Fields | None:
    """The contact of this pupil a row means: the same name, or the same number with the same surname."""
    if values.lost_letters(said["name"]):
        return next((one for one in theirs if values.may_be(said["name"], one["name"])), None)
    others = [one for one in theirs if not families.is_other_title(one["name"], said["name"])]
    alike = [one for one in others if fold(families.bare(one["name"])) == fold(families.bare(said["name"]))]
    if len(alike) > 1:
        alike = [one for one in alike if families.numbers(one) & families.numbers(said)] or alike
    return alike[0] if alike else next((one for one in theirs if families.is_one_person(one, said)), None)


def _raise_only(said: Said, contact: Fields) -> None:
    for flag in RAISED_ONLY:
        if contact[flag] and said.fields.get(flag) is False:
            del said.fields[flag]
            words = flag.replace("_", " ")
            said.check(flag, f"the school says “{words}” and the file does not: left as it is; lift it at the desk if it is over")
    if contact["address_withheld"]:
        said.fields.pop("address", None)


def _spread_withheld(contacts: Iterable[Fields]) -> None:
    """An address kept from one child's page must not be read on a brother's."""
    everyone = [contact for contact in contacts if not contact["gone"]]
    guarded = {contact["person"] for contact in everyone if contact["address_withheld"]}
    for contact in everyone:
        if contact["person"] in guarded and not contact["address_withheld"]:
            contact |= {"address_withheld": True, "address": None}


def _ask_about_uneven_warnings(book: Book) -> None:
    """A court order may be about one child only, so it is not spread; but somebody should look."""
    barred = {contact["person"] for contact in book.now.values() if contact["do_not_contact"] and not contact["gone"]}
    for id, said in book.row_of.items():
        if book.now[id]["person"] in barred and not book.now[id]["do_not_contact"]:
            said.check("do_not_contact", f"{book.now[id]['name']} must not be contacted about a brother or sister: check here")


def _compare(book: Book, known: Known, problems: list[Problem], mint: Callable[[], str]) -> Plan:
    result, by_id = Plan("contacts", problems=problems), {pupil["id"]: pupil for pupil in known.pupils}
    for id, contact in book.now.items():
        pupil = by_id.get(contact["pupil"])
        name = f"{contact['name']}, for {who(pupil) if pupil else 'a pupil'}"
        if id not in book.before:
            result.added.append(Addition(name, contact))
        elif changes := differences(book.before[id], contact):
            result.changed.append(Change(name, id, {one: book.before[id][one] for one in changes}, changes))
        elif id in book.row_of:
            result.unchanged += 1
        elif not contact["gone"]:
            result.absent.append(name)
    result.families = [
        Change(who(pupil), pupil["id"], {"family": pupil["family"]}, {"family": family})
        for pupil, family in families.families(known.pupils, book.now.values(), mint)
    ]
    return result
