"""Contacts that are not about one incident: good news, attendance, worries, meetings, and the people who work with a family."""

from datetime import date
from typing import Any

from server.demo.acts import Acts, Diary, exact, put
from server.demo.chance import Chance
from server.demo.incidents import later_day, spoken_to
from server.demo.people import Contact, Pupil, Staff, words
from server.demo.scenes import Proneness
from server.demo.school import MINUTE, School, clock
from server.demo.telling import pupil, told

PER_PUPIL = 0.008  # a day
TIMES = ("08:20", "11:05", "12:40", "13:20", "15:15", "15:40", "16:10")


def contacts(school: School, prone: Proneness) -> Acts:
    acts: Acts = []
    for day in school.written_days:
        chance = school.chance("contacts", day)
        for at in range(round(school.size.pupils * PER_PUPIL * chance.uniform(0.7, 1.3)) or 1):
            acts += _one(school, chance.apart(at), prone, day)
    return acts


def _one(school: School, chance: Chance, prone: Proneness, day: date) -> Acts:
    kinds = words("contacts")["one"]
    kind = chance.weighted(kinds, [one["share"] for one in kinds])
    about = prone.one(chance) if chance.happens(0.6) else chance.choice(school.pupils)
    spoke_at = clock(day, chance.choice(TIMES), chance.uniform(0, 900))
    session = "am" if spoke_at < clock(day, "12:20") else "pm"
    if kind["party"] == "pupil" and not school.register.is_in(about, day, session):
        return []
    by = _by(school, chance, about, kind)
    adult = chance.choice(about.to_ring[:2])
    took = chance.randrange(4, 40 if kind["direction"] == "met" else 14)
    diary = Diary(school, chance.apart("diary"))
    diary.begin(
        spoke_at + (took + int(chance.uniform(1, 30))) * MINUTE,
        by,
        "contact",
        {
            "party": kind["party"],
            "with_whom": _with_whom(chance, kind, adult),
            "pupils": put({about.id: {}}),
            "responsibility": ("yes" if adult.parental_responsibility else "no")
            if kind["party"] == "parent" and chance.happens(0.6)
            else None,
            "channel": chance.choice(kind["channels"]),
            "direction": kind["direction"],
            "spoke_at": exact(spoke_at),
            "reached": "yes" if "letter" not in kind else None,
            "took": took if "letter" not in kind else None,
            "letter": chance.choice(kind["letter"]) if "letter" in kind else None,
            "gist": told(chance, spoken_to(adult, chance.choice(kind["gist"])), **_names(school, chance, day, about)),
            "tone": kind["tone"],
            "agreed": told(chance, chance.choice(kind["agreed"]), **_names(school, chance, day, about)),
        },
    )
    return diary.acts


def _by(school: School, chance: Chance, about: Pupil, kind: dict[str, Any]) -> Staff:
    tutor = school.tutor_of(about)
    if kind["party"] == "agency":
        return chance.choice([*school.by_role["manager"], *school.by_role["dsl"], *school.by_role["officer"]])
    among = [school.head_of(about.year), school.head_of(about.year), *school.by_role["officer"], *([tutor, tutor] if tutor else [])]
    return chance.choice(among)


def _responsibility(adult: Contact) -> str:
    return "yes" if adult.parental_responsibility else "no"


def _with_whom(chance: Chance, kind: dict[str, Any], adult: Contact) -> str | None:
    if kind["party"] == "parent":
        return adult.spoken_of
    return told(chance, chance.choice(kind["who"])) if kind["party"] == "agency" else None


def _names(school: School, chance: Chance, day: date, about: Pupil) -> dict[str, Any]:
    absent, possible = school.register.absent(about), max(1, school.register.possible(about))
    return {
        "a": pupil(about),
        "subject": chance.choice(["maths", "science", "art", "English", "history", "PE", "Spanish"]),
        "share": f"{100 - 100 * absent / possible:.1f}",
        "later": later_day(chance, day),
    }
