"""Which contacts are one adult, and which pupils are one family: one family, one call.

A wrong guess tells one family about another's child, so it takes more than a surname or a shared landline.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any

from server.imports.values import fold, same_phone

BRINGS_THEM_UP = re.compile(
    r"\b(mother|father|mum|dad|mummy|daddy|parent|step ?-?(mother|father|mum|dad|parent)|guardian|carer|foster(er)?|adoptive|"
    r"grand ?-?(mother|father|parent|ma|pa))\b",
    re.I,
)
TITLE = re.compile(r"^((mr|mrs|ms|miss|mx|dr|prof|rev|revd)\.? +)+", re.I)
HIS, HERS = re.compile(r"^mr\b", re.I), re.compile(r"^(mrs|ms|miss)\b", re.I)

Contact = dict[str, Any]


def is_other_title(one: str, other: str) -> bool:
    """Mr Khan is not Mrs Khan, though they ring from one number."""
    return any(HIS.match(his.strip()) and HERS.match(hers.strip()) for his, hers in ((one, other), (other, one)))


def bare(name: str) -> str:
    return TITLE.sub("", name.strip())


def numbers(contact: Mapping[str, Any]) -> set[str]:
    return {same_phone(number) for one in ("phone", "other_phone") if (number := contact.get(one))}


def is_one_person(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The same surname, forenames that can be the same, and a number or an address in common."""
    if is_other_title(one["name"], other["name"]):
        return False
    if _surname(one) != _surname(other) or not _may_be_the_same(_forename(one), _forename(other)):
        return False
    same_address = bool(one.get("address")) and fold(one.get("address")) == fold(other.get("address"))
    spelt_out = len(_forename(one)) > 1 and _forename(one) == _forename(other)
    return bool(numbers(one) & numbers(other)) or (same_address and spelt_out)


def _surname(contact: Mapping[str, Any]) -> str:
    return fold(bare(contact["name"]).rpartition(" ")[2])


def _forename(contact: Mapping[str, Any]) -> str:
    return fold(bare(contact["name"]).rpartition(" ")[0].partition(" ")[0])


def _may_be_the_same(one: str, other: str) -> bool:
    """Equal, or one of them is only the other's initial. Husband and wife share a landline and a surname: no forename is not enough."""
    return bool(one and other) and (one == other or (min(len(one), len(other)) == 1 and one[0] == other[0]))


def share_persons(contacts: Iterable[Contact], known: Set[str]) -> None:
    """Give the same `person` to contacts that are one adult: the one the school knows already, if it does."""
    everyone = [contact for contact in contacts if not contact["gone"]]
    groups = Groups((contact["person"] for contact in everyone), lambda person: (person not in known, person))
    for alike in _likely(everyone):
        for at, one in enumerate(alike):
            for other in alike[at + 1 :]:
                if one["pupil"] != other["pupil"] and is_one_person(one, other) and not _could_be_another(one, other, alike):
                    groups.join(one["person"], other["person"])
    for contact in everyone:
        contact["person"] = groups.of(contact["person"])


def _could_be_another(one: Contact, other: Contact, alike: Iterable[Contact]) -> bool:
    """J Khan is nobody's name where John and Jane Khan share the number."""
    initial = min(_forename(one), _forename(other), key=len)
    spelt_out = {_forename(contact) for contact in alike if len(_forename(contact)) > 1}
    return len(initial) == 1 and sum(name.startswith(initial) for name in spelt_out) > 1


def _likely(contacts: list[Contact]) -> Iterator[list[Contact]]:
    """Contacts worth comparing: those with a number or an address in common."""
    by_mark: dict[tuple[str, str], list[Contact]] = defaultdict(list)
    for contact in contacts:
        for mark in {*numbers(contact), fold(contact["address"])} - {""}:
            by_mark[_surname(contact), mark].append(contact)
    return (alike for alike in by_mark.values() if 1 < len(alike) <= 30)


def families(
    pupils: Iterable[Mapping[str, Any]], contacts: Iterable[Contact], mint: Callable[[], str]
) -> list[tuple[Mapping[str, Any], str]]:
    """(pupil, family) wherever that is news. Families grow and join; an import never splits one."""
    everyone = {pupil["id"]: pupil for pupil in pupils}
    groups = Groups(everyone)
    for same in _by(everyone.values(), lambda pupil: pupil["family"]):
        groups.join(*(pupil["id"] for pupil in same))
    for _, ids in _children_of(contacts):
        groups.join(*(id for id in ids if id in everyone))
    return [
        (pupil, family)
        for group in _by(everyone.values(), lambda pupil: groups.of(pupil["id"]))
        if len(group) > 1
        for family in [min((pupil["family"] for pupil in group if pupil["family"]), default=None) or mint()]
        for pupil in group
        if pupil["family"] != family
    ]


def _children_of(contacts: Iterable[Contact]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Pupils with the same first person to ring, or with two people in common, among those who bring them up.

    A grandmother, childminder or social worker further down the list makes no family; nor does a parent who must not be rung.
    """
    by_pupil: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        if not contact["gone"] and not contact["do_not_contact"] and BRINGS_THEM_UP.search(contact["relationship"]):
            by_pupil[contact["pupil"]].append(contact)
    shared: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for pupil, theirs in by_pupil.items():
        persons = [contact["person"] for contact in sorted(theirs, key=lambda contact: (contact["position"], contact["id"]))]
        shared[(persons[0],)].append(pupil)
        if len(persons) > 1:
            shared[tuple(sorted(persons[:2]))].append(pupil)
    return [(persons, ids) for persons, ids in shared.items() if len(ids) > 1]


def _by(pupils: Iterable[Mapping[str, Any]], mark: Callable[[Mapping[str, Any]], str | None]) -> list[list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for pupil in pupils:
        if found := mark(pupil):
            groups[found].append(pupil)
    return list(groups.values())


class Groups:
    """Things that turn out to be the same, joined pair by pair; a group is known by the member that ranks first."""

    def __init__(self, members: Iterable[str], rank: Callable[[str], tuple[bool, str]] = lambda member: (False, member)) -> None:
        self.leader = {member: member for member in members}
        self.rank = rank

    def of(self, member: str) -> str:
        while self.leader[member] != member:
            self.leader[member] = member = self.leader[self.leader[member]]
        return member

    def join(self, *members: str) -> None:
        leaders = [self.of(member) for member in members]
        for leader in leaders:
            self.leader[leader] = min(leaders, key=self.rank)
