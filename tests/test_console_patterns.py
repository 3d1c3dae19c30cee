"""Patterns: the number in its cell, the same in the spreadsheet; small ones hidden from readers outside; and why it was taken."""

import csv
import io
import re

import pytest
from litestar import Litestar

from server.access.rights import FRESH_S
from server.store.database import reading, writing
from tests.desk import Desk, at_desk, phone_sends, put
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, HANA, LENA, OLU


async def some_incidents(how_many: int = 6, place: str = "yard") -> None:
    for minute in range(how_many):
        at = f"2026-11-17T10:{minute:02}:00.000Z"  # a Tuesday, in period 2
        await phone_sends(AMIRA, "incident", {"category": "fight", "place": place, "happened_at": at, "pupils": put(zoe="harmed")})


def sheet(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_each_number_stands_in_its_cell_with_what_is_counted(desk_app: Litestar) -> None:
    await some_incidents()
    await some_incidents(2, "gate")
    page = await (await at_desk(desk_app, CAROL)).open("/console/patterns")
    assert "Incidents, not pupils: each once" in page
    assert 'class="h10 most">6</td>' in page.html
    assert 'class="h4">2</td>' in page.html
    assert "8 incidents: too few to call anything here a pattern" in page
    assert "By place Place Incidents" in page
    assert "As at 11:" in page


async def test_the_filters_ask_and_stay_in_the_address(desk_app: Litestar) -> None:
    await some_incidents()
    desk = await at_desk(desk_app, CAROL)
    assert "No incidents" in await desk.open("/console/patterns?place=gate")
    assert "No incidents" in await desk.open("/console/patterns?since=2026-11-18")
    assert "6 incidents" in await desk.open("/console/patterns?category=fight&since=x&until=9999-99-99&place=no-such&year=99")
    assert "6 incidents" in await desk.open("/console/patterns?since=2026-11-30&until=2026-11-01")  # the wrong way round


async def test_a_page_for_readers_outside_is_not_filtered(desk_app: Litestar) -> None:
    """Of two that are filtered in two ways, one may show the number that the other hides."""
    for category, place, many in (("fight", "yard", 3), ("fight", "gate", 6), ("fight", "b12", 9), ("defiance", "yard", 8)):
        for _ in range(many):
            await phone_sends(AMIRA, "incident", {"category": category, "place": place, "happened_at": "2026-11-17T09:30:00.000Z"})
    desk = await at_desk(desk_app, CAROL)
    days = "since=2026-11-16&until=2026-11-18"
    whole = await desk.open(f"/console/patterns?outside=yes&{days}")
    for asked in ("category=fight", "place=gate", "year=9", "category=fight&place=yard"):
        page = await desk.open(f"/console/patterns?outside=yes&{days}&{asked}")
        assert re.findall(r'<td class="n">(.*?)</td>', page.html) == re.findall(r'<td class="n">(.*?)</td>', whole.html), asked
        assert re.findall(r'<td class="n">', page.html)
        assert (await desk.open(f"/console/patterns?{days}&{asked}")).html != page.html  # the premise: inside, it is


async def test_readers_outside_see_no_small_numbers(desk_app: Litestar) -> None:
    await some_incidents(3)
    desk = await at_desk(desk_app, LENA)
    page = await desk.open("/console/patterns?outside=yes")
    assert "Too few to show." in page
    await some_incidents(30)
    await some_incidents(2, "gate")
    page = await desk.open("/console/patterns?outside=yes")
    assert "hidden" in page
    assert ">2</td>" not in page.html


async def test_the_spreadsheet_says_what_it_is_and_why_it_was_taken(desk_app: Litestar) -> None:
    await some_incidents()
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open("/console/patterns")).form("/console/patterns.csv")
    assert (await desk.send("/console/patterns.csv", form)).status == 400
    answer = await desk.send("/console/patterns.csv", form | {"purpose": "=Governors"})
    assert answer.answer.headers["content-disposition"] == 'attachment; filename="lanyard-patterns-2026-11-18.csv"'
    rows = sheet(answer.html)
    assert rows[2][0].startswith("Taken by Carol Whitlock (Behaviour manager) for: =Governors")
    assert ["Place", "Yard", "", "6"] in [row[:4] for row in rows]
    assert any(row[:1] == ["Rate of"] and len(row) == 2 for row in rows)
    noted = await reading(lambda tx: tx.rows("select staff, detail from audit where what = 'export patterns'"))
    assert [tuple(row) for row in noted] == [("carol", '{"purpose":"=Governors"}')]


