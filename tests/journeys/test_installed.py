"""As an app: it can be installed, opens with no school, and takes a new version only when nobody is writing."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect

from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.handset import Handset
from tests.journeys.school import DIST, School


@pytest.fixture
def own_browser(driver: Playwright, tmp_path: Path) -> Iterator[BrowserContext]:
    """Nobody can install from a private window."""
    context = driver.chromium.launch_persistent_context(str(tmp_path / "profile"), executable_path=CHROMIUM, args=QUIET, **PHONE)
    yield context
    context.close()


def test_nothing_stands_in_the_way_of_installing_it(own_browser: BrowserContext, school: School) -> None:
    phone = Handset(own_browser, school.address).open()
    phone.wait_until_kept()
    session = own_browser.new_cdp_session(phone.page)
    manifest = json.loads(session.send("Page.getAppManifest")["data"])
    assert session.send("Page.getAppManifest")["errors"] == []
    assert [shortcut["url"] for shortcut in manifest["shortcuts"]] == ["/new/incident", "/new/call_out", "/duty"]
    found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert found == []


def test_every_picture_that_the_manifest_names_is_there_and_as_large_as_it_says(phone: Handset, school: School) -> None:
    phone.open()
    manifest = json.loads((DIST / "manifest.webmanifest").read_text())
    pictures = manifest["icons"] + manifest["screenshots"] + [icon for shortcut in manifest["shortcuts"] for icon in shortcut["icons"]]
    for picture in pictures:
        size = phone.page.evaluate(
            SIZE_OF,
            picture["src"],
        )
        assert picture["sizes"] in (size, "any"), picture["src"]


SIZE_OF = """async (src) => {
    const image = new Image();
    image.src = src;
    await image.decode();
    return `${image.naturalWidth}x${image.naturalHeight}`;
}"""


def test_it_opens_anywhere_with_the_school_stopped(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    phone.wait_until_kept()
    school.stop()
    screens = {"/": "Now", "/records": "Records", "/new/incident": "Incident", "/people": "Find a pupil", "/this-phone": "This phone"}
    for path, title in screens.items():
        phone.open(path)
        expect(phone.title).to_have_text(title)


def test_a_new_version_waits_until_nobody_is_writing(new_phone: Callable[..., Handset], school: School, tmp_path: Path) -> None:
    newer = tmp_path / "dist"
    shutil.copytree(DIST, newer)
    school.stop()
    school.dist = newer
    school.start()
    phone = new_phone().open().sign_in("amira")
    phone.wait_until_kept()
    phone.open().tap("Incident")
    phone.choose("What happened?", "Fight")

    school.stop()
    worker = newer / "service-worker.js"
    worker.write_text(worker.read_text() + "\n// the next version\n")
    school.start()
    phone.page.evaluate("navigator.serviceWorker.getRegistration().then((one) => one.update())")
    banner = phone.page.get_by_role("region", name="Update")
    expect(banner).to_contain_text("A new version is ready.")
    banner.get_by_role("button", name="Update").click()
    expect(banner).to_contain_text("Save it first")
    phone.choose("Where?", "Yard")
    phone.save_as_it_is()
    phone.page.wait_for_function(NO_FORM_IS_OPEN)
    with phone.page.expect_event("load"):
        banner.get_by_role("button", name="Update").click()
    phone.unlock()
    expect(phone.title).to_have_text("Now")
    expect(banner).to_have_count(0)
    expect(phone.page.get_by_role("link", name="Fight, Yard")).to_be_visible()


NO_FORM_IS_OPEN = "() => navigator.locks.query().then(({ held }) => held.every(({ name }) => name !== 'lanyard form is open'))"


def test_the_first_load_is_small_and_the_whole_is_not_much_more() -> None:
    first, every = script_bytes()
    assert first <= 40_000
    assert every <= 100_000  # it was 80,000 until the screens for calls and visits came, which load when they are asked for


def script_bytes() -> tuple[int, int]:
    """Gzipped, as they travel: what the page asks for at once, and every screen."""
    import gzip
    import re

    page = (DIST / "index.html").read_text()
    sizes = {file.name: len(gzip.compress(file.read_bytes(), mtime=0)) for file in (DIST / "assets").glob("*.js")}
    at_once = set(re.findall(r"/assets/([\w.-]+\.js)", page))
    assert at_once
    return sum(sizes[name] for name in at_once), sum(sizes.values())


def test_no_colour_is_left_that_an_older_phone_cannot_read() -> None:
    sheet = "".join(file.read_text() for file in (DIST / "assets").glob("*.css"))
    assert "prefers-color-scheme" in sheet
    assert "light-dark(" not in sheet
    assert "color-mix(" not in sheet
