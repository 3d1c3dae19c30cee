"""Calls for help: asked for with one thumb, answered, and over."""

from datetime import date
from typing import Any

from server.demo.acts import Acts, Diary, Values, exact, place_of, put
from server.demo.chance import Chance
from server.demo.people import Pupil, Staff, words
from server.demo.scenes import LESSONS, Proneness, moment_in, somebody_in
from server.demo.school import MINUTE, SECOND, School, local, place_for
from server.demo.telling import pupil, told

PER_PUPIL = 0.0048  # a day
WEIGHTS = {"lesson": {"p1": 0.5, "p2": 0.8, "p3": 1.0, "p4": 1.6, "p5": 1.7}, "outside": {"break": 0.6, "lunch": 1.4, "p4": 0.5, "p5": 0.6}}
GROUPS = ("corridor", "toilets", "yard", "stairs")
NOBODY_CAME = 0.05
ENDS = {
    "removal": "In the Reset room for the rest of the period.",
    "moved": "Moved next door with the work.",
    "settled": "Settled.",
    "talked_outside": "Back in after that.",
    "quiet_space": "Stayed there until the bell.",
    "first_aid": "Note sent to the form tutor.",
    "not_needed": "",
}


def callouts(school: School, prone: Proneness) -> Acts:
    acts: Acts = []
    for day in school.written_days:
        chance = school.chance("callouts", day)
        for at in range(round(school.size.pupils * PER_PUPIL * chance.uniform(0.6, 1.4)) or 1):
            acts += _one(school, chance.apart(at), prone, day)
    return acts


def _one(school: School, chance: Chance, prone: Proneness, day: date) -> Acts:
    kinds = words("callouts")["one"]
    kind = chance.weighted(kinds, [one["share"] for one in kinds])
    weights = WEIGHTS[kind["where"]]
    period = chance.weighted(list(weights), list(weights.values()))
    asked_at = moment_in(chance, day, period)
    someone = somebody_in(school, chance, prone, day, asked_at)
    if someone is None:
        return []
    lesson = school.lesson_of(someone, chance.choice(list(school.teachers))) if period in LESSONS and kind["where"] == "lesson" else None
    group = "toilets" if "toilets" in kind["note"][0] else chance.choice(GROUPS)
    place = place_for(lesson.subject) if lesson else place_of(chance, group, period)
    about = None if kind.get("nobody") else someone
    asker = lesson.teacher if lesson else chance.choice(school.by_role["teacher"])
    diary = Diary(school, chance.apart("diary"))
    first: Values = {
        "place": place.code if place else "yard",
        "urgency": kind["urgency"],
        "pupils": put({about.id: {}}) if about and chance.happens(0.7) else None,
        "note": told(chance, chance.choice(kind["note"])),
        "asked_at": exact(asked_at),
        "lesson": lesson.line if lesson else None,
        "progress": "asked",
    }
    record = diary.begin(asked_at, asker, "call_out", first, sent=asked_at + int(chance.uniform(1, 6) * SECOND))
    if not chance.happens(NOBODY_CAME):
        _answered(school, chance, diary, record, kind, asked_at, asker, about)
    return diary.acts


def _answered(
    school: School, chance: Chance, diary: Diary, record: str, kind: dict[str, Any], asked_at: int, asker: Staff, about: Pupil | None
) -> None:
    team = [*school.by_role["responder"] * 4, *school.by_role["manager"], *school.by_role["leader"]]
    came = chance.choice([one for one in team if one is not asker])
    answered_at = asked_at + (8 + min(int(chance.lognormvariate(3.4, 0.6)), 400)) * SECOND
    arrived_at = answered_at + int(chance.uniform(60, 260)) * SECOND
    over_at = arrived_at + int(chance.uniform(3, 25)) * MINUTE
    going: Values = {"responders": put({came.id: {"part": "going"}}), "progress": "answered", "answered_at": exact(answered_at)}
    there: Values = {"responders": put({came.id: {"part": "there"}}), "progress": "there", "arrived_at": exact(arrived_at)}
    diary.add(answered_at, came, record, "call_out", going, sent=answered_at + 2 * SECOND)
    diary.add(arrived_at, came, record, "call_out", there)
    outcome = chance.weighted(list(kind["outcomes"]), list(kind["outcomes"].values()))
    names = {
        "a": pupil(about) if about else "",
        "first": asker.name,
        "end": ENDS[outcome],
        "carer": about.to_ring[0].relationship if about else "",
    }
    over: Values = {
        "responders": put({came.id: {"part": "left"}}),
        "progress": "over",
        "over_at": exact(over_at),
        "outcome": outcome,
        "account": told(chance, chance.choice(kind["account"]), **names) if chance.happens(0.65) else None,
        "pupils": put({about.id: {}}) if about else None,
        "state": "closed" if chance.happens(0.6) and local(over_at).date() != school.days[-1] else None,
    }
    diary.add(over_at + int(chance.uniform(1, 20)) * MINUTE, came, record, "call_out", over)
