"""A phone over plain HTTP that counts its bytes: the least client that speaks the protocol."""

import gzip
import http.client
import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from bench.edits import wire

BATCH = 100
GZIP = 6  # what CompressionStream does in a browser


class Phone:
    def __init__(self, port: int, username: str, password: str) -> None:
        self.port, self.cookie, self.cursor = port, "", None
        self.up = self.down = 0
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        wish = {"username": username, "password": password, "phone": {"id": str(uuid.uuid4()), "name": "Bench"}}
        self.id: str = self.post("/api/session", json.dumps(wish).encode())["phone"]

    def letter(self, edits: list[dict[str, Any]], receipted: int = 0) -> bytes:
        letter = {
            "protocol": 1, "build": "bench", "phone": self.id, "sent_at": wire(datetime.now(UTC)), "cursor": self.cursor,
            "receipted": receipted, "waiting": 0, "lost": [], "edits": edits,
        }  # fmt: skip
        return gzip.compress(json.dumps(letter).encode(), GZIP)

    def exchange(self, letter: bytes) -> dict[str, Any]:
        self.up += len(letter)
        answer = self.post("/api/sync", letter, gzipped=True)
        self.cursor = answer["cursor"]
        return answer

    def pull(self) -> int:
        """Everything not seen yet; how many records that was."""
        records = 0
        while True:
            answer = self.exchange(self.letter([]))
            records += len(answer["records"])
            if not answer["more"]:
                return records

    def post(self, path: str, body: bytes, *, gzipped: bool = False) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "X-Lanyard": "1", "Accept-Encoding": "gzip", "Cookie": self.cookie}
        headers |= {"Content-Encoding": "gzip"} if gzipped else {}
        try:
            answer = self.ask(path, body, headers)
        except (BrokenPipeError, http.client.RemoteDisconnected):  # the server let go of a silent connection
            self.connection.close()
            answer = self.ask(path, body, headers)
        raw = answer.read()
        self.down += len(raw)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {raw[:300]!r}")
        if cookie := answer.getheader("Set-Cookie"):
            self.cookie = cookie.split(";")[0]
        return json.loads(gzip.decompress(raw) if answer.getheader("Content-Encoding") == "gzip" else raw)

    def ask(self, path: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        self.connection.request("POST", path, body, headers)
        return self.connection.getresponse()


def in_batches(edits: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    remaining = iter(edits)
    while batch := list(islice(remaining, BATCH)):
        yield batch
