"""Young people whom nobody knew: matched by a person or forgotten after the school's days, in edits, letters and record alike."""

import json
from typing import Any

import pytest

from server.oncall.forgetting import DAY, days_of, lay_night
from server.oncall.steps import take_due
from server.store.database import Tx, reading, writing
from server.sync.check import rebuild_all
from server.sync.desk import judge_again
from server.sync.letter import Sent, read_edit
from server.sync.unsealed import told_otherwise
from tests.phone import Phone
from tests.school import School
from tests.test_store_tables import REFUSED
from tests.world import OLU

NORTHGATE = "northgate"
SECRETS = ("Wiktor", "grey hood", "2012-ish", "Mill Road", "scared", "Kingfisher", "aunt")
STRANGER = {
    "whose": "not_known",
    "description": "Boy, about 13, grey hood",
    "said_name": "Wiktor K",
    "said_born": "2012-ish",
    "said_school": "Kingfisher Park",
    "where": "arcade",
    "where_exactly": "Outside 14 Mill Road",
    "company": "adult",
    "companions": "His aunt",
    "said": "I was scared.",
    "account": "Wiktor walked off.",
    "outcome": "walked_off",
}


async def nights(school: School, days: int) -> None:
    """Days go by, and what is due is done each night."""
    for _ in range(days):
        school.now += DAY
        await writing(lay_night, NORTHGATE, school.now)
        await take_due(school.now + DAY)


@pytest.fixture(autouse=True)
async def three_days(school: School) -> None:
    await school.do("update school set settings = $1 where id = 'northgate'", '{"sightings": {"days": 3}}')


async def spoken_to(school: School, phone: Phone | None = None, **values: Any) -> tuple[Phone, str]:
    phone = phone or school.phone("olu")
    wrote = phone.write(STRANGER | values, kind="sighting")
    await phone.sync_all()
    return phone, wrote["record"]


async def everything(school: School) -> str:
    """All that the school holds of edits, records and what came sealed."""
    rows = [await school.rows(f"select * from {table}") for table in ("edit", "record", "sealed", "audit", "forgotten")]
    return json.dumps(rows, default=str)


async def is_well(tx: Tx) -> None:
    assert await rebuild_all(tx, NORTHGATE) == []


async def test_whoever_nobody_knew_is_forgotten_after_the_schools_days_and_not_before(school: School) -> None:
    olu, record = await spoken_to(school)
    dee = school.phone("dee")
    await nights(school, 1)
    await dee.sync_all()
    assert dee.records[record]["body"]["said_name"] == "Wiktor K"
    await nights(school, 3)
    left = await everything(school)
    assert [words for words in SECRETS if words in left] == []
    await dee.sync_all()
    body = dee.records[record]["body"]
    assert body["description"] == "Forgotten"
    assert (body["where"], body["outcome"], body["whose"]) == ("arcade", "walked_off", "not_known")
    assert not body.keys() & {"said_name", "said_born", "said_school", "companions", "account", "said", "where_exactly"}
    assert "pupils" not in dee.records[record]["gaps"]
    await olu.sync_all()
    assert olu.records[record]["body"] == body
    await reading(is_well)


async def test_it_is_in_the_access_log_and_on_the_edit_that_it_was_forgotten(school: School) -> None:
    _, record = await spoken_to(school)
    await nights(school, 5)
    [row] = await school.rows("select staff, record, detail from audit where what = 'forgot who was seen'")
    assert (row["staff"], row["record"], json.loads(row["detail"])) == ("", record, {"days": 3, "edits": 1})
    [edit] = await school.rows("select remarks from edit where record = $1", record)
    assert json.loads(edit["remarks"]) == ["What could tell who this was is forgotten: nobody had known them within the school’s days"]
    await nights(school, 3)
    assert len(await school.rows("select 1 from audit where what = 'forgot who was seen'")) == 1


