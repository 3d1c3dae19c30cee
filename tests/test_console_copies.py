"""Taking in a copy that a phone saved: what its own signature proves arrives as its author’s, and nothing else of a file is believed."""

import asyncio
import json
from typing import Any
from unittest import mock

import pytest
from litestar import Litestar

from server.console.holding import held_count
from server.intake import copies, storing
from server.intake.storing import LEFT, REVOKED
from server.store.database import Tx, reading, writing
from server.sync import unsealed
from server.sync.desk import settle
from server.sync.letter import Sent
from server.sync.unsealed import UNPROVED
from tests.desk import Desk, Page, at_desk
from tests.sealing import NOTE, Blob, Handset, flipped, handset_of
from tests.visitor import visitor
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, HANA

BROUGHT_IT = "You brought the copy that it came in. Somebody else decides whether it is true"


@pytest.fixture
async def amira(desk_app: Litestar) -> Handset:
    return await handset_of(visitor(desk_app), "amira")


@pytest.fixture
async def desk(desk_app: Litestar) -> Desk:
    return await at_desk(desk_app, CAROL)


def saved(whose: Handset, *sealed: Any, edits: tuple[Any, ...] = (), **more: Any) -> bytes:
    """As the phone's `saveCopy` writes it."""
    said = {"lanyard": "waiting edits", "protocol": 1, "school": whose.sealer.school, "staff": whose.sealer.staff}
    said |= {"phone": whose.sealer.phone, "saved_at": "2026-11-17T16:00:00.000Z", "sealed": list(sealed), "edits": list(edits)} | more
    return json.dumps(said, indent=1).encode()


async def bring(desk: Desk, body: bytes) -> Page:
    return Page(await desk.browser.post("/console/copies", files={"copy": ("lanyard-waiting-20261117T1600.json", body)}))


async def take_in(desk: Desk, body: bytes) -> Page:
    brought = await bring(desk, body)
    assert brought.status == 303, brought.text
    assert (await desk.send(brought.goes_to, {})).status == 303
    return await desk.open(brought.goes_to)


async def edits() -> dict[str, dict[str, Any]]:
    rows = await reading(lambda tx: tx.rows("select * from edit order by id"))
    return {row["id"]: dict(row) for row in rows}


async def do(sql: str, *args: Any) -> None:
    await writing(lambda tx: tx.run(sql, *args))


async def test_first_it_is_shown_in_numbers_then_it_is_taken_in_as_its_authors(amira: Handset, desk: Desk) -> None:
    told = [amira.write() for _ in range(3)]
    sent = amira.sealer.seal(told[0])
    await amira.kept(sent)
    draft = amira.sealer.seal({"id": "aa", "kind": "incident", "record": "r", "values": {"account": NOTE}}, "draft")
    brought = await bring(desk, saved(amira, sent, *(amira.sealer.seal(one) for one in told[1:]), draft))
    shown = await desk.open(brought.goes_to)
    assert "It says it is from Amira Haddad, Locked phone" in shown
    assert "Written and not sent then 3 Drafts 1 Of these the school has already 1" in shown
    assert "All of it carries the signature of Amira Haddad’s phone" in shown
    assert len(await edits()) == 1  # nothing is taken in before somebody says so
    assert NOTE not in shown.html
    assert (await desk.send(brought.goes_to, {})).goes_to == brought.goes_to
    came = await desk.open(brought.goes_to)
    assert "Part of their records now 2 Here before 1 Drafts, back with their author 1 Held, until a person decides 0" in came
    found = await edits()
    assert {(row["author"], row["outcome"]) for row in found.values()} == {("amira", "taken")}
    assert found.keys() == {one["id"] for one in told}


