"""Real browsers against a real server: what these journeys stand on. Nothing waits a fixed time; everything waits for what it expects."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.journeys.handset import SIZE, Handset
from tests.journeys.school import DIST, School, fill

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
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",  # nothing leaves this machine
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


@pytest.fixture(scope="package")
def driver() -> Iterator[Playwright]:
    """Not for the whole session: while it is open it keeps a loop running, in which no other test could run its own."""
    if not (DIST / "index.html").exists():
        pytest.fail("The phone's app is not built: run `npm --prefix pwa ci && npm --prefix pwa run build`, or `make test`.", pytrace=False)
    if not Path(CHROMIUM).exists():
        pytest.fail(f"These journeys need Chromium at {CHROMIUM}: apt-get install chromium", pytrace=False)
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(driver: Playwright) -> Iterator[Browser]:
    opened = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield opened
    opened.close()


@pytest.fixture(scope="package")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("filled") / "school.db")


@pytest.fixture
def school(tmp_path: Path, filled: Path) -> Iterator[School]:
    opened = School(tmp_path, filled)
    opened.start()
    yield opened
    opened.stop(signal.SIGKILL)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def new_phone(browser: Browser, school: School, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Handset]]:
    """Phones of this school. At the end, no page of theirs has complained of anything."""
    contexts: list[BrowserContext] = []
    phones: list[Handset] = []

    def unpack(**more: Any) -> Handset:
        contexts.append(browser.new_context(**(PHONE | more)))
        phones.append(Handset(contexts[-1], school.address))
        return phones[-1]

    yield unpack
    if request.node.stash.get(FAILED, False):
        for number, phone in enumerate(phones, 1):
            phone.page.screenshot(path=tmp_path / f"phone-{number}.png")
            print(f"Phone {number} was at {phone.page.url} and looked like {tmp_path}/phone-{number}.png")
    for context in contexts:
        context.close()
    assert [complaint for phone in phones for complaint in phone.complaints] == []


@pytest.fixture
def phone(new_phone: Callable[..., Handset]) -> Handset:
    return new_phone()
