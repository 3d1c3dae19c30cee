"""The sealed intake: what it says it kept is stored, what it can open arrives as its author's, and nothing is lost or believed."""

import gzip
import json
from typing import Any

import pytest

from server.access.keys import new_key
from server.intake import keys, opening, storing, tending
from server.intake.storing import LEFT, REVOKED, UNKNOWN
from server.store.database import reading, writing
from server.store.moments import from_wire
from server.sync import desk
from tests.letters import SENT_AT
from tests.school import DAY, School
from tests.sealing import NOTE, Blob, Handset, crate, flipped, handset_of
from tests.test_api_sync import forged
from tests.world import ADA, BEN, CAROL, DAN, PASSWORD


@pytest.fixture
async def amira(school: School) -> Handset:
    return await handset_of(school.door, "amira")


async def edits(school: School) -> dict[str, dict[str, Any]]:
    rows = await school.rows("select id, school, author, phone, number, outcome, because, received_at, made_at, seq from edit order by id")
    return {row["id"]: row for row in rows}


async def became(school: School) -> dict[str, tuple[str, str | None]]:
    """Of each that is stored sealed, by the id it claims: its outcome and why."""
    return {row["edit"]: (row["outcome"], row["why"]) for row in await school.rows("select edit, outcome, why from sealed")}


# ── What arrives ───────────────────────────────────────────────────────────────────────────


async def test_what_a_locked_phone_sealed_arrives_as_its_authors_edit(school: School, amira: Handset) -> None:
    told = [amira.write(), amira.write()]
    school.now += DAY
    assert await amira.kept(*(amira.sealer.seal(one) for one in told)) == [one["id"] for one in told]
    found = await edits(school)
    assert {one["id"] for one in told} == found.keys()
    for one in told:
        row = found[one["id"]]
        assert (row["school"], row["author"], row["phone"], row["number"]) == ("northgate", "amira", "amira-handset", one["number"])
        assert (row["outcome"], row["received_at"], row["made_at"]) == ("taken", school.now, from_wire(SENT_AT))
    carol = school.phone("carol")
    await carol.sync_all()
    assert carol.records[told[0]["record"]]["body"]["account"]["amira"]["value"] == NOTE
    assert await became(school) == {one["id"]: ("opened", None) for one in told}


async def test_kept_says_nothing_of_what_became_of_it(school: School, amira: Handset) -> None:
    good, bad = amira.write(), amira.write(values={"place": "nowhere we know of"})
    answer = (await amira.send(amira.sealer.seal(good), amira.sealer.seal(bad))).json()
    assert answer == {"kept": [good["id"], bad["id"]], "unreadable": [], "now": answer["now"]}
    assert {id: row["outcome"] for id, row in (await edits(school)).items()} == {good["id"]: "taken", bad["id"]: "held"}


async def test_a_repeat_is_kept_once_and_other_bytes_under_the_same_id_beside_it(school: School, amira: Handset) -> None:
    told = amira.write()
    first, again = amira.sealer.seal(told), amira.sealer.seal(told)
    assert first["sealed"] != again["sealed"]
    for blob in (first, first, again, first):
        assert await amira.kept(blob) == [told["id"]]
    assert len(await school.rows("select hash from sealed")) == 2
    assert len(await edits(school)) == 1
    assert await amira.kept(first, first, again) == [told["id"]]


async def test_it_may_have_come_in_a_letter_before_or_come_in_one_after(school: School, amira: Handset) -> None:
    told = [amira.write(), amira.write()]
    by_grant = {"Content-Type": "application/json", "Authorization": f"Bearer {amira.grant}"}

    async def in_a_letter(one: dict[str, Any]) -> str:
        letter = {"protocol": 1, "phone": "amira-handset", "edits": [one]}
        return str((await school.door.post("/api/sync", json=letter, headers=by_grant)).json()["receipts"][0]["outcome"])

    assert await in_a_letter(told[0]) == "taken"
    await amira.kept(amira.sealer.seal(told[0]), amira.sealer.seal(told[1]))
    assert await in_a_letter(told[1]) == "taken"
    assert {outcome for outcome, _ in (await became(school)).values()} == {"opened"}
    assert len(await edits(school)) == 2


async def test_another_edit_under_an_id_that_is_used_is_kept_and_not_swept(school: School, amira: Handset) -> None:
    told = amira.write()
    other = told | {"values": {"category": "truancy"}}
    await amira.kept(amira.sealer.seal(told), amira.sealer.seal(other))
    rows = await school.rows("select outcome, why from sealed order by outcome")
    assert rows == [{"outcome": "opened", "why": None}, {"outcome": "unopened", "why": opening.OTHERWISE}]


