"""Somebody goes out, and the server waits for them: told in time, told late, told with the other word, or not told at all."""

import json
import re
from typing import Any

import pytest

from server.access import base64url, keys
from server.kinds import KINDS
from server.kinds.roles import Role
from server.oncall import closing_words
from server.oncall.steps import take_due
from server.push.keys import key_in_use
from server.reports.views import make_views
from server.settings import Settings
from server.store.database import writing
from server.store.moments import from_wire, to_wire
from tests.phone import Phone
from tests.school import SECOND, School
from tests.test_oncall_calls import ask, on_duty
from tests.world import PASSWORD

MINUTE = 60 * SECOND


def at(moment: int) -> dict[str, str]:
    return {"at": to_wire(moment), "precision": "exact"}


def put(*keys: str, **parts: str) -> dict[str, Any]:
    return {"put": {key: {} for key in keys} | {key: {"part": part} for key, part in parts.items()}, "drop": []}


def plan(
    school: School, minutes: int = 60, *, going: dict[str, Any] | None = None, buddy: tuple[str, ...] = ("carol",), **more: Any
) -> Any:
    said = {
        "pupils": put("marcus"), "purpose": "welfare", "going": going or put(olu="leads"), "leaves_at": at(school.now),
        "back_by": at(school.now + minutes * MINUTE), "where": "home", "vehicle": "A white van", "reached_on": "07700 900321",
    }  # fmt: skip
    return said | ({"expects_call": put(*buddy)} if buddy else {}) | more


async def goes_out(school: School, minutes: int = 60, who: str = "olu", **more: Any) -> tuple[Phone, str]:
    """A visit is planned on a phone, and the school has it."""
    phone = school.phone(who)
    record = phone.write(plan(school, minutes, **more), kind="home_visit")["record"]
    await arrives(school, phone)
    return phone, record


async def arrives(school: School, phone: Phone) -> None:
    await phone.sync_all()
    await take_due(school.now)


async def says(school: School, phone: Phone, record: str, **values: Any) -> None:
    phone.write(values, record, kind="home_visit")
    await arrives(school, phone)


async def passes(school: School, minutes: int) -> None:
    for _ in range(minutes):
        school.now += MINUTE
        await take_due(school.now)


async def look(school: School, record: str, who: str = "olu") -> Any:
    status, card = await ask(school, who, f"/api/visits/{record}", method="GET")
    assert status == 200, card
    return card


async def act(school: School, who: str, record: str, what: str, why: str = "") -> tuple[int, Any]:
    return await ask(school, who, f"/api/visits/{record}", {"what": what, "why": why})


async def told(school: School) -> list[tuple[str, str]]:
    """Who was told what, oldest first; of one moment, asked before told."""
    rows = await school.rows("select staff, words from alert order by made_at, words = 'visit.overdue' desc, staff, words")
    return [(row["staff"], row["words"]) for row in rows]


async def timeline(school: School, record: str, who: str = "dee") -> list[str]:
    return [line["words"] for line in (await look(school, record, who))["timeline"]]


async def rings(school: School, *people: str) -> None:
    """A phone of theirs can ring."""
    key, _ = await key_in_use()
    for who in people:
        await school.do(
            "insert into subscription (school, phone, staff, endpoint, public, secret, key, made_at, checked_at)"
            " values ('northgate', $1, $2, 'https://fcm.googleapis.com/x', 'p', 's', $3, 0, 0)",
            f"{who}-phone", who, key,
        )  # fmt: skip


async def sets_words(school: School, who: str = "olu", safe: str = "Marmalade", alarm: str = "Crumpet") -> None:
    status, said = await ask(school, who, "/api/closing-words", {"password": PASSWORD, "safe": safe, "alarm": alarm}, "PUT")
    assert status == 204, said


# ── In time ────────────────────────────────────────────────────────────────────────────────


