"""Visits at the desk: the board says who is out, one visit is opened and ended with a reason, and closing words are set."""

from typing import Any

from litestar import Litestar

from server.kinds.home_visit import home_visit
from server.oncall.steps import take_due
from server.store.database import reading, writing
from server.store.moments import now, to_wire
from tests.desk import NOW, Desk, at_desk, phone_sends
from tests.world import AMIRA, BEN, CAROL, DEE, OLU, PASSWORD

MINUTE = 60_000_000
WORDS = {"do": "words", "password": PASSWORD, "safe": "Marmalade", "alarm": "Crumpet"}


def put(*keys: str) -> dict[str, Any]:
    return {"put": {key: {} for key in keys}, "drop": []}


async def out(minutes: int, **more: Any) -> str:
    """Somebody goes out, to be back in so many minutes."""
    plan = {
        "pupils": put("marcus"), "purpose": "welfare", "going": put("olu"), "expects_call": put("carol"),
        "leaves_at": to_wire(NOW - 90 * MINUTE), "back_by": to_wire(NOW + minutes * MINUTE), "vehicle": "A white van",
    }  # fmt: skip
    record = await phone_sends(OLU, home_visit.name, plan | more, made_at=to_wire(NOW))
    await take_due(now())
    return record


async def test_the_board_shows_who_is_out_those_past_their_time_first(desk_app: Litestar) -> None:
    carol = await at_desk(desk_app, CAROL)
    assert "Nobody is out." in await carol.open("/console/visits")
    await out(30)
    await out(-7)
    await out(60, leaves_at=to_wire(NOW + 10 * MINUTE))
    page = await carol.open("/console/visits")
    assert "1 visit past its time, or in need of somebody." in page
    states = [row.rsplit(" ", 1)[1] for row in page.rows()]
    assert states == ["Overdue", "Out", "Planned"]
    assert "Olu Balogun Should have been back at 10:59, 7 min ago · was to leave 09:36, has not said so" in page
    assert "Buddy: Carol Whitlock · 11:09: the buddy is told" in page


async def test_a_visit_is_ended_by_a_safeguarding_lead_with_a_reason_and_by_nobody_else(desk_app: Litestar) -> None:
    record = await out(-40)
    address = f"/console/visits/{record}"
    carol, dee = await at_desk(desk_app, CAROL), await at_desk(desk_app, DEE)
    page = await carol.open(address)
    assert "They are safe: end it" not in page
    refused = await carol.send(address, {"what": "seen_safe", "why": "I think so"})
    assert (refused.status, "Only they themselves, or a safeguarding lead who has not gone along" in refused) == (403, True)
    page = await dee.open(address)
    assert "Needs somebody now" in page
    assert "Which car? A white van" in page
    assert "7 Kiln Lane" in page
    nothing = await dee.send(address, {"what": "seen_safe", "why": "  "})
    assert (nothing.status, "Say how you know that they are safe." in nothing) == (400, True)
    assert (await dee.send(address, {"what": "on_it"})).status == 303
    assert (await dee.send(address, {"what": "seen_safe", "why": "Spoke to <them>"})).status == 303
    assert "Dee Marsh closed it for them: Spoke to <them>" in await dee.open(address)
    again = await dee.send(address, {"what": "seen_safe", "why": "Again"})
    assert (again.status, "Dee Marsh closed this visit at 11:0" in again) == (409, True)
    assert "Over at 11:0" in await carol.open("/console/visits")


async def test_one_that_nobody_closed_for_a_day_stands_apart_and_is_still_to_be_closed(desk_app: Litestar) -> None:
    record = await out(-40)
    await writing(lambda tx: tx.run("update watch set due_back_at = due_back_at - $1", 24 * 60 * MINUTE))
    dee = await at_desk(desk_app, DEE)
    page = await dee.open("/console/visits")
    assert "Nobody is out." in page
    assert "Never closed Nobody has said how these ended." in page
    assert page.rows()[0].endswith("Never closed")
    assert "They are safe: end it" in await dee.open(f"/console/visits/{record}")


async def test_who_may_not_see_visits_finds_none(desk_app: Litestar) -> None:
    record = await out(30)
    for me in (AMIRA, BEN):
        desk: Desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/visits")).status == 403
        assert (await desk.open(f"/console/visits/{record}")).status == 404
        for what in ("on_it", "seen_safe", "something"):
            assert (await desk.send(f"/console/visits/{record}", {"what": what, "why": "x"})).status == 404


async def test_an_alarm_in_silence_is_a_safe_end_to_whoever_goes_and_to_whoever_was_not_told(desk_app: Litestar) -> None:
    olu, carol, dee = [await at_desk(desk_app, me) for me in (OLU, CAROL, DEE)]
    wrong = await olu.send("/console/own", WORDS | {"alarm": "marmalade"})
    assert (wrong.status, "The two words must differ" in wrong) == (400, True)
    assert (await olu.send("/console/own", WORDS | {"password": "not mine"})).status == 401
    assert (await olu.send("/console/own", WORDS)).status == 303
    page = await olu.open("/console/own")
    assert "Set 11:0" in page
    assert "Marmalade" not in page.html
    record = await out(30)
    await phone_sends(OLU, home_visit.name, {"safe_at": to_wire(NOW), "closing_word": "crumpet"}, record=record, made_at=to_wire(NOW))
    await take_due(now())
    for desk, state in ((olu, "Safe"), (carol, "Needs somebody now"), (dee, "Needs somebody now")):
        board, page, kept = [
            await desk.open(each) for each in ("/console/visits", f"/console/visits/{record}", f"/console/record/{record}")
        ]
        assert board.rows()[0].endswith(state)
        assert state in page
        assert ("one for an alarm" in page) == (state != "Safe")
        assert "crumpet" not in (board.html + page.html + kept.html).lower()
        assert "alarm" not in kept.html
    audits = await reading(lambda tx: tx.rows("select detail from audit"))
    assert "rumpet" not in str([tuple(row) for row in audits])
    assert (await olu.send("/console/own", {"do": "no_words", "password": PASSWORD})).status == 303
    assert "Set two words" in await olu.open("/console/own")
