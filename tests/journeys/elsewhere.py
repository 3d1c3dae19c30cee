"""Somebody's other phone, far from the one that is looked at: it sends what a test has it write, over plain HTTP."""

import json
import uuid
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

from tests.journeys.school import School
from tests.letters import edit, letter
from tests.world import PASSWORD

LETTERS_OF = 10


def its_clock() -> str:
    """It is right: by a clock that is wrong the school would wait for a visit until another time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Elsewhere:
    def __init__(self, school: School, name: str) -> None:
        self.door = httpx.Client(base_url=school.address, headers={"X-Lanyard": "1", "Origin": school.address}, timeout=60)
        said = {"username": name, "password": PASSWORD, "phone": {"id": str(uuid.uuid4()), "name": "Another phone"}}
        self.phone = self.door.post("/api/session", json=said).raise_for_status().json()["phone"]
        self.number = 0
        self.written: list[dict[str, Any]] = []

    def write(self, kind: str, values: dict[str, Any], **more: Any) -> str:
        """The record that it is about."""
        self.number += 1
        self.written.append(edit(self.phone, self.number, kind, values, **{"made_at": its_clock()} | more))
        return str(self.written[-1]["record"])

    def send(self) -> list[str]:
        """What became of each."""
        outcomes: list[str] = []
        while self.written:
            said, self.written = self.written[:LETTERS_OF], self.written[LETTERS_OF:]
            body = json.dumps(letter(self.phone, *said) | {"sent_at": its_clock()})  # lone surrogates, too
            answer = self.door.post("/api/sync", content=body, headers={"Content-Type": "application/json"}).raise_for_status()
            outcomes += [receipt["outcome"] for receipt in answer.json()["receipts"]]
        return outcomes

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.door.close()
