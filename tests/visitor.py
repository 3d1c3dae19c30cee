"""A browser at our doors: cookies of its own, our header, and the real app over the database that the test has opened."""

from functools import cache
from typing import Any

import httpx
from litestar import Litestar

from server.app import create_app
from server.settings import Settings
from server.store.me import Me
from tests.world import PASSWORD

HERE = "http://localhost:8000"
OURS = {"X-Lanyard": "1"}


@cache
def the_app() -> Litestar:
    """One for all: it works on whichever database is open, and takes longer to make than most tests to run."""
    return create_app(no_phone_app(Settings()))


def visitor(app: Litestar, **headers: str) -> httpx.AsyncClient:
    """What goes wrong inside is answered, as a real server would, not raised."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=HERE, headers=OURS | headers)


async def signed_in(app: Litestar, me: Me) -> httpx.AsyncClient:
    browser = visitor(app)
    answer = await try_signing_in(browser, me.staff, phone=me.phone)
    assert answer.status_code == 200, answer.text
    return browser


async def try_signing_in(
    browser: httpx.AsyncClient, username: str, password: str = PASSWORD, phone: str | None = "a-phone"
) -> httpx.Response:
    said: dict[str, Any] = {"username": username, "password": password, "phone": {"id": phone, "name": "Test phone"}}
    return await browser.post("/api/session", json=said)


def no_phone_app(settings: Settings) -> Settings:
    """The same, with nothing built and nothing kept."""
    import msgspec

    return msgspec.structs.replace(settings, dist=settings.dist / "none", kept=settings.kept / "none")