async def test_it_may_be_brought_and_taken_in_again_and_the_phone_may_come_after_all(
    amira: Handset, desk: Desk, desk_app: Litestar
) -> None:
    told = [amira.write() for _ in range(3)]
    blobs = [amira.sealer.seal(one) for one in told]
    await take_in(desk, saved(amira, *blobs))
    before = await edits()
    assert "Taken in" in await take_in(desk, saved(amira, *blobs))
    again = await take_in(desk, saved(amira, *blobs, saved_at="2026-11-18T16:00:00.000Z"))  # the same, saved later
    assert "Part of their records now 0 Here before 3" in again
    assert await amira.kept(*blobs) == [one["id"] for one in told]
    letter = {"protocol": 1, "phone": "amira-handset", "edits": told}
    answer = await amira.door.post("/api/sync", json=letter, headers={"Authorization": f"Bearer {amira.grant}"})
    assert [receipt["outcome"] for receipt in answer.json()["receipts"]] == ["taken"] * 3
    assert await edits() == before
    counted = await reading(lambda tx: tx.rows("select sum(edits), count(*) from record"))
    assert (int(counted[0][0]), counted[0][1]) == (3, 3)


async def test_the_phone_is_not_said_to_have_been_heard_of(amira: Handset, desk: Desk) -> None:
    before = await reading(lambda tx: tx.row("select seen_at, drift_s, waiting, build from phone where id = 'amira-handset'"))
    await take_in(desk, saved(amira, amira.sealer.seal(amira.write())))
    after = await reading(lambda tx: tx.row("select seen_at, drift_s, waiting, build from phone where id = 'amira-handset'"))
    assert tuple(after or ()) == tuple(before or ())


# ── Nothing is believed ────────────────────────────────────────────────────────────────────


def changed(phone: Handset, told: dict[str, Any]) -> dict[str, bytes]:
    """Each way of having no valid signature."""
    blob = phone.sealer.seal(told)
    stranger = Handset(phone.door, type(phone.sealer)(phone.sealer.staff, phone.sealer.phone), "")
    stranger.sealer.keys = phone.sealer.keys
    return {
        "the signature flipped": saved(phone, blob | {"signature": flipped(blob["signature"])}),
        "no signature": saved(phone, {key: value for key, value in blob.items() if key != "signature"}),
        "back-dated": saved(phone, blob | {"made_at": "2020-01-01T00:00:00.000Z"}),
        "another number": saved(phone, blob | {"number": 99}),
        "sealed by a stranger": saved(phone, stranger.sealer.seal(told)),
        "never sealed": saved(phone, edits=(told,)),
        "as an older app saved it": json.dumps(
            {key: v for key, v in json.loads(saved(phone, edits=(told,))).items() if key != "sealed"}
        ).encode(),
    }


async def test_what_carries_no_valid_signature_is_held_and_stands_in_nobodys_way(amira: Handset, desk: Desk) -> None:
    for n, what in enumerate(changed(amira, amira.write())):
        told = amira.write()
        body = changed(amira, told)[what]
        brought = await bring(desk, body)
        assert "1 thing in it without the phone’s own signature" in await desk.open(brought.goes_to), what
        await desk.send(brought.goes_to, {})
        assert "Part of their records now 0 Here before 0 Held, until a person decides 1" in await desk.open(brought.goes_to), what
        assert told["id"] not in await edits(), what
        (held,) = [row for row in (await edits()).values() if row["record"] == told["record"]]
        assert (held["author"], held["outcome"], held["seq"]) == ("amira", "held", None), what
        assert json.loads(held["because"]) == {"phone": UNPROVED}
        again = await take_in(desk, body + b" ")
        assert "Part of their records now 0 Here before" in again
        assert await amira.kept(amira.sealer.seal(told)) == [told["id"]]  # the true one comes
        rows = [row for row in (await edits()).values() if row["record"] == told["record"]]
        assert sorted((row["id"] == told["id"], row["outcome"]) for row in rows) == [(False, "held"), (True, "taken")], what
        assert n < 7