async def test_a_plan_is_accepted_once_the_school_has_it_and_the_visit_goes_from_planned_to_safe(school: School) -> None:
    phone, record = await goes_out(school, leaves_at=at(school.now + 10 * MINUTE))
    card = await look(school, record)
    assert (card["state"], card["accepted_at"], card["goes"], card["buddy"]) == ("planned", to_wire(school.now), ["olu"], "carol")
    await passes(school, 5)
    await says(school, phone, record, left_school_at=at(school.now))
    assert ((await look(school, record))["state"], (await look(school, record))["left_at"]) == ("out", to_wire(school.now))
    await passes(school, 20)
    await says(school, phone, record, checked_in_at=at(school.now))
    assert (await look(school, record))["heard_at"] == to_wire(school.now)
    await says(school, phone, record, safe_at=at(school.now))
    card = await look(school, record)
    assert (card["state"], card["safe_at"], card["closed_by"], card["next"]) == ("safe", to_wire(school.now), "olu", None)
    await passes(school, 120)
    assert await told(school) == []
    assert (await ask(school, "olu", "/api/visits", method="GET"))[1] == []
    assert await timeline(school, record) == [
        "The school has the plan", "Olu Balogun: left school", "Olu Balogun: said that all is well", "Olu Balogun says: safe",
    ]  # fmt: skip


async def test_without_a_time_to_be_back_or_anybody_going_the_school_has_no_plan(school: School) -> None:
    phone = school.phone("olu")
    record = phone.write({"pupils": put("marcus"), "going": put("olu")}, kind="home_visit")["record"]
    await arrives(school, phone)
    card = await look(school, record)
    assert (card["state"], card["accepted_at"], card["goes"]) == ("planned", None, ["olu"])
    await says(school, phone, record, back_by=at(school.now + 20 * MINUTE))
    assert (await look(school, record))["accepted_at"] == to_wire(school.now)
    await says(school, phone, record, expects_call=put("carol"))
    assert (await look(school, record))["buddy"] == "carol"


async def test_a_visit_called_off_before_it_began_is_not_waited_for(school: School) -> None:
    phone, record = await goes_out(school, leaves_at=at(school.now + 30 * MINUTE))
    await says(school, phone, record, state="void", state_reason="They came in after all")
    await passes(school, 90)
    assert ((await look(school, record))["state"], await told(school)) == ("over", [])


async def test_one_that_is_on_after_all_is_waited_for_again(school: School) -> None:
    phone, record = await goes_out(school, leaves_at=at(school.now + 30 * MINUTE))
    await says(school, phone, record, state="void", state_reason="They came in after all")
    assert (await look(school, record))["state"] == "over"
    await says(school, phone, record, state="open")
    assert (await look(school, record))["state"] == "planned"
    await passes(school, 65)
    assert await told(school) == [("olu", "visit.overdue")]


async def test_when_somebody_means_to_be_safe_is_no_word_that_they_are(school: School) -> None:
    phone, record = await goes_out(school, safe_at=at(school.now + 60 * MINUTE))
    assert (await look(school, record))["state"] == "out"
    await says(school, phone, record, safe_at=at(school.now))
    assert (await look(school, record))["state"] == "safe"


async def test_where_to_look_is_told_on_the_page_of_one_visit_and_noted(school: School) -> None:
    await on_duty(school, "ben")
    _, record = await goes_out(school)
    await passes(school, 80)
    _, listed = await ask(school, "dee", "/api/visits", method="GET")
    assert [(card["record"], card["help"]) for card in listed] == [(record, None)]
    noted = "select count(*) as n from audit where staff = 'dee' and what = 'follow visit'"
    before = (await school.rows(noted))[0]["n"]
    assert (await act(school, "dee", record, "on_it"))[1]["help"]["addresses"]
    assert (await school.rows(noted))[0]["n"] == before + 1


async def test_what_was_written_down_long_afterwards_is_waited_for_by_nobody(school: School) -> None:
    day_ago = school.now - 24 * 60 * MINUTE
    _, record = await goes_out(school, leaves_at=at(day_ago), back_by=at(day_ago + 60 * MINUTE))
    await passes(school, 30)
    assert ((await look(school, record))["state"], await told(school)) == ("over", [])


# ── Overdue ────────────────────────────────────────────────────────────────────────────────


