"""The phone and the school speak of the same things by the same names: pwa/src/wire.ts beside server/sync/wire.py."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from server.api import push
from server.sync import wire

PHONES = (Path(__file__).parent.parent / "pwa" / "src" / "wire.ts").read_text()
IGNORED = {"Edit": {"set_aside", "draft"}}  # kept by the school with the edit, as any key that it does not know
PAIRS = {
    "Edit": wire.Edit,
    "Letter": wire.Letter,
    "Receipt": wire.Receipt,
    "Head": wire.Head,
    "WireRecord": wire.Record,
    "Settled": wire.Settled,
    "HeldEdit": wire.HeldEdit,
    "Answer": wire.Answer,
    "PushCard": push.PushCard,
    "TestCard": push.TestCard,
}


def phones_fields(name: str) -> dict[str, bool]:
    """Each field the phone knows of, and whether it may be absent."""
    found = re.search(rf"^export type {name} = \{{(.*?)\}};", PHONES, re.MULTILINE | re.DOTALL)
    assert found, f"wire.ts has no {name}"
    body = re.sub(r"//.*|/\*.*?\*/", "", found[1])
    return {field: bool(optional) for field, optional in re.findall(r"(\w+)(\??):", body)}


def schools_fields(shape: type[msgspec.Struct]) -> dict[str, bool]:
    return {field.encode_name: field.default is msgspec.UNSET for field in msgspec.structs.fields(shape)}


@pytest.mark.parametrize("name", PAIRS)
def test_both_sides_name_the_same_fields_and_leave_out_the_same(name: str) -> None:
    schools = schools_fields(PAIRS[name])
    phones = {field: optional for field, optional in phones_fields(name).items() if field in schools or field not in IGNORED.get(name, ())}
    assert phones == schools


def test_both_sides_know_the_same_words() -> None:
    outcomes = get_args(get_type_hints(wire.Receipt)["outcome"])
    hows = get_args(get_type_hints(wire.Settled)["how"])
    for word in (*outcomes, *hows, *get_args(wire.Rebuild)):
        assert f"'{word}'" in PHONES, f"the phone does not know the word {word!r}"


def test_the_phone_speaks_a_protocol_that_the_school_does() -> None:
    spoken = re.search(r"PROTOCOL = (\d+);", PHONES)
    assert spoken
    assert int(spoken[1]) in wire.SPEAKS
