"""The morning's calls, on both engines: a list is made once, the evening before, whatever happens to the server meanwhile."""

import json
import random
from typing import Any

import pytest
from litestar import Litestar

from server.console.attendance import attendance_of
from server.morning.afterwards import note_promises
from server.morning.days import school_days_of
from server.morning.evening import FAMILY, Morning, keep_morning, make, morning_of, row_id, stand_ins, watch_evenings
from server.morning.gathering import gather
from server.oncall import steps
from server.oncall.rota import local, moment_of
from server.oncall.steps import take_due
from server.settings import Settings
from server.store import moments
from server.store.database import reading, writing
from server.store.me import kept_back_in
from server.store.numbers import Place
from server.sync.by_itself import lanyard_of
from server.sync.check import rebuild_all
from tests.desk import Desk, at_desk, phone_sends, put
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, HANA, LENA, OLU, insert

PAGE = "/console/morning"
TUESDAY, WEDNESDAY, THURSDAY = "2026-11-17", "2026-11-18", "2026-11-19"
HOUR = 3600 * 1_000_000
ONEILLS = (
    "Conor O'Neill 11 ABE, Siobhán O’Neill 9 KEL Year 11: away on Tuesday, no reason given, on a caseload and away last time,"
    " persistent absence. Year 9: away on Tuesday, no reason given, persistent absence"
)


async def rows(sql: str, *args: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in await reading(lambda tx: tx.rows(sql, *args))]


async def marked(day: str, **marks: str) -> None:
    """The two marks of each pupil on a day: `zoe="NN"`."""
    for pupil, (am, pm) in marks.items():
        school = "southfield" if pupil == "tom" else "northgate"
        row = {"school": school, "pupil": pupil, "on_day": day, "am": am, "pm": pm}
        await writing(lambda tx, row=row: insert(tx, "attendance_day", row))


async def listed(school: str = "northgate") -> dict[str, dict[str, Any]]:
    """The bodies of what is listed, by record."""
    return {
        row["id"]: json.loads(row["body"])
        for row in await rows("select id, body from record where kind = $1 and school = $2", FAMILY, school)
    }


async def families() -> list[set[str]]:
    found = sorted((await listed()).values(), key=lambda body: int(body["place_in_list"]))
    return [set(body["pupils"]) for body in found]


async def switch_on(at: int, **how: Any) -> None:
    await writing(keep_morning, Morning("northgate", on=True, **how), at)


def clock_at(day: str, clock: str) -> int:
    at = moment_of(day, clock)
    moments.set_clock(lambda: at)
    return at


@pytest.fixture(autouse=True)
def own_clock() -> Any:
    yield
    moments.set_clock(None)


async def waits(does: str = "morning.make") -> list[tuple[int, str]]:
    found = await rows("select at, more, about from due_step where does = $1 and taken_at is null order by at", does)
    return [(row["at"], json.loads(row["more"]).get("day") or row["about"]) for row in found]


# ── The evening ────────────────────────────────────────────────────────────────────────────


async def test_a_list_is_made_in_the_evening_once_and_in_lanyards_own_name(world: Settings) -> None:
    await marked(WEDNESDAY, zoe="NN", siobhan="NN", conor="O\\", dara="/\\", li="II")
    await switch_on(clock_at(WEDNESDAY, "09:00"))
    evening = clock_at(WEDNESDAY, "18:00")
    assert await waits() == [(evening, THURSDAY)]
    assert await take_due(evening - 1) == 0
    assert await take_due(evening) == 1
    assert await families() == [{"siobhan", "conor"}, {"zoe"}]  # split between two years, and one row
    found = await rows("select author, outcome, remarks from edit where kind = $1", FAMILY)
    assert {(row["author"], row["outcome"]) for row in found} == {(lanyard_of("northgate"), "taken")}
    assert all("Written by Lanyard itself" in row["remarks"] for row in found)
    assert await reading(rebuild_all, "northgate") == []
    assert await waits() == [(moment_of(THURSDAY, "18:00"), "2026-11-20")]
    assert [at for at, _ in await waits("morning.ready")] == [moment_of(THURSDAY, "07:25")]