async def test_numbers_that_came_sealed_are_not_wanted_again(school: School, amira: Handset) -> None:
    await amira.kept(*(amira.sealer.seal(amira.write()) for _ in range(3)))
    by_grant = {"Content-Type": "application/json", "Authorization": f"Bearer {amira.grant}"}
    letter = {"protocol": 1, "phone": "amira-handset", "receipted": 4, "edits": []}
    assert (await school.door.post("/api/sync", json=letter, headers=by_grant)).json()["wanted"] == [4]


# ── Nothing is believed ────────────────────────────────────────────────────────────────────


async def test_what_is_sent_as_another_persons_phones_or_schools_cannot_be_opened(school: School, amira: Handset) -> None:
    ben, dan = await handset_of(school.door, "ben"), await handset_of(school.door, "dan", where="southfield")
    blob = amira.sealer.seal(amira.write())
    assert await ben.kept(blob) == [blob["id"]]
    assert await dan.kept(blob) == [blob["id"]]
    assert await ben.kept(blob | {"phone": "ben-handset"}) == [blob["id"]]
    assert await amira.kept(blob | {"phone": "amira-phone"}) == [blob["id"]]
    assert await edits(school) == {}
    found = await school.rows("select school, staff, outcome from sealed order by school, staff")
    assert [tuple(row.values()) for row in found] == [
        ("northgate", "amira", "unopened"),
        ("northgate", "ben", "unopened"),
        ("northgate", "ben", "unopened"),
        ("southfield", "dan", "unopened"),
    ]
    assert await amira.kept(blob) == [blob["id"]]  # its own way is as open as before
    assert [row["author"] for row in (await edits(school)).values()] == ["amira"]


