"""A call for help rings, climbs until a named person answers, and says honestly what it does not know."""

import asyncio
from typing import Any

import pytest

from server.oncall import calls
from server.oncall.steps import take_due
from server.store.database import Tx, writing
from server.store.moments import to_wire
from tests.letters import edit
from tests.school import SECOND, School, signed_in
from tests.sealing import handset_of

MINUTE = 60 * SECOND


async def ask(school: School, who: str, path: str, said: Any = None, method: str = "POST") -> tuple[int, Any]:
    import json

    answer = await school.hear(path, json.dumps(said or {}).encode(), signed_in(school.sessions[who]), method)
    return answer.status_code, answer.json() if answer.content else None


async def call(school: School, who: str = "amira", **said: Any) -> str:
    status, card = await ask(school, who, "/api/calls", {"place": "b12", "urgency": "now"} | said)
    assert status == 201, card
    return str(card["record"])


async def look(school: School, record: str, who: str = "amira") -> Any:
    status, card = await ask(school, who, f"/api/calls/{record}", method="GET")
    assert status == 200, card
    return card


async def act(school: School, who: str, record: str, what: str) -> tuple[int, Any]:
    return await ask(school, who, f"/api/calls/{record}", {"what": what})


async def on_duty(school: School, *people: str, part: str = "first", zone: str = "") -> None:
    """By the rota, all of Monday: the school's clock stands at half past eight. Their phones can be rung."""
    for who in people:
        await subscribed(school, who)
        await school.do(
            "insert into duty (school, id, staff, weekday, starts, ends, zone, part, made_at) values ($1, $2, $3, 0, $4, $5, $6, $7, 0)",
            "northgate", f"{who}-{part}-{zone}", who, "08:00", "16:00", zone, part,
        )  # fmt: skip


async def subscribed(school: School, who: str) -> None:
    await writing(let_ring, who)


async def let_ring(tx: Tx, who: str) -> None:
    """Their phone has been set up to be rung."""
    await tx.run("insert into key (id, purpose, private, public, made_at) values ('k', 'test', '', '', 0) on conflict (id) do nothing")
    await tx.run(
        "insert into subscription (school, phone, staff, endpoint, public, secret, key, made_at, checked_at)"
        " values ('northgate', $1, $2, 'https://push.example/' || $2, '', '', 'k', 0, 0) on conflict (school, phone) do nothing",
        f"{who}-phone", who,
    )  # fmt: skip


async def passes(school: School, seconds: int) -> None:
    for _ in range(seconds):
        school.now += SECOND
        await take_due(school.now)


async def rung(school: School) -> list[tuple[str, str]]:
    """Who was told what, oldest first; at one moment, by name."""
    return [(row["staff"], row["words"]) for row in await school.rows("select staff, words from alert order by made_at, staff")]


async def body(school: School, record: str) -> Any:
    import json

    return json.loads((await school.rows("select body from record where id = $1", record))[0]["body"])


# ── The ladder ─────────────────────────────────────────────────────────────────────────────


async def test_a_call_rings_those_on_duty_at_once_and_climbs_until_the_caller_is_told_to_ring(school: School) -> None:
    await on_duty(school, "ben")
    await on_duty(school, "carol", part="next")
    record = await call(school)
    assert await rung(school) == [("ben", "call.urgent")]
    assert (await look(school, record))["next"]["words"] == "Those on duty are rung"
    await passes(school, 29)
    assert len(await rung(school)) == 1
    await passes(school, 1)
    assert (await rung(school))[1:] == [("ben", "call.again")]
    await passes(school, 30)
    assert (await rung(school))[2:] == [("carol", "call.again")]
    await passes(school, 60)
    assert sorted((await rung(school))[3:]) == [("ben", "call.everybody"), ("carol", "call.everybody"), ("lena", "call.everybody")]
    assert (await look(school, record))["alone_at"] is None
    await passes(school, 60)
    assert (await rung(school))[6:] == [("amira", "call.unanswered")]
    assert (await look(school, record))["alone_at"] == to_wire(school.now)
    await passes(school, 120)
    assert len(await rung(school)) == 10  # it goes on
    assert (await look(school, record))["state"] == "ringing"