async def test_whoever_was_matched_is_not_forgotten(school: School) -> None:
    olu, record = await spoken_to(school)
    olu.write({"pupils": {"put": {"marcus": {}}, "drop": []}, "whose": "ours"}, record, kind="sighting")
    await olu.sync_all()
    await nights(school, 6)
    assert olu.records[record]["body"]["said_name"] == "Wiktor K"
    assert await school.rows("select * from forgotten") == []


async def test_a_match_that_is_taken_back_begins_the_days_again(school: School) -> None:
    olu, record = await spoken_to(school)
    olu.write({"pupils": {"put": {"marcus": {}}, "drop": []}}, record, kind="sighting")
    await olu.sync_all()
    await nights(school, 6)
    olu.write({"pupils": {"put": {}, "drop": ["marcus"]}}, record, kind="sighting")
    await olu.sync_all()
    await nights(school, 1)
    assert "Wiktor" in await everything(school)
    await nights(school, 4)
    assert "Wiktor" not in await everything(school)
    await reading(is_well)


async def test_what_comes_late_of_somebody_forgotten_is_forgotten_too_and_a_match_that_comes_late_stays(school: School) -> None:
    _, record = await spoken_to(school)
    await nights(school, 5)
    olu = school.phone("olu")
    olu.write({"said_name": "Wiktor Kowal"}, record, kind="sighting")
    await olu.sync_all()
    assert "Wiktor Kowal" in await everything(school)
    await nights(school, 2)
    assert "Wiktor Kowal" not in await everything(school)
    olu.write({"pupils": {"put": {"marcus": {}}, "drop": []}, "whose": "ours"}, record, kind="sighting")
    await olu.sync_all()
    await nights(school, 6)
    assert list(olu.records[record]["body"]["pupils"]) == ["marcus"]
    await reading(is_well)


async def test_a_sighting_that_arrives_after_weeks_is_kept_the_schools_days_from_its_arrival(school: School) -> None:
    olu = school.phone("olu")
    wrote = olu.write(STRANGER, kind="sighting")
    school.now += 20 * DAY
    await olu.sync_all()
    await nights(school, 1)
    assert olu.records[wrote["record"]]["body"]["said_name"] == "Wiktor K"
    assert "Wiktor" in await everything(school)
    await nights(school, 4)
    assert "Wiktor" not in await everything(school)


async def test_where_there_is_a_concern_nothing_is_forgotten(school: School) -> None:
    await spoken_to(school, concern="yes")
    await nights(school, 6)
    assert "Wiktor" in await everything(school)


async def test_two_who_disagreed_about_somebody_are_forgotten_both_and_nothing_is_disputed_any_more(school: School) -> None:
    olu, record = await spoken_to(school)
    carol = school.phone("carol")
    await carol.sync_all()
    carol.write({"said_name": "Viktor Kay"}, record, kind="sighting")
    olu.write({"said_name": "Wiktor Kaye"}, record, kind="sighting")
    await carol.sync_all()
    await olu.sync_all()
    assert "said_name" in olu.records[record]["disputes"]
    await nights(school, 5)
    await olu.sync_all()
    assert olu.records[record]["disputes"] == {}
    assert "Viktor" not in await everything(school)
    await reading(is_well)


async def test_what_was_held_and_set_aside_is_forgotten_as_well(school: School) -> None:
    olu = school.phone("olu")
    held = olu.write(STRANGER | {"where": "moon"}, kind="sighting")
    await olu.sync_all()
    assert olu.needs_me == [held["id"]]
    await school.do(
        "update edit set settled_how = 'set aside', settled_at = 1, settled_by = 'olu', settled_why = 'no' where id = $1", held["id"]
    )
    await nights(school, 5)
    left = await everything(school)
    assert [words for words in SECRETS if words in left] == []


async def test_what_is_held_after_the_forgetting_is_forgotten_too_and_its_authors_phone_is_told(school: School) -> None:
    olu, record = await spoken_to(school)
    await nights(school, 5)
    held = olu.write({"said_name": "Wiktor Kowal", "where": "moon"}, record, kind="sighting")
    await olu.sync_all()
    assert olu.needs_me == [held["id"]]
    await nights(school, 5)
    assert "Wiktor Kowal" not in await everything(school)
    await olu.sync_all()
    assert olu.kept.store.held[held["id"]]["values"] == {"where": "moon"}
    before = await school.rows("select count(*) as n from forgotten")
    await nights(school, 3)
    assert await school.rows("select count(*) as n from forgotten") == before
    await reading(is_well)