async def test_whoever_is_overdue_is_asked_then_the_buddy_is_told_then_those_who_lead(school: School) -> None:
    await on_duty(school, "ben")
    await rings(school, "carol")
    phone, record = await goes_out(school)
    await passes(school, 64)
    assert await told(school) == []
    assert (await look(school, record))["state"] == "overdue"
    assert (await look(school, record, "carol"))["next"]["words"] == "Whoever goes is asked whether they are safe"
    await passes(school, 1)
    assert await told(school) == [("olu", "visit.overdue")]
    await passes(school, 5)
    assert (await told(school))[1:] == [("carol", "visit.buddy")]
    await passes(school, 4)
    assert len(await told(school)) == 2
    await passes(school, 1)
    assert sorted((await told(school))[2:]) == [("ben", "visit.alarm"), ("dee", "visit.alarm")]
    assert (await look(school, record, "dee"))["state"] == "alarm"
    await passes(school, 5)
    assert len(await told(school)) == 6  # and again
    status, card = await act(school, "ben", record, "on_it")
    assert (status, card["taken_by"]) == (200, "ben")
    await passes(school, 30)
    assert len(await told(school)) == 6
    await says(school, phone, record, safe_at=at(school.now))
    assert sorted((await told(school))[6:]) == [("ben", "visit.safe"), ("carol", "visit.safe"), ("dee", "visit.safe")]
    assert (await look(school, record))["state"] == "safe"


async def test_what_a_locked_screen_shows_of_it_names_nobody(school: School) -> None:
    await rings(school, "carol")
    await goes_out(school, 0)
    await passes(school, 15)
    rows = await school.rows("select title, body, opens from alert")
    assert len(rows) == 3
    said = " ".join(f"{row['title']} {row['body']} {row['opens']}" for row in rows)
    assert not [word for word in ("Olu", "Balogun", "Marcus", "Bell", "Kiln", "white van", "Carol", "900321") if word in said]


async def test_a_server_that_was_away_for_ten_minutes_does_it_as_soon_as_it_is_back_and_says_that_it_is_late(school: School) -> None:
    await rings(school, "carol")
    _, record = await goes_out(school)
    await passes(school, 62)
    school.now += 10 * MINUTE  # nobody takes what is due
    await take_due(school.now)
    assert await told(school) == [("olu", "visit.overdue"), ("carol", "visit.buddy")]
    rows = await school.rows(
        "select does, late from due_step where about = $1 and does like 'visit.overdue%' and taken_at is not null", record
    )
    assert {(row["does"], bool(row["late"])) for row in rows} == {("visit.overdue_worker", True), ("visit.overdue_buddy", True)}
    assert [line for line in await timeline(school, record) if "late" in line] == [
        "Asked Olu Balogun: are you safe? (late: the school’s server was away)",
        "Told Carol Whitlock, their buddy (late: the school’s server was away)",
    ]
    await passes(school, 3)
    assert (await told(school))[2:] == [("dee", "visit.alarm")]  # in its time again


async def test_safe_that_was_written_offline_and_comes_late_says_when_and_what_was_done_meanwhile_stays(school: School) -> None:
    await rings(school, "carol")
    phone, record = await goes_out(school)
    await passes(school, 58)
    phone.write({"safe_at": at(school.now)}, record, kind="home_visit")  # 15:58, and no signal
    was = school.now
    await passes(school, 22)
    assert [words for _, words in await told(school)] == ["visit.overdue", "visit.buddy", "visit.alarm", "visit.alarm"]
    school.now += SECOND
    await arrives(school, phone)
    card = await look(school, record, "dee")
    assert (card["state"], card["safe_at"], card["closed_at"]) == ("safe", to_wire(was), to_wire(school.now))
    assert len(card["timeline"]) == 6
    assert card["timeline"][-1]["words"] == "Olu Balogun says: safe (the school heard so at 09:50)"
    assert sorted((await told(school))[4:]) == [("carol", "visit.safe"), ("dee", "visit.safe")]


async def test_all_is_well_written_offline_says_when_and_does_not_end_the_visit(school: School) -> None:
    phone, record = await goes_out(school)
    await passes(school, 58)
    phone.write({"checked_in_at": at(school.now)}, record, kind="home_visit")
    was = school.now
    await passes(school, 22)
    await arrives(school, phone)
    card = await look(school, record, "dee")
    assert (card["state"], card["heard_at"]) == ("alarm", to_wire(was))


async def test_a_plan_that_comes_when_they_should_be_back_already_is_acted_on_at_once(school: School) -> None:
    await rings(school, "carol")
    phone = school.phone("olu")
    record = phone.write(plan(school, 30), kind="home_visit")["record"]
    school.now += 41 * MINUTE
    await arrives(school, phone)
    assert await told(school) == [("olu", "visit.overdue"), ("carol", "visit.buddy")]
    assert (await look(school, record))["state"] == "overdue"