async def test_records_leave_with_names_definitions_and_nothing_that_runs_as_a_formula(desk_app: Litestar) -> None:
    said = {"category": "fight", "others": "=cmd|' /C calc'!A0", "pupils": put(zoe="harmed"), "account": "+44 told me"}
    await phone_sends(AMIRA, "incident", said)
    dee, carol = await at_desk(desk_app, DEE), await at_desk(desk_app, CAROL)
    for desk, sees in ((dee, True), (carol, False)):
        answer = await desk.send("/console/records.csv", {"kind": "incident", "purpose": "A panel"})
        rows = sheet(answer.html)
        head = next(row for row in rows if row and row[0] == "Record")
        record = dict(zip(head, rows[rows.index(head) + 1], strict=True))
        assert "Zoë Ångström, 9 KEL" in record["Who?"]
        assert record["Who else?"] == "'=cmd|' /C calc'!A0"
        assert ("Reference in the safeguarding system" in head) == sees
        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert (await carol.send("/console/records.csv", {"kind": "none", "purpose": "x"})).status == 404


async def test_only_some_roles_count_and_fewer_take_it_away(desk_app: Litestar) -> None:
    for me, counts, takes in (
        (CAROL, 200, 200),
        (DEE, 200, 200),
        (LENA, 200, 200),
        (OLU, 200, 403),
        (HANA, 200, 403),
        (AMIRA, 403, 403),
        (ADA, 403, 403),
        (BEN, 403, 403),
        (DAN, 403, 403),
    ):
        desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/patterns")).status == counts
        for path in ("patterns", "records"):
            assert (await desk.send(f"/console/{path}.csv", {"kind": "incident", "purpose": "x"})).status == takes


async def test_what_leaves_the_school_needs_the_password_given_within_a_quarter_of_an_hour(desk_app: Litestar) -> None:
    desk, form = await at_desk(desk_app, CAROL), {"kind": "incident", "purpose": "A panel"}
    await writing(lambda tx: tx.run("update session set signed_in_at = signed_in_at - $1", FRESH_S * 1_000_000))
    for path in ("patterns", "records"):
        answer = await desk.send(f"/console/{path}.csv", form)
        assert (answer.status, "Give your password" in answer) == (401, True)
    assert await reading(lambda tx: tx.rows("select id from audit where what like 'export%'")) == []
    assert "Sign in to the desk" in await desk.open("/console/sign-in?again=yes&next=/console/patterns")
    await desk.sign_in(CAROL)
    assert (await desk.send("/console/records.csv", form)).status == 200


async def test_another_schools_numbers_are_not_among_ours(desk_app: Litestar) -> None:
    await some_incidents()
    rows = await reading(lambda tx: tx.rows("select id from record where school = 'southfield'"))
    assert rows == []
    outsider = Desk(desk_app)
    assert (await outsider.send("/console/records.csv", {"kind": "incident", "purpose": "x"})).status == 401


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "2099-07-01T09:00:00Z"])
async def test_a_moment_at_the_end_of_the_calendar_spoils_nothing(desk_app: Litestar, at: str) -> None:
    """One phone with a broken clock is enough to send it."""
    await phone_sends(
        AMIRA, "incident", {"category": "fight", "place": "yard", "happened_at": {"at": at, "precision": "exact"}}, made_at=at
    )
    desk = await at_desk(desk_app, CAROL)
    for path in ("/console/patterns", "/console/review?show=all"):
        assert (await desk.open(path)).status == 200
    assert (await desk.send("/console/patterns.csv", {"purpose": "the governors"})).status == 200
    sheet = await desk.send("/console/records.csv", {"kind": "incident", "purpose": "the governors"})
    assert (sheet.status, at[:4] in sheet.html) == (200, True)
