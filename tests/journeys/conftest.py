"""Real browsers against a real server: what these journeys stand on. Nothing waits a fixed time; everything waits for what it expects."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.journeys.handset import SIZE, Handset
from tests.journeys.school import DIST, School

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",  # nothing leaves this machine
]
PHONE: dict[str, Any] = {
    "viewport": SIZE,
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
    "locale": "en-GB",
    "timezone_id": "Europe/London",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and "school" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.journey)


@pytest.fixture(scope="session")
def driver() -> Iterator[Playwright]:
    if not (DIST / "index.html").exists():
        pytest.fail("The phone's app is not built: run `npm --prefix pwa ci && npm --prefix pwa run build`, or `make test`.", pytrace=False)
    if not Path(CHROMIUM).exists():
        pytest.fail(f"These journeys need Chromium at {CHROMIUM}: apt-get install chromium", pytrace=False)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(driver: Playwright) -> Iterator[Browser]:
    opened = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield opened
    opened.close()


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    opened = School(tmp_path).open()
    yield opened
    opened.stop()


@pytest.fixture
def new_phone(browser: Browser, school: School) -> Iterator[Callable[..., Handset]]:
    """Phones of this school. At the end, no page of theirs has complained of anything."""
    contexts: list[BrowserContext] = []
    phones: list[Handset] = []

    def unpack(**more: Any) -> Handset:
        contexts.append(browser.new_context(**(PHONE | more)))
        phones.append(Handset(contexts[-1], school.address))
        return phones[-1]

    yield unpack
    for context in contexts:
        context.close()
    assert [complaint for phone in phones for complaint in phone.complaints] == []


@pytest.fixture
def phone(new_phone: Callable[..., Handset]) -> Handset:
    return new_phone()