async def test_more_time_asked_for_when_overdue_begins_anew_and_whoever_was_told_hears_so(school: School) -> None:
    await rings(school, "carol")
    phone, record = await goes_out(school)
    await passes(school, 76)
    assert (await look(school, record, "dee"))["state"] == "alarm"
    await says(school, phone, record, back_by=at(school.now + 30 * MINUTE))
    assert (await look(school, record, "dee"))["state"] == "out"
    assert sorted((await told(school))[-2:]) == [("carol", "visit.later"), ("dee", "visit.later")]
    assert (await timeline(school, record))[-1] == "Olu Balogun: back by 10:16, later than 09:30"
    before = len(await told(school))
    await passes(school, 34)
    assert len(await told(school)) == before
    await passes(school, 11)
    assert (await told(school))[before:] == [("olu", "visit.overdue"), ("carol", "visit.buddy"), ("dee", "visit.alarm")]


async def test_a_visit_ended_twice_is_over_once(school: School) -> None:
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now))
    was = school.now
    await passes(school, 5)
    await says(school, phone, record, safe_at=at(school.now))
    assert (await look(school, record))["safe_at"] == to_wire(was)
    status, said = await act(school, "dee", record, "seen_safe", "Rang them")
    assert (status, said["words"]) == (409, "Olu Balogun was safe at 08:30. Nobody needs to do anything.")


async def test_safe_taken_back_is_waited_for_again(school: School) -> None:
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now))
    await says(school, phone, record, safe_at=None)
    assert (await look(school, record))["state"] == "out"
    await passes(school, 65)
    assert await told(school) == [("olu", "visit.overdue")]


# ── Two people, and buddies ────────────────────────────────────────────────────────────────


async def test_of_two_who_go_both_are_asked_and_either_says_that_they_are_safe(school: School) -> None:
    _, record = await goes_out(school, going=put(olu="leads", hana="goes"))
    await passes(school, 65)
    assert sorted(await told(school)) == [("hana", "visit.overdue"), ("olu", "visit.overdue")]
    other = school.phone("hana")
    await other.sync_all()
    await says(school, other, record, safe_at=at(school.now))
    card = await look(school, record)
    assert (card["state"], card["closed_by"], card["who"]["hana"]) == ("safe", "hana", "Hana Novák")


async def test_nobody_else_can_say_for_them_that_they_are_safe(school: School) -> None:
    _, record = await goes_out(school)
    manager = school.phone("carol")
    await manager.sync_all()
    await says(school, manager, record, safe_at=at(school.now), state="closed")
    await passes(school, 61)
    assert (await look(school, record))["state"] == "overdue"
    for who in ("carol", "lena"):
        status, said = await act(school, who, record, "seen_safe", "They rang")
        assert (status, said["refusal"]) == (403, "not_allowed")
        assert said["words"] == "Only they themselves, or a safeguarding lead who has not gone along, can say that they are safe."


async def test_a_safeguarding_lead_closes_it_with_a_reason(school: School) -> None:
    _, record = await goes_out(school)
    await passes(school, 80)
    status, said = await act(school, "dee", record, "seen_safe")
    assert (status, said["words"]) == (400, "Say how you know that they are safe.")
    status, card = await act(school, "dee", record, "seen_safe", "They are  back in school\n")
    assert (status, card["state"], card["may"]) == (200, "over", [])
    assert card["timeline"][-1]["words"] == "Dee Marsh closed it for them: They are back in school"
    before = await told(school)
    await passes(school, 60)
    assert await told(school) == before


async def test_a_lead_who_goes_along_closes_nothing_for_themselves_and_is_not_told(school: School) -> None:
    _, record = await goes_out(school, going=put("olu", "dee"))
    await passes(school, 75)
    assert ("lena", "visit.alarm") in await told(school)  # nobody else leads
    assert ("dee", "visit.alarm") not in await told(school)
    assert (await act(school, "dee", record, "seen_safe", "It is me"))[0] == 403