async def test_who_brought_it_neither_reads_nor_decides_what_nobody_has_proved(amira: Handset, desk: Desk, desk_app: Litestar) -> None:
    concern = amira.write(values={"account": NOTE})
    ada = await at_desk(desk_app, ADA)
    await take_in(ada, saved(amira, edits=(concern,)))
    assert NOTE not in (await ada.open("/console/held")).html
    (held,) = await edits()
    assert (await ada.open(f"/console/held?edit={held}")).status == 404
    mine = amira.write(values={"account": NOTE})
    await take_in(desk, saved(amira, edits=(mine,)))
    (other,) = (await edits()).keys() - {held}
    assert NOTE not in (await desk.open(f"/console/record/{mine['record']}")).html
    assert (await desk.open(f"/console/held?edit={other}")).status == 404
    for how in ("taken", "set aside"):
        assert (await desk.send("/console/held", {"edit": other, "how": how, "why": "it is hers"})).status == 404
        assert await writing(settle, CAROL, other, how, "it is hers") == {"phone": BROUGHT_IT}
    assert f"edit={held}" in (await desk.open("/console/held")).html  # the premise: she reads what others brought
    assert f"edit={other}" not in (await desk.open("/console/held")).html
    assert await reading(held_count, CAROL) == 1
    dee = await at_desk(desk_app, DEE)
    assert (await dee.send("/console/held", {"edit": other, "how": "taken", "why": "she told me"})).status == 303
    row = (await edits())[other]
    assert (row["author"], row["settled_how"], row["settled_by"], row["seq"] is not None) == ("amira", "taken", "dee", True)
    assert (await desk.send("/console/held", {"edit": held, "how": "set aside", "why": "she sent it herself"})).status == 303


@pytest.mark.parametrize("sealed", [True, False])
async def test_nobody_who_brought_it_before_or_after_or_took_it_in_decides(amira: Handset, desk_app: Litestar, sealed: bool) -> None:
    told = amira.write(values={"account": NOTE})
    body = saved(amira, amira.sealer.seal(told) | {"signature": ""}) if sealed else saved(amira, edits=(told,))
    await do("update staff set role = 'manager' where id in ('ben', 'hana')")
    carol, ben, hana = [await at_desk(desk_app, me) for me in (CAROL, BEN, HANA)]
    brought = (await bring(carol, body)).goes_to
    await (await at_desk(desk_app, ADA)).send(brought, {})
    (held,) = await edits()
    assert f"edit={held}" in (await hana.open("/console/held")).html  # the premise: whoever had no hand in it reads it
    for other in (carol, ben):
        await bring(other, body + b" ")
        assert (await other.open(f"/console/held?edit={held}")).status == 404
    for me in (CAROL, BEN):
        assert await writing(settle, me, held, "taken", "it is hers") == {"phone": BROUGHT_IT}
    await do("update staff set role = 'manager' where id = 'ada'")
    assert await writing(settle, ADA, held, "taken", "it is hers") == {"phone": BROUGHT_IT}
    assert (await hana.send("/console/held", {"edit": held, "how": "taken", "why": "she told me"})).status == 303


async def test_whoever_brought_it_before_there_was_a_list_of_who_brought_what_decides_no_more_than_now(amira: Handset, desk: Desk) -> None:
    lay = unsealed.unproved

    def lay_as_then(id: str, edit: Sent, _: str) -> Sent:
        with mock.patch.object(unsealed, "BROUGHT", "brought_by"):
            return lay(id, edit, "carol")

    with mock.patch.object(unsealed, "unproved", lay_as_then):
        await take_in(desk, saved(amira, edits=(amira.write(values={"account": NOTE}),)))
    await do("delete from brought")
    ((held, row),) = (await edits()).items()
    assert '"brought_by": "carol"' in row["original"]  # the premise
    assert (await desk.open(f"/console/held?edit={held}")).status == 404
    assert await writing(settle, CAROL, held, "taken", "it is hers") == {"phone": BROUGHT_IT}
    assert await writing(settle, DEE, held, "taken", "she told me") != {"phone": BROUGHT_IT}


