"""Held edits: never in the way of another, never dropped, and settled in one of four ways."""

import itertools
import json
from typing import Any

import pytest

from server.refusals import NotAllowed, NotFound
from server.store.database import writing
from server.sync import desk, taking
from tests.phone import Phone
from tests.school import School
from tests.test_sync_numbers import told
from tests.world import AMIRA, CAROL, DAN

INCIDENT = {"category": "fight", "place": "yard"}


async def one_held(school: School, staff: str = "amira", **values: Any) -> tuple[Phone, Any]:
    phone = school.phone(staff)
    held = phone.write(values or {"category": "riot"})
    await phone.sync_all()
    assert phone.needs_me == [held["id"]]
    return phone, held


async def new_word(school: School) -> None:
    await school.do("insert into list_entry (school, list, code, label) values ('northgate', 'categories', 'riot', 'Riot')")


# ── Amended ────────────────────────────────────────────────────────────────────────────────


async def test_an_amendment_that_is_taken_settles_the_held_edit(school: School) -> None:
    amira, held = await one_held(school)
    amira.write(INCIDENT, held["record"], amends=held["id"])
    await amira.sync_all()
    settled = amira.kept.store.held[held["id"]]["settled"]
    assert (settled["how"], settled["by"], settled["why"]) == ("amended", "amira", None)
    assert amira.records[held["record"]]["edits"] == 1


async def test_an_amendment_that_comes_first_settles_the_held_edit_as_it_comes(school: School) -> None:
    amira = school.phone("amira")
    held = amira.write({"category": "riot"})
    amira.kept.outbox.clear()
    amira.write(INCIDENT, held["record"], amends=held["id"])
    await amira.sync()
    answer = await told(amira, edits=[held])
    assert answer["receipts"][0]["outcome"] == "held"
    assert answer["held"][0]["settled"]["how"] == "amended"


async def test_both_in_one_letter_settle_whichever_stands_first(school: School) -> None:
    for reverse in (False, True):
        amira = school.phone("amira")
        held = amira.write({"category": "riot"})
        amira.write(INCIDENT, held["record"], amends=held["id"])
        if reverse:
            amira.kept.outbox.reverse()
        await amira.sync_all()
        assert amira.needs_me == []


async def test_an_amendment_that_is_held_itself_settles_nothing_until_it_is_taken(school: School) -> None:
    amira, held = await one_held(school)
    better = amira.write({"category": "brawl"}, held["record"], amends=held["id"])
    await amira.sync_all()
    assert set(amira.needs_me) == {held["id"], better["id"]}
    amira.write(INCIDENT, held["record"], amends=better["id"])
    await amira.sync_all()
    assert amira.needs_me == []


@pytest.mark.parametrize("how", ["amended", "set aside"])
async def test_what_a_settled_amendment_had_itself_replaced_is_settled_with_it_in_whatever_order_they_come(
    school: School, how: str
) -> None:
    for order in itertools.permutations(range(3)):
        amira = school.phone("amira")
        first = amira.write({"category": "riot"})
        second = amira.write({"category": "brawl"}, first["record"], amends=first["id"])
        last = {"amends": second["id"]} | ({"set_aside": "I got the day wrong"} if how == "set aside" else {})
        amira.write({} if how == "set aside" else INCIDENT, first["record"], **last)
        written = list(amira.kept.outbox)
        amira.batch = 1
        amira.kept.outbox = [written[at] for at in order]
        while amira.kept.outbox:
            await amira.sync()
            amira.batch = 1
        await amira.sync_all()
        assert amira.needs_me == [], order
        assert {amira.kept.store.held[edit["id"]]["settled"]["how"] for edit in (first, second)} == {how}


async def test_what_is_somebody_elses_or_not_held_is_not_settled_by_amends(school: School) -> None:
    amira, held = await one_held(school)
    ben = school.phone("ben")
    ben.write(INCIDENT, amends=held["id"])
    taken = ben.write(INCIDENT)
    ben.write(INCIDENT, amends=taken["id"])
    ben.write(INCIDENT, amends=7)
    await ben.sync_all()
    await amira.sync_all()
    assert amira.needs_me == [held["id"]]
    assert len(ben.records) == 4


async def test_a_held_edit_under_an_id_used_twice_is_settled_by_amends_too(school: School) -> None:
    amira, ben = school.phone("amira"), school.phone("ben")
    first = amira.write(INCIDENT)
    await amira.sync_all()
    collides = ben.write(INCIDENT)
    collides["id"] = first["id"]
    await ben.sync_all()
    assert ben.needs_me == [first["id"]]
    ben.write(INCIDENT, amends=first["id"])
    await ben.sync_all()
    assert ben.needs_me == []