async def test_a_buddy_who_has_spoken_to_them_puts_the_next_step_off_once(school: School) -> None:
    await rings(school, "carol")
    _, record = await goes_out(school)
    assert (await act(school, "carol", record, "spoken_to"))[0] == 403  # they are not overdue
    await passes(school, 72)
    assert (await look(school, record, "carol"))["may"] == ["spoken_to"]
    assert (await act(school, "dee", record, "spoken_to"))[0] == 403
    assert (await act(school, "carol", record, "spoken_to"))[0] == 200
    assert (await act(school, "carol", record, "spoken_to"))[0] == 403
    await passes(school, 9)
    assert ("dee", "visit.alarm") not in await told(school)
    await passes(school, 1)
    assert ("dee", "visit.alarm") in await told(school)


@pytest.mark.parametrize("why", ["nobody expects their call", "no phone of theirs can ring", "they have left", "they go along"])
async def test_where_no_buddy_can_be_told_those_who_lead_are_told_in_their_place(school: School, why: str) -> None:
    if why != "no phone of theirs can ring":
        await rings(school, "carol")
    going = put("olu", "carol") if why == "they go along" else None
    _, record = await goes_out(school, buddy=() if why == "nobody expects their call" else ("carol",), going=going)
    if why == "they have left":
        await school.do("update staff set left_at = 1 where id = 'carol'")
    await passes(school, 70)
    assert ("dee", "visit.alarm") in await told(school)
    assert "No buddy whose phone can ring: those who lead are told at once" in await timeline(school, record)
    before = len(await told(school))
    await passes(school, 4)
    assert len(await told(school)) == before


# ── Closing words ──────────────────────────────────────────────────────────────────────────


async def test_with_ones_own_word_a_visit_is_over_however_it_is_typed(school: School) -> None:
    await sets_words(school)
    phone, record = await goes_out(school)
    assert (await look(school, record))["asks_word"]
    assert not (await look(school, record, "carol"))["asks_word"]
    await says(school, phone, record, safe_at=at(school.now), closing_word=" marmaláde ")
    assert ((await look(school, record))["state"], await told(school)) == ("safe", [])


@pytest.mark.parametrize("word", [None, "", "Jam"])
async def test_without_it_or_with_another_nothing_is_over(school: School, word: str | None) -> None:
    await sets_words(school)
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now), **({} if word is None else {"closing_word": word}))
    card = await look(school, record)
    assert (card["state"], card["unsure"]) == ("out", True)
    await passes(school, 65)
    assert await told(school) == [("olu", "visit.overdue")]
    await says(school, phone, record, safe_at=at(school.now), closing_word="marmalade")
    assert ((await look(school, record))["state"], (await look(school, record))["unsure"]) == ("safe", False)


async def test_with_the_other_word_the_buddy_those_who_lead_and_those_on_duty_are_told_at_once(school: School) -> None:
    await on_duty(school, "ben")
    await sets_words(school)
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now), closing_word="crumpet")
    assert sorted(await told(school)) == [("ben", "visit.alarm"), ("carol", "visit.alarm"), ("dee", "visit.alarm")]
    for who in ("ben", "carol", "dee", "lena"):
        card = await look(school, record, who)
        assert card["state"] == "alarm", who
        assert "The closing word was the one for an alarm. Olu Balogun does not know that anybody was told" in await timeline(
            school, record, who
        )
    assert (await act(school, "carol", record, "on_it"))[0] == 200
    status, card = await act(school, "dee", record, "seen_safe", "The police are with them")
    assert (status, card["state"]) == (200, "over")


async def test_whoever_goes_does_not_hear_who_ended_an_alarm(school: School) -> None:
    await sets_words(school)
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now), closing_word="Crumpet")
    assert (await act(school, "dee", record, "on_it"))[0] == 200
    assert (await act(school, "dee", record, "seen_safe", "She rang me from the car"))[0] == 200
    card = await look(school, record)
    assert (card["state"], card["closed_by"], card["taken_by"]) == ("safe", "olu", None)
    assert "dee" not in card["who"]
    status, refused = await act(school, "olu", record, "seen_safe", "It was me")
    assert (status, "Dee" in str(refused)) == (status, False)