async def test_a_rung_where_no_phone_rings_is_not_waited_for(school: School) -> None:
    await on_duty(school, "ben")
    await on_duty(school, "carol", part="next")
    await school.do("update subscription set retired_at = 1 where staff = 'ben'")
    await call(school)
    assert await rung(school) == [("ben", "call.urgent"), ("ben", "call.again"), ("carol", "call.again")]  # he may have the app open
    await school.do("update subscription set retired_at = 1")
    record = await call(school, urgency="danger")
    assert ("amira", "call.unanswered") in await rung(school)
    card = await look(school, record)
    assert card["alone_at"]
    assert card["next"]  # nobody gives up


async def test_whoever_answers_stops_it_and_everybody_hears_so(school: School) -> None:
    await on_duty(school, "ben", "carol")
    record = await call(school)
    school.now += SECOND
    status, card = await act(school, "ben", record, "accept")
    assert (status, card["state"], card["answered_by"], card["who"]["ben"]) == (200, "answered", "ben", "Ben Price")
    assert sorted((await rung(school))[-2:]) == [("amira", "call.coming"), ("carol", "call.taken")]
    await passes(school, 300)
    assert len(await rung(school)) == 4
    said = await body(school, record)
    assert (said["progress"], said["responders"]) == ("answered", {"ben": {"part": "going"}})
    authors = await school.rows("select author from edit where record = $1 order by seq", record)
    assert [row["author"] for row in authors] == ["amira", "ben"]


async def test_it_goes_on_to_with_you_and_over(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school)
    await act(school, "ben", record, "accept")
    school.now += 90 * SECOND
    for _ in range(2):
        assert (await act(school, "ben", record, "on_my_way"))[0] == 200
    await act(school, "ben", record, "there")
    assert (await look(school, record))["there_at"] == to_wire(school.now)
    school.now += 300 * SECOND
    status, card = await act(school, "ben", record, "close")
    assert (status, card["state"], card["may"]) == (200, "over", [])
    words = [line["words"] for line in card["timeline"]]
    assert words == [
        "The school has the call", "Rang Ben Price", "Ben Price answered: going", "Ben Price is on the way",
        "Ben Price says: somebody is with them", "Ben Price closed it",
    ]  # fmt: skip
    assert (await body(school, record))["progress"] == "over"


async def test_the_second_to_answer_hears_who_goes_and_may_go_too(school: School) -> None:
    await on_duty(school, "ben", "carol")
    record = await call(school)
    await act(school, "ben", record, "accept")
    status, said = await act(school, "carol", record, "accept")
    assert (status, said["words"]) == (409, "Ben Price is going already.")
    status, card = await act(school, "carol", record, "come_too")
    assert (status, card["answered_by"]) == (200, "ben")
    assert (await body(school, record))["responders"] == {"ben": {"part": "going"}, "carol": {"part": "going"}}


async def test_of_fifty_answers_at_the_same_moment_one_wins(school: School) -> None:
    people = ["ben", "carol", "dee", "lena"]
    await on_duty(school, *people)
    record = await call(school)
    answers = await asyncio.gather(*(act(school, people[n % 4], record, "accept") for n in range(50)))
    winners = {people[n % 4] for n, (status, _) in enumerate(answers) if status == 200}
    assert len(winners) == 1
    assert (await look(school, record))["answered_by"] in winners
    rows = await school.rows("select count(*) as n from call_moment where record = $1 and what = 'answered'", record)
    assert rows[0]["n"] == 1


async def test_who_cannot_come_after_all_puts_it_back_on_the_ladder(school: School) -> None:
    await on_duty(school, "ben", "carol")
    record = await call(school)
    school.now += SECOND
    await act(school, "ben", record, "accept")
    school.now += SECOND
    await act(school, "ben", record, "give_back")
    card = await look(school, record)
    assert (card["state"], card["answered_by"]) == ("ringing", None)
    assert (await rung(school))[4:] == [("carol", "call.urgent")]
    await passes(school, 180)
    assert (await look(school, record))["alone_at"] is not None


