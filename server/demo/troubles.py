"""What goes wrong in any school: two people's answers that differ, edits that are held, and how some of them are settled."""

from datetime import date

from server.demo.acts import Acts, Diary, Values, exact, put
from server.demo.aftermath import statements
from server.demo.chance import Chance
from server.demo.incidents import Writing
from server.demo.people import Pupil, Staff, words
from server.demo.scenes import Proneness, Scene
from server.demo.school import MINUTE, PLACE, School, clock

DISPUTES, HELD = 7, 6  # among 750 pupils in six weeks; at least four of each, so that there is something to see
AT_LEAST = 4
DECIDED = 0.9  # of disputes before the last two days
QUESTIONS = ("category", "category", "part", "severity", "place")
ANSWERS = {"category": ("fighting", "unsafe"), "severity": ("medium", "high"), "place": ("stairwell_c", "b_corridor")}


def troubles(school: School, prone: Proneness, stranger: Pupil) -> Acts:
    """`stranger`: a pupil of another school, whom somebody's phone still listed."""
    days, acts = school.written_days, Acts()
    for at in range(_many(school, DISPUTES)):
        chance = school.chance("dispute", at)
        day = days[-1 - at] if at < 2 else chance.choice(days[:-2])
        acts += _dispute(school, chance, prone, day, QUESTIONS[at % len(QUESTIONS)])
    for at in range(_many(school, HELD)):
        chance = school.chance("held", at)
        day = days[-1 - at] if at < 2 else chance.choice(days[:-2])
        acts += (_of_another_school, _old_word, _not_theirs_to_begin, _too_long)[at % 4](school, chance, day, stranger)
    return acts


def _many(school: School, of_school: int) -> int:
    return max(AT_LEAST, round(of_school * school.size.weeks / 6 * min(2, school.size.pupils / 750)))


# ── Two answers ────────────────────────────────────────────────────────────────────────────