async def test_one_flipped_bit_anywhere_is_never_taken_and_never_lost(school: School, amira: Handset) -> None:
    blob = amira.sealer.seal(amira.write())
    size = len(blob["sealed"])
    for at in (0, 5, 60, 90, size // 2, size - 10):  # of the enc, the words, the tag
        assert await amira.kept(blob | {"sealed": flipped(blob["sealed"], at)}) == [blob["id"]]
    assert await edits(school) == {}
    assert {row["outcome"] for row in await school.rows("select outcome from sealed")} == {"unopened"}
    assert await amira.kept(blob | {"signature": flipped(blob["signature"])}) == [blob["id"]]
    assert [(row["outcome"], "signature" in row["because"]) for row in (await edits(school)).values()] == [("held", True)]


async def test_what_was_changed_on_the_way_is_held(school: School, amira: Handset) -> None:
    """Whatever the seal does not bind, the signature does."""
    for change in ({"made_at": "2020-01-01T00:00:00.000Z"}, {"number": 9_999}, {"number": "1"}, {"made_at": None}, {"signature": ""}):
        told = amira.write()
        await amira.kept(amira.sealer.seal(told) | change)
        row = (await edits(school))[told["id"]]
        assert (row["author"], row["outcome"], row["seq"]) == ("amira", "held", None), change
        assert list(json.loads(row["because"])) == ["phone"]


async def test_what_is_inside_must_be_what_is_outside(school: School, amira: Handset) -> None:
    for change in ({"id": "0193a7c2-0000-7000-8000-00000000cafe"}, {"number": 77}, {"phone": "ben-handset"}, {"phone": "amira-phone"}):
        told = amira.write()
        blob = amira.sealer.seal(told | change, id=told["id"], number=told["number"], phone="amira-handset")
        await amira.kept(blob)
        row = (await edits(school))[(told | change)["id"]]
        assert (row["author"], row["outcome"]) == ("amira", "held"), change


async def test_the_author_is_the_credentials_whatever_is_claimed(school: School, amira: Handset) -> None:
    told = amira.write(author="carol", staff="carol", school="southfield", received_at=1)
    await amira.kept(amira.sealer.seal(told, staff="carol", school="southfield", author="carol"))
    row = (await edits(school))[told["id"]]
    assert (row["author"], row["school"], row["outcome"]) == ("amira", "northgate", "taken")


async def test_a_back_dated_edit_shows_when_it_really_came(school: School, amira: Handset) -> None:
    told = amira.write(made_at="2026-11-13T08:00:00.000Z")
    await amira.kept(amira.sealer.seal(told))
    row = (await edits(school))[told["id"]]
    assert (row["outcome"], row["received_at"]) == ("taken", school.now)
    assert row["received_at"] - row["made_at"] > 9 * DAY


async def test_a_phone_that_never_said_its_key_is_held_until_somebody_looks(school: School, amira: Handset) -> None:
    await school.do("update phone set public = null where id = 'amira-handset'")
    told = amira.write()
    await amira.kept(amira.sealer.seal(told))
    assert (await edits(school))[told["id"]]["outcome"] == "held"


async def test_an_edit_that_lets_another_rest_does_so_only_if_it_is_signed(school: School, amira: Handset) -> None:
    held = amira.write(values={"place": "nowhere we know of"})
    await amira.kept(amira.sealer.seal(held))
    resting = amira.write(values={}, record=held["record"], amends=held["id"], set_aside="a slip")
    await amira.kept(amira.sealer.seal(resting) | {"signature": ""})
    rows = await school.rows("select id from edit where settled_at is not null")
    assert rows == []
    resting = amira.write(values={}, record=held["record"], amends=held["id"], set_aside="a slip")
    await amira.kept(amira.sealer.seal(resting))
    settled = await school.rows("select id, settled_why from edit where settled_at is not null and id = $1", held["id"])
    assert settled == [{"id": held["id"], "settled_why": "a slip"}]


# ── Nothing is refused but the whole ───────────────────────────────────────────────────────

ODD: dict[str, dict[str, Any]] = {
    "no kid": {"kid": None},
    "an unknown kid": {"kid": "nobody’s"},
    "a kid with a NUL": {"kid": "a\0b"},
    "a kid as long as a book": {"kid": "k" * 50_000},
    "nothing sealed": {"sealed": ""},
    "one byte": {"sealed": "AA"},
    "no base64": {"sealed": "§§§"},
    "padded": {"sealed": "AAAA===="},
    "only the key": {"sealed": "A" * 87},
    "a megabyte": {"sealed": "A" * 1_000_000},
    "a number where a text should be": {"sealed": 3},
    "something else": {"what": "letter"},
    "no word of what it is": {"what": None},
    "a list for a signature": {"signature": [1]},
    "a short signature": {"signature": "AAAA"},
    "no signature": {"signature": None},
    "a signature of noughts": {"signature": "A" * 86},
    "a date to come": {"made_at": "9999-12-31T23:59:59.999Z"},
    "no phone": {"phone": None},
    "a number beyond all": {"number": 10**40},
    "a number below nought": {"number": -1},
}


async def test_whatever_is_odd_about_one_it_is_kept_and_holds_up_no_other(school: School, amira: Handset) -> None:
    for what, change in ODD.items():
        odd, good = amira.write(), amira.write()
        blob = {key: value for key, value in (amira.sealer.seal(odd) | change).items() if value is not None}
        assert await amira.kept(blob, amira.sealer.seal(good)) == [odd["id"], good["id"]], what
        found = await edits(school)
        assert found[good["id"]]["outcome"] == "taken", what
        assert odd["id"] not in found or found[odd["id"]]["outcome"] == "held", what
        assert (await became(school))[odd["id"]][0] == ("opened" if odd["id"] in found else "unopened"), what


NAMELESS: list[Any] = [None, 3, "text", [], {}, {"id": 3}, {"id": "x" * 101}, {"id": "a\nb"}, {"what": "edit"}]


async def test_what_has_no_id_is_stored_too_and_told_by_its_place(school: School, amira: Handset) -> None:
    told = amira.write()
    answer = (await amira.send(*NAMELESS, amira.sealer.seal(told))).json()
    assert (answer["kept"], answer["unreadable"]) == ([told["id"]], list(range(len(NAMELESS))))
    rows = await school.rows("select outcome, why from sealed where edit = ''")
    assert [tuple(row.values()) for row in rows] == [("unopened", storing.NO_ID)] * len(NAMELESS)


INSIDE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "a list": b"[]",
    "a number": b"3",
    "no id": b'{"values": {}}',
    "10,000 deep": b'{"id": "x", "values": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10,000 deep and never closed": b'{"id": "x", "values": ' + b"[" * 10_000,
    "not UTF-8": b'{"id": "\xff\xfe"}',
    "a NUL": b'{"id": "a\x00b"}',
}


async def test_a_number_that_waits_to_be_opened_is_wanted_and_said_to_be_here(school: School, amira: Handset) -> None:
    came, waits, never = amira.write(), amira.write(), amira.write()
    await amira.kept(amira.sealer.seal(came), amira.sealer.seal(waits) | {"kid": "nobody’s"})
    letter = {"protocol": 1, "phone": "amira-handset", "receipted": never["number"], "edits": []}
    by_grant = {"Content-Type": "application/json", "Authorization": f"Bearer {amira.grant}"}
    answer = (await school.door.post("/api/sync", json=letter, headers=by_grant)).json()
    assert (answer["wanted"], answer["unopened"]) == ([waits["number"], never["number"]], [waits["number"]])
    assert (
        "unopened" not in (await school.door.post("/api/sync", json=letter | {"receipted": 1, "phone": "another"}, headers=by_grant)).json()
    )


async def test_what_is_no_edit_inside_is_kept_as_what_could_not_be_opened(school: School, amira: Handset) -> None:
    for n, (what, plain) in enumerate(INSIDE.items()):
        assert await amira.kept(amira.sealer.seal(plain, id=f"odd-{n}")) == [f"odd-{n}"], what
        assert (await became(school))[f"odd-{n}"] == ("unopened", opening.NO_EDIT), what
        assert await amira.kept(amira.sealer.seal(plain, "draft", id=f"draft-{n}")) == [f"draft-{n}"], what
    assert await edits(school) == {}


async def test_an_edit_too_large_or_deep_or_of_no_kind_is_held_whole(school: School, amira: Handset) -> None:
    large = amira.write(values={"account": "é" * 70_000})
    deep = amira.write(values={"pupils": json.loads("[" * 40 + "]" * 40)})
    unknown = amira.write() | {"kind": "fire_drill"}
    halves = amira.write(values={"account": "cut \ud83d and \0"})
    await amira.kept(*(amira.sealer.seal(one) for one in (large, deep, unknown, halves)))
    found = {id: row["outcome"] for id, row in (await edits(school)).items()}
    assert found == {large["id"]: "held", deep["id"]: "held", unknown["id"]: "held", halves["id"]: "taken"}


async def test_only_a_crate_as_a_whole_is_ever_refused(school: School, amira: Handset) -> None:
    def squeezed(body: bytes) -> bytes:
        return gzip.compress(body, mtime=0)

    packed = {"Content-Encoding": "gzip"}
    for body, headers, status, refusal in (
        (b"hello", {}, 400, "unreadable"),
        (b"", {}, 400, "unreadable"),
        (b"[]", {}, 400, "unreadable"),
        (b'{"protocol": 1, "sealed": {}}', {}, 400, "unreadable"),
        (b'{"protocol": 1}', {}, 400, "unreadable"),
        (b'{"protocol": 1, "sealed": ["\xff"]}', {}, 400, "unreadable"),
        (b'{"protocol": 2, "parcels": []}', {}, 400, "protocol"),
        (b'{"protocol": true, "sealed": []}', {}, 400, "protocol"),
        (b'{"protocol": 1, "sealed": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", {}, 413, "too_large"),
        (b"[" * 10_000, {}, 400, "unreadable"),
        (json.dumps(crate(*[{"id": str(n)} for n in range(101)])).encode(), {}, 413, "too_large"),
        (b" " * 1_500_001, {}, 413, "too_large"),
        (squeezed(b" " * 20_000_000), packed, 413, "too_large"),
        (squeezed(squeezed(b" " * 1_000)), packed, 400, "unreadable"),
        (b"not gzip", packed, 400, "unreadable"),
        (squeezed(b"{}")[:-4], packed, 400, "unreadable"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "not_json"),
    ):
        answer = await amira.post(body, **headers)
        assert (answer.status_code, answer.json()["refusal"]) == (status, refusal), (body[:40], answer.text)
        assert len(answer.content) < 300
    assert await became(school) == {}
    told = amira.write()
    answer = await amira.post(squeezed(json.dumps(crate(amira.sealer.seal(told))).encode()), **packed)
    assert answer.json()["kept"] == [told["id"]]  # the premise: squeezed is taken


# ── Under which grant ──────────────────────────────────────────────────────────────────────


async def test_a_forged_grant_keeps_nothing(school: School, amira: Handset) -> None:
    blob = amira.sealer.seal(amira.write())
    for why, amira.grant in (await forged()).items():
        answer = await amira.send(blob)
        assert (answer.status_code, answer.json()["refusal"]) == (401, "sign_in"), why
    assert await became(school) == {}


async def test_a_session_alone_is_no_grant(school: School, amira: Handset) -> None:
    cookie = {"Cookie": f"lanyard={school.sessions['amira']}"}
    answer = await school.door.post("/api/intake", json=crate(amira.sealer.seal(amira.write())), headers=cookie)
    assert (answer.status_code, answer.json()["refusal"]) == (401, "sign_in")


async def test_a_grant_ends_after_400_days_and_reads_nothing_before(school: School, amira: Handset) -> None:
    for path in ("/api/school", "/api/people", "/api/drafts"):
        answer = await school.door.get(path, headers={"Authorization": f"Bearer {amira.grant}"})
        assert answer.status_code == 401, path
    school.now += 399 * DAY
    assert (await amira.send(amira.sealer.seal(amira.write()))).status_code == 200
    school.now += 2 * DAY
    assert (await amira.send(amira.sealer.seal(amira.write()))).status_code == 401


@pytest.mark.parametrize(
    "happened, words",
    [
        ("update phone set revoked_at = 1 where id = 'amira-handset'", REVOKED),
        ("update staff set left_at = 1 where id = 'amira'", LEFT),
        ("update session set phone = null where phone = 'amira-handset'", None),
    ],
)
async def test_from_a_revoked_phone_or_a_leaver_it_is_held_for_review(
    school: School, amira: Handset, happened: str, words: str | None
) -> None:
    await school.do(happened)
    told = [amira.write() for _ in range(3)]
    assert await amira.kept(*(amira.sealer.seal(one) for one in told)) == [one["id"] for one in told]
    found = await edits(school)
    assert {(row["author"], row["outcome"]) for row in found.values()} == {("amira", "held" if words else "taken")}
    asked = await amira.send()
    assert asked.json().get("revoked") == (True if words else None)
    if words:
        assert {json.loads(row["because"])["phone"] for row in found.values()} == {words}
        await writing(desk.judge_again, "northgate")
        assert {row["seq"] for row in (await edits(school)).values()} == {None}  # a person decides, and nothing else
        await writing(desk.settle, CAROL, told[0]["id"], "taken", "she brought the phone back")
        assert [row["settled_how"] for row in await school.rows("select settled_how from edit where seq is not null")] == ["taken"]


async def test_its_author_is_told_as_they_sign_in_that_it_is_held_and_on_another_phone_what(school: School, amira: Handset) -> None:
    await school.do("update phone set revoked_at = 1 where id = 'amira-handset'")
    school.now += DAY
    told = [amira.write() for _ in range(2)]
    await amira.kept(*(amira.sealer.seal(one) for one in told))
    school.now += DAY
    said = {"username": "amira", "password": PASSWORD, "phone": {"id": "amira-next", "name": "New"}}
    answer = (await school.door.post("/api/session", json=said)).json()
    assert answer["told"] == f"2 things that you wrote are at the school, and held until somebody there has looked: {REVOKED}."
    letter = {"protocol": 1, "phone": "amira-next", "edits": []}
    held = (await school.door.post("/api/sync", json=letter)).json()["held"]
    assert {(one["edit"], one["because"]["phone"]) for one in held} == {(one["id"], REVOKED) for one in told}
    assert "told" not in (await school.door.post("/api/session", json=said)).json()  # once


async def test_what_came_before_the_phone_was_switched_off_is_not_held_because_it_was_opened_after(school: School, amira: Handset) -> None:
    before, after = amira.write(), amira.write()
    await store_only(school, amira, before)
    await school.do("update phone set revoked_at = 1 where id = 'amira-handset'")
    await amira.kept(amira.sealer.seal(after))
    await tending.open_all(again=False)
    assert {id: row["outcome"] for id, row in (await edits(school)).items()} == {before["id"]: "taken", after["id"]: "held"}


async def test_a_phone_that_a_restored_school_does_not_know_loses_nothing(school: School, amira: Handset) -> None:
    await school.do("delete from session where phone = 'amira-handset'")
    await school.do("delete from phone where id = 'amira-handset'")
    told = amira.write()
    assert await amira.kept(amira.sealer.seal(told)) == [told["id"]]
    row = (await edits(school))[told["id"]]
    assert (row["outcome"], UNKNOWN in row["because"]) == ("held", True)


@pytest.mark.parametrize(("limit", "most"), [("A_DAY", 3), ("A_DAY_SIZE", 1_500), ("ALTOGETHER", 3), ("ALTOGETHER_SIZE", 1_500)])
async def test_what_one_phone_brings_is_bounded_and_what_is_here_is_still_said_to_be_kept(
    school: School, amira: Handset, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    """Also where all of it is opened."""
    monkeypatch.setattr(storing, limit, most)
    blobs = [amira.sealer.seal(amira.write()) for _ in range(4)]
    kept = await amira.kept(*blobs[:3])
    other_bytes = amira.sealer.seal(amira.write(id=blobs[1]["id"]))
    assert {outcome for outcome, _ in (await became(school)).values()} == {"opened"}
    answer = await amira.send(blobs[3])
    assert (answer.status_code, answer.json()["refusal"], answer.headers["retry-after"]) == (429, "too_much", "3600")
    assert "Nothing is lost" in answer.json()["words"]
    assert await amira.kept(*blobs[:3]) == kept  # a repeat takes no room
    answer = (await amira.send({"id": 3}, blobs[3], blobs[0], blobs[1], other_bytes)).json()
    assert (answer["kept"], answer["unreadable"]) == ([blobs[0]["id"]], [])  # of some, those that are here
    assert len(await became(school)) == 3
    ben = await handset_of(school.door, "ben")
    assert await ben.kept({"id": "junk"}) == ["junk"]
    school.now += 2 * DAY
    assert (await amira.send(blobs[3])).status_code == (200 if "DAY" in limit else 429)
    school.now += 31 * DAY
    await writing(tending.sweep)  # what was opened long ago takes no room either
    assert await amira.kept(blobs[3]) == [blobs[3]["id"]]
    assert {row["outcome"] for row in (await edits(school)).values()} == {"taken"}


async def test_one_that_is_too_large_alone_is_named_by_the_answer_and_the_largest_letter_fits_sealed(
    school: School, amira: Handset
) -> None:
    small, huge = amira.write(), amira.write(values={"account": "x" * 1_200_000})
    answer = await amira.send(amira.sealer.seal(huge))
    assert (answer.status_code, answer.json()["limit"], answer.json()["of"]) == (413, 1_500_000, "bytes")
    answer = await amira.send(amira.sealer.seal(small), amira.sealer.seal(huge))
    assert answer.status_code == 413
    assert await amira.kept(amira.sealer.seal(small)) == [small["id"]]
    assert (await became(school)).keys() == {small["id"]}
    largest = amira.write()
    largest["values"]["account"] = "x" * (1_000_000 - 200 - len(json.dumps(largest)))
    assert await amira.kept(amira.sealer.seal(largest)) == [largest["id"]]
    assert (await edits(school))[largest["id"]]["outcome"] == "held"


# ── Keys ───────────────────────────────────────────────────────────────────────────────────


async def test_after_two_rotations_a_thousand_of_a_thousand_edits_arrive(school: School, amira: Handset) -> None:
    sealed: list[Blob] = []
    for which in range(3):
        sealed += [amira.sealer.seal(amira.write(values={"category": "fight"})) for _ in range(334 if which == 0 else 333)]
        await writing(keys.new_intake_key, "northgate")
        other = await handset_of(school.door, "amira")
        amira.sealer.keys = other.sealer.keys
        assert len(amira.sealer.keys) == which + 2
    assert len({blob["kid"] for blob in sealed}) == 3
    await school.do("update phone set revoked_at = null")
    for first in range(0, len(sealed), 100):
        assert len(await amira.kept(*sealed[first : first + 100])) == min(100, len(sealed) - first)
    found = await edits(school)
    assert len(found) == 1000
    assert {row["outcome"] for row in found.values()} == {"taken"}


async def test_keys_of_one_school_open_nothing_of_another(school: School, amira: Handset) -> None:
    dan = await handset_of(school.door, "dan", where="southfield")
    assert dan.sealer.keys[0]["kid"] != amira.sealer.keys[0]["kid"]
    told = amira.write()
    amira.sealer.keys = dan.sealer.keys
    await amira.kept(amira.sealer.seal(told))
    assert await became(school) == {told["id"]: ("unopened", opening.NOT_OURS)}


async def test_the_list_of_keys_is_the_schools_own_word_and_changes_only_with_them(school: School, amira: Handset) -> None:
    cookie = {"Cookie": f"lanyard={school.sessions['amira']}"}
    first = await school.door.get("/api/school", headers=cookie)
    again = await school.door.get("/api/school", headers=cookie | {"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    await writing(new_key, "lanyard:intake", "southfield")
    await writing(keys.new_intake_key, "northgate")
    changed = await school.door.get("/api/school", headers=cookie | {"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    with pytest.raises(Exception, match="verification failed"):
        amira.sealer.learn(changed.json()["intake"], (await handset_of(school.door, "dan", where="southfield")).sealer.public)
    amira.sealer.learn(changed.json()["intake"], await keys.list_key("northgate"))
    assert len(amira.sealer.keys) == 2


# ── Killed between ─────────────────────────────────────────────────────────────────────────


async def store_only(school: School, phone: Handset, *told: dict[str, Any]) -> None:
    """The server is killed after what came was stored, and before it was opened."""
    with pytest.MonkeyPatch.context() as patch:

        async def killed(*_: Any) -> None:
            raise RuntimeError("killed")

        patch.setattr("server.api.intake.open_sealed", killed)
        assert await phone.kept(*(phone.sealer.seal(one) for one in told)) == [one["id"] for one in told]
    assert not {one["id"] for one in told} & (await edits(school)).keys()


async def test_killed_between_storing_and_opening_it_is_opened_at_the_next_start(school: School, amira: Handset) -> None:
    told = [amira.write() for _ in range(5)]
    came_at = school.now
    await store_only(school, amira, *told)
    school.now += 3 * DAY
    await tending.open_all(again=True)
    found = await edits(school)
    assert [(found[one["id"]]["outcome"], found[one["id"]]["received_at"]) for one in told] == [("taken", came_at)] * 5
    await tending.open_all(again=True)  # once more changes nothing
    assert await edits(school) == found


async def test_one_that_we_fail_to_take_in_holds_up_no_other(school: School, amira: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [amira.write() for _ in range(3)]
    real = opening.told_otherwise

    async def failing(tx: Any, me: Any, some: Any) -> Any:
        if any(one.id == told[1]["id"] for one in some):
            raise RuntimeError(NOTE)
        return await real(tx, me, some)

    monkeypatch.setattr(opening, "told_otherwise", failing)
    await amira.kept(*(amira.sealer.seal(one) for one in told))
    expected = {one["id"]: ("opened", None) for one in told} | {told[1]["id"]: ("unopened", opening.OUR_FAULT)}
    assert await became(school) == expected
    monkeypatch.undo()
    await tending.open_all(again=True)
    assert {row["outcome"] for row in (await edits(school)).values()} == {"taken"}


@pytest.mark.parametrize("broken", ["said_in", "unseal", "read_unsealed"])
async def test_one_that_breaks_as_we_look_into_it_holds_up_no_other_and_the_log_names_it(
    school: School, amira: Handset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    told = [amira.write() for _ in range(3)]
    looked, real = iter(range(10)), getattr(opening, broken)

    def breaks_once(*args: Any) -> Any:
        if next(looked) == 1:
            raise RuntimeError(NOTE)
        return real(*args)

    monkeypatch.setattr(opening, broken, breaks_once)
    await amira.kept(*(amira.sealer.seal(one) for one in told))
    rows = await school.rows("select hash, edit, outcome, why from sealed")
    (bad,) = [row for row in rows if row["outcome"] != "opened"]
    assert (len(rows), bad["outcome"], bad["why"]) == (3, "unopened", opening.OUR_FAULT)
    assert bad["hash"][:12] in caplog.text
    assert NOTE not in caplog.text
    monkeypatch.undo()
    await tending.open_all(again=True)
    assert {id: row["outcome"] for id, row in (await edits(school)).items()} == {one["id"]: "taken" for one in told}


async def test_what_could_not_be_opened_is_not_tried_again_every_quarter_of_an_hour(
    school: School, amira: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, lost = amira.write(), amira.write()
    await amira.kept(amira.sealer.seal(lost) | {"kid": "nobody’s"})
    await store_only(school, amira, waits)
    tried: list[str] = []
    real = opening.look_into_one

    def noting(parcel: Any, group: Any) -> Any:
        why = real(parcel, group)
        tried.append(parcel.blob.id)
        return why

    monkeypatch.setattr(opening, "look_into_one", noting)
    await tending.tend()
    assert tried == [waits["id"]]
    await tending.tend()
    assert tried == [waits["id"]]
    await tending.begin()  # the server starts again
    assert tried == [waits["id"], lost["id"]]


async def test_what_waits_is_opened_some_at_a_time_however_much_and_however_large(
    school: School, amira: Handset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending, "AT_ONCE_SIZE", 3_000)
    told = [amira.write(values={"account": "x" * size}) for size in (10, 10, 5_000, 10, 10, 10)]
    await store_only(school, amira, *told)
    groups: list[int] = []
    real = tending.open_sealed

    async def noting(owner: str, hashes: list[str]) -> None:
        sizes = await school.rows("select size, length(lay) as length from sealed where hash = any($1)", hashes)
        assert all(row["size"] == row["length"] for row in sizes)
        assert len(hashes) == 1 or sum(row["size"] for row in sizes) <= 3_000
        groups.append(len(hashes))
        await real(owner, hashes)

    monkeypatch.setattr(tending, "open_sealed", noting)
    await tending.open_all(again=False)
    assert sum(groups) == len(told)
    assert len(groups) > 2
    assert {row["outcome"] for row in (await edits(school)).values()} == {"taken"}


async def test_what_was_opened_is_swept_after_thirty_days_and_what_was_not_never(school: School, amira: Handset) -> None:
    good, bad = amira.write(), amira.write()
    await amira.kept(amira.sealer.seal(good), amira.sealer.seal(bad) | {"kid": "nobody’s"})
    school.now += 29 * DAY
    await writing(tending.sweep)
    assert (await became(school)).keys() == {good["id"], bad["id"]}
    school.now += 2 * DAY
    await writing(tending.sweep)
    assert (await became(school)).keys() == {bad["id"]}
    with pytest.raises(Exception, match="kept until it has been opened"):
        await school.do("delete from sealed")


# ── Drafts ─────────────────────────────────────────────────────────────────────────────────


def a_draft(id: str, account: str = NOTE, **more: Any) -> dict[str, Any]:
    return {"id": id, "kind": "incident", "record": f"0193a7c2-0000-7000-8000-{int(id, 16):012x}", "values": {"account": account}} | more


async def recovered(school: School, staff: str) -> dict[str, Any]:
    answer = await school.door.get("/api/drafts", headers={"Cookie": f"lanyard={school.sessions[staff]}"})
    assert answer.status_code == 200
    return {one["id"]: one["draft"] for one in answer.json()}


async def test_drafts_come_back_to_their_author_and_nobody_else(school: School, amira: Handset) -> None:
    first, second = a_draft("aa"), a_draft("bb")
    assert await amira.kept(amira.sealer.seal(first, "draft"), amira.sealer.seal(second, "draft")) == ["aa", "bb"]
    assert await recovered(school, "amira") == {"aa": first, "bb": second}
    for other in (BEN, CAROL, ADA, DAN):
        assert await recovered(school, other.staff) == {}
    assert await edits(school) == {}


async def test_the_later_of_two_versions_of_a_draft_stands_in_whatever_order_they_come(school: School, amira: Handset) -> None:
    def version(words: str, minute: int) -> Blob:
        return amira.sealer.seal(a_draft("aa", words), "draft", made_at=f"2026-11-16T08:{minute:02}:00.000Z")

    for blob in (version("first", 1), version("third", 3), version("second", 2)):
        await amira.kept(blob)
    assert (await recovered(school, "amira"))["aa"]["values"] == {"account": "third"}


async def test_a_draft_whose_edit_came_is_not_shown(school: School, amira: Handset) -> None:
    named, same, open_still = a_draft("aa"), a_draft("0193a7c2-0000-7000-8000-0000000000bb".replace("-", "")[:12]), a_draft("cc")
    same["id"] = "0193a7c2-0000-7000-8000-0000000000bb"
    await amira.kept(*(amira.sealer.seal(one, "draft") for one in (named, same, open_still)))
    assert len(await recovered(school, "amira")) == 3
    told = [amira.write(record=named["record"], draft="aa"), amira.write(record=same["record"], id=same["id"])]
    await amira.kept(*(amira.sealer.seal(one) for one in told))
    assert await recovered(school, "amira") == {"cc": open_still}


async def test_a_draft_is_let_go_by_its_author_and_by_time(school: School, amira: Handset) -> None:
    await amira.kept(amira.sealer.seal(a_draft("aa"), "draft"), amira.sealer.seal(a_draft("bb"), "draft"))
    for staff in ("carol", "amira", "amira"):
        answer = await school.door.delete("/api/drafts/aa", headers={"Cookie": f"lanyard={school.sessions[staff]}"})
        assert answer.status_code == 204
        assert ("aa" in await recovered(school, "amira")) == (staff == "carol")
    school.now += 31 * DAY
    assert await school.rows("select id from draft") == [{"id": "bb"}]  # the premise: it is there
    await writing(tending.sweep)
    assert await school.rows("select id from draft") == []


async def test_a_draft_that_the_phone_did_not_sign_is_not_put_before_anybody(school: School, amira: Handset) -> None:
    await amira.kept(amira.sealer.seal(a_draft("aa"), "draft") | {"signature": ""})
    assert await recovered(school, "amira") == {}
    assert (await became(school))["aa"][0] == "unopened"


async def test_nobody_but_the_operator_reads_what_is_sealed(school: School, amira: Handset) -> None:
    """What is stored before it is opened holds none of the words."""
    await store_only(school, amira, amira.write())
    rows = await reading(lambda tx: tx.rows("select * from sealed"))
    assert rows
    assert "marmalade" not in str([tuple(row) for row in rows])
