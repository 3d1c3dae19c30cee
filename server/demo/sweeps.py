"""Truancy sweeps: several phones, one sweep, and the young people spoken to: ours, another school's, or not known."""

from datetime import date

from server.demo.acts import Acts, Diary, Values, about, exact, put
from server.demo.chance import Chance
from server.demo.people import Pupil, Staff, words
from server.demo.school import MINUTE, SECOND, School, clock
from server.demo.telling import PRONOUNS, told

EVERY = 9  # school days
AREAS = ("town_centre", "retail_park", "priory_park")
SPOTS = {"town_centre": ["arcade", "bus_station", "shops", "library"], "retail_park": ["canal", "bridge", "shops"],
         "priory_park": ["park", "street", "shops"]}  # fmt: skip
OTHER_SCHOOLS = ("Fulling Mill School", "Kingfisher Park Academy", "the college")
POLICE = "PC 4417 Hale"
AWAY = {"O", "N", "U"}
REASONS = {"none": 40, "overslept": 24, "appointment": 12, "ill": 6, "falling_out": 10, "family": 8}
OUTCOMES = {  # by whose they are
    "ours": {"agreed": 46, "walked_in": 26, "with_police": 10, "walked_off": 10},
    "other_school": {"school_rung": 50, "agreed": 24, "with_police": 16, "walked_off": 10},
    "not_known": {"walked_off": 55, "agreed": 45},
}
COMPANY = {"alone": 44, "young_people": 48, "not_known": 8}
COMPANY_WORDS = {"alone": "On {his} own.", "young_people": "With two others.", "adult": "With {his} mother.", "not_known": ""}
OUTCOME_WORDS = {
    "agreed": "Said {he} would go in now.",
    "walked_in": "Walked back with us.",
    "with_adult": "Left with her; she will bring {him} in after lunch.",
    "with_police": "PC Hale took {him} in.",
    "allowed": "Showed me the message about it, so nothing more to do.",
    "school_rung": "Rang them; they are ringing home.",
    "walked_off": "Walked off while we were talking. We did not follow.",
}


