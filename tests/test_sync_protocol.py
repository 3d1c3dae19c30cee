"""PROTOCOL.md is true: its story is played against the real app, its limits are the code's, its shapes are those of the phone."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.kinds.shapes import NOTE_LIMIT
from server.sync import letter, merge, phones, taking, unseen, wire
from tests.school import School

HERE = Path(__file__).parents[1]
TEXT = (HERE / "server/sync/PROTOCOL.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```", TEXT, re.S | re.M)
STEP = re.compile(r"→ (POST) (\S+)(?: as (\w+))?\n(.*?)← (\d+)\n(.*?)(?=→|\Z)", re.S)
STEPS = [step for block in BLOCKS for step in STEP.findall(block)]


async def test_the_story_it_tells_is_what_happens(school: School) -> None:
    assert len(STEPS) >= 11
    told: dict[str, Any] = {}
    for _, path, staff, body, status, expected in STEPS:
        body = re.sub(r"«(\w+)»", lambda name: told[name[1]], body)
        if staff:
            answer = await school.post(staff, body.encode())
        else:
            answer = await school.door.post(path, content=body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status_code == int(status), answer.text
        assert answer.headers["Lanyard-Protocol"] == "1"
        compare(json.loads(expected), answer.json(), told)


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