async def test_while_somebody_is_still_to_decide_about_a_name_that_is_held_nothing_is_forgotten(school: School) -> None:
    olu, record = await spoken_to(school)
    named = olu.write({"pupils": {"put": {"nobody": {}}, "drop": []}}, record, kind="sighting")
    await olu.sync_all()
    assert olu.needs_me == [named["id"]]
    await nights(school, 6)
    assert "Wiktor" in await everything(school)


@pytest.mark.parametrize("values", [None, ["Wiktor"], "Wiktor", {"description": "Wiktor", "where": 10**400}])
async def test_an_edit_that_is_no_edit_keeps_its_name_and_loses_its_words_and_stays_settleable(school: School, values: Any) -> None:
    olu, record = await spoken_to(school)
    odd = olu.write(values, record, kind="sighting")
    await olu.sync_all()
    assert olu.needs_me == [odd["id"]]
    await nights(school, 6)
    left = await everything(school)
    assert [words for words in SECRETS if words in left] == []
    [row] = await school.rows("select original from edit where id = $1", odd["id"])
    assert json.loads(row["original"])["id"] == odd["id"]
    await writing(judge_again, NORTHGATE)
    await olu.sync_all()
    assert olu.needs_me == [odd["id"]]
    await reading(is_well)


async def test_the_words_are_not_brought_back_by_a_copy_that_says_them_again(school: School) -> None:
    olu = school.phone("olu")
    wrote = olu.write(STRANGER, kind="sighting")
    await olu.sync_all()
    sent = as_sent_again(wrote)
    assert await reading(told_otherwise, OLU, [sent]) == []
    other = as_sent_again(wrote | {"values": STRANGER | {"said_name": "Somebody else"}})
    assert await reading(told_otherwise, OLU, [other]) == [other]
    await nights(school, 6)
    assert await reading(told_otherwise, OLU, [sent]) == []


def as_sent_again(wrote: dict[str, Any]) -> Sent:
    lay = json.dumps(wrote).encode()
    sent = read_edit(0, lay, lay)
    assert isinstance(sent, Sent)
    return sent


async def test_a_school_that_has_not_said_for_how_long_keeps_them_for_four_weeks(school: School) -> None:
    await school.do("update school set settings = '{}'")
    assert await reading(days_of, NORTHGATE) == 28
    await spoken_to(school)
    await nights(school, 26)
    assert "Wiktor" in await everything(school)
    await nights(school, 3)
    assert "Wiktor" not in await everything(school)


async def test_a_phone_that_offers_the_forgotten_edit_again_brings_nothing_back(school: School) -> None:
    olu = school.phone("olu")
    wrote = olu.write(STRANGER, kind="sighting")
    await olu.sync_all()
    await nights(school, 5)
    olu.kept.outbox.append(wrote)
    await olu.sync_all()
    assert "Wiktor" not in await everything(school)


async def test_an_edit_of_what_was_not_forgotten_is_never_altered_and_what_was_forgotten_is_kept_for_good(school: School) -> None:
    _, record = await spoken_to(school)
    _, other = await spoken_to(school)
    await school.do("insert into forgotten (school, record, seq, at, edits) values ('northgate', $1, 1, 1, 1)", other)  # before it came
    await school.do("insert into forgotten (school, record, seq, at, edits) values ('northgate', $1, 1000, 1, 1)", record)
    for column in ('"values"', "original", "remarks"):
        with pytest.raises(REFUSED, match="never altered"):
            await school.do(f"update edit set {column} = '{{}}' where record = $1", other)
        await school.do(f"update edit set {column} = '{{}}' where record = $1", record)
    for sql in ("update forgotten set edits = 0", "delete from forgotten", "update edit set author = 'ben'"):
        with pytest.raises(REFUSED, match="never altered"):
            await school.do(sql)
