"""The 07:30 calls: who was away yesterday and has given no reason, and what their families said this morning.

What was promised fits what the register says later that day, since that is what mostly happens.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from server.demo.acts import Acts, Diary, MorningAct, Values, exact, put, tags
from server.demo.chance import Chance
from server.demo.days import school_days
from server.demo.incidents import WOMEN, later_day
from server.demo.people import Contact, Pupil, Staff, words
from server.demo.school import MINUTE, SECOND, School, clock, local
from server.demo.telling import Spoken, pupil, told
from server.morning.evening import HOUR, row_id

PER_PUPIL = 0.0155  # families rung a day
CAR_PARK = 0.35  # of mornings, somebody rings where there is no signal for the phone's data
WANTED = {"O", "N"}
LISTS = 2  # the last days of which the school made a list
RUNG_YET = 0.4  # of today's: the rest is still to ring, whatever the time
PROMISES = {  # by what the register says that morning
    "/": {"in_today": 70, "in_late": 5, "other": 5},
    "L": {"in_late": 60, "in_today": 30},
    "U": {"in_late": 60, "appointment": 8},
    "I": {"ill": 95},
    "M": {"appointment": 95},
}
NO_TALK = {"voicemail": 46, "no_answer": 40, "wrong_number": 4, "refused": 5, "blocked": 5}
TALKED = {"/": 0.72, "L": 0.75, "U": 0.6, "I": 0.92, "M": 0.95}
CODES = {"ill": "I", "appointment": "M"}


def calls(school: School) -> Acts:
    listed, today = _listed(school), local(school.as_at).date()
    acts: Acts = [MorningAct(min(clock(day - timedelta(days=1), HOUR), school.as_at), day.isoformat(), "make") for day in listed]
    for day in school.written_days:
        chance = school.chance("calls", day)
        callers = _callers(school, chance)
        families = _to_ring(school, chance, day)
        rung = RUNG_YET * len(families) if day == today else school.size.pupils * PER_PUPIL
        families = families[: max(3, round(rung))]
        for at, caller in enumerate(callers):
            acts += _morning(school, chance.apart(caller.id), day, caller, families[at :: len(callers)], listed)
    return acts


def _listed(school: School) -> list[date]:
    """The last days with school; where today has none, the next one too, whose list was made ahead."""
    today = local(school.as_at).date()
    coming = school_days(today, today + timedelta(days=80))[:1]
    return sorted({*school.days[-LISTS:], *coming})


def _callers(school: School, chance: Chance) -> list[Staff]:
    officers = school.by_role["officer"]
    return officers if len(officers) == 1 else chance.sample(officers, k=max(1, len(officers) - 1))


def _to_ring(school: School, chance: Chance, day: date) -> list[list[Pupil]]:
    """Families with somebody away yesterday without a reason, or away much; brothers and sisters together."""
    before = school.days[school.register.at[day] - 1]
    found = []
    for family in school.families.values():
        listed = [one for one in family if WANTED & {school.register.mark(one, before, session) for session in ("am", "pm")}]
        if listed and listed[0].to_ring:
            found.append(listed)
    chance.shuffle(found)
    return found


def _morning(school: School, chance: Chance, day: date, caller: Staff, families: list[list[Pupil]], listed: list[date]) -> Acts:
    diary = Diary(school, chance)
    moment = clock(day, "07:31", chance.uniform(0, 120))
    sent = clock(day, "08:12", chance.uniform(0, 240)) if chance.happens(CAR_PARK) else None
    for children in families:
        for call in _rung(school, chance.apart(children[0].id), day, children, listed):
            moment += int(chance.uniform(1.2, 3.4)) * MINUTE + int(chance.uniform(0, 50)) * SECOND
            values = call | {"rung_at": exact(moment - MINUTE)}
            record = diary.begin(moment, caller, "attendance_call", values, sent=sent if sent and moment < sent else None)
            if call["outcome"] != "answered" and chance.happens(0.3):
                diary.add(
                    moment + 70 * MINUTE,
                    caller,
                    record,
                    "attendance_call",
                    {"next_step": "ring_again", "next_note": "Second contact this time"},
                )
    return diary.acts


def _rung(school: School, chance: Chance, day: date, children: list[Pupil], listed: list[date]) -> Iterator[Values]:
    """One call, or two where the first adult does not answer."""
    mark = school.register.mark(children[0], day, "am")
    adults = children[0].to_ring[:2]
    for at, adult in enumerate(adults):
        answered = chance.happens(TALKED.get(mark, 0.5))
        shared: Values = {
            "pupils": put({one.id: {} for one in children}),
            "listed": row_id(school.id, day.isoformat(), children[0].family or children[0].id) if day in listed else None,
            "listed_for": tags(_why(school, chance, children[0])),
            "rung": adult.spoken_of,
            "number": adult.phone,
        }
        if answered:
            yield shared | _answered(school, chance, day, children[0], adult, mark)
            return
        outcome = chance.weighted(list(NO_TALK), list(NO_TALK.values()))
        last = at == len(adults) - 1 or chance.happens(0.5)
        yield shared | {
            "outcome": outcome,
            "said": told(chance, chance.choice(words("calls")[outcome]["said"])) or None,
            "next_step": chance.weighted(["ring_again", "visit", "pastoral", None], [40, 12, 13, 35]) if last else None,
            "code": "N" if last and mark in ("N", "O") and chance.happens(0.4) else None,
            "sessions": "am" if last and mark in ("N", "O") else None,
        }
        if last:
            return


def _why(school: School, chance: Chance, one: Pupil) -> list[str]:
    found = ["no_reason"]
    if 10 * school.register.absent(one) >= school.register.possible(one):
        found.append("persistent")
    return found + (["late"] if chance.happens(0.08) else [])


def _answered(school: School, chance: Chance, day: date, one: Pupil, adult: Contact, mark: str) -> Values:
    kinds = words("calls")["answered"]
    likely = PROMISES.get(mark, {"other": 30, "none": 32, "in_today": 20, "in_late": 8, "ill": 10})
    promise = chance.weighted(list(likely), list(likely.values()))
    said = next(each["said"] for each in kinds if each["promise"] == promise)
    reason = chance.choice(list(said))
    return {
        "outcome": "answered",
        "took": chance.randrange(1, 7),
        "said": told(chance, chance.choice(said[reason]), **_names(school, chance, day, one, adult)),
        "reason": reason,
        "promise": promise,
        "promised_for": exact(clock(day, "09:30")) if promise == "in_late" else None,
        "child_seen": "yes" if promise in ("in_today", "ill", "in_late") else "unknown",
        "code": CODES.get(promise) if chance.happens(0.8) else None,
        "sessions": "day" if promise == "ill" else "am" if promise == "appointment" else None,
        "next_step": "pastoral" if promise == "other" else "visit" if promise == "none" and chance.happens(0.4) else None,
    }


def _names(school: School, chance: Chance, day: date, one: Pupil, adult: Contact) -> dict[str, Any]:
    them = Spoken(adult.name.split()[0], "f" if adult.relationship in WOMEN else "m")
    subject = chance.choice(["maths", "science", "French", "English", "PE"])
    return {
        "a": pupil(one),
        "she": them.He,
        "she_low": them.he,
        "him": them.him,
        "herself": them.himself,
        "elsewhere": "dad" if adult.relationship == "Mother" else "mum",
        "subject": subject,
        "day": f"{day:%A}",
        "later": later_day(chance, day),
    }
