"""A real alert: closed by the school, handed to a push service, opened by a real browser, shown, tapped, and the right screen there."""

import os
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from glob import glob
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from server.push.alerts import alert
from server.push.keys import new_push_key
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, writing
from tests.browsers.windows import FIREFOX, QUIET_FIREFOX, lacking
from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.handset import Handset
from tests.journeys.school import School, apart
from tests.push.google import GoogleToo
from tests.push.lockscreen import LockScreen

RUNG_FIREFOX: dict[str, Any] = QUIET_FIREFOX | {
    "dom.push.testing.allowInsecureServerURL": True,
    "dom.push.connection.enabled": True,
    "remote.prefs.recommended": False,  # they would turn push off
    "alerts.useSystemBackend": True,
}


TESTED = re.compile(r"Sent \d\d:\d\d:\d\d, shown \d\d:\d\d:\d\d\.")
NEEDS = {"dbus-daemon": "/usr/bin/dbus-daemon", "libnotify4": "/usr/lib/*/libnotify.so.4"}  # the lock screen, and Firefox's way to it


@pytest.fixture
def service() -> Iterator[GoogleToo]:
    with GoogleToo() as opened:
        yield opened


@pytest.fixture
def lock_screen() -> Iterator[LockScreen]:
    if not glob(NEEDS["dbus-daemon"]):
        pytest.skip("No browser shows an alert here: apt-get install --no-install-recommends dbus-daemon")
    with LockScreen() as opened:
        yield opened


@pytest.fixture
def school(tmp_path: Path, filled: Path, service: GoogleToo) -> Iterator[School]:
    opened = School(tmp_path, filled)
    opened.more = {"LANYARD_PUSH_STAND_IN": service.address}
    opened.start()
    yield opened
    opened.stop()


@pytest.fixture
def rung(driver: Playwright, tmp_path: Path, service: GoogleToo, lock_screen: LockScreen) -> Iterator[Callable[[str], BrowserContext]]:
    """A browser of an engine that may notify, and is rung by that service."""
    opened: list[BrowserContext] = []
    environment: dict[str, Any] = os.environ | {"DBUS_SESSION_BUS_ADDRESS": lock_screen.address}

    def launch(engine: str) -> BrowserContext:
        if missing := lacking(engine):
            pytest.skip(f"Nothing was proved in {engine}: {missing}")
        if not glob(NEEDS["libnotify4"]) and engine == "firefox":
            pytest.skip(f"Nothing was proved in {engine}: apt-get install --no-install-recommends libnotify4")
        profile = str(tmp_path / engine)
        if engine == "chromium":
            context = driver.chromium.launch_persistent_context(
                profile, executable_path=CHROMIUM, args=QUIET + service.switches, env=environment, **PHONE
            )
        else:
            settings = RUNG_FIREFOX | {"dom.push.serverURL": f"ws://127.0.0.1:{service.port}/"}
            context = driver.firefox.launch_persistent_context(
                profile, channel="moz-firefox", executable_path=FIREFOX, firefox_user_prefs=settings, env=environment, locale="en-GB"
            )
        opened.append(context)
        return context

    yield launch
    for context in opened:
        context.close()


def call_for_help(school: School, opens: str) -> str:
    return str(written(school, lambda tx: alert(tx, "northgate", "ben", "call.urgent", place="b12", opens=opens, topic=opens, ttl_s=300)))


def written(school: School, work: Callable[[Tx], Awaitable[Any]]) -> Any:
    async def write() -> None:
        await open_database(Settings(database=str(school.database)))
        try:
            answers.append(await writing(work))
        finally:
            await close_database()

    answers: list[Any] = []
    apart(write)
    return answers[0]


def keys_in_use(school: School) -> set[str]:
    """Under which phones are subscribed."""
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        return {row[0] for row in database.execute("select key from subscription where retired_at is null")}


def came(school: School, id: str) -> tuple[bool, bool, bool]:
    """Handed over, shown, opened."""
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        (row,) = database.execute("select handed_at, shown_at, opened_at from delivery where alert = ?", (id,)).fetchall()
    return row[0] is not None, row[1] is not None, row[2] is not None


def until(page: Page, known: Callable[[], bool]) -> None:
    for _ in range(600):
        if known():
            return
        page.wait_for_timeout(50)
    raise AssertionError("It did not come to that.")


@pytest.mark.parametrize("engine", ["chromium", "firefox"])
def test_a_phone_is_set_up_tested_rung_and_tapped(
    engine: str, rung: Callable[[str], BrowserContext], school: School, service: GoogleToo, lock_screen: LockScreen
) -> None:
    context = rung(engine)
    context.grant_permissions(["notifications"], origin=school.address)
    phone = Handset(context, school.address)
    phone.page.goto(school.address)
    phone.page.get_by_label("Your name at school").fill("ben")
    phone.page.get_by_label("Password").fill("three wet umbrellas")
    phone.tap("Sign in")
    phone.choose_pin()

    phone.tap("Turn alerts on")
    expect(phone.page.get_by_text("The school can ring this phone.")).to_be_visible()
    expect(phone.page.locator("#alerts")).to_contain_text(TESTED)
    lock_screen.see("Lanyard can ring this phone")
    phone.tap("Begin")
    expect(phone.title).to_have_text("Now")

    first = call_for_help(school, "/needs-you")
    lock_screen.tap("On-call: B12, urgent")
    expect(phone.title).to_have_text("Needs you")  # in the window that was there
    until(phone.page, lambda: came(school, first) == (True, True, True))
    until(phone.page, lambda: not lock_screen.lies_there("On-call: B12, urgent"))  # or it would be taken for the next

    before = keys_in_use(school)
    written(school, new_push_key)
    phone.reload()
    until(phone.page, lambda: keys_in_use(school) != before)  # at this open it has subscribed anew

    phone.page.goto("about:blank")
    second = call_for_help(school, "/this-phone")
    lock_screen.see("On-call: B12, urgent")
    until(phone.page, lambda: came(school, second) == (True, True, False))
    lock_screen.tap("On-call: B12, urgent")
    until(phone.page, lambda: any(page.url.endswith("/this-phone") for page in context.pages))
    phone.page = next(page for page in context.pages if page.url.endswith("/this-phone"))
    expect(phone.title).to_have_text("Locked")
    phone.unlock()
    expect(phone.title).to_have_text("This phone")
    expect(phone.page.locator("#alerts")).to_contain_text(TESTED)
    until(phone.page, lambda: came(school, second) == (True, True, True))
    assert all("ben" not in said.lower() and "price" not in said.lower() for said in lock_screen.there.ever)
    assert {status for _, status in service.asked} == {201}