async def test_whoever_goes_hears_nothing_of_an_alarm_on_any_of_their_phones(school: School) -> None:
    """What they get is compared, byte for byte, with what they would have got for the right word."""
    await on_duty(school, "ben", "hana")
    seen = []
    for word in ("marmalade", "crumpet"):
        await sets_words(school)
        phone, record = await goes_out(school, going=put("olu", "hana"))
        before = len(await told(school))
        await says(school, phone, record, safe_at=at(school.now), closing_word=word)
        tablet, other = school.phone("olu"), school.phone("hana")
        for each in (tablet, other):
            await each.sync_all()
        await passes(school, 20)
        await phone.sync_all()
        told_them = [one for one in (await told(school))[before:] if one[0] in ("olu", "hana")]
        cards = [await look(school, record, who) for who in ("olu", "hana")]
        lists = [(await ask(school, who, "/api/visits", method="GET"))[1] for who in ("olu", "hana")]
        history = [(await ask(school, who, f"/api/records/{record}/history", method="GET"))[1] for who in ("olu", "hana", "carol", "dee")]
        taken_back = []
        for value in (None, at(school.now)):
            await says(school, phone, record, safe_at=value, closing_word=word if value else None)
            taken_back.append([await look(school, record, who) for who in ("olu", "hana")])
        tried = [await act(school, who, record, what) for who in ("olu", "hana") for what in ("on_it", "spoken_to", "seen_safe")]
        records = [each.records[record] for each in (phone, tablet, other)]
        seen.append((told_them, cards, lists, history, tried, records, taken_back))
        school.now += 60 * MINUTE
    real, alarm = (json.dumps(blind(each)) for each in seen)
    assert real == alarm
    assert "marmalade" not in json.dumps(seen)
    assert "crumpet" not in json.dumps(seen)


def blind(said: Any) -> Any:
    """Without ids and times, which differ from one visit to the next."""
    if isinstance(said, dict):
        return {name: blind(value) for name, value in said.items() if name not in ("id", "record", "version", "at", "words")} | {
            "words": re.sub(r"\d\d:\d\d", "", str(said.get("words", "")))
        }
    if isinstance(said, (list, tuple)):
        return [blind(one) for one in said]
    return re.sub(r"^\d{4}-.*Z$", "then", said) if isinstance(said, str) else said


async def test_an_alarm_after_a_safe_end_is_one_all_the_same(school: School) -> None:
    await sets_words(school, "hana")
    phone, record = await goes_out(school, going=put("olu", "hana"))
    await says(school, phone, record, safe_at=at(school.now))
    other = school.phone("hana")
    await other.sync_all()
    await says(school, other, record, safe_at=at(school.now), closing_word="crumpet")
    assert ((await look(school, record, "dee"))["state"], (await look(school, record))["state"]) == ("alarm", "safe")
    await says(school, other, record, safe_at=at(school.now), closing_word="marmalade")
    assert (await look(school, record, "dee"))["state"] == "alarm"  # only a lead ends it


async def test_an_alarm_given_again_after_a_lead_had_ended_it_is_one_all_the_same(school: School) -> None:
    await sets_words(school)
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now), closing_word="crumpet")
    assert (await act(school, "dee", record, "seen_safe", "She said so on the telephone"))[0] == 200
    before, was = await told(school), await look(school, record)
    school.now += MINUTE
    await says(school, phone, record, safe_at=at(school.now), closing_word="crumpet")
    assert ((await look(school, record, "dee"))["state"], ("dee", "visit.alarm") in (await told(school))[len(before) :]) == ("alarm", True)
    assert (await look(school, record)) | {name: was[name] for name in ("now", "heard_at")} == was


async def test_an_alarm_in_what_cannot_be_taken_in_is_heard_and_safe_in_it_is_not(school: School) -> None:
    await sets_words(school)
    phone, record = await goes_out(school)
    phone.write({"safe_at": at(school.now), "closing_word": "marmalade", "vehicle": 7}, record, kind="home_visit")
    await arrives(school, phone)
    assert phone.needs_me
    assert (await look(school, record))["state"] == "out"
    phone.write({"safe_at": at(school.now), "closing_word": "crumpet", "vehicle": 7}, record, kind="home_visit")
    await arrives(school, phone)
    assert (await look(school, record, "dee"))["state"] == "alarm"
    assert "crumpet" not in json.dumps(phone.kept.store.held)
    assert (await act(school, "dee", record, "seen_safe", "Met them"))[0] == 200
    held = phone.needs_me[-1]
    phone.write({"vehicle": "A van"}, record, kind="home_visit", amends=held)  # which settles it
    await arrives(school, phone)
    assert (await look(school, record, "dee"))["state"] == "over"


