"""The school's year and day at the desk: terms, days without school and periods, each plainly refused where it cannot be so."""

import pytest
from litestar import Litestar

from server.store.database import Tx, reading, writing
from server.store.moments import now
from tests.desk import at_desk, phone_sends
from tests.world import ADA, AMIRA, CAROL, DAN, DEE

TERM = {"do": "term", "name": "Summer 2031", "first": "2031-04-14", "last": "2031-07-18"}


async def kept(sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await reading(lambda tx: tx.rows(sql))]


async def test_a_term_is_added_moved_and_removed(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    done = await ada.send("/console/year", TERM)
    assert "Saved." in await ada.open(done.goes_to)
    await ada.send("/console/year", TERM | {"key": "Summer 2031", "name": "Summer", "last": "2031-07-22"})
    assert ("Summer", "2031-07-22") in await kept("select name, ends_on from term where school = 'northgate'")
    await ada.send("/console/year", {"do": "term", "key": "Summer", "remove": "yes"})
    assert await kept("select 1 from term where name = 'Summer'") == []


async def test_it_says_how_much_of_a_timetable_is_known_and_since_when(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    assert "None has been taken in" in await ada.open("/console/year")

    async def taken_in(tx: Tx) -> None:
        await tx.run("insert into timetable (school, taken_at) values ('northgate', $1)", now())
        for day, staff in (("", "amira"), ("", "ben"), ("2026-11-18", "ben"), ("2026-11-17", "ben")):
            await tx.run(
                "insert into lesson (school, staff, on_day, week, weekday, period) values ('northgate', $1, $2, '', 2, 'p1')", staff, day
            )

    await writing(taken_in)
    said = "2 lessons a week of 2 members of staff, taken in last on Wed 18 Nov 2026; 1 change of cover or room from today on."
    assert said in await ada.open("/console/year")


async def test_a_holiday_is_given_once_for_its_weekdays(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/year", {"do": "closed", "name": "Winter rest", "first": "2027-02-12", "last": "2027-02-16"})
    days = await kept("select on_day from closed_day where school = 'northgate' and why = 'Winter rest' order by on_day")
    assert days == [("2027-02-12",), ("2027-02-15",), ("2027-02-16",)]
    assert "Fri 12 Feb 2027 Winter rest" in await ada.open("/console/year")


async def test_a_period_that_records_name_is_renamed_and_not_removed(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/year", {"do": "period", "name": "Twilight", "first": "20:00", "last": "21:00", "lesson": "yes"})
    moment = {"at": "2026-11-18T09:00:00Z", "precision": "lesson", "lesson": "twilight"}
    await phone_sends(AMIRA, "incident", {"happened_at": moment})
    refused = await ada.send("/console/year", {"do": "period", "key": "twilight", "remove": "yes"})
    assert (refused.status, "Records name it, so it stays" in refused) == (400, True)
    await ada.send("/console/year", {"do": "period", "key": "twilight", "name": "Evening", "first": "20:00", "last": "21:00"})
    assert await kept("select label, is_lesson from period where code = 'twilight'") in ([("Evening", 0)], [("Evening", False)])


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (TERM | {"first": "soon"}, "Enter the first day"),
        (TERM | {"first": "20310414"}, "Enter the first day"),
        (TERM | {"last": "2031-01-01"}, "The last day comes after the first"),
        (TERM | {"name": ""}, "Enter what it is called"),
        (TERM | {"name": "x" * 41}, "Enter what it is called"),
        ({"do": "closed", "name": "Rest", "first": "2027-02-13", "last": "2027-02-14"}, "Those are no weekdays"),
        ({"do": "closed", "name": "Rest", "first": "2027-02-13", "last": "2099-02-14"}, "within 60 days"),
        ({"do": "period", "name": "Odd", "first": "9:00", "last": "10:00"}, "It ends after it starts"),
        ({"do": "period", "name": "Odd", "first": "10:00", "last": "09:00"}, "It ends after it starts"),
        ({"do": "?"}, "That cannot be done"),
    ],
)
async def test_what_cannot_be_is_refused_in_words_and_stays_typed(desk_app: Litestar, wrong: dict[str, str], why: str) -> None:
    answer = await (await at_desk(desk_app, ADA)).send("/console/year", wrong)
    assert answer.status == 400
    assert why in answer
    assert not wrong.get("name") or f'value="{wrong["name"]}"' in answer.html


async def test_terms_and_periods_never_overlap(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/year", TERM)
    assert "It overlaps another term" in await ada.send(
        "/console/year", TERM | {"name": "Late", "first": "2031-07-18", "last": "2031-07-30"}
    )
    evening = {"do": "period", "name": "Evening", "first": "20:00", "last": "21:00"}
    await ada.send("/console/year", evening)
    assert "It overlaps another period" in await ada.send("/console/year", evening | {"name": "Late", "first": "20:59", "last": "22:00"})


async def test_only_those_who_keep_the_lists_keep_the_year_and_only_their_schools(desk_app: Litestar) -> None:
    for me in (AMIRA, DEE):
        desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/year")).status == 403
        assert (await desk.send("/console/year", TERM)).status == 403
    await writing(
        lambda tx: tx.run("insert into term (school, name, starts_on, ends_on) values ('southfield', 'Theirs', '2040-01-01', '2040-02-01')")
    )
    carol = await at_desk(desk_app, CAROL)
    assert "Theirs" not in (await carol.open("/console/year")).html
    await carol.send("/console/year", {"do": "term", "key": "Theirs", "remove": "yes"})
    assert await kept("select name from term where school = 'southfield' and name = 'Theirs'") == [("Theirs",)]
    assert (await (await at_desk(desk_app, DAN)).open("/console/year")).status == 403
