"""Whatever is sent, the answer is quick, in words, and never our own fault."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from litestar import Litestar

from server.intake.crate import BYTES_LIMIT
from server.settings import Settings
from tests.routes import Door, doors
from tests.visitor import signed_in, the_app, visitor
from tests.world import ADA, CAROL

MEGABYTE = 1_000_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def app(world: Settings) -> Litestar:
    return the_app()


def json_doors(app: Litestar) -> list[Door]:
    return [door for door in doors(app) if door.method == "POST" and door.template.startswith("/api/")]


GOOD = {"username": "nobody", "password": "not hers", "phone": {"id": "p", "name": "n"}}
PARTS = {"username": ..., "password": ..., "phone": ..., "protocol": ..., "edits": ...}
WRONG: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"hello",
    "cut short": b'{"username": "am',
    "a comma too many": b'{"a": 1,}',
    "two values": b"{} {}",
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "a text": b'"x"',
    "NaN": b'{"username": NaN, "edits": [NaN]}',
    "an endless number": b'{"protocol": ' + b"9" * 5_000 + b"}",
    "an enormous exponent": b'{"protocol": 1e999, "edits": [1e999]}',
    "an object where a text should be": b'{"username": {}, "password": {}, "phone": {}, "protocol": {}, "edits": {}}',
    "a number where a text should be": b'{"username": 3, "password": 3, "phone": 3, "protocol": "1", "edits": 3}',
    "yes where a text should be": b'{"username": true, "password": true, "phone": true, "protocol": true, "edits": true}',
    "10,000 deep": b"[" * 10_000 + b"]" * 10_000,
    "10,000 deep and never closed": b"[" * 10_000,
    "10,000 deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "10,000 deep where it is wanted": b'{"username": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10,000 deep among the edits": b'{"protocol": 1, "phone": "p", "edits": [' + b"[" * 10_000 + b"]" * 10_000 + b"]}",
    "a NUL in the open": b'{"username": "a\x00b"}',
    "a lone surrogate": rb'{"username": "\ud83d", "password": "\udc00", "phone": {"id": "\ud800", "name": "\udfff"}}',
    "Latin-1": '{"username": "Zoë"}'.encode("latin-1"),
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "a byte-order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "__proto__": b'{"__proto__": {"role": "admin"}, "constructor": {"prototype": {}}, "username": "x"}',
    "a form": b"username=amira&password=x",
    "XML": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>',
    "a megabyte of one text": b'{"username": "' + b"a" * (MEGABYTE - 100) + b'"}',
    "a megabyte of brackets": b"[" * MEGABYTE,
    "a megabyte of quotes": b'"' * MEGABYTE,
    "a megabyte of backslashes": b'"' + b"\\" * (MEGABYTE - 1),
    "a hundred thousand keys": json.dumps({str(n): n for n in range(60_000)}).encode(),
}


async def test_a_body_that_makes_no_sense_is_refused_in_words(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    for door in json_doors(app):
        for what, body in WRONG.items():
            answer = await browser.post(door.path(), content=body, headers=JSON)
            assert answer.status_code in (400, 401, 413), (door, what, answer.text)
            assert answer.json()["words"], (door, what)
            assert len(answer.content) < 300, (door, what)  # nothing of it comes back


STRANGE = (
    "🜏👩🏽‍🏫", "שָׁלוֹם", "\u202egnirts", "a\u0301", "\ufeff", "x" * 60_000, "'; drop table staff; --", "{{7*7}}",
    "<img src=x onerror=alert(1)>", "%00", "\u0000",
)  # fmt: skip


async def test_a_strange_name_is_only_a_wrong_one(app: Litestar) -> None:
    for name in STRANGE:
        said = {"username": name, "password": name, "phone": {"id": "p", "name": "n"}}
        answer = await visitor(app).post("/api/session", content=json.dumps(said), headers=JSON)
        assert (answer.status_code, answer.json()["refusal"]) == (401, "wrong_pair"), name


async def test_a_phone_id_is_plain_and_short(app: Litestar) -> None:
    for id in ("", "x" * 101, "../..", "a b", "ä", "p\0", "p\n", "'", "amira-phone\u2028"):
        said = {"username": "carol", "password": "three wet umbrellas", "phone": {"id": id, "name": "n"}}
        answer = await visitor(app).post("/api/session", content=json.dumps(said), headers=JSON)
        assert (answer.status_code, answer.json()["where"]) == (400, "phone.id"), id


CURSORS = ("x", "%ff", "e30=", "W10=", "WyJhIl0=", "\u2603", "A" * 10_000, "WyJjYXJvbCIsIm1hbmFnZXIiLDEsIjIuMCIsMiwxLDIsIng6Il0=")


async def test_a_cursor_that_is_not_ours_begins_again(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    for cursor in CURSORS:
        answer = await browser.get(f"/api/people?cursor={cursor}")
        assert (answer.status_code, answer.json()["fresh"]) == (200, True), cursor
    assert (await browser.get("/api/people?cursor=%00")).status_code == 404


# ── Size ───────────────────────────────────────────────────────────────────────────────────


def zeros(megabytes: int) -> bytes:
    """That many zeros, gzipped without ever having been held."""
    squeezer = zlib.compressobj(9, wbits=31)
    return b"".join(squeezer.compress(bytes(MEGABYTE)) for _ in range(megabytes)) + squeezer.flush()


@pytest.fixture(scope="module")
def bomb() -> bytes:
    made = zeros(300)
    assert len(made) < MEGABYTE  # the premise: as it is sent, it would be let in
    return made


async def test_a_gzip_bomb_is_refused_before_it_goes_off(app: Litestar, bomb: bytes) -> None:
    import tracemalloc

    browser = await signed_in(app, CAROL)
    for door in json_doors(app):
        tracemalloc.start()
        answer = await browser.post(door.path(), content=bomb, headers=JSON | {"Content-Encoding": "gzip"})
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert answer.status_code == 413
        assert answer.json()["limit"] == (BYTES_LIMIT if door.template == "/api/intake" else MEGABYTE)
        assert most < 10 * MEGABYTE


async def test_a_body_of_300_megabytes_is_refused_without_being_read(app: Litestar) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(300):
            read += MEGABYTE
            yield bytes(MEGABYTE)

    for door in json_doors(app):
        read = 0
        answer = await visitor(app).post(door.path(), content=body(), headers=JSON | {"Content-Length": str(300 * MEGABYTE)})
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        assert read == 0


async def test_a_body_that_does_not_say_its_length_is_refused_as_soon_as_it_is_too_long(app: Litestar) -> None:
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(300):
            read += MEGABYTE
            yield bytes(MEGABYTE)

    answer = await visitor(app).post("/api/session", content=body(), headers=JSON)
    assert answer.status_code == 413
    assert read <= 2 * MEGABYTE


def broken_gzips() -> Iterator[tuple[str, bytes]]:
    good = gzip.compress(json.dumps(GOOD).encode())
    yield "cut short", good[:-5]
    yield "followed by something", good + b"more"
    yield "twice", good + good
    yield "not gzip", b"hello"
    yield "damaged", good[:15] + b"\xff\xff\xff\xff" + good[19:]
    yield "wrong at the end", good[:-8] + b"\0" * 8
    yield "nothing", b""


async def test_a_gzip_that_cannot_be_undone_is_unreadable(app: Litestar) -> None:
    for why, body in broken_gzips():
        answer = await visitor(app).post("/api/session", content=body, headers=JSON | {"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()["refusal"]) == (400, "unreadable"), why


async def test_a_gzipped_body_is_read_like_a_plain_one(app: Litestar) -> None:
    said = {"username": "carol", "password": "three wet umbrellas", "phone": {"id": "p", "name": "n"}}
    body = gzip.compress(json.dumps(said).encode())
    answer = await visitor(app).post("/api/session", content=body, headers=JSON | {"Content-Encoding": "gzip"})
    assert answer.status_code == 200


async def test_another_encoding_is_refused(app: Litestar) -> None:
    for encoding in ("br", "deflate", "gzip, gzip", "zstd", "x"):
        answer = await visitor(app).post("/api/session", content=b"{}", headers=JSON | {"Content-Encoding": encoding})
        assert answer.status_code == 415, encoding


async def test_text_is_no_number_and_one_is_no_yes() -> None:
    import msgspec

    from server.access.bodies import read_json
    from server.refusals import Unreadable

    class Asked(msgspec.Struct):
        count: int
        sure: bool

    assert read_json(b'{"count": 3, "sure": true}', Asked) == Asked(3, True)
    for lax in (
        b'{"count": "3", "sure": true}',
        b'{"count": 3, "sure": 1}',
        b'{"count": 3.5, "sure": true}',
        b'{"count": true, "sure": true}',
    ):
        with pytest.raises(Unreadable):
            read_json(lax, Asked)


async def test_every_desk_form_takes_nonsense_without_a_fault(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    browser.headers["Origin"] = "http://localhost:8000"
    bodies = (
        b"",
        b"a=%00&b=%ff%fe",
        b"=&&&",
        b"x" * 10_000,
        b"a=" + "🜏".encode() * 1000,
        b"state=\x00",
        b"&".join(b"a=1" for _ in range(5_000)),
    )
    for door in doors(app):
        if door.method == "POST" and door.template.startswith("/console"):
            for body in bodies:
                answer = await browser.post(door.path(), content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
                assert answer.status_code < 500, (door, body[:20], answer.text[:300])


PARTED = {"Content-Type": "multipart/form-data; boundary=x"}


async def test_a_form_in_parts_that_cannot_be_read_is_refused_in_words(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    browser.headers["Origin"] = "http://localhost:8000"
    bodies = {
        "no text": b'--x\r\nContent-Disposition: form-data; name="next"\r\n\r\n\x00\xff\r\n--x--\r\n',
        "no such alphabet": b'--x\r\nContent-Disposition: form-data; name="next"\r\nContent-Type: a/b; charset=nope\r\n\r\na\r\n--x--\r\n',
        "a file": b'--x\r\nContent-Disposition: form-data; name="next"; filename="a"\r\n\r\n\x00\xff\r\n--x--\r\n',
        "cut short": b"--x\r\na",
    }
    for door in doors(app):
        if door.method == "POST" and door.template.startswith("/console"):
            for what, body in bodies.items():
                answer = await browser.post(door.path(), content=body, headers=PARTED)
                assert answer.status_code < 500, (door, what)


async def test_a_form_of_endless_boxes_is_refused_before_it_is_worked_through(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    browser.headers["Origin"] = "http://localhost:8000"
    for boxes in (b"a=1&" * 60_000, b"&".join(b"a%d=1" % n for n in range(60_000))):
        answer = await browser.post("/console/new/incident", content=boxes, headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 413


async def test_a_nul_in_a_form_is_no_fault_of_ours(app: Litestar) -> None:
    """Where it would reach the database: names and words that are kept, and ids that are looked for."""
    manager, admin = await signed_in(app, CAROL), await signed_in(app, ADA)
    for browser, path, fields in (
        (manager, "/console/held", {"edit": "a\0b", "how": "taken", "why": "a\0b"}),
        (manager, "/console/lists/places", {"do": "add", "label": "Pool\0hall"}),
        (manager, "/console/patterns.csv", {"purpose": "a\0b"}),
        (admin, "/console/people", {"name": "A\0B", "username": "a\0b", "role": "teacher", "years": "7\0"}),
        (admin, "/console/people/ben/phone", {"phone": "a\0b", "do": "off"}),
    ):
        browser.headers["Origin"] = "http://localhost:8000"
        answer = await browser.post(path, data=fields)
        assert answer.status_code < 500, path
        assert "\0" not in answer.text


async def test_every_address_takes_a_strange_name_without_a_fault(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    for door in doors(app):
        if "{" not in door.template or door.template.endswith("/live"):
            continue
        for strange in ("%F0%9F%9C%8F", "..", "%2e%2e%2f", "x" * 3_000, "'", "%27%20or%201=1", "null", "-1", "%ff", "%0a", "__proto__"):
            answer: httpx.Response = await browser.request(door.method, door.path(**dict.fromkeys(names_in(door), strange)))
            assert answer.status_code != 500, (door, strange)


def names_in(door: Door) -> list[str]:
    return [part.strip("{}").partition(":")[0] for part in door.template.split("/") if part.startswith("{")]