def sweeps(school: School) -> Acts:
    acts: Acts = []
    days = [day for at, day in enumerate(school.written_days) if at % EVERY == EVERY // 2]
    for number, day in enumerate(days):
        acts += _sweep(school, school.chance("sweep", day), day, number)
    for day in school.written_days:
        chance = school.chance("sighting", day)
        if chance.happens(min(0.45, school.size.pupils / 3000)):
            acts += _by_chance(school, chance, day)
    return acts


def _sweep(school: School, chance: Chance, day: date, number: int) -> Acts:
    lead = school.by_role["officer"][0]
    team = [lead, chance.choice(school.by_role["responder"]), school.head_of(9)]
    area, starts = AREAS[number % len(AREAS)], clock(day, "09:30")
    ends = starts + 120 * MINUTE
    diary = Diary(school, chance.apart("diary"))
    text = words("sweeps")
    record = diary.begin(clock(day, "08:35"), lead, "sweep", {
        "area": area,
        "boundary": told(chance, text[area]["boundary"]),
        "starts_at": exact(starts),
        "ends_at": exact(ends),
        "authority_reference": f"S16/{day:%y}/{110 + number * 7}",
        "police_lead": POLICE,
        "taken_to": "School, main reception",
        "team": put({one.id: {"part": "leads" if one is lead else "goes"} for one in team}),
        "partners": chance.choice(text["partners"]),
    })  # fmt: skip
    away = [one for one in school.pupils if school.register.mark(one, day, "am") in AWAY]
    spoken_to = max(3, min(14, school.size.pupils // 110))
    for at in range(spoken_to):
        moment = starts + int(120 * MINUTE * (at + chance.random()) / spoken_to)
        one = chance.apart(at)
        _sighting(school, one, diary, moment, one.choice(team), area, one.choice(away) if away and one.happens(0.55) else None, record)
    diary.add(ends + 40 * MINUTE, lead, record, "sweep", {"account": told(chance, chance.choice(text[area]["accounts"]), police=POLICE)})
    done: Values = {"learned": chance.choice(text["learned"]), "return_sent": "yes", "return_sent_at": exact(clock(day, "15:40"))}
    diary.at_desk(clock(day, "15:45"), lead, record, "sweep", done)
    return diary.acts


def _by_chance(school: School, chance: Chance, day: date) -> Acts:
    """On the way back from a visit, or on the bus in."""
    away = [one for one in school.pupils if school.register.mark(one, day, "am") in AWAY]
    by = chance.choice([*school.by_role["officer"], *school.by_role["responder"], *school.by_role["head_of_year"]])
    diary = Diary(school, chance.apart("diary"))
    moment = clock(day, chance.choice(["10:20", "11:40", "13:50"]), chance.uniform(0, 1500))
    ours = chance.choice(away) if away and chance.happens(0.8) else None
    _sighting(school, chance, diary, moment, by, chance.choice(AREAS), ours, None)
    return diary.acts


def _sighting(
    school: School, chance: Chance, diary: Diary, moment: int, by: Staff, area: str, ours: Pupil | None, sweep: str | None
) -> None:
    sex = ours.sex if ours else chance.choice("fm")
    whose = "ours" if ours else "other_school" if chance.happens(0.68) else "not_known"
    reason = chance.weighted(list(REASONS), list(REASONS.values()))
    company = "adult" if reason == "family" else chance.weighted(list(COMPANY), list(COMPANY.values()))
    outcome = _outcome(chance, whose, reason, sweep is not None)
    values: Values = {
        "sweep": sweep,
        "whose": whose,
        "pupils": put({ours.id: {}}) if ours else None,
        "where": chance.choice(SPOTS[area]),
        "spoken_to_at": exact(moment) if chance.happens(0.7) else about(moment),
        "spoken_to_by": put({by.id: {}}),
        "company": company,
        "companions": "Mother, who did not give her name" if company == "adult" else None,
        "reason": reason,
        "outcome": outcome,
        "handed_to": POLICE if outcome == "with_police" else None,
        "handed_at": exact(moment + 8 * MINUTE) if outcome == "with_police" else None,
        "said": chance.choice(words("sweeps")["quotes"][reason]) if chance.happens(0.4) else None,
        **(_stranger(chance, whose, sex) if not ours else {}),
    }
    pronouns = PRONOUNS[sex] | {"He": PRONOUNS[sex]["he"].capitalize()}
    values["account"] = _account(chance, whose, str(values.get("said_school", "")), reason, company, outcome, pronouns)
    no_signal = moment + int(chance.uniform(15, 70)) * MINUTE if chance.happens(0.35) else None
    diary.begin(moment + int(chance.uniform(60, 240)) * SECOND, by, "sighting", values, sent=no_signal)


def _outcome(chance: Chance, whose: str, reason: str, with_police: bool) -> str:
    if reason == "family":
        return "with_adult"
    if reason == "appointment" and whose != "not_known":
        return "allowed"
    weights = OUTCOMES[whose] | ({} if with_police else {"with_police": 0})
    return chance.weighted(list(weights), list(weights.values()))


def _stranger(chance: Chance, whose: str, sex: str) -> Values:
    """No more of a young person who is not ours than is needed to know them again."""
    text = words("sweeps")
    found: Values = {"description": told(chance, chance.choice(text["descriptions"]), sex="Girl" if sex == "f" else "Boy")}
    if whose == "not_known":
        return found
    return found | {
        "said_name": chance.choice(text[f"names_{sex}"]),
        "said_school": chance.choice(OTHER_SCHOOLS),
        "school_told": "Attendance line",
    }


def _account(chance: Chance, whose: str, school: str, reason: str, company: str, outcome: str, pronouns: dict[str, str]) -> str:
    opening = {
        "ours": "[Known to me.|On a bench, hood up. Polite.|Came over {himself} when {he} saw me.]",
        "other_school": "Says {he} goes to {school}.",
        "not_known": "Would not say a name or a school, which is {his} right. Told {him} where we are from and that nobody was in trouble.",
    }[whose]
    middle = chance.choice(words("sweeps")["reasons"][reason])
    ending = "I rang the office so that somebody would be at the door." if whose == "ours" and outcome in ("agreed", "walked_in") else ""
    text = " ".join([opening, middle, COMPANY_WORDS[company], OUTCOME_WORDS[outcome], ending])
    return told(chance, text, school=school, **pronouns)