DIFFER = "The two words must differ: one says that you are safe, the other that you are not."


async def test_closing_words_are_set_with_the_password_and_read_by_nobody(school: School) -> None:
    for said, status, words in (
        ({"password": "wrong", "safe": "marmalade", "alarm": "crumpet"}, 401, "That is not your password."),
        ({"password": PASSWORD, "safe": "marmalade", "alarm": " MARMALADE"}, 400, DIFFER),
        ({"password": PASSWORD, "safe": "marmalade", "alarm": ""}, 400, "Each word has 3 to 60 letters."),
    ):  # fmt: skip
        answer = await ask(school, "olu", "/api/closing-words", said, "PUT")
        assert (answer[0], answer[1]["words"]) == (status, words)
    assert (await ask(school, "olu", "/api/closing-words", method="GET"))[1] == {"set": False, "set_at": None}
    await sets_words(school)
    assert (await ask(school, "olu", "/api/closing-words", method="GET"))[1] == {"set": True, "set_at": to_wire(school.now)}
    kept = json.dumps([list(map(str, row.values())) for row in await school.rows("select * from closing_words")])
    assert "marmalade" not in kept.lower()
    await sets_words(school, safe="", alarm="")
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now))
    assert (await look(school, record))["state"] == "safe"


async def test_a_closing_word_is_heard_without_stretching_and_a_copy_of_the_database_alone_tells_none(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.unlock(Settings(keys_passphrase="four dry umbrellas"))
    try:
        await sets_words(school)
        phone, record = await goes_out(school)
        monkeypatch.setattr(closing_words, "stretched", None)
        keys.unlock(Settings())
        await says(school, phone, record, safe_at=at(school.now), closing_word="marmalade")
        states = [(await look(school, record, who))["state"] for who in ("olu", "dee")]
        assert states == ["safe", "alarm"]  # nobody tells it from the other: help comes, and nothing is refused
        await sets_words(school, "hana")
        keys.unlock(Settings(keys_passphrase="four dry umbrellas"))
        phone, record = await goes_out(school)
        await says(school, phone, record, safe_at=at(school.now), closing_word="marmalade")
        assert (await look(school, record))["state"] == "safe"
        await school.do("update closing_words set safe = alarm, alarm = safe where staff = 'olu'")
        phone, record = await goes_out(school)
        await says(school, phone, record, safe_at=at(school.now), closing_word="crumpet")
        assert (await look(school, record))["unsure"]  # neither says the other
    finally:
        keys.unlock(Settings())


async def test_words_that_were_stretched_go_on_working_until_they_are_set_anew(school: School) -> None:
    kept = []
    for word in ("marmalade", "crumpet"):
        kept.append(base64url.write(b"s" * 16 + closing_words.stretched(word, b"s" * 16)))
    sql = "insert into closing_words (school, staff, safe, alarm, set_at) values ('northgate', 'olu', $1, $2, 0)"
    await school.do(sql, *kept)
    for word, state in (("Jam", "out"), ("Marmalade", "safe"), ("Crumpet", "alarm")):
        phone, record = await goes_out(school)
        await says(school, phone, record, safe_at=at(school.now), closing_word=word)
        assert (await look(school, record, "dee"))["state"] == state
    await sets_words(school, safe="Teapot")
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now), closing_word="teapot")
    assert (await look(school, record))["state"] == "safe"


async def test_a_closing_word_is_in_no_export_view_or_description(school: School) -> None:
    await sets_words(school)
    phone, record = await goes_out(school)
    await says(school, phone, record, safe_at=at(school.now), closing_word="crumpet")
    await writing(make_views)
    rows = await school.rows("select * from report_home_visit")
    assert len(rows) == 1
    assert "closing_word" not in rows[0]
    kinds = (await ask(school, "olu", "/api/school", method="GET"))[1]["kinds"]
    asked = [field["name"] for kind in kinds if kind["name"] == "home_visit" for field in kind["fields"]]
    assert "checked_in_at" in asked
    assert "closing_word" not in asked
    assert not [role for role in Role if KINDS["home_visit"].visible("closing_word", role)]
    stored = await school.rows("select body, disputes from record where id = $1", record)
    assert "crumpet" not in str(stored)


