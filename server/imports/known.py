"""The pupils a school already knows, and which of them a row means."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.imports import values
from server.imports.plan import Fields

KEYS = ("mis_id", "upn", "admission_no")  # tried in this order
KEY_WORDS = {"mis_id": "MIS id", "upn": "UPN", "admission_no": "admission number"}


@dataclass(frozen=True)
class Known:
    """The school's pupils, to be found by each key."""

    pupils: list[Mapping[str, Any]]
    by_key: Mapping[str, Mapping[str, list[Mapping[str, Any]]]]
    by_name: Mapping[tuple[str, str], list[Mapping[str, Any]]]

    @staticmethod
    def of(pupils: Iterable[Mapping[str, Any]]) -> "Known":
        rows = list(pupils)
        by_key: dict[str, dict[str, list[Mapping[str, Any]]]] = {key: defaultdict(list) for key in KEYS}
        by_name: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for pupil in rows:
            for key in KEYS:
                if pupil[key]:
                    by_key[key][pupil[key]].append(pupil)
            by_name[values.fold(pupil["surname"]), values.fold(pupil["forename"])].append(pupil)
        return Known(rows, by_key, by_name)


class NotPlain(Exception):
    """Which pupil a row means takes a person to say. (column, words)"""


def find(said: Fields, known: Known) -> Mapping[str, Any] | None:
    """The pupil a row is about, or None for a new one. Raises NotPlain where a person has to say."""
    first, pupil = by_keys(said, known)
    if pupil is None:
        return by_name(said, known)
    if is_somebody_else(said, pupil):
        raise NotPlain(first, f"the {KEY_WORDS[first]} is {who(pupil)}'s, but the name and date of birth are not")
    if not _same_person(said, pupil):
        if twin := next((one for one in _named(said, known) if _same_person(said, one)), None):
            raise NotPlain(first, f"the {KEY_WORDS[first]} is {who(pupil)}'s, but the name and date of birth are {who(twin)}'s")
        if first != "upn" and pupil["upn"] and said.get("upn") and pupil["upn"] != said["upn"]:
            raise NotPlain("upn", f"the {KEY_WORDS[first]} is {who(pupil)}'s, whose UPN is {pupil['upn']}")
    return pupil


def by_keys(said: Mapping[str, Any], known: Known) -> tuple[str, Mapping[str, Any] | None]:
    """The first key that is known, and whose it is. Raises NotPlain where another key is somebody else's."""
    found = [(key, pupil) for key in KEYS if said.get(key) and (pupil := by_key(key, said[key], known))]
    if not found:
        return "", None
    (first, pupil), *others = found
    for key, other in others:
        if other["id"] != pupil["id"]:
            raise NotPlain(key, f"the {KEY_WORDS[first]} is {who(pupil)}'s and the {KEY_WORDS[key]} is {who(other)}'s")
    return first, pupil


def by_key(key: str, value: str, known: Known) -> Mapping[str, Any] | None:
    found = known.by_key[key].get(value, [])
    if len(found) > 1:
        raise NotPlain(key, f"{len(found)} pupils have this {KEY_WORDS[key]}: {', '.join(map(who, found))}")
    return found[0] if found else None


def by_name(said: Fields, known: Known) -> Mapping[str, Any] | None:
    alike = _named(said, known)
    born = said.get("born_on")
    same = [pupil for pupil in alike if born and pupil["born_on"] == born]
    if len(same) == 1 and not _contradicts(said, same[0]):
        return same[0]
    unsure = same or [pupil for pupil in alike if not born or not pupil["born_on"]]
    if unsure:
        raise NotPlain("surname", f"may be {' or '.join(map(who, unsure))}: give the UPN or the admission number the school has")
    if not born and not any(said.get(key) for key in KEYS):
        raise NotPlain("surname", "has no UPN, admission number, MIS id or date of birth")
    return None


def _contradicts(said: Fields, pupil: Mapping[str, Any]) -> bool:
    return any(said.get(key) and pupil[key] and said[key] != pupil[key] for key in KEYS)


def is_somebody_else(said: Fields, pupil: Mapping[str, Any]) -> bool:
    """A number one figure out is often a brother's: with another birthday the whole name must be the same, without one any of it."""
    if said.get("born_on") and pupil["born_on"]:
        return bool(said["born_on"] != pupil["born_on"]) and not _same_name(said, pupil)
    names = {values.fold(said["forename"]), values.fold(said["surname"])}
    return not names & {values.fold(pupil["forename"]), values.fold(pupil["surname"]), values.fold(pupil["preferred"])}


def _same_person(said: Fields, pupil: Mapping[str, Any]) -> bool:
    return bool(said.get("born_on")) and said["born_on"] == pupil["born_on"] and _same_name(said, pupil)


def _same_name(said: Fields, pupil: Mapping[str, Any]) -> bool:
    forenames = {values.fold(pupil["forename"]), values.fold(pupil["preferred"])}
    return values.fold(said["surname"]) == values.fold(pupil["surname"]) and values.fold(said["forename"]) in forenames


def _named(said: Fields, known: Known) -> list[Mapping[str, Any]]:
    return known.by_name.get((values.fold(said["surname"]), values.fold(said["forename"])), [])


def who(pupil: Mapping[str, Any]) -> str:
    return f"{pupil['preferred'] or pupil['forename']} {pupil['surname']} ({pupil['form'] or 'Year ' + pupil['year']})"
