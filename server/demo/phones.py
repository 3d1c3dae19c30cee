"""The phones of a made-up school: when each had signal, how wrong its clock ran, and so which letter carries which edits when.

Most letters go within a minute. Some wait for a corridor with Wi-Fi, some until the evening, a few until the next morning.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from server.demo.acts import Act
from server.demo.chance import Chance
from server.demo.people import Staff
from server.demo.school import MINUTE, SECOND, School, clock, local
from server.store.moments import to_wire
from server.sync import wire

EDITS_AT_MOST = 100  # in a letter
AT_ONCE, A_WHILE, EVENING = 0.87, 0.975, 0.993  # of edits, added up; the rest go the next morning
NAMES = ("iPhone", "Android phone", "Samsung", "School phone")
SOON, TO_READ_IT = 3 * MINUTE, 4 * MINUTE
DAY_S = 86_400
DRIFTS_S = {0: 47 * 60, 1: -730 * DAY_S, 2: -13 * 60}  # the wrong clocks: an hour not put back, a battery that went flat


@dataclass
class Handset:
    id: str
    name: str
    staff: Staff
    drift_s: int
    sent: int = 0  # numbers given out


@dataclass
class Posted:
    """One letter: when it arrives, and what is in it, each with the moment up to which its author's phone had seen the school."""

    at: int
    handset: Handset
    acts: list[tuple[Act, int]]


def handsets(school: School) -> dict[str, Handset]:
    """One for each member of staff, by their id."""
    wrong = [one for one in school.staff if one.role == "teacher" and one.username != "teacher"]
    drifts = {wrong[at * 3 % len(wrong)].id: drift for at, drift in DRIFTS_S.items()}
    return {one.id: _handset(school, one, drifts.get(one.id)) for one in school.staff}


def _handset(school: School, one: Staff, drift_s: int | None) -> Handset:
    chance = school.chance("handset", one.id)
    paired_at = clock(school.days[0], "08:00")
    return Handset(chance.id(paired_at), chance.choice(NAMES), one, round(chance.gauss(0, 4)) if drift_s is None else drift_s)


def posted(school: School, acts: Iterable[Act], phones: dict[str, Handset]) -> list[Posted]:
    """The letters that arrive by now, in the order in which they do. What has not been sent is still on a phone."""
    everything = sorted(acts, key=lambda one: (one.at, one.id))
    beginnings = {act.record: act for act in reversed(everything)}
    arrived = {
        act.record: letter.at
        for letter in _letters(school, everything, phones, {})
        for act, _ in letter.acts
        if beginnings[act.record] is act
    }
    for act in everything:
        if act.by is not beginnings[act.record].by and act.at <= arrived[act.record]:
            act.at = arrived[act.record] + TO_READ_IT  # nobody writes in another's record before it has come
    letters = _letters(school, everything, phones, arrived)
    return sorted((letter for letter in letters if letter.at <= school.as_at), key=lambda letter: (letter.at, letter.handset.id))


def _letters(school: School, acts: Iterable[Act], phones: dict[str, Handset], arrived: dict[str, int]) -> list[Posted]:
    by_staff: dict[str, list[Act]] = defaultdict(list)
    for act in sorted(acts, key=lambda one: (one.at, one.id)):
        by_staff[act.by.id].append(act)
    return [letter for id, theirs in by_staff.items() for letter in _of_one(school, phones[id], theirs, arrived)]


def _of_one(school: School, handset: Handset, acts: list[Act], arrived: dict[str, int]) -> list[Posted]:
    sent, seen, back, lost = [], [], 0, 0
    for act in acts:
        if act.sent is not None:
            back, lost = act.sent, act.at - SECOND
        elif act.at >= back:
            back, lost = act.at + _wait(school.chance("signal", act.id), act.at), act.at - SECOND
        sent.append(back)
        knew = act.at - SECOND if back - act.at < SOON else lost
        seen.append(act.saw if act.saw is not None else max(knew, min(arrived.get(act.record, 0), act.at)))
    for at in range(len(sent) - 2, -1, -1):
        sent[at] = min(sent[at], sent[at + 1])  # a letter takes whatever is waiting
    letters: list[Posted] = []
    for act, moment, knew in zip(acts, sent, seen, strict=True):
        if not letters or letters[-1].at != moment or len(letters[-1].acts) == EDITS_AT_MOST:
            letters.append(Posted(moment, handset, []))
        letters[-1].acts.append((act, knew))
    return letters


def _wait(chance: Chance, moment: int) -> int:
    """Until the phone has signal again."""
    luck = chance.random()
    if luck < AT_ONCE:
        return int(chance.lognormvariate(2.3, 0.6)) * SECOND + SECOND
    if luck < A_WHILE:
        return int(chance.lognormvariate(3.0, 0.7)) * MINUTE
    day = local(moment).date()
    if luck < EVENING and moment < clock(day, "17:00"):
        return clock(day, "17:30", chance.uniform(0, 14_000)) - moment
    return clock(day + timedelta(days=1), "07:40", chance.uniform(0, 3000)) - moment


def written(letter: Posted, versions: dict[str, list[tuple[int, str]]]) -> bytes:
    """The letter as it goes over the wire. `versions`: the versions each record has had, each with the moment it came."""
    handset = letter.handset
    wrong_by = handset.drift_s * SECOND
    before = handset.sent
    edits = []
    for act, knew in letter.acts:
        handset.sent += 1
        seen = next((version for moment, version in reversed(versions.get(act.record, [])) if moment <= knew), None)
        edits.append(
            wire.Edit(
                id=act.id,
                phone=handset.id,
                number=handset.sent,
                record=act.record,
                kind=act.kind,
                made_at=to_wire(act.at + wrong_by),
                seen=seen,
                values=act.values,
                **({"amends": act.amends} if act.amends else {}),
            )
        )
    said: dict[str, Any] = {
        "protocol": 1, "build": "demo", "phone": handset.id, "sent_at": to_wire(letter.at + wrong_by), "cursor": None,
        "receipted": before, "waiting": 0, "lost": [], "edits": edits,
    }  # fmt: skip
    return msgspec.json.encode(said)