async def test_a_ladder_with_nobody_says_so_at_once(school: School) -> None:
    await school.do("update staff set left_at = 1 where role = 'leader'")
    record = await call(school)
    card = await look(school, record)
    assert (card["state"], card["alone_at"]) == ("ringing", to_wire(school.now))
    assert await rung(school) == [("amira", "call.unanswered")]
    status, _ = await act(school, "ben", record, "accept")  # who comes upon it may still answer
    assert status == 200


async def test_a_rung_with_nobody_is_not_waited_for(school: School) -> None:
    await on_duty(school, "carol", part="next")
    await call(school)
    assert [who for who, _ in await rung(school)] == ["carol"]


async def test_a_zone_rings_its_own_people_first(school: School) -> None:
    await school.do("insert into zone (school, place, zone) values ('northgate', 'b12', 'B'), ('northgate', 'gate', 'Front')")
    await on_duty(school, "ben", zone="B")
    await on_duty(school, "carol", zone="Front")
    await call(school)
    assert await rung(school) == [("ben", "call.urgent")]
    await passes(school, 60)
    assert (await rung(school))[-1] == ("carol", "call.again")


async def test_one_rings_nobody_who_could_not_read_what_for(school: School) -> None:
    await on_duty(school, "olu", "hana", "ben")
    await call(school)
    assert [who for who, _ in await rung(school)] == ["ben"]


async def test_everybody_who_is_coming_hears_that_it_is_over(school: School) -> None:
    await on_duty(school, "ben", "carol", "dee")
    record = await call(school)
    await act(school, "ben", record, "accept")
    await act(school, "carol", record, "come_too")
    school.now += SECOND
    before = len(await rung(school))
    await act(school, "ben", record, "close")
    assert (await rung(school))[before:] == [("carol", "call.over")]
    another = await call(school)
    await act(school, "ben", another, "accept")
    await act(school, "ben", another, "more")
    school.now += SECOND
    before = len(await rung(school))
    await act(school, "amira", another, "stand_down")
    assert (await rung(school))[before:] == [(who, "call.over") for who in ("ben", "carol", "dee", "lena")]


async def test_more_people_are_asked_for(school: School) -> None:
    await on_duty(school, "ben", "carol")
    record = await call(school)
    school.now += SECOND
    await act(school, "ben", record, "accept")
    school.now += SECOND
    status, _ = await act(school, "ben", record, "more")
    assert status == 200
    assert sorted((await rung(school))[4:]) == [("carol", "call.more"), ("lena", "call.more")]


# ── By whatever way it comes ───────────────────────────────────────────────────────────────


async def written(school: School, age_s: int, **more: Any) -> str:
    """A call that a phone wrote that long ago, and that comes now, by the ordinary exchange."""
    phone = school.phone("amira")
    asked_at = {"at": to_wire(school.now), "precision": "exact"}
    wrote = phone.write({"place": "b12", "urgency": "now", "asked_at": asked_at} | more, kind="call_out")
    school.now += age_s * SECOND
    await phone.sync()
    await take_due(school.now)
    return str(wrote["record"])


async def test_a_call_that_comes_by_the_exchange_rings_too(school: School) -> None:
    await on_duty(school, "ben")
    record = await written(school, 12)
    assert await rung(school) == [("ben", "call.urgent")]
    assert (await look(school, record))["state"] == "ringing"


async def test_a_call_from_a_locked_phone_rings_too(school: School) -> None:
    await on_duty(school, "ben")
    amira = await handset_of(school.door, "amira")
    called = edit(amira.sealer.phone, 1, "call_out", {"urgency": "danger", "note": "From a locked phone: the back gate"})
    assert await amira.kept(amira.sealer.seal(called)) == [called["id"]]
    await take_due(school.now)
    assert await rung(school) == [("ben", "call.urgent")]