async def test_made_again_it_keeps_what_people_did_and_adds_only_what_is_new(world: Settings) -> None:
    await marked(WEDNESDAY, zoe="NN", siobhan="NN")
    at = clock_at(WEDNESDAY, "18:00")
    morning = Morning("northgate", on=True)
    await writing(make, morning, THURSDAY, at)
    oneill = row_id("northgate", THURSDAY, "oneill")
    await phone_sends(OLU, FAMILY, {"off_list": "known"}, record=oneill)
    before = await rows("select id from edit order by id")
    assert (await writing(make, morning, THURSDAY, at)).new == 0
    assert await rows("select id from edit order by id") == before
    await marked(WEDNESDAY, conor="NN", marcus="NN")
    again = await writing(make, morning, THURSDAY, at)
    assert (again.families, again.new) == (2, 1)  # to ring: the O’Neills are off it
    body = (await listed())[oneill]
    assert (set(body["pupils"]), body["off_list"]) == ({"siobhan", "conor"}, "known")
    assert len(await waits("morning.ready")) == 1


async def test_killed_between_it_is_made_whole_or_not_at_all(world: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await marked(WEDNESDAY, zoe="NN", marcus="NN")
    await switch_on(clock_at(WEDNESDAY, "09:00"))
    evening = clock_at(WEDNESDAY, "18:00")

    class Killed(BaseException):
        pass

    async def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("server.morning.evening.lay_next", killed)
        with pytest.raises(Killed):
            await take_due(evening)
    assert (await listed(), await rows("select 1 as n from morning_list"), await waits()) == ({}, [], [(evening, THURSDAY)])
    assert await take_due(evening + HOUR) == 1
    assert len(await listed()) == 2
    assert await take_due(evening + HOUR) == 0


async def test_after_a_night_without_a_server_the_days_list_is_made_and_none_that_is_past(world: Settings) -> None:
    await marked(TUESDAY, marcus="NN")
    await marked(WEDNESDAY, zoe="NN")
    await switch_on(clock_at("2026-11-16", "09:00"))
    assert await waits() == [(moment_of("2026-11-16", "18:00"), TUESDAY)]
    morning = clock_at(THURSDAY, "07:10")  # three evenings later
    while await take_due(morning):
        pass
    assert await families() == [{"zoe"}]
    assert [row["for_day"] for row in await rows("select for_day from morning_list")] == [THURSDAY]
    assert await waits() == [(moment_of(THURSDAY, "18:00"), "2026-11-20")]
    noon = clock_at("2026-11-20", "12:00")
    while await take_due(noon):
        pass
    assert [row["for_day"] for row in await rows("select for_day from morning_list")] == [THURSDAY]
    assert await waits() == [(moment_of("2026-11-20", "18:00"), "2026-11-21")]


async def test_there_is_a_list_for_each_day_with_school_and_for_no_other(world: Settings) -> None:
    """Over the end of a term, a training day, a weekend and a holiday of a fortnight."""
    at = clock_at("2026-11-25", "09:00")
    await switch_on(at)
    for _ in range(45):
        (next_at, _) = (await waits())[0]
        moments.set_clock(lambda next_at=next_at: next_at)
        await take_due(next_at)
    made = [row["for_day"] for row in await rows("select for_day from morning_list order by for_day")]
    assert made[:3] == ["2026-11-26", "2026-11-30", "2026-12-01"]
    assert "2026-11-27" not in made  # a training day
    assert made[made.index("2026-12-18") + 1] == "2027-01-04"
    assert len(made) == len(set(made))


@pytest.mark.parametrize(
    ("night", "hour"), [("2026-10-24", "18:00"), ("2026-10-25", "01:30"), ("2027-03-28", "01:30"), ("2027-03-27", "23:59")]
)
async def test_the_nights_on_which_the_clocks_change_bring_one_step_each(world: Settings, night: str, hour: str) -> None:
    at = clock_at(night, "00:00")
    await switch_on(at, hour=hour)
    found = []
    for _ in range(4):
        (next_at, day) = (await waits())[0]
        found.append(day)
        moments.set_clock(lambda next_at=next_at: next_at)
        assert await take_due(next_at) >= 1
    assert len(set(found)) == 4
    assert found == sorted(found)
    assert len(await waits()) == 1
    for body in (await listed()).values():
        assert local(moments.from_wire(body["for_day"]["at"]) or 0).clock == "07:30"


async def test_switched_off_it_makes_nothing_and_switched_on_twice_it_waits_once(world: Settings) -> None:
    at = clock_at(WEDNESDAY, "09:00")
    await switch_on(at)
    await switch_on(at, hour="19:00")
    assert await waits() == [(moment_of(WEDNESDAY, "19:00"), THURSDAY)]
    await writing(keep_morning, Morning("northgate"), at)
    assert await waits() == []


async def test_marks_that_come_after_the_list_was_made_bring_whoever_they_name(world: Settings) -> None:
    await switch_on(clock_at(WEDNESDAY, "09:00"))
    evening = clock_at(WEDNESDAY, "18:00")
    await take_due(evening)
    assert (await rows("select said, marks_of from morning_list"))[0] == {
        "said": "No marks of the last day with school had come in.",
        "marks_of": "",
    }
    await marked(WEDNESDAY, zoe="NN")
    later = clock_at(WEDNESDAY, "20:00")
    await writing(lambda tx: steps.due(tx, "northgate", later, "morning.marks", WEDNESDAY))
    await take_due(later)
    assert await families() == [{"zoe"}]
    assert (await rows("select said, marks_of from morning_list"))[0] == {"said": "", "marks_of": WEDNESDAY}


async def test_what_calls_promised_for_the_day_is_on_its_list(world: Settings) -> None:
    at = clock_at(WEDNESDAY, "08:00")
    said = {"outcome": "answered", "rung_at": "2026-11-18T07:40:00Z"}
    await phone_sends(
        OLU, "attendance_call", said | {"pupils": put(zoe=""), "promise": "in_today", "promised_for": "2026-11-19T08:30:00Z"}, at=at
    )
    await phone_sends(OLU, "attendance_call", said | {"pupils": put(marcus=""), "next_step": "ring_tomorrow"}, at=at)
    await phone_sends(OLU, "attendance_call", said | {"pupils": put(dara=""), "promise": "in_today"}, at=at)  # that day, not the next
    await writing(make, Morning("northgate"), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    because = {frozenset(body["pupils"]): body["because"] for body in (await listed()).values()}
    assert because == {frozenset({"zoe"}): "Promised to be in", frozenset({"marcus"}): "To be rung again"}


async def test_what_was_said_for_a_day_without_school_is_meant_for_the_next_with_it(world: Settings) -> None:
    at = clock_at("2026-11-20", "08:00")  # a Friday
    said = {"outcome": "answered", "rung_at": "2026-11-20T07:40:00Z", "next_step": "ring_tomorrow"}
    await phone_sends(OLU, "attendance_call", said | {"pupils": put(marcus="")}, at=at)
    await writing(make, Morning("northgate"), "2026-11-23", clock_at("2026-11-22", "18:00"))
    assert await families() == [{"marcus"}]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_a_moment_that_a_broken_clock_made_up_holds_up_no_list_and_no_promise(world: Settings, moment: str) -> None:
    await marked(WEDNESDAY, zoe="NN")
    said = {"outcome": "answered", "promise": "in_today", "pupils": put(marcus="")}
    at = clock_at(WEDNESDAY, "08:00")
    for field in ("promised_for", "next_at"):
        await phone_sends(
            OLU, "attendance_call", said | {"rung_at": "2026-11-18T07:40:00Z", "next_step": "ring_again", field: moment}, at=at
        )
    await phone_sends(OLU, "attendance_call", said | {"rung_at": moment, "listed": "anything.at:all"}, at=at)
    await switch_on(at)
    for clock in ("08:01", "18:00"):
        while await take_due(clock_at(WEDNESDAY, clock)):
            pass
    assert await families() == [{"zoe"}]
    late = clock_at(THURSDAY, "15:30")
    while await take_due(late):
        pass
    assert await rows("select does from due_step where tries > 0") == []


async def test_a_chain_that_was_lost_goes_on_and_a_step_of_a_newer_version_waits(world: Settings) -> None:
    at = clock_at(WEDNESDAY, "09:00")
    await switch_on(at)
    await writing(lambda tx: tx.run("delete from due_step"))
    for _ in range(2):
        await watch_evenings()
    assert await waits() == [(moment_of(TUESDAY, "18:00"), WEDNESDAY)]  # the day that is begun has no list yet
    await take_due(at)
    await watch_evenings()
    assert await waits() == [(moment_of(WEDNESDAY, "18:00"), THURSDAY)]
    await writing(lambda tx: steps.due(tx, "northgate", at, "morning.of_next_year", "morning"))
    await take_due(at)
    assert await rows("select tries from due_step where does = 'morning.of_next_year' and taken_at is null") == [{"tries": 1}]


async def test_made_again_it_takes_off_whose_reason_is_known_and_puts_back_nobody_whom_a_person_took_out(world: Settings) -> None:
    await marked(WEDNESDAY, zoe="NN", marcus="NN", siobhan="NN", conor="NN")
    morning = Morning("northgate", most=4)
    await writing(make, morning, THURSDAY, clock_at(WEDNESDAY, "18:00"))
    zoe, marcus, oneill = (row_id("northgate", THURSDAY, key) for key in ("angstrom", "marcus", "oneill"))
    await phone_sends(OLU, FAMILY, {"because": "Grandmother says he is coming"}, record=marcus)
    await phone_sends(OLU, FAMILY, {"pupils": {"put": {}, "drop": ["conor"]}}, record=oneill, seen=(await versions())[oneill])
    await writing(lambda tx: tx.run("update attendance_day set am = 'I', pm = 'I' where pupil in ('zoe', 'marcus')"))
    await marked(WEDNESDAY, li="NN", dara="NN")
    await writing(make, morning, THURSDAY, clock_at(WEDNESDAY, "20:00"))
    bodies = await listed()
    assert (bodies[zoe].get("off_list"), bodies[marcus].get("off_list")) == ("known", None)  # what a person wrote in stays
    assert set(bodies[oneill]["pupils"]) == {"siobhan"}
    assert sum(not body.get("off_list") for body in bodies.values()) == 4  # no longer than the school says
    assert len({body["place_in_list"] for body in bodies.values()}) == len(bodies) == 5
    await writing(lambda tx: tx.run("update attendance_day set am = 'N' where pupil = 'zoe'"))
    await writing(make, Morning("northgate"), THURSDAY, clock_at(WEDNESDAY, "21:00"))
    assert (await listed())[zoe].get("off_list") is None  # and on it again, where the mark was put right once more


async def versions() -> dict[str, str]:
    return {row["id"]: str(Place(row["seq"], row["mark"])) for row in await rows("select id, seq, mark from record")}


async def test_a_day_that_was_closed_after_its_list_was_made_rings_nobody(world: Settings) -> None:
    await marked(WEDNESDAY, zoe="NN")
    await writing(make, Morning("northgate"), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    await writing(lambda tx: tx.run("insert into closed_day (school, on_day, why) values ('northgate', $1, 'Snow')", THURSDAY))
    await take_due(clock_at(THURSDAY, "07:25"))
    assert await rows("select 1 as n from alert") == []


async def test_a_family_of_whom_nobody_may_be_rung_is_listed_as_such_and_a_leaver_and_another_school_not_at_all(world: Settings) -> None:
    await writing(lambda tx: tx.run("update contact set do_not_contact = $1 where pupil = 'zoe'", True))
    await marked(WEDNESDAY, zoe="NN", nina="NN", jose="NN", tom="NN")
    await writing(make, Morning("northgate"), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    off = {next(iter(body["pupils"])): body.get("off_list") for body in (await listed()).values()}
    assert off == {"zoe": "nobody", "jose": None}
    assert await listed("southfield") == {}
    text = json.dumps(list((await listed()).values()))
    assert not [word for word in ("07700", "Hidden Row", "Ångström", "D'Souza", "2012-09-01") if word in text]


async def test_sessions_are_counted_as_the_pupils_own_page_counts_them(world: Settings) -> None:
    """Another way to the same numbers, over a term of random marks, codes that count as nothing and blanks among them."""
    chance = random.Random(1122)
    codes = ["/", "\\", "L", "N", "O", "I", "E", "U", "V", "B", "M", "C2", "X", "Y1", "#", "D", "QQ", None]
    days = (await reading(school_days_of, "northgate")).before(THURSDAY, 45)
    for pupil in ("zoe", "li", "marcus"):
        drawn = [(pupil, day, chance.choice(codes), chance.choice(codes)) for day in days]
        await writing(
            lambda tx, drawn=drawn: tx.run_many(
                "insert into attendance_day (school, pupil, on_day, am, pm) values ('northgate', $1, $2, $3, $4)", drawn
            )
        )
    gathered = await reading(gather, "northgate", THURSDAY, await reading(school_days_of, "northgate"))
    children = {child.id: child for child in gathered.children}
    for pupil in ("zoe", "li", "marcus"):
        child = children[pupil]
        whole = await reading(attendance_of, "northgate", pupil, "2026-09-01", WEDNESDAY)
        lately = await reading(attendance_of, "northgate", pupil, gathered.last_days[0], WEDNESDAY)
        assert (child.possible, child.missed) == (whole.possible, len(whole.missed_on)) != (0, 0)
        assert (child.recent_possible, child.recent_missed) == (lately.possible, len(lately.missed_on))
    assert children["dara"].possible == 0


# ── Who is told ────────────────────────────────────────────────────────────────────────────


async def test_each_caller_is_told_of_their_own_share_at_0725_and_nobody_who_has_left(world: Settings) -> None:
    await marked(WEDNESDAY, zoe="NN", siobhan="NN", marcus="NN")
    await writing(make, Morning("northgate", callers=("carol", "olu")), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    await writing(lambda tx: tx.run("update staff set left_at = 1 where id = 'carol'"))
    at = clock_at(THURSDAY, "07:25")
    await take_due(at)
    found = await rows("select staff, title, body, opens from alert")
    assert [(row["staff"], row["opens"]) for row in found] == [("olu", "/calls")]
    assert found[0]["title"] == "Your call list is ready: 3 families"  # also those of whoever has left
    said = json.dumps(found)
    assert not [name for name in ("Zoë", "Siobhán", "Bell", "O’Neill") if name in said]


async def test_a_family_whose_caller_has_left_is_told_to_whoever_is_on_duty_by_the_rota_or_else_to_all_who_share(world: Settings) -> None:
    await marked(WEDNESDAY, zoe="NN", siobhan="NN", marcus="NN")
    await writing(make, Morning("northgate", callers=("carol",)), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    await writing(lambda tx: tx.run("update staff set left_at = 1 where id = 'carol'"))
    assert await reading(stand_ins, "northgate", THURSDAY) == {"olu"}
    await writing(
        lambda tx: tx.run(
            "insert into duty (school, id, staff, weekday, period, starts, ends, zone, part, made_at)"
            " values ('northgate', 'gate', 'dee', 3, '', '07:15', '08:30', '', 'first', 1)"
        )
    )
    await take_due(clock_at(THURSDAY, "07:25"))
    assert [(row["staff"], row["title"]) for row in await rows("select staff, title from alert")] == [
        ("dee", "Your call list is ready: 3 families")
    ]


async def test_a_list_without_anybody_to_ring_it_is_made_all_the_same(world: Settings) -> None:
    await writing(lambda tx: tx.run("update staff set left_at = 1 where role in ('officer', 'manager', 'dsl', 'leader')"))
    await marked(WEDNESDAY, zoe="NN")
    await writing(make, Morning("northgate"), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    assert [body.get("caller") for body in (await listed()).values()] == [None]
    await take_due(clock_at(THURSDAY, "07:25"))
    assert await rows("select 1 as n from alert") == []


async def rung(me: Any, row: str, clock: str, **more: Any) -> str:
    at = moment_of(THURSDAY, clock)
    said = {"listed": row, "outcome": "no_answer", "pupils": put(zoe=""), "rung_at": moments.to_wire(at)}
    return await phone_sends(me, "attendance_call", said | more, at=moment_of(THURSDAY, "08:30"))


@pytest.mark.parametrize("order", [(OLU, CAROL), (CAROL, OLU)])
async def test_of_two_who_rang_one_family_the_second_is_told_once_whoever_had_signal_first(world: Settings, order: Any) -> None:
    await marked(WEDNESDAY, zoe="NN")
    await writing(make, Morning("northgate"), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    row = row_id("northgate", THURSDAY, "angstrom")
    at = clock_at(THURSDAY, "08:31")
    for me in order:
        call = await rung(me, row, {"olu": "07:41", "carol": "07:52"}[me.staff])
        await take_due(at)
    await phone_sends(me, "attendance_call", {"next_note": "And once more"}, record=call, at=at)
    await take_due(at)
    assert [(one["staff"], one["opens"]) for one in await rows("select staff, opens from alert where words = 'morning.overlap'")] == [
        ("carol", f"/calls/{row}")
    ]
    assert len(await rows("select 1 as n from record where kind = 'attendance_call'")) == 2  # both calls are kept


async def test_one_who_rings_twice_and_a_call_of_another_day_overlap_with_nobody(world: Settings) -> None:
    await marked(WEDNESDAY, zoe="NN")
    await writing(make, Morning("northgate"), THURSDAY, clock_at(WEDNESDAY, "18:00"))
    row = row_id("northgate", THURSDAY, "angstrom")
    await rung(OLU, row, "07:41")
    await rung(OLU, row, "07:50")
    await rung(CAROL, "a-row-of-nobodys", "07:55")
    await take_due(clock_at(THURSDAY, "08:31"))
    await rung(CAROL, row, "07:59")
    await take_due(clock_at("2026-11-20", "08:31"))  # heard of a day late: nobody's phone rings for it
    assert await rows("select 1 as n from alert where words = 'morning.overlap'") == []


async def test_a_promise_is_noted_as_kept_or_not_once_the_register_says_so(world: Settings) -> None:
    row = row_id("northgate", THURSDAY, "angstrom")
    clock_at(THURSDAY, "08:31")
    kept, broken, open_yet, elsewhere, ill = [
        await rung(OLU, row, "07:41", outcome="answered", promise=promise, pupils=put(**{pupil: ""}))
        for pupil, promise in (("zoe", "in_today"), ("marcus", "in_late"), ("li", "in_today"), ("jose", "in_today"), ("dara", "ill"))
    ]
    await marked(THURSDAY, zoe="L\\", marcus="NN", dara="II", jose="BB")
    for _ in range(2):
        await writing(lambda tx: steps.due(tx, "northgate", moment_of(THURSDAY, "08:31"), "morning.kept", THURSDAY))
        await take_due(clock_at(THURSDAY, "15:30"))
    bodies = {one["id"]: json.loads(one["body"]).get("promise_kept") for one in await rows("select id, body from record")}
    assert [bodies[call] for call in (kept, broken, open_yet, elsewhere, ill)] == ["yes", "no", None, None, None]
    assert len(await rows("select 1 as n from edit where author = $1", lanyard_of("northgate"))) == 2

    await phone_sends(CAROL, "attendance_call", {"promise_kept": "yes"}, record=kept, at=moment_of(THURSDAY, "15:40"))
    await writing(lambda tx: tx.run("delete from attendance_day where on_day = $1", THURSDAY))
    await marked(THURSDAY, zoe="NN", marcus="L\\")  # a wrong file mended
    await writing(note_promises, "northgate", THURSDAY)
    bodies = {one["id"]: json.loads(one["body"]).get("promise_kept") for one in await rows("select id, body from record")}
    assert (bodies[kept], bodies[broken]) == ("yes", "yes")  # what a person said stays


# ── The desk ───────────────────────────────────────────────────────────────────────────────


async def made_at_desk(app: Litestar) -> Desk:
    await marked(TUESDAY, zoe="NN", siobhan="NN", conor="NN", marcus="NN")
    olu = await at_desk(app, OLU)
    assert "No list for this day" in await olu.open(PAGE)
    assert (await olu.send(PAGE, {"do": "make", "day": WEDNESDAY})).status == 303
    return olu


async def test_the_desk_makes_shows_and_shares_out_a_list(desk_app: Litestar) -> None:
    olu = await made_at_desk(desk_app)
    page = await olu.open(PAGE)
    assert "3 families to ring, 0 rung" in page
    assert f"{ONEILLS} Olu Balogun" in page
    form = page.form(PAGE, do="settings") | {"callers": ["olu", "carol"], "is_on": "yes"}
    assert (await olu.send(PAGE, form)).status == 303
    assert (await reading(morning_of, "northgate")).callers == ("olu", "carol")
    await olu.send(PAGE, {"do": "share", "day": WEDNESDAY})
    callers = [next(iter(body["caller"])) for body in (await listed()).values()]
    assert sorted(set(callers)) == ["carol", "olu"]
    assert f"{ONEILLS} Olu Balogun" in await olu.open(PAGE)  # Conor is on her caseload


async def test_somebody_is_given_a_family_and_one_is_taken_off_and_put_back(desk_app: Litestar) -> None:
    olu = await made_at_desk(desk_app)
    row = row_id("northgate", WEDNESDAY, "marcus")
    page = await olu.open(PAGE)
    assert (await olu.send(PAGE, page.form(PAGE, do="give", row=row) | {"staff": "lena"})).status == 303
    assert set((await listed())[row]["caller"]) == {"lena"}
    stale = await olu.send(PAGE, page.form(PAGE, do="off", row=row) | {"why": "known"})
    assert stale.status == 303  # another field than the one that moved
    page = await olu.open(PAGE)
    assert "Not rung, and why 2 Marcus Bell" in page or "The reason is known by now" in page
    assert (await olu.send(PAGE, page.form(PAGE, do="on", row=row))).status == 303
    assert "3 families to ring" in await olu.open(PAGE)
    carol = await at_desk(desk_app, CAROL)
    seen = await carol.open(PAGE)
    await olu.send(PAGE, (await olu.open(PAGE)).form(PAGE, do="give", row=row) | {"staff": "olu"})
    late = await carol.send(PAGE, seen.form(PAGE, do="give", row=row) | {"staff": "carol"})
    assert (late.status, "Olu Balogun wrote this meanwhile. Look again" in late) == (400, True)


async def test_who_rang_and_two_who_did_are_shown_with_what_was_promised(desk_app: Litestar) -> None:
    olu = await made_at_desk(desk_app)
    row = row_id("northgate", WEDNESDAY, "angstrom")
    for me, clock in ((OLU, "07:41"), (CAROL, "07:52")):
        said = {"listed": row, "outcome": "answered", "promise": "in_today", "pupils": put(zoe=""), "promise_kept": "no"}
        await phone_sends(me, "attendance_call", said | {"rung_at": moments.to_wire(moment_of(WEDNESDAY, clock))})
    page = await olu.open(PAGE)
    assert "2 families to ring, 1 rung" in page
    assert "Olu Balogun, 07:41 : answered, coming in · the promise was not kept Carol Whitlock, 07:52" in page
    assert "Rung by two people" in page
    assert "Of 2 promises to be in, 0 kept." in page


async def test_what_cannot_be_done_is_said_in_words(desk_app: Litestar) -> None:
    olu = await made_at_desk(desk_app)
    row = row_id("northgate", WEDNESDAY, "marcus")
    before = await listed()
    for said, words in (
        ({"do": "make", "day": "2026-11-21"}, "There is no school on that day"),
        ({"do": "make", "day": "2026-11-17"}, "A list can be made for today"),
        ({"do": "make", "day": "9999-99-99"}, "Enter the day"),
        ({"do": "make", "day": "9999-12-31"}, "Enter the day"),
        ({"do": "share", "day": "9999-12-31"}, "Enter the day"),
        ({"do": "share", "day": "0001-01-01"}, "Enter the day"),
        ({"do": "give", "day": WEDNESDAY, "row": row, "staff": "amira"}, "Choose somebody who may ring families"),
        ({"do": "give", "day": WEDNESDAY, "row": "nobodys", "staff": "olu"}, "That family is not on a list here"),
        ({"do": "off", "day": WEDNESDAY, "row": row, "why": "bored"}, "Choose why nobody rings them"),
        ({"do": "settings", "hour": "25:00", "most": "10"}, "Enter the hour like 18:00"),
        ({"do": "settings", "hour": "18:00", "most": "5000"}, "A list holds 1 to 200 families"),
        ({"do": "settings", "hour": "18:00", "most": "50", "callers": ["amira"]}, "Choose people who may ring families"),
        ({"do": "sing"}, "That cannot be done to a list"),
        ({}, "That cannot be done to a list"),
    ):
        page = await olu.send(PAGE, said)
        assert (page.status, words in page) == (400, True), (said, page.text[:300])
    assert await listed() == before


async def test_the_page_says_what_there_is_when_there_is_nothing(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    page = await carol.open(PAGE)
    assert "No list is made by itself. Switch it on below, or make one now." in page
    await carol.send(PAGE, {"do": "make", "day": WEDNESDAY})
    page = await carol.open(PAGE)
    assert "No marks of the last day with school had come in." in page
    assert "Nobody can be listed before the marks come in." in page
    assert "There is no school on that day." in await carol.open(f"{PAGE}?day=2026-11-22")
    assert (await carol.open(f"{PAGE}?day=0001-01-01")).status == 200
    await writing(lambda tx: tx.run("update staff set left_at = 1 where id = 'olu'"))
    assert "Nobody shares the calls." in await carol.open(PAGE)


async def test_only_whoever_may_hold_a_list_sees_it_and_nobody_sees_another_schools(desk_app: Litestar) -> None:
    await made_at_desk(desk_app)
    row = row_id("northgate", WEDNESDAY, "marcus")
    for me in (OLU, CAROL, DEE, LENA):
        assert "Marcus Bell" in await (await at_desk(desk_app, me)).open(PAGE)
    before = await listed()
    for me in (AMIRA, BEN, HANA, ADA, DAN):
        desk = await at_desk(desk_app, me)
        page = await desk.open(PAGE)
        assert (page.status, "Marcus" in page) == (403, False), me.staff
        assert (await desk.send(PAGE, {"do": "off", "row": row, "why": "known"})).status == 403
    assert await listed() == before


async def test_lanyard_is_nobody_who_could_be_chosen_or_sign_in(desk_app: Litestar) -> None:
    await made_at_desk(desk_app)
    carol = await at_desk(desk_app, CAROL)
    assert "Lanyard" not in (await carol.open("/console/people")).text.replace("Lanyard Review", "").replace("· Lanyard", "")
    assert (await carol.open(f"/console/people/{lanyard_of('northgate')}")).status == 404
    review = await carol.open("/console/review")
    assert "Family to ring" not in review.text.replace("Families to ring", "")
    record = row_id("northgate", WEDNESDAY, "marcus")
    assert "Written by Lanyard itself" in await carol.open(f"/console/record/{record}")


def test_who_gets_no_attendance_calls_on_their_phone_gets_no_list_of_them_either() -> None:
    assert "listed_family" in kept_back_in('{"offline": {"officer": ["attendance_call"]}}', "officer")
    assert kept_back_in('{"offline": {"officer": ["incident"]}}', "officer") == {"incident"}