def _dispute(school: School, chance: Chance, prone: Proneness, day: date, question: str) -> Acts:
    """Two write about one fight, each without having seen what the other wrote."""
    scene = _fight(school, chance, prone, day)
    writing, diary = Writing(chance, scene), Diary(school, chance.apart("diary"))
    first, second = scene.first, scene.second
    one, other = scene.pupils[0], scene.pupils[1]
    began_at = scene.at + 2 * MINUTE
    begun: Values = {
        "pupils": put({pupil.id: {"part": part} for pupil, part in zip(scene.pupils, scene.parts, strict=True)}),
        "happened_at": exact(scene.at),
        "hurt": "yes",
        "staff": put({second.id: {"part": "called"}}),
        "category": None if question == "category" else "fighting",
        "place": None if question == "place" else scene.place.code,
    }
    record = diary.begin(began_at, first, "incident", begun, sent=began_at + MINUTE // 4)
    answers = _answers(question, one, other)
    story = scene.story
    knew = began_at + MINUTE  # both had seen how it began, and neither what the other wrote next
    diary.add(began_at + 6 * MINUTE, first, record, "incident", answers[0] | {"account": writing.say(story["account"][0])},
              saw=knew, sent=began_at + int(chance.uniform(30, 50)) * MINUTE)  # fmt: skip
    diary.add(began_at + 19 * MINUTE, second, record, "incident", answers[1] | {"account": writing.say(story["second"][0])},
              saw=knew, sent=began_at + int(chance.uniform(19.5, 22)) * MINUTE)  # fmt: skip
    statements(school, chance.apart("statements"), diary, scene, writing, record)
    if day < school.written_days[-2] and chance.happens(DECIDED):
        manager = school.by_role["manager"][0]
        decided_at = clock(day, "15:50", chance.uniform(0, 3000))
        diary.at_desk(decided_at, manager, record, "incident", chance.choice(answers))
        if chance.happens(0.6):
            closed: Values = {"state": "closed", "state_reason": "Spoken to both witnesses"}
            diary.at_desk(decided_at + 4 * MINUTE, manager, record, "incident", closed)
    return diary.acts


def _answers(question: str, one: Pupil, other: Pupil) -> tuple[Values, Values]:
    if question == "part":
        return {"pupils": put({other.id: {"part": "responsible"}})}, {"pupils": put({other.id: {"part": "harmed"}})}
    ours, theirs = ANSWERS[question]
    return {question: ours}, {question: theirs}


def _fight(school: School, chance: Chance, prone: Proneness, day: date) -> Scene:
    story = next(each for each in words("incidents")["story"] if each["about"] == "fighting")
    found: list[Pupil] = []
    at = clock(day, chance.choice(["11:06", "12:44", "10:02"]), chance.uniform(0, 240))
    session = "am" if at < clock(day, "12:20") else "pm"
    while len(found) < 3:
        pupil = prone.one(chance) if len(found) < 2 else chance.choice(school.pupils)
        if pupil not in found and school.register.is_in(pupil, day, session) and (not found or abs(pupil.year - found[0].year) <= 1):
            found.append(pupil)
    first, second = chance.sample([*school.by_role["responder"], *school.by_role["head_of_year"], *school.by_role["teacher"][:12]], k=2)
    parts = ["responsible", "involved", "witness"]
    return Scene(story, at, PLACE["stairwell_c"], "break", found, parts, first, second, None)


# ── Held ───────────────────────────────────────────────────────────────────────────────────


def _plain(school: School, chance: Chance, day: date) -> tuple[int, Staff, Values]:
    at = clock(day, "10:03", chance.uniform(0, 9000))
    one = chance.choice([pupil for pupil in school.pupils if school.register.is_in(pupil, day, "am")])
    values: Values = {
        "pupils": put({one.id: {"part": "responsible"}}),
        "category": "defiance",
        "place": "b_corridor",
        "happened_at": exact(at - 4 * MINUTE),
    }
    return at, chance.choice(school.by_role["teacher"]), values


def _of_another_school(school: School, chance: Chance, day: date, stranger: Pupil) -> Acts:
    """Somebody met on a sweep, picked from a list that was not ours; its author puts it right the same day."""
    diary = Diary(school, chance.apart("diary"))
    at, officer = clock(day, "10:36", chance.uniform(0, 1200)), school.by_role["officer"][0]
    values: Values = {
        "whose": "other_school", "pupils": put({stranger.id: {}}), "where": "arcade", "spoken_to_at": exact(at - MINUTE),
        "company": "young_people", "outcome": "school_rung",
        "account": f"With two others by the machines. Said {stranger.name} and gave a school. Rang them; they are sending somebody.",
    }  # fmt: skip
    held = diary.add(at, officer, diary.chance.id(at), "sighting", values)
    if day < school.written_days[-2]:
        right = {name: value for name, value in values.items() if name != "pupils"}
        described: Values = {
            "description": "About 14, black puffer jacket",
            "said_name": stranger.name,
            "said_school": "Fulling Mill School",
        }
        diary.add(at + 150 * MINUTE, officer, held.record, "sighting", right | described, amends=held.id)
    return diary.acts


def _old_word(school: School, chance: Chance, day: date, stranger: Pupil) -> Acts:
    """A place that the school has since taken off its list for good."""
    at, by, values = _plain(school, chance, day)
    diary = Diary(school, chance.apart("diary"))
    account = "Would not come away from the window in Room 14 when asked, then did."
    held = diary.add(at, by, diary.chance.id(at), "incident", values | {"place": "Room 14", "account": account})
    if day < school.written_days[-2]:
        why = "Room 14 is the new library office. Kept as written"
        diary.settle(clock(day, "15:35"), school.by_role["manager"][0], held, "taken", why)
    return diary.acts


def _not_theirs_to_begin(school: School, chance: Chance, day: date, stranger: Pupil) -> Acts:
    """A kind teacher on the way home; but visits are planned and authorised first."""
    at, by, values = _plain(school, chance, day)
    diary = Diary(school, chance.apart("diary"))
    held = diary.add(clock(day, "16:20"), by, diary.chance.id(at), "home_visit", {
        "pupils": put({one: {} for one in values["pupils"]["put"]}),
        "purpose": "relationship",
        "leaves_at": exact(clock(day, "16:00")),
        "account": "Dropped a reading book in on my way home. Mum at the door, all fine, very glad of it.",
    })  # fmt: skip
    if day < school.written_days[-2]:
        why = "Spoken to: a kind thought, but visits are authorised first. Written up by the officer as a contact"
        diary.settle(clock(day, "17:05"), school.by_role["manager"][0], held, "set aside", why)
    return diary.acts


def _too_long(school: School, chance: Chance, day: date, stranger: Pupil) -> Acts:
    """An account typed into a line that holds three hundred characters."""
    at, by, values = _plain(school, chance, day)
    diary, text = Diary(school, chance.apart("diary")), words("incidents")["too_long"]
    held = diary.add(at, by, diary.chance.id(at), "incident", values | {"lesson": text})
    if day < school.written_days[-2]:
        diary.add(at + 45 * MINUTE, by, held.record, "incident", values | {"lesson": "Year 9 line-up", "account": text}, amends=held.id)
    return diary.acts