async def test_a_phone_whose_clock_is_wrong_by_years_rings_all_the_same(school: School) -> None:
    await on_duty(school, "ben")
    phone = school.phone("amira", wrong_by=-3 * 365 * 24 * 60 * MINUTE)
    phone.write({"place": "b12", "urgency": "now"}, kind="call_out")
    await phone.sync()
    await take_due(school.now)
    assert await rung(school) == [("ben", "call.urgent")]


async def test_a_late_one_asks_first_whether_it_is_still_needed(school: School) -> None:
    await on_duty(school, "ben")
    record = await written(school, 5 * 60)
    assert await rung(school) == []
    card = await look(school, record)
    assert (card["state"], card["may"]) == ("asking", ["still_needed", "stand_down"])
    await act(school, "amira", record, "still_needed")
    assert await rung(school) == [("ben", "call.urgent")]


async def test_a_late_one_that_is_not_needed_rings_nobody(school: School) -> None:
    await on_duty(school, "ben")
    record = await written(school, 5 * 60)
    status, card = await act(school, "amira", record, "stand_down")
    assert (status, card["state"]) == (200, "not_needed")
    await passes(school, 120)
    assert await rung(school) == []


async def test_a_late_one_whose_caller_says_nothing_is_taken_to_be_needed(school: School) -> None:
    await on_duty(school, "ben")
    record = await written(school, 5 * 60)
    await passes(school, 60)
    assert await rung(school) == [("ben", "call.urgent")]
    assert (await look(school, record))["state"] == "ringing"


async def test_past_its_time_it_is_a_missed_call(school: School) -> None:
    await on_duty(school, "ben")
    record = await written(school, 20 * 60)
    assert await rung(school) == []
    assert (await look(school, record))["words"] == "Missed: nobody answered"


async def test_a_call_that_was_over_before_it_came_rings_nobody(school: School) -> None:
    await on_duty(school, "ben")
    record = await written(school, 5, progress="over")
    assert await rung(school) == []
    status, _ = await ask(school, "amira", f"/api/calls/{record}", method="GET")
    assert status == 404


async def test_an_edit_that_says_it_is_over_ends_the_call(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school)
    phone = school.phone("amira")
    school.now += SECOND
    await phone.sync_all()
    phone.write({"progress": "not_needed"}, record, kind="call_out")
    await phone.sync()
    await take_due(school.now)
    assert (await look(school, record))["state"] == "not_needed"
    assert (await rung(school))[1:] == [("ben", "call.over")]


async def test_a_call_that_names_its_caller_or_somebody_else_as_going_rings_all_the_same(school: School) -> None:
    await on_duty(school, "ben")
    for who in ("amira", "ben"):
        before = len(await rung(school))
        record = await written(school, 5, responders={"put": {who: {"part": "going"}}, "drop": []})
        assert (await rung(school))[before:] == [("ben", "call.urgent")]
        assert (await look(school, record))["state"] == "ringing"


async def said_offline(school: School, who: str, record: str, part: str) -> None:
    phone = school.phone(who)
    school.now += SECOND
    await phone.sync_all()
    phone.write({"responders": {"put": {who: {"part": part}}, "drop": []}}, record, kind="call_out")
    await phone.sync()
    await take_due(school.now)


async def test_an_answer_comes_by_the_exchange_and_is_taken_back_by_it(school: School) -> None:
    await on_duty(school, "ben", "carol")
    record = await call(school)
    await said_offline(school, "ben", record, "going")
    assert (await look(school, record))["answered_by"] == "ben"
    before = len(await rung(school))
    await said_offline(school, "ben", record, "cannot")
    assert ("carol", "call.urgent") in (await rung(school))[before:]
    assert (await look(school, record))["state"] == "ringing"
    await said_offline(school, "carol", record, "there")
    card = await look(school, record)
    assert (card["state"], card["answered_by"]) == ("there", "carol")


