"""PROTOCOL.md is true: its story is played against the real app, its limits are the code's, its shapes are those of the phone."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.access import pairing, rights, shares, tickets
from server.access.tokens import LEEWAY_S
from server.intake import copies, crate, drafts, storing, tending
from server.intake.keys import list_key, published
from server.kinds.shapes import NOTE_LIMIT
from server.sync import letter, merge, phones, taking, unseen, wire
from tests.school import DAY, School
from tests.sealing import Sealer

HERE = Path(__file__).parents[1]
TEXT = (HERE / "server/sync/PROTOCOL.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```", TEXT, re.S | re.M)
STEP = re.compile(r"→ (POST|PUT) (\S+)(?: as (\w+)| under «(\w+)»)?\n(.*?)← (\d+)\n(.*?)(?=→|\Z)", re.S)
STEPS = [step for block in BLOCKS for step in STEP.findall(block)]


async def test_the_story_it_tells_is_what_happens(school: School) -> None:
    assert len(STEPS) >= 17
    told: dict[str, Any] = await what_a_phone_seals()
    for method, path, staff, grant, body, status, expected in STEPS:
        body = re.sub(r"«(\w+)»", lambda name: told[name[1]], body)
        headers = {"Content-Type": "application/json"}
        if staff:
            headers["Cookie"] = f"lanyard={school.sessions[staff]}"
        if grant:
            headers["Authorization"] = f"Bearer {told[grant]}"
            school.door.cookies.clear()
        answer = await school.door.request(method, path, content=body.encode(), headers=headers)
        assert answer.status_code == int(status), answer.text
        assert answer.headers["Lanyard-Protocol"] == "1"
        if expected.strip():
            compare(json.loads(expected), answer.json(), told)


async def what_a_phone_seals() -> dict[str, Any]:
    """What stands for itself in the story: the edit of section 7, sealed and signed by another hand."""
    inside = json.loads(next(block for block in BLOCKS if block.startswith('{"id"')))
    phone = Sealer("amira", inside["phone"])
    phone.learn(await published("northgate"), await list_key("northgate"))
    blob = phone.seal(inside)
    return {"public": phone.public} | {name: blob[name] for name in ("kid", "sealed", "signature")}


def compare(expected: Any, actual: Any, told: dict[str, Any], at: str = "$") -> None:
    if expected == "…":
        return
    if isinstance(expected, str) and (name := re.fullmatch(r"«(\w+)»", expected)):
        told[name[1]] = actual
    elif isinstance(expected, dict):
        assert isinstance(actual, dict), at
        assert set(actual) == set(expected), at
        for key in expected:
            compare(expected[key], actual[key], told, f"{at}.{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), at
        assert len(actual) == len(expected), at
        for n, item in enumerate(expected):
            compare(item, actual[n], told, f"{at}[{n}]")
    else:
        assert actual == expected, at


@pytest.mark.parametrize(
    "said, limit",
    [
        ("more than 100 edits", letter.EDITS_LIMIT == 100),
        ("1 MB inflated", letter.BYTES_LIMIT == 1_000_000),
        ("100 levels deep", letter.DEPTH_LIMIT == 100),
        ("over 128 kB as it lies", letter.EDIT_BYTES_LIMIT == 128_000),
        ("16 deep", letter.EDIT_DEPTH_LIMIT == 16),
        ("a note over 60,000 bytes", NOTE_LIMIT == 60_000),
        ("one over 100 characters", letter.ID_LIMIT == 100),
        ("10,000 above the highest received", phones.AHEAD_LIMIT == 10_000),
        ("100 at most", phones.WANTED_LIMIT == 100),
        ("500 records or 1 MB at most", (unseen.PAGE_LIMIT, unseen.PAGE_BYTES_LIMIT) == (500, 1_000_000)),
        ("ten at most", merge.SHOWN == 10),
        ("50 savepoints at most", taking.SAVEPOINTS == 50),
        ("more than 100 sealed things, 1.5 MB inflated", (crate.BLOBS_LIMIT, crate.BYTES_LIMIT) == (100, 1_500_000)),
        ("20,000 things or 100 MB a day", (storing.A_DAY, storing.A_DAY_SIZE) == (20_000, 100_000_000)),
        ("beyond 50,000 or 300 MB that are kept", (storing.ALTOGETHER, storing.ALTOGETHER_SIZE) == (50_000, 300_000_000)),
        ("kept sealed for 30 days", tending.KEPT_FOR == 30 * DAY),
        ("10,000 things and 20 MB at most", (copies.THINGS_LIMIT, copies.BYTES_LIMIT) == (10_000, 20_000_000)),
        ("for its author alone, 30 days", drafts.KEPT_FOR == 30 * DAY),
        ("given within 15 minutes", rights.FRESH_S == 15 * 60),
        ("From the fifth wrong one on each is followed by 15 minutes", (shares.FREE_TRIES, shares.REST_S) == (5, 15 * 60)),
        ("the tenth ends the share", shares.TRIES == 10),
        ("once, within 10 minutes", pairing.LASTS_S == 10 * 60),
        ("the eight letters", pairing.LENGTH == 8),
        ("good once, for five minutes", tickets.LASTS_S + LEEWAY_S == 5 * 60),
        ("five tries at one ticket", tickets.TRIES == 5),
        ("24 hours from `now` at most", shares.TAKEN_ALONG_HOURS[2] == 24),
    ],
)
def test_its_limits_are_the_codes(said: str, limit: bool) -> None:
    assert said in " ".join(TEXT.split())
    assert limit


SHAPES = {
    "Edit": wire.Edit,
    "Letter": wire.Letter,
    "Answer": wire.Answer,
    "Receipt": wire.Receipt,
    "WireRecord": wire.Record,
    "HeldEdit": wire.HeldEdit,
    "Settled": wire.Settled,
    "Head": wire.Head,
}


@pytest.mark.parametrize("name", SHAPES)
def test_the_phone_knows_the_same_shapes(name: str) -> None:
    source = re.sub(r"//.*", "", (HERE / "pwa/src/wire.ts").read_text())
    body = re.search(rf"export type {name} = {{(.*?)}};", source, re.S)
    assert body, name
    keys = set(re.findall(r"(?:^|;|\n)\s*(\w+)\??:", body[1]))
    assert keys == {field.encode_name for field in msgspec.structs.fields(SHAPES[name])}
