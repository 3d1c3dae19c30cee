"""Home visits: planned and authorised, gone on, and written up; the child seen or not seen."""

from datetime import date
from typing import Any

from server.demo.acts import Acts, Diary, Values, exact, put, tags
from server.demo.chance import Chance
from server.demo.incidents import WOMEN, later_day
from server.demo.people import Pupil, Staff, words
from server.demo.school import MINUTE, School, clock, local
from server.demo.telling import pupil, told

PER_PUPIL = 0.0012  # a day
AWAY = {"O", "N", "I"}
DAYS_AWAY = 2  # in a row
# Minutes: left so long ago, to be back in so many, last heard of so long ago; and whether they are safe
OUT_NOW = ((70, -4, 41, False), (25, 45, 6, False), (-20, 75, None, False), (80, -15, 18, True))
PURPOSES = {"absence": 45, "no_contact": 22, "welfare": 10, "relationship": 10, "coming_back": 13}
HAZARDS = {"dog": 3, "stairs": 2, "no_signal": 2, "aggression": 1}


def visits(school: School) -> Acts:
    acts: Acts = []
    for day in school.written_days:
        chance = school.chance("visits", day)
        wanted = school.size.pupils * PER_PUPIL
        count = int(wanted) + chance.happens(wanted % 1)
        away = [one for one in school.pupils if _is_away(school, one, day)]
        for at, one in enumerate(chance.sample(away, k=min(count, len(away)))):
            acts += _one(school, chance.apart(at), one, day)
    return acts + _out_now(school)


def _out_now(school: School) -> Acts:
    """As the demo opens: one past its time, one at the door, one about to leave, one just safely over."""
    chance, now = school.chance("visits", "now"), school.as_at
    diary = Diary(school, chance.apart("diary"))
    leads, helpers = [*school.by_role["officer"], *school.by_role["manager"]], school.by_role["responder"]
    for at, (left_ago, back_in, heard_ago, safe) in enumerate(OUT_NOW):
        lead, other = leads[at % len(leads)], helpers[at % len(helpers)]
        leaves_at = now - left_ago * MINUTE
        plan = _plan(school, chance.apart(at), chance.choice(school.pupils), lead, other, at == 0, leaves_at)
        planned_at = min(leaves_at - 20 * MINUTE, now - 10 * MINUTE)
        plan |= {"back_by": exact(now + back_in * MINUTE), "authorised_at": exact(planned_at)}
        record = diary.begin(planned_at, lead, "home_visit", plan, sent=planned_at)
        if heard_ago is not None:
            left_at, heard_at = leaves_at + 2 * MINUTE, now - heard_ago * MINUTE
            diary.add(left_at, lead, record, "home_visit", {"left_school_at": exact(left_at)}, sent=left_at)
            said = {"safe_at": exact(heard_at)} if safe else {"checked_in_at": exact(heard_at)}
            diary.add(heard_at, lead, record, "home_visit", said, sent=heard_at)
    return diary.acts


def _is_away(school: School, one: Pupil, day: date) -> bool:
    at = school.register.at[day]
    days = school.days[at - DAYS_AWAY : at + 1]
    return all(school.register.mark(one, each, session) in AWAY for each in days for session in ("am", "pm"))


def _one(school: School, chance: Chance, one: Pupil, day: date) -> Acts:
    lead = school.head_of(one.year) if chance.happens(0.25) else chance.choice([*school.by_role["officer"] * 3, *school.by_role["manager"]])
    other = chance.choice([each for each in [*school.by_role["officer"], *school.by_role["responder"]] if each is not lead])
    alone = chance.happens(0.12)
    leaves_at = clock(day, chance.choice(["09:40", "10:15", "11:10", "13:20", "14:00"]), chance.uniform(0, 600))
    diary = Diary(school, chance.apart("diary"))
    record = diary.begin(leaves_at - int(chance.uniform(25, 90)) * MINUTE, lead, "home_visit",
                         _plan(school, chance, one, lead, other, alone, leaves_at))  # fmt: skip
    kinds = words("visits")["one"]
    kind = chance.weighted(kinds, [each["share"] for each in kinds])
    arrived = leaves_at + int(chance.uniform(8, 22)) * MINUTE
    took = chance.randrange(18, 50) if kind["door"] == "let_in" else chance.randrange(6, 16)
    left = arrived + took * MINUTE
    diary.add(leaves_at + MINUTE, lead, record, "home_visit", {"left_school_at": exact(leaves_at)})
    back = left + int(chance.uniform(10, 20)) * MINUTE
    no_signal = back if chance.happens(0.4) else None
    diary.add(arrived, lead, record, "home_visit", {"arrived_at": exact(arrived)}, sent=no_signal)
    names = _names(school, chance, one, lead, left)
    diary.add(left + 3 * MINUTE, lead, record, "home_visit", _at_the_door(chance, kind, names, left, took), sent=no_signal)
    diary.add(back + int(chance.uniform(3, 50)) * MINUTE, lead, record, "home_visit", _written_up(chance, kind, names, back))
    if not alone and chance.happens(0.35):
        text = words("visits")["second"]["not_seen" if kind["child"] == "not_seen" else "seen"]
        diary.add(back + 90 * MINUTE, other, record, "home_visit", {"account": told(chance, text, lead=lead.name, **names)})
    if day < school.written_days[-min(3, len(school.written_days))] and kind["child"] != "not_seen" and chance.happens(0.6):
        diary.at_desk(clock(day, "16:30", chance.uniform(0, 3000)), lead, record, "home_visit", {"state": "closed"})
    return diary.acts