# ── Whose it is, and clocks ────────────────────────────────────────────────────────────────


async def test_a_visit_is_found_by_whoever_may_hold_it_or_was_told_and_by_nobody_else(school: School) -> None:
    await on_duty(school, "ben")
    _, record = await goes_out(school)
    for who in ("amira", "ben", "ada", "hana", "dan"):
        for method, said in (("GET", None), ("POST", {"what": "on_it"})):
            status, answer = await ask(school, who, f"/api/visits/{record}", said, method)
            assert (status, answer["refusal"]) == (404, "not_found"), who
        assert (await ask(school, who, "/api/visits", method="GET"))[1] == []
    await passes(school, 75)
    card = await look(school, record, "ben")
    assert (card["state"], card["may"], card["help"]["addresses"]) == ("alarm", ["on_it"], ["7 Kiln Lane"])
    assert [one["record"] for one in (await ask(school, "ben", "/api/visits", method="GET"))[1]] == [record]


async def test_where_to_look_for_them_is_told_to_whoever_looks_while_they_are_looked_for_and_noted(school: School) -> None:
    await school.do("update pupil set address = '7 Kiln Lane' where id = 'marcus'")
    phone, record = await goes_out(school)
    assert (await look(school, record, "dee"))["help"] is None
    await passes(school, 75)
    card = await look(school, record, "dee")
    assert card["help"] == {
        "addresses": ["7 Kiln Lane"], "withheld": False,
        "answers": [["On which number can you be reached?", "07700 900321"], ["Which car?", "A white van"]],
    }  # fmt: skip
    noted = await school.rows("select detail from audit where staff = 'dee' and what = 'follow visit' order by id")
    assert [row["detail"] for row in noted] == ["{}", '{"address":true}']
    assert (await look(school, record))["help"] is None
    await says(school, phone, record, safe_at=at(school.now))
    assert (await look(school, record, "dee"))["help"] is None


async def test_an_address_that_is_withheld_is_told_on_no_phone(school: School) -> None:
    _, record = await goes_out(school, pupils=put("jose"))
    await passes(school, 75)
    card = await look(school, record, "dee")
    assert (card["help"]["addresses"], card["help"]["withheld"]) == ([], True)
    assert "Hidden Row" not in json.dumps(card)


async def test_of_what_is_no_visit_nobody_is_told_anything(school: School) -> None:
    phone = school.phone("carol")
    incident = phone.write({"place": "yard"})["record"]
    await arrives(school, phone)
    for record in (incident, "nothing"):
        for method, said in (("GET", None), ("POST", {"what": "seen_safe", "why": "x"})):
            assert (await ask(school, "carol", f"/api/visits/{record}", said, method))[0] == 404
    assert (await ask(school, "carol", f"/api/visits/{incident}", {"what": "shout"}))[0] == 400


@pytest.mark.parametrize("night", ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"])
async def test_an_hour_out_is_an_hour_in_the_nights_in_which_the_clocks_change(school: School, night: str) -> None:
    school.now = from_wire(night) or 0
    await writing(school.sign_everybody_in)
    await goes_out(school, 60)
    await passes(school, 64)
    assert await told(school) == []
    await passes(school, 1)
    assert await told(school) == [("olu", "visit.overdue")]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_a_time_beyond_any_calendar_is_waited_for_or_not_and_breaks_nothing(school: School, moment: str) -> None:
    phone, record = await goes_out(school, back_by={"at": moment, "precision": "about"})
    for who in ("olu", "dee"):
        assert (await look(school, record, who))["accepted_at"] or moment.startswith("0001")
    await says(school, phone, record, back_by=at(school.now))
    await says(school, phone, record, back_by={"at": moment, "precision": "about"}, arrived_at={"at": moment, "precision": "about"})
    assert await timeline(school, record)
    await says(school, phone, record, safe_at={"at": moment, "precision": "exact"})
    is_safe = moment.startswith("0001")  # the other says when they mean to be
    assert ((await look(school, record))["state"] == "safe") == is_safe
    assert (await act(school, "dee", record, "seen_safe", "Rang"))[0] == (409 if is_safe else 200)
