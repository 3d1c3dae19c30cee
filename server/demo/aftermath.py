"""What came of an incident: what was decided for each pupil, who rang home, who gave a statement, and when it was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.demo.acts import Diary, Values, exact, put
from server.demo.chance import Chance
from server.demo.people import Staff
from server.demo.scenes import Scene
from server.demo.school import MINUTE, School, clock, local

if TYPE_CHECKING:
    from server.demo.incidents import Writing

DECIDED, CLOSED, VOID = 0.85, 0.72, 0.012  # of incidents; closed only once they are three school days old
QUESTIONS = "What happened, from the beginning? Where were you standing? Is there anything else?"
WHY_CLOSED = ("", "Outcome served", "Followed up with home", "Nothing more to do", "Spoken to again, all well")


def decided(school: School, chance: Chance, diary: Diary, scene: Scene, writing: Writing, record: str, soonest: int) -> None:
    """The head of year or the behaviour manager gives each pupil an outcome, has parents told, and closes most of them."""
    story, day = scene.story, local(scene.at).date()
    decider = school.head_of(scene.pupils[0].year) if chance.happens(0.6) else chance.choice(school.by_role["manager"])
    at = school.at_work(max(soonest, clock(day, "15:20", chance.uniform(0, 7000))))
    if chance.happens(DECIDED):
        serious = 1 - story["severity"].get("low", 0) / 100
        rung = chance.happens(0.12 + 0.6 * serious)
        outcomes = {
            one.id: {"part": part, "outcome": chance.weighted(list(story["outcomes"]), list(story["outcomes"].values()))}
            for one, part in zip(scene.pupils, scene.parts, strict=True)
            if part in ("responsible", "involved")
        }
        diary.at_desk(at, decider, record, "incident", {"pupils": put(outcomes), "parents": "told" if rung else None})
        if rung and story.get("home"):
            _rang_home(school, chance.apart("home"), diary, scene, writing, record, decider, at)
    days = [one for one in school.written_days if one > day]
    if len(days) >= 3 and chance.happens(CLOSED):
        closing = clock(chance.choice(days[:4]), "16:00", chance.uniform(0, 4000))
        diary.at_desk(closing, decider, record, "incident", {"state": "closed", "state_reason": chance.choice(WHY_CLOSED)})
    elif chance.happens(VOID):
        diary.at_desk(at + 30 * MINUTE, decider, record, "incident", {"state": "void", "state_reason": "Entered twice by mistake"})


def _rang_home(school: School, chance: Chance, diary: Diary, scene: Scene, writing: Writing, record: str, by: Staff, at: int) -> None:
    one = scene.pupils[0]
    adult = chance.choice(one.to_ring[:2])
    spoke_at = school.at_work(at + int(chance.uniform(4, 40)) * MINUTE)
    reached = chance.weighted(["yes", "message", "no"], [78, 16, 6])
    values: Values = {
        "party": "parent",
        "with_whom": adult.spoken_of,
        "pupils": put({one.id: {}}),
        "responsibility": "yes" if adult.parental_responsibility else "unknown",
        "channel": "phone",
        "direction": "out",
        "spoke_at": exact(spoke_at - 5 * MINUTE),
        "reached": reached,
        "about": record,
    }
    if reached == "yes":
        values |= {
            "took": chance.randrange(3, 14),
            "gist": writing.to(adult, scene.story["home"]),
            "tone": chance.weighted(["calm", "upset", "angry"], [80, 14, 6]),
        }
    elif reached == "message":
        values |= {"took": 1, "gist": "Left a message to ring back."}
    diary.begin(spoke_at, by, "contact", values)


def statements(school: School, chance: Chance, diary: Diary, scene: Scene, writing: Writing, record: str) -> None:
    """From each in their own words, one after another, while they are at school."""
    taker = scene.second if scene.second.role in ("head_of_year", "leader") else school.head_of(scene.pupils[0].year)
    day = local(scene.at).date()
    taken_at = scene.at + int(chance.uniform(40, 100)) * MINUTE
    if taken_at > clock(day, "14:20"):
        later = [one for one in school.written_days if one > day]
        taken_at = clock(later[0], "09:05", chance.uniform(0, 2400)) if later else school.as_at + MINUTE
    for one, letter in zip(scene.pupils, "abc", strict=False):
        if not chance.happens(0.8):
            continue
        words = chance.choice(scene.story[f"st_{letter}"])
        values = {
            "incident": record,
            "pupils": put({one.id: {}}),
            "taken_at": exact(taken_at),
            "place": "reset_room",
            "how": chance.weighted(["scribed", "own_hand", "typed"], [55, 35, 10]),
            "scribe": put({taker.id: {}}),
            "adults": put({taker.id: {}}),
            "questions": QUESTIONS,
            "words": writing.say(words),
            "read_back": "yes",
            "agreed": chance.weighted(["signed", "agreed", "in_part"], [70, 24, 6]),
        }
        diary.begin(taken_at + 12 * MINUTE, taker, "statement", values)
        taken_at += 18 * MINUTE
