"""Numbers that survive a question: counted once each, the same wherever they stand, and saying nothing of a child."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.kinds import KINDS
from server.reports import frames as kept
from server.reports.frames import Frames, framed, frames
from server.reports.patterns import Grid, Line, Patterns, Question, School, answer, patterns
from server.reports.sheets import patterns_sheet
from server.reports.suppression import SMALLEST_SHOWN
from server.reports.timetable import Period, Term, Timetable, minutes, timetable_of
from server.settings import Settings
from server.store.database import reading
from tests.test_reports_views import written
from tests.world import CAROL, CLOSED_DAYS, PERIODS, TERMS

INCIDENT = KINDS["incident"]
TIMETABLE = Timetable(
    tuple(Period(code, label, minutes(starts), minutes(ends), is_lesson) for code, label, starts, ends, is_lesson in PERIODS),
    tuple(Term(name, date.fromisoformat(first), date.fromisoformat(last)) for name, first, last in TERMS),
    frozenset(date.fromisoformat(day) for day, _ in CLOSED_DAYS),
)
PUPILS = {f"p{year}{number}": str(year) for year in (7, 8, 9) for number in range(12)} | {"alone": "13"}
SCHOOL = School(TIMETABLE, {"places": {"yard": "Yard", "gate": "Front gate"}}, PUPILS, dict(Counter(PUPILS.values())))
AUTUMN = Question(date(2026, 9, 1), date(2026, 12, 18))
TODAY = date(2026, 12, 18)


def happening(at: str, seq: int = 1, state: str = "open", lesson: str | None = None, **body: Any) -> tuple[Any, ...]:
    """A row of the table `record`, as frames read it."""
    moment = datetime.fromisoformat(at)
    microseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    then = {"at": at, "precision": "lesson", "lesson": lesson} if lesson else {"at": at, "precision": "exact"}
    body = {"happened_at": then} | body
    return (seq, seq, f"r{seq}", state, "amira", microseconds, microseconds, json.dumps(body).encode())


def counted(*happened: tuple[Any, ...], question: Question = AUTUMN, school: School = SCHOOL, today: date = TODAY) -> Patterns:
    return answer(framed(INCIDENT, list(happened)), school, question, today)


def counts(line: Line) -> dict[str, int | None]:
    return {heading.code: count for heading, count in zip(line.headings, line.counts, strict=True) if count != 0}


def period_of(at: str, **said: Any) -> str:
    return next(iter(counts(counted(happening(at, **said)).periods)))


# ── When ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("at", "period"),
    [
        ("2026-11-16T09:00:00Z", "p1"),
        ("2026-11-16T09:59:59Z", "p1"),
        ("2026-11-16T10:00:00Z", "p2"),
        ("2026-11-16T08:39:59Z", "before_school"),
        ("2026-11-16T15:10:00Z", "after_school"),
        ("2026-09-16T09:30:00Z", "p2"),  # half past ten by the clock on the wall
        ("2026-10-23T08:30:00Z", "p1"),  # the last Friday of summer time
        ("2026-11-02T08:30:00Z", "before_school"),  # the first Monday after it
        ("2026-11-15T09:30:00Z", "no_school"),  # a Sunday
        ("2026-11-27T09:30:00Z", "no_school"),  # a training day
        ("2026-10-28T09:30:00Z", "no_school"),  # half term
    ],
)
def test_the_period_is_what_the_clock_on_the_wall_says(at: str, period: str) -> None:
    assert period_of(at) == period


def test_a_lesson_that_was_named_is_the_period() -> None:
    assert period_of("2026-11-16T15:30:00Z", lesson="p3") == "p3"
    assert period_of("2026-11-16T09:30:00Z", lesson="a lesson of an old timetable") == "p1"


def test_time_between_two_periods_belongs_to_neither() -> None:
    gap = Timetable((Period("a", "A", 540, 600, True), Period("b", "B", 610, 660, True)), TIMETABLE.terms, frozenset())
    found = counted(happening("2026-11-16T10:05:00Z"), school=School(gap, {}, {}, {}))
    assert counts(found.periods) == {"between_lessons": 1}


def test_the_day_is_the_day_in_london() -> None:
    late = happening("2026-09-20T23:30:00Z")  # Monday already, by the clock on the wall
    assert counts(counted(late).weekdays) == {"0": 1}
    assert counted(late, question=Question(date(2026, 9, 1), date(2026, 9, 20))).total == 0


def test_a_school_without_a_timetable_still_counts() -> None:
    found = counted(happening("2026-11-16T09:30:00Z"), school=School(Timetable((), (), frozenset()), {}, {}, {}))
    assert found.total == 1
    assert found.days == 79  # every weekday
    assert [heading.label for heading in found.periods.headings] == ["The school has set no periods"]


def test_days_to_come_are_not_counted_over() -> None:
    assert counted(question=AUTUMN, today=date(2026, 9, 9)).days == 5


@pytest.mark.parametrize(("first", "last"), [(date.min, date.max), (date.max, date.min), (date.min, date.min), (TODAY, AUTUMN.first)])
def test_any_window_is_answered(first: date, last: date) -> None:
    without_terms = School(Timetable(TIMETABLE.periods, (), frozenset()), {}, {}, {})
    found = counted(happening("2026-11-16T09:30:00Z"), question=Question(first, last), school=without_terms)
    assert found.total == (1 if (first, last) == (date.min, date.max) else 0)
    assert found.days <= 3 * 366
    assert found.question.last <= TODAY


def test_a_term_is_the_one_that_the_day_is_in_or_the_one_before() -> None:
    assert TIMETABLE.term_of(date(2026, 11, 16)).name == "Autumn 2026"
    assert TIMETABLE.term_of(date(2026, 12, 28)).name == "Autumn 2026"
    assert TIMETABLE.term_of(date(2026, 8, 1)).name == "Autumn 2026"
    assert Timetable((), (), frozenset()).term_of(date(2026, 3, 1)).first == date(2025, 9, 1)


# ── How many ───────────────────────────────────────────────────────────────────────────────


def test_a_void_incident_does_not_count() -> None:
    assert counted(happening("2026-11-16T09:30:00Z", 1, state="void"), happening("2026-11-16T09:30:00Z", 2, state="closed")).total == 1


def test_what_nobody_said_is_counted_as_not_said() -> None:
    found = counted(happening("2026-11-16T09:30:00Z", 1, place="yard"), happening("2026-11-16T09:30:00Z", 2))
    assert counts(found.places) == {"yard": 1, "not_said": 1}
    assert [heading.label for heading in found.places.headings] == ["Yard", "Not said"]


def test_an_incident_counts_once_for_each_year_and_once_in_all() -> None:
    both = {"p70": {"part": "harmed"}, "p71": {}, "p80": {"part": "responsible"}}
    found = counted(happening("2026-11-16T09:30:00Z", pupils=both))
    assert counts(found.years) == {"7": 1, "8": 1}
    assert found.total == 1


def test_a_rate_is_of_what_could_have_been() -> None:
    everyday = [happening(f"2026-11-{day}T09:30:00Z", day, place="yard", pupils={"p70": {}}) for day in (16, 17, 18, 19)]
    found = counted(*everyday, question=Question(date(2026, 11, 16), date(2026, 11, 20)))
    assert found.days == 5
    assert rate(found.periods, "p1") == 80.0  # four of the five first periods of the week, per 100
    assert rate(found.weekdays, "0") == 1.0
    assert rate(found.years, "7") == 33.33  # twelve pupils, one week
    assert rate(found.weeks, "2026-11-16") == round(4 / 37 * 100, 2)


def rate(line: Line, code: str) -> float | None:
    return next(rate for heading, rate in zip(line.headings, line.rates, strict=True) if heading.code == code)


def test_a_short_week_is_compared_as_if_it_were_long() -> None:
    short = Question(date(2026, 11, 23), date(2026, 11, 29))  # with a training day
    found = counted(happening("2026-11-23T09:30:00Z", 1), happening("2026-11-23T09:30:00Z", 2), question=short)
    assert found.days == 4
    assert rate(found.weeks, "2026-11-23") == round(2 / 37 * 100 * 5 / 4, 2)


def test_too_few_are_said_to_be_too_few() -> None:
    assert counted(happening("2026-11-16T09:30:00Z")).too_few
    assert not counted(*(happening("2026-11-16T09:30:00Z", seq) for seq in range(1, 21))).too_few


def test_the_highest_cell_is_named_only_if_it_is_alone() -> None:
    yard, gate = ({"place": place} for place in ("yard", "gate"))
    once = [happening("2026-11-16T09:30:00Z", 1, **yard), happening("2026-11-16T10:30:00Z", 2, **gate)]
    assert counted(*once).place_by_period.highest is None
    found = counted(*once, happening("2026-11-16T10:30:00Z", 3, **gate)).place_by_period
    assert found.highest
    row, column = found.highest
    assert (found.rows.headings[row].code, found.columns.headings[column].code) == ("gate", "p2")


many = st.lists(
    st.tuples(
        st.datetimes(datetime(2026, 8, 25), datetime(2026, 12, 30)).map(lambda when: f"{when.isoformat(timespec='milliseconds')}Z"),
        st.sampled_from(["yard", "gate", None]),
        st.sampled_from(["fight", "damage", None]),
        st.lists(st.sampled_from(sorted(PUPILS)), max_size=3, unique=True),
        st.sampled_from(["open", "void"]),
        st.sampled_from([None, None, "p4"]),
    ),
    max_size=60,
)


def all_of(happened: list[Any]) -> list[tuple[Any, ...]]:
    return [
        happening(at, seq, state, lesson, place=place, category=category, pupils={pupil: {} for pupil in pupils})
        for seq, (at, place, category, pupils, state, lesson) in enumerate(happened, start=1)
    ]


@settings(deadline=None)
@given(many, st.sampled_from([None, "fight"]))
def test_every_number_is_what_counting_by_hand_gives(happened: list[Any], category: str | None) -> None:
    found = counted(*all_of(happened), question=Question(AUTUMN.first, AUTUMN.last, category=category))
    by_hand = Counter(
        (place or "not_said", period_by_hand(at, lesson))
        for at, place, what, _, state, lesson in happened
        if state != "void" and AUTUMN.first <= day_of(at) <= AUTUMN.last and category in (None, what)
    )
    assert cells(found.place_by_period) == by_hand
    assert found.total == by_hand.total()
    assert_agrees_with_itself(found)


def cells(grid: Grid) -> dict[tuple[str, str], int | None]:
    rows, columns = ([heading.code for heading in line.headings] for line in (grid.rows, grid.columns))
    return {(row, column): grid.counts[r][c] for r, row in enumerate(rows) for c, column in enumerate(columns) if grid.counts[r][c] != 0}


def period_by_hand(at: str, lesson: str | None) -> str:
    local = datetime.fromisoformat(at).astimezone(ZoneInfo("Europe/London"))
    in_term = any(first <= local.date().isoformat() <= last for _, first, last in TERMS)
    if local.weekday() > 4 or not in_term or local.date().isoformat() in dict(CLOSED_DAYS):
        return "no_school"
    clock = f"{local:%H:%M}"
    during = [code for code, _, starts, ends, _ in PERIODS if starts <= clock < ends]
    return lesson or next(iter(during), "before_school" if clock < PERIODS[0][2] else "after_school")


def day_of(at: str) -> date:
    return datetime.fromisoformat(at).astimezone(ZoneInfo("Europe/London")).date()


def assert_agrees_with_itself(found: Patterns) -> None:
    """The same number wherever it appears."""
    for line in (found.places, found.periods, found.weekdays, found.weeks, found.categories):
        assert sum(count or 0 for count in line.counts) == found.total
    for grid in (found.place_by_period, found.weekday_by_period):
        assert grid
        assert [sum(row) for row in grid.counts] == grid.rows.counts
        assert [sum(column) for column in zip(*grid.counts, strict=True)] == (grid.columns.counts if grid.counts else [])


# ── Nothing that points at a child ─────────────────────────────────────────────────────────

several = st.lists(st.sampled_from([1, 1, 1, 4, 6, 20]), min_size=1, max_size=6)


@settings(deadline=None)
@given(many, st.sampled_from(["7", "8", "13"]), st.booleans(), several)
def test_no_small_number_is_shown(happened: list[Any], year: str, anonymous: bool, times: list[int]) -> None:
    """Of a year, or to a reader from outside."""
    repeated = [one for number, one in enumerate(happened) for _ in range(times[number % len(times)])]
    question = Question(AUTUMN.first, AUTUMN.last, year=None if anonymous else year, anonymous=anonymous)
    found = counted(*all_of(repeated), question=question)
    for line in (found.places, found.periods, found.weekdays, found.weeks, found.categories, found.years):
        assert not [count for count in line.counts if count and count < SMALLEST_SHOWN]
        assert [rate for count, rate in zip(line.counts, line.rates, strict=True) if count is None and rate is not None] == []
    assert not [count for row in found.place_by_period.counts for count in row if count and count < SMALLEST_SHOWN]
    assert found.weekday_by_period is None


def test_a_year_of_few_pupils_is_hidden_and_another_with_it() -> None:
    found = counted(*ten_in_each_year(), question=Question(AUTUMN.first, AUTUMN.last, anonymous=True))
    shown = dict(zip([heading.code for heading in found.years.headings], found.years.counts, strict=True))
    assert shown["13"] is None
    assert list(shown.values()).count(None) == 2


def test_a_year_that_is_hidden_beside_the_others_is_hidden_when_asked_for_alone() -> None:
    found = counted(*ten_in_each_year(), question=Question(AUTUMN.first, AUTUMN.last, year="13"))
    assert found.total is None
    assert found.place_by_period.counts == []


def ten_in_each_year() -> list[tuple[Any, ...]]:
    pupils = ["alone", "p70", "p80", "p90"] * 10
    return [happening("2026-11-16T09:30:00Z", seq, pupils={pupil: {}}) for seq, pupil in enumerate(pupils, start=1)]


def test_a_manager_who_asks_about_everybody_sees_every_number() -> None:
    found = counted(happening("2026-11-16T09:30:00Z", place="yard"))
    assert counts(found.places) == {"yard": 1}


def test_the_spreadsheet_has_every_number_of_the_page() -> None:
    found = counted(happening("2026-11-16T09:30:00Z", place="yard", category="fight"))
    rows = [row[:4] for row in patterns_sheet(found, []).rows]
    assert rows[0] == ["All", None, None, 1]
    for row in (
        ["Place", "Yard", None, 1],
        ["Period", "Period 1", None, 1],
        ["Place and period", "Yard", "Period 1", 1],
        ["Weekday", "Friday", None, 0],
    ):
        assert row in rows


def test_a_hidden_number_is_hidden_in_the_spreadsheet() -> None:
    happened = [happening("2026-11-16T09:30:00Z", seq, place="yard" if seq > 1 else "gate") for seq in range(1, 9)]
    found = counted(*happened, question=Question(AUTUMN.first, AUTUMN.last, anonymous=True))
    assert ["Place", "Front gate", None, "hidden"] in [row[:4] for row in patterns_sheet(found, []).rows]


# ── From the database ──────────────────────────────────────────────────────────────────────


async def test_patterns_count_what_the_school_wrote(world: Settings) -> None:
    await written(CAROL, "incident", {"place": "yard", "happened_at": "2026-11-16T09:30:00Z", "pupils": {"put": {"zoe": {}}, "drop": []}})
    found = await patterns("northgate", AUTUMN, TODAY)
    assert (found.total, counts(found.places), counts(found.years)) == (1, {"yard": 1}, {"9": 1})
    assert found.pupils == 7  # one has left
    assert (await patterns("southfield", AUTUMN, TODAY)).total == 0


async def test_a_record_that_moves_is_still_counted_once(world: Settings) -> None:
    record = await written(CAROL, "incident", {"place": "yard", "happened_at": "2026-11-16T09:30:00Z"})
    other = await written(CAROL, "incident", {"place": "yard", "happened_at": "2026-11-16T09:30:00Z"})
    assert counts((await patterns("northgate", AUTUMN, TODAY)).places) == {"yard": 2}
    await written(CAROL, "incident", {"place": "bus", "pupils": {"put": {"zoe": {}}, "drop": []}}, record)
    assert counts((await patterns("northgate", AUTUMN, TODAY)).places) == {"yard": 1, "bus": 1}
    await written(CAROL, "incident", {"state": "void", "state_reason": "Twice"}, other)
    assert counts((await patterns("northgate", AUTUMN, TODAY)).places) == {"bus": 1}


async def test_frames_brought_up_to_date_are_what_reading_all_again_gives(world: Settings) -> None:
    for number in range(4):
        record = await written(CAROL, "incident", {"place": "yard" if number % 2 else "gate", "pupils": {"put": {"li": {}}, "drop": []}})
        await frames("northgate", INCIDENT)
    await written(CAROL, "incident", {"pupils": {"put": {"zoe": {"part": "harmed"}}, "drop": ["li"]}}, record)
    step_by_step = await frames("northgate", INCIDENT)
    kept.forget()
    assert told(step_by_step) == told(await frames("northgate", INCIDENT))


def told(found: Frames) -> tuple[Any, ...]:
    tables = [table.astype("object").where(table.notna(), None) for table in (found.records, found.entries)]
    return (found.seq, *(sorted(map(repr, table.to_dict("records"))) for table in tables))


async def test_a_school_restored_from_a_backup_is_read_again(world: Settings) -> None:
    await written(CAROL, "incident", {"place": "yard", "happened_at": "2026-11-16T09:30:00Z"})
    before = await frames("northgate", INCIDENT)
    kept.keep(("northgate", "incident"), Frames(before.seq + 5, before.mark, before.records, before.entries))  # as if later edits were lost
    await written(CAROL, "incident", {"place": "gate", "happened_at": "2026-11-16T09:30:00Z"})
    assert counts((await patterns("northgate", AUTUMN, TODAY)).places) == {"yard": 1, "gate": 1}


async def test_the_timetable_is_the_schools(world: Settings) -> None:
    assert await reading(timetable_of, "northgate") == TIMETABLE


async def test_no_voice_is_in_a_frame(world: Settings) -> None:
    await written(CAROL, "incident", {"account": "I saw it.", "cctv": "Yard camera", "others": "A man"})
    found = await frames("northgate", INCIDENT)
    assert len(found.records) == 1
    assert not [name for name in ("account", "cctv", "others", "concern_reference") if name in found.records]
    assert "I saw it." not in found.records.to_csv()