async def test_a_missed_call_may_still_be_answered_and_closed_by_the_exchange(school: School) -> None:
    record = await written(school, 20 * 60)
    await said_offline(school, "carol", record, "going")
    assert (await look(school, record))["answered_by"] == "carol"
    missed = await written(school, 20 * 60)
    phone = school.phone("amira")
    await phone.sync_all()
    phone.write({"progress": "over"}, missed, kind="call_out")
    await phone.sync()
    await take_due(school.now)
    assert (await look(school, missed))["state"] == "over"


async def test_who_came_too_has_the_call_when_the_first_cannot_come(school: School) -> None:
    await on_duty(school, "ben", "carol")
    record = await call(school)
    await act(school, "ben", record, "accept")
    await act(school, "carol", record, "come_too")
    school.now += SECOND
    before = len(await rung(school))
    _, card = await act(school, "ben", record, "give_back")
    assert (card["state"], card["answered_by"]) == ("answered", "carol")
    assert (await rung(school))[before:] == [("amira", "call.coming")]


async def test_a_call_that_two_hear_of_at_the_same_moment_begins_once_and_neither_waits_for_the_other(school: School) -> None:
    await on_duty(school, "ben", "carol")
    phone = school.phone("amira")
    asked_at = {"at": to_wire(school.now), "precision": "exact"}
    wrote = [phone.write({"place": "b12", "urgency": "now", "asked_at": asked_at}, kind="call_out")["record"] for _ in range(8)]
    await phone.sync()
    answers = [act(school, who, record, "accept") for record in wrote for who in ("ben", "carol")]
    statuses, *_ = await asyncio.gather(asyncio.gather(*answers), *(take_due(school.now) for _ in range(4)))
    assert sorted(status for status, _ in statuses) == [200] * 8 + [409] * 8
    rows = await school.rows("select count(*) as n from call_moment where what = 'received'")
    assert rows[0]["n"] == 8


async def test_an_edit_that_came_just_before_the_ladder_was_stopped_is_still_seen(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school)
    phone = school.phone("amira")
    school.now += SECOND
    await phone.sync_all()
    phone.write({"progress": "not_needed"}, record, kind="call_out")
    await phone.sync()
    status, said = await act(school, "ben", record, "accept")  # before the loop has looked
    assert (status, said["words"]) == (409, "This call was called off at 08:30. Nobody needs to come.")
    await take_due(school.now)
    assert (await look(school, record))["state"] == "not_needed"


async def test_the_same_call_twice_is_called_once(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school, record="0193a7c2-0000-7000-8000-000000000001")
    assert await call(school, record=record) == record
    assert await rung(school) == [("ben", "call.urgent")]
    assert (await school.rows("select count(*) as n from edit where record = $1", record))[0]["n"] == 1


# ── Said in words ──────────────────────────────────────────────────────────────────────────


async def test_an_answer_to_a_closed_call_is_told_so_in_words(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school)
    await act(school, "ben", record, "accept")
    await act(school, "ben", record, "close")
    status, said = await act(school, "carol", record, "accept")
    assert (status, said["words"]) == (409, "This call was closed at 08:30 by Ben Price. Nobody needs to come.")


async def test_nobody_answers_their_own_call_or_one_that_is_not_theirs_to_see(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school)
    assert await act(school, "amira", record, "accept") == (403, {"refusal": "not_allowed", "words": "You cannot answer your own call."})
    for who in ("olu", "dan"):
        assert (await act(school, who, record, "accept"))[0] == 404
        assert (await ask(school, who, f"/api/calls/{record}", method="GET"))[0] == 404
    assert (await act(school, "ben", record, "dance"))[0] == 400


async def test_nobody_is_left_without_help_for_a_word_that_is_in_no_list(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school, place="behind the bike shed", urgency="quick", pupils=["nobody"])
    assert await rung(school) == [("ben", "call.urgent")]
    assert (await body(school, record))["note"] == "behind the bike shed"


async def test_no_alert_says_a_name(school: School) -> None:
    await on_duty(school, "ben")
    await call(school, pupils=["zoe"], note="Zoë Ångström is on the roof")
    rows = await school.rows("select title, body, opens, topic from alert")
    said = " ".join(" ".join(row.values()) for row in rows)
    assert rows
    assert not [name for name in ("Zo", "ngstr", "Amira", "roof") if name in said]


