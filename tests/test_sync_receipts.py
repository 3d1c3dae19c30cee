"""Receipts: what they promise, and what becomes of an edit whatever is wrong with it. Through the door the phone uses."""

import hashlib
import json
from typing import Any

import pytest

from server.store.database import writing
from server.store.ids import new_id
from server.sync import desk, taking
from server.sync import letter as limits
from server.sync.judging import OUR_FAULT
from tests.phone import Phone
from tests.school import SECOND, School

INCIDENT = {"category": "fight", "place": "yard"}


async def send(school: School, staff: str, *edits: Any, **letter: Any) -> dict[str, Any]:
    """Whatever these are, in one letter of a phone of this person's."""
    whole = {"protocol": 1, "build": "test", "phone": f"{staff}-phone", "sent_at": "2026-11-23T08:30:00.000Z", "cursor": None}
    whole |= {"receipted": 0, "waiting": 0, "lost": [], "edits": list(edits)} | letter
    answer = await school.post(staff, as_sent(whole))
    assert answer.status_code == 200, answer.text
    return answer.json()


def as_sent(whole: Any) -> bytes:
    try:
        return json.dumps(whole, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can say
        return json.dumps(whole).encode()


def edit(values: Any = INCIDENT, number: Any = 1, **more: Any) -> dict[str, Any]:
    written = {"id": new_id(), "phone": "amira-phone", "number": number, "record": new_id(), "kind": "incident"}
    return written | {"made_at": "2026-11-23T08:29:00.000Z", "seen": None, "values": values} | more


async def stored(school: School, id: str) -> dict[str, Any]:
    (row,) = await school.rows("select * from edit where school = 'northgate' and id = $1", id)
    return row


# ── Taken ──────────────────────────────────────────────────────────────────────────────────


async def test_a_receipt_means_the_edit_is_stored_with_its_author_and_as_it_was_sent(school: School) -> None:
    sent = edit()
    answer = await send(school, "amira", sent)
    assert answer["receipts"] == [{"id": sent["id"], "outcome": "taken"}]
    row = await stored(school, sent["id"])
    assert (row["author"], row["outcome"], row["because"]) == ("amira", "taken", None)
    assert json.loads(row["original"]) == sent


async def test_a_repeat_gets_the_same_receipt_and_its_content_is_ignored(school: School) -> None:
    sent = edit()
    first = await send(school, "amira", sent)
    again = await send(school, "amira", sent | {"values": {"category": "damage"}})
    assert again["receipts"] == first["receipts"]
    (record,) = again["records"]
    assert (record["edits"], record["body"]["category"]) == (1, "fight")


async def test_an_edit_named_twice_in_one_letter_is_taken_once(school: School) -> None:
    sent = edit()
    answer = await send(school, "amira", sent, sent)
    assert answer["receipts"] == [{"id": sent["id"], "outcome": "taken"}]
    assert answer["records"][0]["edits"] == 1


async def test_a_repeat_counts_as_the_arrival_of_the_number_it_carries(school: School) -> None:
    sent = edit(number=1)
    await send(school, "amira", sent)
    answer = await send(school, "amira", sent | {"number": 3}, receipted=3)
    assert answer["wanted"] == [2]


async def test_an_edit_of_a_record_that_the_school_does_not_know_begins_it_whatever_it_had_seen(school: School) -> None:
    answer = await send(school, "amira", edit(seen="77.00000000000000aa"))
    assert [receipt["outcome"] for receipt in answer["receipts"]] == ["taken"]
    assert answer["records"][0]["author"] == "amira"


async def test_edits_of_one_record_may_come_in_any_order(school: School) -> None:
    record = new_id()
    later, earlier = edit({"category": "damage"}, 2, record=record), edit({"category": "fight"}, 1, record=record)
    answer = await send(school, "amira", later, earlier)
    assert answer["records"][0]["body"] == {"category": "damage"}
    assert answer["records"][0]["disputes"] == {}


async def test_what_is_needed_never_holds_an_edit_but_shows_as_a_gap(school: School) -> None:
    answer = await send(school, "amira", edit({"lesson": "9X/Ma2"}))
    assert answer["receipts"][0]["outcome"] == "taken"
    assert answer["records"][0]["gaps"] == ["pupils", "category", "place", "happened_at"]


@pytest.mark.parametrize(
    "made_at", ["1970-01-01T00:00:00Z", "2099-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
async def test_no_edit_is_refused_for_its_clock_and_none_comes_later_than_it_arrived(school: School, made_at: str) -> None:
    sent = edit(made_at=made_at)
    answer = await send(school, "amira", sent, sent_at=made_at)
    assert answer["receipts"][0]["outcome"] == "taken"
    row = await stored(school, sent["id"])
    assert 0 <= row["ordered_at"] <= row["received_at"] == school.now


async def test_a_moment_is_corrected_by_what_the_phones_clock_was_wrong(school: School) -> None:
    slow = school.phone("amira", wrong_by=-3600 * SECOND)
    written_at = school.now
    sent = slow.write(INCIDENT)
    school.now += 60 * SECOND
    await slow.sync()
    row = await stored(school, sent["id"])
    assert row["ordered_at"] == written_at
    assert row["made_at"] == written_at - 3600 * SECOND


@pytest.mark.parametrize("made_at", ["yesterday", None, 7, "2026-11-23T08:29:00"])
async def test_an_unreadable_moment_counts_as_arrival_and_is_marked_so(school: School, made_at: Any) -> None:
    sent = edit(made_at=made_at)
    await send(school, "amira", sent)
    row = await stored(school, sent["id"])
    assert (row["made_at"], row["ordered_at"]) == (None, school.now)
    assert json.loads(row["remarks"]) == ["the time it was made could not be read"]


async def test_a_letter_whose_moment_cannot_be_read_comes_from_a_clock_without_error(school: School) -> None:
    sent = edit(made_at="2026-11-23T08:00:00.000Z")
    await send(school, "amira", sent, sent_at="noon")
    row = await stored(school, sent["id"])
    assert row["ordered_at"] == row["made_at"]


async def test_another_author_claimed_is_ignored_and_so_are_keys_that_nobody_knows(school: School) -> None:
    sent = edit(author="carol", school="southfield", priority="high")
    await send(school, "amira", sent, mood="hurried")
    row = await stored(school, sent["id"])
    assert (row["author"], row["school"], row["outcome"]) == ("amira", "northgate", "taken")
    assert json.loads(row["original"])["priority"] == "high"


async def test_values_are_kept_in_one_form_and_the_edit_as_it_was_sent(school: School) -> None:
    sent = edit({"lesson": "cafe\u0301", "happened_at": "2026-11-23T09:00:00+02:00"})
    await send(school, "amira", sent)
    row = await stored(school, sent["id"])
    kept = json.loads(row["values"])
    assert kept == {"lesson": "caf\u00e9", "happened_at": {"at": "2026-11-23T07:00:00.000Z", "precision": "exact"}}
    assert json.loads(row["original"])["values"] == sent["values"]


@pytest.mark.parametrize("broken", ["half a \ud83d", "\udc00", "NUL \0 inside", "\\ud83d is not one, \ud83d is"])
async def test_what_no_database_keeps_is_replaced_and_marked_and_never_a_reason_to_refuse(school: School, broken: str) -> None:
    sent, beside = edit({"account": broken}), edit({"account": "😀 \u202e עברית ~ \\u0000"}, 2)
    answer = await send(school, "amira", sent, beside)
    assert [receipt["outcome"] for receipt in answer["receipts"]] == ["taken", "taken"]
    row = await stored(school, sent["id"])
    expected = broken.replace("\0", "\ufffd").replace("\udc00", "\ufffd")
    expected = expected.replace("\ud83d", "\ufffd")
    assert json.loads(row["values"]) == {"account": expected}
    assert json.loads(row["original"]) == sent
    assert "characters that cannot be kept were replaced" in json.loads(row["remarks"])
    assert (await stored(school, beside["id"]))["remarks"] == "[]"


# ── Held ───────────────────────────────────────────────────────────────────────────────────


def deep(levels: int) -> Any:
    nest: Any = "x"
    for _ in range(levels):
        nest = [nest]
    return nest


HELD = {
    "an unknown kind": ({"kind": "riot"}, "kind"),
    "no kind": ({"kind": 7}, "kind"),
    "an unknown field": ({"values": {"mood": "bad"}}, "mood"),
    "__proto__": ({"values": {"__proto__": {"admin": True}}}, "__proto__"),
    "a word that is not in the list": ({"values": {"category": "riot"}}, "category"),
    "a pupil of another school": ({"values": {"pupils": {"put": {"tom": {}}}}}, "pupils"),
    "nothing gathered": ({"values": {"pupils": None}}, "pupils"),
    "a note too long": ({"values": {"account": "x" * 60_001}}, "account"),
    "a note too long in bytes": ({"values": {"account": "é" * 30_001}}, "account"),
    "values that are none": ({"values": "many"}, "values"),
    "no values": ({"values": None}, "values"),
    "an id that is no UUID": ({"id": "one"}, "id"),
    "a record that is no UUID": ({"record": "one"}, "record"),
    "a record that is no text": ({"record": 1}, "record"),
    "a phone that is no text": ({"phone": 1}, "phone"),
    "a phone without a name": ({"phone": ""}, "phone"),
    "a number that is none": ({"number": "1"}, "number"),
    "a number below one": ({"number": 0}, "number"),
    "a number that no phone counts to": ({"number": 2**53}, "number"),
    "a version that is no text": ({"seen": 7}, "seen"),
    "too large": ({"values": {"account": "x" * 128_000}}, "edit"),
    "too deep": ({"values": {"category": deep(16)}}, "edit"),
}


@pytest.mark.parametrize("wrong", HELD)
async def test_an_edit_that_cannot_be_taken_is_held_whole_and_the_one_beside_it_is_taken(school: School, wrong: str) -> None:
    changes, named = HELD[wrong]
    bad, good = edit() | changes, edit(number=2)
    answer = await send(school, "amira", bad, good)
    held, taken = answer["receipts"]
    assert (held["id"], held["outcome"]) == (bad["id"], "held")
    assert named in held["because"]
    assert taken == {"id": good["id"], "outcome": "taken"}
    assert json.loads((await stored(school, bad["id"]))["original"]) == bad
    assert [(held["edit"], held["because"]) for held in answer["held"]] == [(bad["id"], held["because"])]
    assert [record["id"] for record in answer["records"]] == [good["record"]]
    assert (await send(school, "amira", bad))["receipts"] == [held]


async def test_a_note_of_sixty_thousand_bytes_and_sixteen_levels_are_taken(school: School) -> None:
    longest = edit({"account": "x" * limits.EDIT_BYTES_LIMIT})
    longest["values"]["account"] = "x" * 60_000
    sixteen = edit({"unknown": deep(limits.EDIT_DEPTH_LIMIT - 2)}, 2)
    answer = await send(school, "amira", longest, sixteen)
    assert answer["receipts"][0]["outcome"] == "taken"
    assert list(answer["receipts"][1]["because"]) == ["unknown"]  # for its name, not for its depth


@pytest.mark.parametrize(
    "ambiguous",
    ['"values": {"category": "fight", "category": "damage"}', '"values": {"lesson": 1e999}', f'"values": {{"lesson": {"9" * 5000}}}'],
)
async def test_json_that_two_readers_would_read_in_two_ways_is_held(school: School, ambiguous: str) -> None:
    sent = edit()
    text = json.dumps(sent).replace('"values": {"category": "fight", "place": "yard"}', ambiguous)
    assert ambiguous in text
    whole = json.dumps({"protocol": 1, "phone": "amira-phone", "edits": ["here"]}).replace('"here"', text)
    answer = (await school.post("amira", whole.encode())).json()
    assert answer["receipts"][0]["id"] == sent["id"]
    assert answer["receipts"][0]["outcome"] == "held"
    assert "edit" in answer["receipts"][0]["because"]
    assert (await stored(school, sent["id"]))["original"] == text


async def test_an_id_that_somebody_else_used_is_held_and_neither_edit_is_lost(school: School) -> None:
    first, second = edit(), edit({"category": "damage"}, phone="ben-phone")
    second["id"] = first["id"]
    await send(school, "amira", first)
    answer = await send(school, "ben", second)
    assert answer["receipts"][0]["id"] == first["id"]
    assert "id" in answer["receipts"][0]["because"]
    assert [held["edit"] for held in answer["held"]] == [first["id"]]
    assert (await send(school, "ben", second))["receipts"] == answer["receipts"]
    assert (await send(school, "amira", first))["receipts"] == [{"id": first["id"], "outcome": "taken"}]
    originals = await school.rows("select original from edit order by original")
    assert sorted(json.loads(row["original"])["values"]["category"] for row in originals) == ["damage", "fight"]


async def test_an_id_that_somebody_else_used_can_be_judged_again_also_when_we_had_failed_to_judge_it(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = edit()
    await send(school, "amira", first)
    monkeypatch.setattr(taking, "SAVEPOINTS", 0)  # too much else went wrong in this letter
    (receipt,) = (await send(school, "ben", edit(id=first["id"], phone="ben-phone")))["receipts"]
    assert receipt["because"] == OUR_FAULT  # the premise
    monkeypatch.undo()
    await writing(desk.rights_changed, "northgate", "ben")
    (kept,) = await school.rows("select settled_at from edit where author = 'ben'")
    assert kept["settled_at"] is None


async def test_ids_belong_to_one_school_only(school: School) -> None:
    sent = edit()
    await send(school, "amira", sent)
    answer = await send(school, "dan", sent | {"phone": "dan-phone"})
    assert answer["receipts"] == [{"id": sent["id"], "outcome": "taken"}]


# ── Unreadable ─────────────────────────────────────────────────────────────────────────────


NAMELESS = [7, None, "text", [], {}, {"id": 7}, {"id": "x" * 101}, {"id": "with\nbreak"}, {"id": "half \ud83d"}, {"id": "NUL \0"}]


@pytest.mark.parametrize("thing", NAMELESS, ids=repr)
async def test_what_has_no_id_to_receipt_is_stored_once_and_named_by_its_place(school: School, thing: Any) -> None:
    good = edit()
    for _ in range(2):
        answer = await send(school, "amira", good, thing)
        assert answer["unreadable"] == [1]
        assert [receipt["id"] for receipt in answer["receipts"]] == [good["id"]]
    (row,) = await school.rows("select hash, original, staff from unreadable")
    assert json.loads(row["original"]) == thing
    assert row["hash"] == hashlib.sha256(row["original"].encode()).hexdigest()


async def test_unreadable_is_there_only_when_something_is(school: School) -> None:
    assert "unreadable" not in await send(school, "amira", edit())


# ── The letter as a whole ──────────────────────────────────────────────────────────────────


async def refused(school: School, body: bytes) -> tuple[int, Any]:
    answer = await school.post("amira", body)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b"\xff\xfe", b'{"protocol": 1}', b'{"protocol": 1, "edits": []}',
     b'{"protocol": 1, "edits": {}, "phone": "p"}',
     b'{"protocol": 1, "phone": 7, "edits": []}', b'{"protocol": 1, "phone": "", "edits": []}',
     b'{"protocol": 1, "phone": "p", "edits": [{"id": NaN}]}',
     b'{"protocol": 1, "phone": "p", "edits": [{"id": "\xff"}]}'],
)  # fmt: skip
async def test_a_letter_that_is_none_is_unreadable(school: School, body: bytes) -> None:
    status, said = await refused(school, body)
    assert (status, said["refusal"]) == (400, "unreadable")


@pytest.mark.parametrize("protocol", [0, 2, "1", None, 1.5, True])
async def test_an_unknown_protocol_is_told_which_ones_are_spoken(school: School, protocol: Any) -> None:
    status, said = await refused(school, json.dumps({"protocol": protocol, "phone": "p", "edits": []}).encode())
    assert (status, said["refusal"], said["speaks"]) == (400, "protocol", [1])


async def test_a_protocol_yet_to_come_may_look_like_anything(school: School) -> None:
    status, said = await refused(school, b'{"protocol": 2, "parcels": []}')
    assert (status, said["refusal"]) == (400, "protocol")


async def test_a_letter_too_large_says_so_and_by_what(school: School) -> None:
    whole = {"protocol": 1, "phone": "amira-phone"}
    many = json.dumps(whole | {"edits": [edit(number=n) for n in range(101)]})
    heavy = json.dumps(whole | {"edits": [], "padding": "x" * limits.BYTES_LIMIT})
    nested = json.dumps(whole | {"edits": [], "nest": deep(limits.DEPTH_LIMIT)})
    nested_edit = b'{"protocol": 1, "phone": "amira-phone", "edits": [' + b"[" * 10_000 + b"]" * 10_000 + b"]}"
    for body, limit in ((many.encode(), 100), (heavy.encode(), 1_000_000), (nested.encode(), 100), (nested_edit, 100)):
        status, said = await refused(school, body)
        assert (status, said["limit"]) == (413, limit)
    assert await school.rows("select id from edit") == []


async def test_a_hundred_levels_are_read_and_brackets_in_text_are_none(school: School) -> None:
    sent = edit({"lesson": "[" * 250 + '"\\'})
    answer = await send(school, "amira", sent, nest=deep(limits.DEPTH_LIMIT - 1))
    assert answer["receipts"][0]["outcome"] == "taken"


async def test_whatever_else_a_letter_says_oddly_is_overlooked(school: School) -> None:
    odd = {"build": 7, "receipted": "many", "waiting": -1, "lost": "all", "sent_at": None}
    answer = await send(school, "amira", edit(), **odd)
    assert answer["receipts"][0]["outcome"] == "taken"
    assert answer["wanted"] == []


async def test_a_phone_that_the_school_switched_off_is_told_so(school: School) -> None:
    await school.do("update phone set revoked_at = 1 where id = 'amira-phone'")
    status, said = await refused(school, json.dumps({"protocol": 1, "phone": "another", "edits": []}).encode())
    assert (status, said["refusal"]) == (403, "phone_revoked")


async def test_whoever_may_only_send_gets_receipts_and_reads_nothing(school: School) -> None:
    from server.store.database import writing
    from server.sync.exchange import exchange
    from server.sync.letter import read_letter
    from tests.world import AMIRA

    await send(school, "carol", edit({"staff": {"put": {"amira": {}}}}, phone="carol-phone"))
    letter = {"protocol": 1, "phone": "amira-phone", "cursor": None, "edits": [edit(number=2), edit({"category": "riot"}, 3)]}
    answer = await writing(exchange, read_letter(json.dumps(letter).encode()), AMIRA, school.now, sending_only=True)
    assert [receipt.outcome for receipt in answer.receipts] == ["taken", "held"]
    assert answer.wanted == [1]
    assert (answer.records, answer.held, answer.gone, answer.cursor, answer.more, answer.rebuild) == ([], [], [], None, False, None)


async def test_a_phone_model_that_waits_forever_still_sends_everything(school: School) -> None:
    """Two hundred and fifty edits, a hundred at a time, with one among them that can never be taken."""
    phone: Phone = school.phone("amira")
    for n in range(250):
        phone.write({"category": "riot" if n == 120 else "fight"})
    await phone.sync_all()
    assert len(phone.records) == 249
    assert len(phone.needs_me) == 1
