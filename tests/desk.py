"""A browser at the desk: signs in by the desk's own form, follows nothing by itself, and reads a page as its reader does."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
from litestar import Litestar

from server.settings import Settings
from server.store import moments
from server.store.database import writing
from server.store.me import Me
from server.sync.exchange import exchange
from server.sync.letter import read_letter
from tests.letters import edit, letter
from tests.visitor import HERE, the_app
from tests.world import PASSWORD

NOW = 1_795_000_000_000_000  # Wednesday 18 November 2026, 11:06 in London: after the world was typed in
TAGS = re.compile(r"<[^>]+>")


class Page:
    def __init__(self, answer: httpx.Response) -> None:
        self.answer, self.status, self.html = answer, answer.status_code, answer.text

    @property
    def text(self) -> str:
        """What is read on it, tags and folded space left out."""
        return " ".join(html.unescape(TAGS.sub(" ", self.html)).split())

    @property
    def goes_to(self) -> str:
        return self.answer.headers["location"]

    def __contains__(self, words: str) -> bool:
        return words in self.text

    def rows(self) -> list[str]:
        """The lines of a list, as they are read."""
        return [" ".join(html.unescape(TAGS.sub(" ", row)).split()) for row in re.findall(r'<a class="row.*?</a>', self.html, re.S)]

    def forms(self) -> list[dict[str, Any]]:
        """Every form: where it goes, what it carries, and its first button's own value."""
        return [form_of(found) for found in re.findall(r"<form.*?</form>", self.html, re.S)]

    def form(self, action: str, **carrying: str) -> dict[str, Any]:
        """What the form at that address carries, of those that carry this too."""
        for form in self.forms():
            if form["action"].endswith(action) and all(form["carries"].get(name) == value for name, value in carrying.items()):
                return dict(form["carries"])
        raise AssertionError(f"no form at {action} carries {carrying}")


def form_of(markup: str) -> dict[str, Any]:
    action = re.search(r'action="([^"]*)"', markup)
    carries: dict[str, list[str]] = {}
    for box in re.findall(r"<input[^>]*>", markup):
        name, value = (re.search(rf'{part}="([^"]*)"', box) for part in ("name", "value"))
        ticked = not re.search(r'type="(checkbox|radio)"', box) or " checked" in box
        if name and ticked:
            carries.setdefault(name[1], []).append(html.unescape(value[1]) if value else "")
    for name, inside in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', markup, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', inside)
        carries[name] = [html.unescape(chosen[1]) if chosen else ""]
    for name, inside in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', markup, re.S):
        carries[name] = [html.unescape(inside)]
    one_or_more = {name: values[0] if len(values) == 1 else values for name, values in carries.items()}
    return {"action": html.unescape(action[1]) if action else "", "carries": one_or_more}


class Desk:
    def __init__(self, app: Litestar) -> None:
        self.browser = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=HERE, headers={"Origin": HERE}
        )

    async def open(self, path: str, **headers: str) -> Page:
        return Page(await self.browser.get(path, headers=headers))

    async def send(self, path: str, fields: dict[str, Any]) -> Page:
        return Page(await self.browser.post(path, data=fields))

    async def sign_in(self, me: Me, password: str = PASSWORD) -> Page:
        return await self.send("/console/sign-in", {"username": me.staff, "password": password, "next": "/console/review"})


class Clock:
    """The school's clock, one second on each time somebody looks at it."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self) -> int:
        self.at += 1_000_000
        return self.at


@contextmanager
def desk_over(world: Settings) -> Iterator[Litestar]:
    """The whole app over an open world, on a Wednesday morning."""
    moments.set_clock(Clock(NOW))
    try:
        yield the_app()
    finally:
        moments.set_clock(None)


async def at_desk(app: Litestar, me: Me) -> Desk:
    desk = Desk(app)
    answer = await desk.sign_in(me)
    assert (answer.status, answer.goes_to) == (303, "/console/review"), answer.text
    return desk


# ── What phones send meanwhile ─────────────────────────────────────────────────────────────

numbers: dict[str, int] = {}


async def phone_sends(me: Me, kind: str, values: dict[str, Any], *, record: str | None = None, at: int | None = None, **more: Any) -> str:
    """One edit from this person's own phone, received at `at`; answers its record. `more`: as in an edit on the wire."""
    numbers[me.phone] = numbers.get(me.phone, 0) + 1
    wrote = edit(me.phone, numbers[me.phone], kind, values, **({"record": record} if record else {}), **more)
    await writing(exchange, read_letter(as_bytes(letter(me.phone, wrote))), me, at or moments.now(), sending_only=True)
    return str(wrote["record"])


def as_bytes(said: dict[str, Any]) -> bytes:
    return msgspec.json.encode(said)


def put(**entries: str) -> dict[str, Any]:
    """Who, and with which part; `""` for none."""
    return {"put": {key: {"part": part} if part else {} for key, part in entries.items()}, "drop": []}