async def test_nobody_is_shut_out_by_a_copy_that_says_itself_who_brought_it(amira: Handset, desk: Desk, desk_app: Litestar) -> None:
    edit = amira.write(values={"account": NOTE}) | {"brought_by": "dee"}
    await take_in(desk, saved(amira, edits=(edit,)))
    (held,) = await edits()
    dee = await at_desk(desk_app, DEE)
    assert (await dee.send("/console/held", {"edit": held, "how": "taken", "why": "she told me"})).status == 303


async def test_nobody_shuts_another_out_by_saying_in_their_own_edit_who_brought_it(amira: Handset, desk: Desk) -> None:
    held = amira.write(brought_as="carol")
    await amira.kept(amira.sealer.seal(held) | {"signature": ""})
    assert (await desk.open(f"/console/held?edit={held['id']}")).status == 200
    assert (await desk.send("/console/held", {"edit": held["id"], "how": "taken", "why": "she told me"})).status == 303


async def test_an_unproved_amendment_settles_nothing(amira: Handset, desk: Desk) -> None:
    held = amira.write(values={"place": "nowhere we know of"})
    await amira.kept(amira.sealer.seal(held))
    resting = amira.write(values={}, record=held["record"], amends=held["id"], set_aside="a slip")
    better = amira.write(record=held["record"], amends=held["id"])
    await take_in(desk, saved(amira, edits=(resting, better)))
    assert (await edits())[held["id"]]["settled_at"] is None


async def test_what_is_spliced_into_another_persons_copy_is_nobodys(amira: Handset, desk: Desk, desk_app: Litestar) -> None:
    ben = await handset_of(visitor(desk_app), "ben")
    blob = amira.sealer.seal(amira.write())
    for body in (saved(ben, blob), saved(ben, blob | {"phone": "ben-handset"}), saved(ben, ben.sealer.sign(blob))):
        came = await take_in(desk, body)
        assert "Part of their records now 0" in came
        assert "Could not be opened; an administrator sees why under Held 1" in came
    assert await edits() == {}
    assert "Part of their records now 1" in await take_in(desk, saved(amira, blob))
    assert [row["author"] for row in (await edits()).values()] == ["amira"]


@pytest.mark.parametrize(
    ("happened", "words"),
    [("update phone set revoked_at = 1 where id = 'amira-handset'", REVOKED), ("update staff set left_at = 1 where id = 'amira'", LEFT)],
)
async def test_from_a_phone_that_was_switched_off_or_of_a_leaver_it_is_held(amira: Handset, desk: Desk, happened: str, words: str) -> None:
    told = amira.write()
    await do(happened)
    await take_in(desk, saved(amira, amira.sealer.seal(told)))
    row = (await edits())[told["id"]]
    assert (row["author"], row["outcome"], json.loads(row["because"])) == ("amira", "held", {"phone": words})


ODD: list[Any] = [
    None,
    3,
    "text",
    [],
    {},
    {"id": 3},
    {"id": "a\nb"},
    {"what": "edit"},
    {"id": "x", "what": "letter"},
    {"id": "y", "sealed": 3},
]


async def test_whatever_is_odd_in_it_is_kept_and_holds_up_nothing(amira: Handset, desk: Desk) -> None:
    good = amira.write()
    came = await take_in(desk, saved(amira, *ODD, amira.sealer.seal(good), edits=(*ODD,)))
    assert "Part of their records now 1" in came
    assert (await edits())[good["id"]]["outcome"] == "taken"
    kept = await reading(lambda tx: tx.rows("select hash from sealed where outcome = 'unopened'"))
    assert len(kept) == len(ODD)
    scraps = await reading(lambda tx: tx.rows("select hash from unreadable"))
    assert len(scraps) == sum(not (isinstance(one, dict) and one.get("id") in ("x", "y")) for one in ODD)


# ── What is no copy ────────────────────────────────────────────────────────────────────────


