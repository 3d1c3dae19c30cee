"""Writing at the desk, where whoever got something wrong is still there to be told."""

import asyncio
from typing import Any

from msgspec import UNSET

from server.kinds.kind import NOT_ASKED
from server.store.database import writing
from server.store.ids import new_id
from server.sync import desk
from tests.school import School
from tests.world import AMIRA, BEN, CAROL, DEE, LENA

INCIDENT = {"category": "fight", "place": "yard"}


async def begun(school: School, **values: Any) -> tuple[str, str]:
    """Its id and version."""
    amira = school.phone("amira")
    record = amira.write(INCIDENT | values)["record"]
    await amira.sync_all()
    return record, amira.records[record]["version"]


async def version(school: School, record: str) -> str:
    carol = school.phone("carol")
    await carol.sync_all()
    return str(carol.records[record]["version"])


async def test_what_is_written_at_the_desk_is_an_edit_like_any_other(school: School) -> None:
    record, seen = await begun(school)
    receipt = await writing(desk.write, CAROL, record, "incident", {"category": "damage"}, seen)
    assert (receipt.outcome, receipt.because) == ("taken", UNSET)
    amira = school.phone("amira")
    await amira.sync_all()
    assert amira.records[record]["body"]["category"] == "damage"
    assert amira.records[record]["disputes"] == {}
    (row,) = await school.rows(
        "select edit.number, edit.role, phone.is_desk, phone.name from edit join phone on phone.id = edit.phone where edit.id = $1",
        receipt.id,
    )
    assert row == {"number": 1, "role": "manager", "is_desk": True, "name": "Desk"}


async def test_a_desk_begins_records_and_counts_what_it_writes(school: School) -> None:
    for n in range(3):
        assert (await writing(desk.write, CAROL, new_id(), "incident", INCIDENT, None)).outcome == "taken", n
    assert [row["number"] for row in await school.rows("select number from edit order by number")] == [1, 2, 3]
    (row,) = await school.rows("select received, highest from phone where is_desk = $1", True)
    assert row == {"received": "[[1,3]]", "highest": 3}


async def test_what_cannot_be_taken_is_said_at_once_and_nothing_of_it_is_kept(school: School) -> None:
    record, seen = await begun(school)
    receipt = await writing(desk.write, CAROL, record, "incident", {"category": "riot"}, seen)
    assert (receipt.outcome, list(receipt.because)) == ("held", ["category"])
    assert len(await school.rows("select id from edit")) == 1
    assert await school.rows("select seq from step where what = 'held'") == []
    assert await school.rows("select id from phone where is_desk = $1", True) == []


async def test_what_is_not_theirs_is_said_too(school: School) -> None:
    record, _ = await begun(school)
    receipt = await writing(desk.write, BEN, record, "incident", {"category": "damage"}, None)
    assert receipt.because == {"record": "this is not yours to write in"}


async def test_closing_a_record_in_which_people_disagree_is_said_at_the_desk(school: School) -> None:
    record, seen = await begun(school)
    await writing(desk.write, CAROL, record, "incident", {"severity": "low"}, seen)
    amira = school.phone("amira")
    amira.write({"severity": "high"}, record)
    await amira.sync_all()
    now = await version(school, record)
    receipt = await writing(desk.write, CAROL, record, "incident", {"state": "closed"}, now)
    assert list(receipt.because) == ["state"]
    receipt = await writing(desk.write, CAROL, record, "incident", {"state": "closed", "severity": "high"}, now)
    assert receipt.outcome == "taken"


async def test_of_two_who_decide_one_dispute_at_once_one_decides_and_the_other_is_told(school: School) -> None:
    record, seen = await begun(school)
    amira = school.phone("amira")
    amira.write({"category": "truancy"}, record)
    await amira.sync_all()
    seen = await version(school, record)
    first, second = await asyncio.gather(
        writing(desk.write, CAROL, record, "incident", {"category": "fight"}, seen),
        writing(desk.write, LENA, record, "incident", {"category": "truancy"}, seen),
    )
    told = second if first.outcome == "taken" else first
    assert {first.outcome, second.outcome} == {"taken", "held"}
    name = "Carol Whitlock" if told is second else "Lena Fisk"
    assert told.because == {"category": f"{name} wrote this meanwhile. Look again"}
    await amira.sync_all()
    assert amira.records[record]["disputes"] == {}


async def test_what_somebody_else_wrote_meanwhile_elsewhere_in_the_record_is_in_nobodys_way(school: School) -> None:
    record, seen = await begun(school, pupils={"put": {"zoe": {}}})
    amira = school.phone("amira")
    await amira.sync_all()
    amira.write({"place": "gate", "pupils": {"put": {"li": {}}}, "account": "Mine."}, record)
    await amira.sync_all()
    values = {"category": "damage", "pupils": {"put": {"zoe": {"part": "harmed"}}}, "account": "Hers."}
    assert (await writing(desk.write, CAROL, record, "incident", values, seen)).outcome == "taken"
    for values in ({"place": "b12"}, {"pupils": {"drop": ["li"]}}):
        receipt = await writing(desk.write, CAROL, record, "incident", values, seen)
        assert receipt.because != {}, values
        assert list(receipt.because) == [{"place": "place", "pupils": "pupils/li"}[next(iter(values))]]


async def test_what_one_may_not_see_is_not_told_of_either(school: School) -> None:
    record, seen = await begun(school)
    await writing(desk.write, DEE, record, "incident", {"concern_reference": "S-1"}, seen)
    receipt = await writing(desk.write, AMIRA, record, "incident", {"concern_reference": "S-2"}, seen)
    assert receipt.because == {"concern_reference": NOT_ASKED}


async def test_a_desk_that_looked_at_a_history_which_is_gone_is_told_to_look_again(school: School) -> None:
    record, _ = await begun(school)
    await school.back_up()
    amira = school.phone("amira")
    await amira.sync_all()
    amira.write({"category": "damage"}, record)
    await amira.sync_all()
    gone = amira.records[record]["version"]
    await school.restore()
    receipt = await writing(desk.write, CAROL, record, "incident", {"category": "truancy"}, gone)
    assert "category" in receipt.because


async def test_whatever_is_typed_at_a_desk_is_kept_in_a_form_that_every_database_takes(school: School) -> None:
    record, seen = await begun(school)
    receipt = await writing(desk.write, CAROL, record, "incident", {"account": "half a \ud83d, NUL \0"}, seen)
    assert receipt.outcome == "taken"
    await school.phone("carol").sync_all()