async def test_its_author_may_let_it_rest_and_say_why_and_nothing_comes_of_either(school: School) -> None:
    amira, held = await one_held(school)
    rest = amira.write({}, held["record"], amends=held["id"], set_aside="I got the day wrong")
    answer = await amira.sync()
    assert answer["receipts"][0]["outcome"] == "held"
    for id in (held["id"], rest["id"]):
        settled = amira.kept.store.held[id]["settled"]
        assert (settled["how"], settled["by"], settled["why"]) == ("set aside", "amira", "I got the day wrong")
    assert amira.needs_me == []
    assert await school.rows("select id from record") == []


async def test_it_may_be_let_rest_before_it_comes_and_when_its_record_is_theirs_no_more(school: School) -> None:
    amira = school.phone("amira")
    held = amira.write({"category": "riot"})
    amira.kept.outbox.clear()
    amira.write({}, amends=held["id"], set_aside="not mine to say", kind="no_such_kind")
    await amira.sync()
    assert amira.needs_me == []
    assert (await told(amira, edits=[held]))["held"][0]["settled"]["why"] == "not mine to say"


async def test_it_may_be_let_rest_by_an_edit_that_is_held_for_its_number_too(school: School) -> None:
    amira, held = await one_held(school)
    rest = amira.write({}, amends=held["id"], set_aside="I got the day wrong", number=1_000_000)
    answer = await told(amira, edits=[rest])
    assert "number" in answer["receipts"][0]["because"]  # the premise
    assert {it["edit"]: it["settled"]["how"] for it in answer["held"]} == {held["id"]: "set aside", rest["id"]: "set aside"}


async def test_nobody_lets_somebody_elses_edit_rest(school: School) -> None:
    amira, held = await one_held(school)
    ben = school.phone("ben")
    ben.write({}, amends=held["id"], set_aside="hers is wrong")
    await ben.sync_all()
    await amira.sync_all()
    assert amira.needs_me == [held["id"]]


# ── At the desk ────────────────────────────────────────────────────────────────────────────


async def test_taken_in_as_it_is_it_becomes_part_of_its_record_and_keeps_its_author_and_receipt(school: School) -> None:
    amira, held = await one_held(school)
    settled = await writing(desk.settle, CAROL, held["id"], "taken", "we do call it that")
    assert (settled.how, settled.by, settled.why) == ("taken", "carol", "we do call it that")
    assert (await told(amira, edits=[held]))["receipts"][0]["outcome"] == "held"  # once and for all
    await amira.sync_all()
    record = amira.records[held["record"]]
    assert (record["author"], record["body"]) == ("amira", {"category": "riot"})
    assert amira.needs_me == []


async def test_set_aside_it_is_kept_with_the_reason_and_is_part_of_nothing(school: School) -> None:
    amira, held = await one_held(school)
    await writing(desk.settle, CAROL, held["id"], "set aside", "a joke")
    await amira.sync_all()
    assert amira.kept.store.held[held["id"]]["settled"]["why"] == "a joke"
    assert amira.records == {}
    (row,) = await school.rows("select original from edit where id = $1", held["id"])
    assert "riot" in row["original"]


async def test_of_two_who_settle_one_edit_one_does_and_the_other_is_told_how(school: School) -> None:
    _, held = await one_held(school)
    first = await writing(desk.settle, CAROL, held["id"], "set aside", "a joke")
    assert await writing(desk.settle, CAROL, held["id"], "taken", "no joke") == first


@pytest.mark.parametrize(
    "values",
    [{"pupils": {"put": {"tom": {}}}}, {"pupils": None}, {"mood": "bad"}, {"account": "x" * 60_001}, {"happened_at": "noon"}],
    ids=str,
)
async def test_what_could_not_be_combined_cannot_be_taken_in_as_it_is_and_the_desk_is_told_why(school: School, values: Any) -> None:
    amira, held = await one_held(school, **values)
    because = await writing(desk.settle, CAROL, held["id"], "taken", "")
    assert isinstance(because, dict)
    assert list(because) == list(values)
    await amira.sync_all()
    assert amira.needs_me == [held["id"]]