def _plan(school: School, chance: Chance, one: Pupil, lead: Staff, other: Staff, alone: bool, leaves_at: int) -> Values:
    by = chance.choice([*school.by_role["dsl"] * 2, *school.by_role["leader"]])
    at = school.register.at.get(local(leaves_at).date(), len(school.days) - 1)
    days = sum(school.register.mark(one, each, "am") in AWAY for each in school.days[at - 10 : at])
    hazards = chance.weighted(list(HAZARDS), list(HAZARDS.values())) if chance.happens(0.3) else None
    return {
        "pupils": put({one.id: {}}),
        "purpose": chance.weighted(list(PURPOSES), list(PURPOSES.values())),
        "to_find_out": told(chance, words("visits")["second"]["to_find_out"], a=pupil(one), days=max(days, 3)),
        "authorised_by": put({by.id: {}}),
        "authorised_at": exact(leaves_at - 95 * MINUTE),
        "company": "alone" if alone else "pair",
        "going": put({lead.id: {"part": "leads"}} | ({} if alone else {other.id: {"part": "goes"}})),
        "expects_call": put({(other if alone else by).id: {}}),
        "where": "home",
        "leaves_at": exact(leaves_at),
        "back_by": exact(leaves_at + 80 * MINUTE),
        "reached_on": f"07700 900{chance.randrange(1000):03d}",
        "vehicle": chance.choice(["School car", "Own car, white hatchback", "On foot"]),
        "risk": "some" if hazards else "low",
        "hazards": tags([hazards] if hazards else []),
    }  # fmt: skip


def _names(school: School, chance: Chance, one: Pupil, lead: Staff, moment: int) -> dict[str, Any]:
    adult = one.to_ring[0]
    a = pupil(one)
    return {
        "a": a,
        "he_cap": a.He,
        "carer": f"{adult.name} ({adult.relationship.lower()})",
        "carer_name": f"{'Ms' if adult.relationship in WOMEN else 'Mr'} {adult.name.split()[-1]}",
        "staff": chance.choice(school.by_role["responder"]).name,
        "dsl": school.by_role["dsl"][0].name,
        "time": f"{local(moment + 6 * MINUTE):%H:%M}",
        "later": later_day(chance, local(moment).date()),
    }


def _at_the_door(chance: Chance, kind: dict[str, Any], names: dict[str, Any], left: int, took: int) -> Values:
    return {
        "door": kind["door"],
        "child_seen": kind["child"],
        "child_not_seen": _tell(chance, kind, "not_seen", names),
        "who_seen": _tell(chance, kind, "who_seen", names),
        "letter_left": "yes" if kind.get("letter") else "no",
        "left_at": exact(left),
        "took": took,
    }


def _written_up(chance: Chance, kind: dict[str, Any], names: dict[str, Any], back: int) -> Values:
    return {
        "safe_at": exact(back),
        "child_said": _tell(chance, kind, "child_said", names),
        "family_said": _tell(chance, kind, "family_said", names),
        "conditions": _tell(chance, kind, "conditions", names),
        "account": told(chance, chance.choice(kind["account"]), **names),
        "agreed": told(chance, chance.choice(kind["agreed"]), **names),
        "next_step": _tell(chance, kind, "next", names),
        "concern": "no" if kind["child"] != "not_seen" else chance.choice(["unknown", "no"]),
    }


def _tell(chance: Chance, kind: dict[str, Any], field: str, names: dict[str, Any]) -> str | None:
    text = kind.get(field)
    return told(chance, text.replace("{a.he_cap}", "{he_cap}").replace("{c.he_cap}", "{he_cap}"), **names) if text else None