async def test_it_becomes_an_incident_in_one_tap_with_its_timeline(school: School) -> None:
    await on_duty(school, "ben", "carol")
    record = await call(school, pupils=["zoe"])
    await act(school, "carol", record, "accept")
    await act(school, "carol", record, "there")
    status, card = await act(school, "carol", record, "incident")
    assert status == 200
    said = await body(school, card["incident"])
    assert (said["place"], set(said["pupils"]), said["staff"]["carol"]) == ("b12", {"zoe"}, {"part": "called"})
    assert "08:30 Carol Whitlock answered: going." in said["account"]["carol"]["value"]
    again = (await act(school, "carol", record, "incident"))[1]["incident"]
    assert again == card["incident"]


async def test_a_restart_loses_no_rung_and_repeats_none(school: School) -> None:
    await on_duty(school, "ben")
    await on_duty(school, "carol", part="next")
    record = await call(school)
    await school.back_up()
    await school.restore()
    school.now += 61 * SECOND
    await take_due(school.now)
    assert [who for who, _ in await rung(school)] == ["ben", "ben", "carol"]
    assert (await look(school, record))["state"] == "ringing"


@pytest.mark.parametrize("gone_s", [600])
async def test_a_server_that_was_away_across_a_rung_goes_on_as_soon_as_it_is_back(school: School, gone_s: int) -> None:
    await on_duty(school, "ben")
    record = await call(school)
    school.now += gone_s * SECOND
    await take_due(school.now)
    card = await look(school, record)
    assert card["alone_at"] == to_wire(school.now)
    late = await school.rows("select does, late from due_step where about = $1 and taken_at is not null and does like 'call.r%'", record)
    assert late
    assert all(row["late"] for row in late)


def test_the_defaults_are_those_of_the_design() -> None:
    from server.oncall.ladders import FIRST

    assert [(rung.after_s, rung.who) for rung in FIRST.rungs] == [
        (0, "first"), (30, "first"), (60, "next"), (120, "everyone"), (180, "caller"),
    ]  # fmt: skip
    assert calls.ASKED_AFTER < calls.WORTH


async def test_whoever_answers_after_the_caller_said_that_somebody_is_there_comes_too_and_sets_nothing_back(school: School) -> None:
    await on_duty(school, "ben")
    record = await call(school)
    await act(school, "amira", record, "there")
    there_at = (await look(school, record))["there_at"]
    assert there_at
    for _ in range(2):
        status, card = await act(school, "ben", record, "accept")
        assert status == 200
        assert (card["state"], card["there_at"]) == ("there", there_at)
    assert [line["what"] for line in card["timeline"]].count("came too") == 1
    assert "accept" not in (await look(school, record, "carol"))["may"]
    assert "come_too" in (await look(school, record, "carol"))["may"]


async def test_whoever_has_nothing_to_do_with_a_call_cannot_say_that_somebody_is_there(school: School) -> None:
    record = await call(school, pupils=["zoe"])
    status, refusal = await act(school, "hana", record, "there")
    assert status == 403
    assert "Whoever called, or has come, can say that somebody is there." in str(refusal)
    assert (await look(school, record))["there_at"] is None


async def test_calls_that_a_school_keeps_back_from_a_role_are_on_none_of_its_phones_but_the_callers_own(school: School) -> None:
    carols, amiras = await call(school, "carol"), await call(school)
    await school.do("update school set settings = $1 where id = 'northgate'", '{"offline": {"manager": ["call_out"]}}')
    status, answer = await ask(school, "carol", "/api/calls", method="GET")
    assert status == 200
    assert amiras not in str(answer)
    assert carols in str(answer)
    assert (await ask(school, "carol", f"/api/calls/{amiras}", method="GET"))[0] == 404
    assert (await look(school, carols, "carol"))["record"] == carols
    assert amiras in str((await ask(school, "dee", "/api/calls", method="GET"))[1])