async def test_only_what_is_held_and_theirs_to_hold_can_be_settled(school: School) -> None:
    amira, held = await one_held(school)
    taken = amira.write(INCIDENT)
    await amira.sync_all()
    for me, id, refusal in (
        (CAROL, taken["id"], NotFound),
        (CAROL, "none", NotFound),
        (DAN, held["id"], NotFound),
        (AMIRA, held["id"], NotAllowed),
    ):
        with pytest.raises(refusal):
            await writing(desk.settle, me, id, "set aside", "")


# ── Judged again ───────────────────────────────────────────────────────────────────────────


async def test_when_the_record_turns_up_that_it_was_for_it_is_judged_again(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ben may not begin one; his edit is of one that Amira's phone has not sent yet, and that names him."""
    from server.sync import judging

    begin = judging.may_begin
    monkeypatch.setattr(judging, "may_begin", lambda me, kind: me.staff != "ben" and begin(me, kind))
    amira, ben = school.phone("amira"), school.phone("ben")
    first = amira.write(INCIDENT | {"staff": {"put": {"ben": {}}}})
    held = ben.write({"account": "I was there."}, first["record"])
    await ben.sync_all()
    assert ben.needs_me == [held["id"]]
    await amira.sync_all()
    await ben.sync_all()
    assert ben.kept.store.held[held["id"]]["settled"] == {
        "how": "taken", "by": None, "at": ben.kept.store.held[held["id"]]["settled"]["at"], "why": None,
    }  # fmt: skip
    assert ben.records[first["record"]]["body"]["account"]["ben"]["value"] == "I was there."


async def test_when_the_record_turns_up_and_is_not_theirs_it_stays_held(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.sync import judging

    begin = judging.may_begin
    monkeypatch.setattr(judging, "may_begin", lambda me, kind: me.staff != "ben" and begin(me, kind))
    amira, ben = school.phone("amira"), school.phone("ben")
    first = amira.write(INCIDENT)
    held = ben.write({"account": "I was there."}, first["record"])
    await ben.sync_all()
    await amira.sync_all()
    await ben.sync_all()
    assert ben.needs_me == [held["id"]]
    assert first["record"] not in ben.records


async def test_what_a_phone_says_of_a_field_kept_at_the_desk_never_replaces_what_the_desk_says(school: School) -> None:
    olu = school.phone("olu")
    record = olu.write({"to_find_out": "Why is he away?"}, kind="home_visit")["record"]
    await olu.sync_all()
    assert (await writing(desk.write, CAROL, record, "home_visit", {"address": "1 Hidden Row"}, None)).outcome == "taken"
    await olu.sync_all()
    held = olu.write({"address": "2 Old Street"}, record, kind="home_visit")
    await olu.sync_all()
    assert olu.needs_me == [held["id"]]  # the premise
    await writing(desk.settle, CAROL, held["id"], "taken", "he rang")
    (row,) = await school.rows("select disputes from record where id = $1", record)
    assert {head["value"] for head in json.loads(row["disputes"] or "{}")["address"]} == {"1 Hidden Row", "2 Old Street"}


async def test_a_field_that_they_may_not_see_is_refused_as_one_that_nobody_asks_whatever_is_said_in_it(school: School) -> None:
    amira = school.phone("amira")
    for value in (7, " S-1 ", None, {"put": {}}):
        amira.write({"concern_reference": value})
        amira.write({"no_such_field": value})
    answer = await amira.sync()
    hidden, unknown = answer["held"][::2], answer["held"][1::2]
    assert [list(held["because"].values()) for held in hidden] == [list(held["because"].values()) for held in unknown]
    assert [list(held["values"].values()) for held in hidden] == [list(held["values"].values()) for held in unknown]


async def test_however_many_wait_all_are_judged_again(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "AGAIN_AT_ONCE", 3)
    amira = school.phone("amira")
    for _ in range(10):
        amira.write({"category": "riot"})
    await amira.sync_all()
    assert len(amira.needs_me) == 10  # the premise
    await new_word(school)
    await writing(desk.rights_changed, "northgate", "amira")
    await amira.sync_all()
    assert amira.needs_me == []


async def test_after_a_change_of_rights_what_was_not_allowed_is_judged_again(school: School) -> None:
    amira = school.phone("amira")
    record = amira.write(INCIDENT)["record"]
    await amira.sync_all()
    ben = school.phone("ben")
    ben.write({"account": "I was there."}, record)
    await ben.sync_all()

    async def promote(tx: Any) -> None:
        await tx.run("update staff set role = 'manager' where id = 'ben'")
        await desk.rights_changed(tx, "northgate", "ben")

    await writing(promote)
    await ben.sync_all()
    assert ben.needs_me == []
    assert ben.records[record]["edits"] == 2


async def test_after_an_upgrade_what_is_understood_now_is_taken_and_the_rest_stays(school: School) -> None:
    amira, held = await one_held(school)
    other = amira.write({"category": "brawl"})
    await amira.sync_all()
    await new_word(school)
    await writing(desk.judge_again, "northgate")
    await amira.sync_all()
    assert amira.needs_me == [other["id"]]
    assert held["record"] in amira.records


async def test_what_was_written_before_a_promotion_settles_nothing_that_its_author_could_not_see_then(school: School) -> None:
    amira = school.phone("amira")
    record = amira.write(INCIDENT)["record"]
    await amira.sync_all()
    dee = school.phone("dee")
    await dee.sync_all()
    dee.write({"concern_reference": "S-1"}, record)
    await dee.sync_all()
    await amira.sync_all()
    amira.write({"concern_reference": "S-2"}, record)
    await amira.sync_all()

    async def promote(tx: Any) -> None:
        await tx.run("update staff set role = 'dsl' where id = 'amira'")
        await desk.rights_changed(tx, "northgate", "amira")

    await writing(promote)
    await dee.sync_all()
    assert [head["value"] for head in dee.records[record]["disputes"]["concern_reference"]] == ["S-2", "S-1"]


async def test_what_is_held_because_of_its_number_stays_held_when_it_is_judged_again(school: School) -> None:
    amira = school.phone("amira")
    amira.kept.number = 50_000
    held = amira.write(INCIDENT)
    await amira.sync()
    await writing(desk.judge_again, "northgate")
    await amira.sync()
    assert amira.needs_me == [held["id"]]


# ── Closing ────────────────────────────────────────────────────────────────────────────────


async def disputed(school: School) -> tuple[Phone, Phone, str]:
    amira, carol = school.phone("amira"), school.phone("carol")
    record = amira.write(INCIDENT)["record"]
    await amira.sync_all()
    await carol.sync_all()
    amira.write({"severity": "low"}, record)
    carol.write({"severity": "high"}, record)
    await amira.sync_all()
    await carol.sync_all()
    assert list(carol.records[record]["disputes"]) == ["severity"]
    return amira, carol, record


async def test_a_record_with_an_open_dispute_cannot_be_closed_from_a_phone(school: School) -> None:
    _, carol, record = await disputed(school)
    held = carol.write({"state": "closed"}, record)
    answer = await carol.sync()
    assert answer["receipts"][0]["because"] == {"state": "it cannot be closed while people disagree in it. How serious was it?"}
    assert carol.needs_me == [held["id"]]


async def test_one_edit_may_decide_and_close(school: School) -> None:
    _, carol, record = await disputed(school)
    carol.write({"severity": "high", "state": "closed"}, record)
    await carol.sync_all()
    assert (carol.records[record]["state"], carol.records[record]["disputes"]) == ("closed", {})


async def test_a_dispute_about_the_state_itself_keeps_nobody_from_closing(school: School) -> None:
    amira, carol, record = await disputed(school)
    carol.write({"severity": "high"}, record)
    await carol.sync_all()
    carol.write({"state": "void"}, record)
    amira.write({"state": "open"}, record)
    await carol.sync_all()
    await amira.sync_all()
    assert "state" in amira.records[record]["disputes"]
    amira.write({"state": "closed"}, record)
    await amira.sync_all()
    assert amira.records[record]["state"] == "closed"


async def test_the_words_do_not_name_a_field_that_the_closer_may_not_see(school: School) -> None:
    amira = school.phone("amira")
    record = amira.write(INCIDENT)["record"]
    await amira.sync_all()
    await school.do("update staff set role = 'dsl' where id = 'lena'")
    for staff, reference in (("dee", "S-1"), ("lena", "S-2")):
        phone = school.phone(staff)
        phone.write({"concern_reference": reference}, record)
        await phone.sync()
    await amira.sync_all()
    amira.write({"state": "closed"}, record)
    answer = await amira.sync()
    assert answer["receipts"][0]["because"] == {"state": "it cannot be closed while people disagree in it."}


async def test_a_voided_record_may_still_be_written_in(school: School) -> None:
    amira = school.phone("amira")
    record = amira.write(INCIDENT | {"state": "void", "state_reason": "twice"})["record"]
    amira.write({"account": "And yet."}, record)
    await amira.sync_all()
    assert (amira.records[record]["state"], amira.records[record]["edits"]) == ("void", 2)