def no_copies(phone: Handset, blob: Blob) -> dict[str, tuple[bytes, str]]:
    whole = saved(phone, blob)
    return {
        "cut short": (whole[: len(whole) // 2], "it is cut short"),
        "no JSON": (b"\x89PNG\r\n", "This is no copy"),
        "a list": (b"[]", "This is no copy"),
        "not UTF-8": (whole.replace(b"amira-handset", b"\xff\xfe"), "This is no copy"),
        "something else": (saved(phone, blob, lanyard="settings"), "This is no copy"),
        "nobody’s": (saved(phone, blob, staff=None), "This is no copy"),
        "no phone’s": (saved(phone, blob, phone=[1]), "This is no copy"),
        "another school’s": (saved(phone, blob, school="southfield"), "another school’s"),
        "a stranger’s": (saved(phone, blob, staff="nobody"), "never at this school"),
        "a newer one": (saved(phone, blob, protocol=2), "saved by a newer app"),
        "an empty one": (saved(phone), "There is nothing in this copy"),
        "10,001 things": (saved(phone, *[{}] * 10_001), "more in this file than any phone saves"),
        "20 MB": (saved(phone, {"id": "x" * 20_000_000}), "more than 20 MB"),
        "nested": (b'{"lanyard": ' + b"[" * 500 + b"]" * 500 + b"}", "This is no copy"),
        "no file": (b"", "Choose the file first"),
    }


async def test_what_is_no_copy_is_refused_in_words_and_nothing_of_it_is_kept(amira: Handset, desk: Desk) -> None:
    for what, (body, words) in no_copies(amira, amira.sealer.seal(amira.write())).items():
        answer = await bring(desk, body)
        assert answer.status == 400, what
        assert words in answer, what
        assert NOTE not in answer.html
    assert await reading(lambda tx: tx.rows("select * from saved_copy")) == []
    assert await edits() == {}
    assert (await desk.send("/console/copies", {"copy": "text"})).status == 400
    assert (await desk.open("/console/copies/nowhere")).status == 404
    assert (await desk.send("/console/copies/nowhere", {})).status == 404


async def test_only_administrators_and_managers_of_the_same_school_take_copies_in(amira: Handset, desk: Desk, desk_app: Litestar) -> None:
    brought = (await bring(desk, saved(amira, amira.sealer.seal(amira.write())))).goes_to
    await do("update staff set role = 'manager' where id = 'dan'")
    for me, status in ((AMIRA, 403), (BEN, 403), (DEE, 403), (DAN, 404), (ADA, 200), (CAROL, 200)):
        other = await at_desk(desk_app, me)
        assert (await other.open(brought)).status == status, me.staff
        if status != 200:
            assert (await other.send(brought, {})).status == status
    assert await edits() == {}


async def test_the_file_is_read_as_it_is_brought_and_as_it_is_taken_in_and_not_to_show_its_page(amira: Handset, desk: Desk) -> None:
    sent, waits = amira.sealer.seal(amira.write()), amira.sealer.seal(amira.write())
    body = saved(amira, sent, waits)
    with mock.patch.object(copies, "read_copy", side_effect=copies.read_copy) as read:
        brought = (await bring(desk, body)).goes_to
        for _ in range(3):
            assert "Of these the school has already 0" in await desk.open(brought)
        assert read.call_count == 1
        await amira.kept(sent)
        await bring(desk, body)
        assert "Of these the school has already 1" in await desk.open(brought)  # counted again
        await desk.send(brought, {})
        assert "Part of their records now 1 Here before 1" in await desk.open(brought)
        assert read.call_count == 3
    await bring(desk, body)
    assert "Part of their records now 1 Here before 1" in await desk.open(brought)


async def test_who_brought_it_and_who_took_it_in_is_noted(amira: Handset, desk: Desk, desk_app: Litestar) -> None:
    brought = (await bring(desk, saved(amira, amira.sealer.seal(amira.write())))).goes_to
    await (await at_desk(desk_app, ADA)).send(brought, {})
    rows = await reading(lambda tx: tx.rows("select staff, what, detail from audit where what like '%copy' order by at, id"))
    assert [(row["staff"], row["what"]) for row in rows] == [("carol", "bring a copy"), ("ada", "take in a copy")]
    assert {json.loads(row["detail"])["staff"] for row in rows} == {"amira"}
    assert json.loads(rows[1]["detail"])["taken"] == 1


async def test_one_that_nobody_takes_in_is_let_go_after_a_week(amira: Handset, desk: Desk) -> None:
    await bring(desk, saved(amira, amira.sealer.seal(amira.write())))

    async def left(tx: Tx) -> int:
        await copies.sweep(tx)
        return len(await tx.rows("select id from saved_copy"))

    assert await writing(left) == 1
    await do("update saved_copy set brought_at = brought_at - $1", copies.KEPT_FOR)
    assert await writing(left) == 0


async def test_what_nobody_signed_takes_no_room_of_the_phone_it_names(amira: Handset, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "A_DAY", 4)
    junk = [amira.sealer.seal(amira.write()) | {"signature": ""} for _ in range(3)]
    await take_in(desk, saved(amira, *junk, {"id": "junk"}, amira.sealer.seal(amira.write())))
    assert len(await reading(lambda tx: tx.rows("select hash from sealed"))) == 5
    told = [amira.write() for _ in range(3)]
    for one in told:
        assert await amira.kept(amira.sealer.seal(one)) == [one["id"]]
    assert (await amira.send(amira.sealer.seal(amira.write()))).status_code == 429  # the premise: what it signed itself counts


async def test_two_who_take_it_in_at_once_are_told_the_same_and_it_is_noted_once(amira: Handset, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, draft = amira.sealer.seal(amira.write()), amira.sealer.seal({"id": "aa", "kind": "incident", "values": {}}, "draft")
    await amira.kept(sent)
    body = saved(amira, sent, amira.sealer.seal(amira.write()), draft, {"id": "odd"}, edits=(amira.write(),))
    copy = await copies.bring(CAROL, body)
    opening, both = copies.open_sealed, asyncio.Barrier(2)

    async def open_together(school: str, hashes: list[str]) -> None:
        await both.wait()  # both have stored it
        await opening(school, hashes)

    monkeypatch.setattr(copies, "open_sealed", open_together)
    await asyncio.gather(copies.take(CAROL, copy), copies.take(ADA, copy))
    told = (await copies.show(CAROL, copy)).told
    assert told == copies.Told(here=1, taken=1, held=1, drafts=1, unopened=1)
    noted = await reading(lambda tx: tx.rows("select detail from audit where what = 'take in a copy'"))
    assert [json.loads(row["detail"])["taken"] for row in noted] == [1]


async def test_killed_half_way_it_is_told_whole_when_it_is_taken_in_again(amira: Handset, desk: Desk) -> None:
    copy = await copies.bring(CAROL, saved(amira, amira.sealer.seal(amira.write()), edits=(amira.write(),)))
    with mock.patch.object(copies, "tell", side_effect=RuntimeError), pytest.raises(RuntimeError):
        await copies.take(CAROL, copy)
    assert len(await edits()) == 2
    await copies.take(ADA, copy)
    assert (await copies.show(ADA, copy)).told == copies.Told(here=0, taken=1, held=1, drafts=0, unopened=0)


async def test_what_no_phone_sent_is_shown_as_whoever_brought_its(amira: Handset, desk: Desk) -> None:
    await take_in(desk, saved(amira, amira.sealer.seal(amira.write()), edits=("a scrap",)))
    shown = await desk.open("/console/held")
    assert "In a copy that Carol" in shown
    assert "a scrap" in shown
    assert "From Amira Haddad’s phone" not in shown


async def test_what_a_phone_could_not_seal_is_held_some_at_a_time(amira: Handset, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "AT_ONCE", 3, raising=False)
    with mock.patch.object(copies, "hold_unproved", side_effect=copies.hold_unproved) as held:
        came = await take_in(desk, saved(amira, edits=tuple(amira.write() for _ in range(7))))
    assert [len(call.args[2]) for call in held.call_args_list] == [3, 3, 1]
    assert "Held, until a person decides 7" in came
