"""A phone that never finds signal again: what waits on it is saved into a file, the phone is destroyed, and the desk takes the file in."""

import sqlite3
from collections.abc import Iterator
from os import kill
from pathlib import Path
from signal import SIGKILL

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_nothing_is_lost import browser_of, wait_for_the_end_of
from tests.journeys.test_without_signal import authors_at, ready, write_an_incident
from tests.world import PASSWORD


@pytest.fixture
def desk(browser: Browser, school: School) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="Europe/London")
    yield context.new_page()
    context.close()


def test_a_saved_copy_brings_in_what_a_destroyed_phone_had_written(driver: Playwright, desk: Page, school: School, tmp_path: Path) -> None:
    file = save_and_destroy(driver, school, tmp_path)
    assert b"Marcus" not in file.read_bytes()
    assert b"fight" not in file.read_bytes()
    school.start()
    sign_in(desk, school)
    take_in(desk, file)
    expect(desk.get_by_text("Part of their records now")).to_be_visible()
    assert numbers_on(desk) == ["3", "0", "0"]
    assert authors_at(school) == ["amira"] * 3
    desk.goto(f"{school.address}/console/review")
    expect(desk.locator("a.row").filter(has_text="Fight")).to_have_count(3)
    # Again: nothing changes. And then the phone's twin, restored from a copy of its storage, sends the same three.
    take_in(desk, file)
    assert authors_at(school) == ["amira"] * 3
    twin = open_phone(driver, school, tmp_path / "twin")
    twin.open()
    twin.see_nothing_waiting()  # a browser that was killed may have kept its cookie or not
    assert authors_at(school) == ["amira"] * 3
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        assert database.execute("select count(*), sum(edits) from record").fetchone() == (3, 3)
        assert database.execute("select count(*) from edit where seq is null").fetchone() == (0,)
    twin.context.close()


def save_and_destroy(driver: Playwright, school: School, folder: Path) -> Path:
    phone = open_phone(driver, school, folder / "profile")
    ready(phone, "amira")
    school.stop()
    for _ in range(3):
        write_an_incident(phone)
    phone.open("/this-phone")
    with phone.page.expect_download() as saved:
        phone.tap("Save a copy")
    saved.value.save_as(file := folder / saved.value.suggested_filename)
    killed = browser_of(folder / "profile")
    kill(killed, SIGKILL)
    wait_for_the_end_of(killed)
    (folder / "profile").rename(folder / "twin")
    return file


def open_phone(driver: Playwright, school: School, profile: Path) -> Handset:
    for lock in profile.glob("Singleton*"):
        lock.unlink()
    return Handset(driver.chromium.launch_persistent_context(str(profile), executable_path=CHROMIUM, args=QUIET, **PHONE), school.address)


def sign_in(desk: Page, school: School) -> None:
    desk.goto(f"{school.address}/console/sign-in")
    desk.fill("#username", "carol")
    desk.fill("#password", PASSWORD)
    desk.keyboard.press("Enter")
    expect(desk.locator("h1")).to_have_text("Review")


def take_in(desk: Page, file: Path) -> None:
    desk.goto(f"{desk.url.partition('/console')[0]}/console/held")
    desk.get_by_role("link", name="Take in a copy that a phone saved").click()
    desk.get_by_label("The file").set_input_files(file)
    desk.get_by_role("button", name="Show what is in it").click()
    button = desk.get_by_role("button", name="Take it in")
    expect(button.or_(desk.get_by_text("Taken in"))).to_be_visible()
    if button.is_visible():
        expect(desk.get_by_text("All of it carries the signature of Amira Haddad’s phone.")).to_be_visible()
        button.click()
    expect(desk.get_by_text("Taken in")).to_be_visible()


def numbers_on(desk: Page) -> list[str]:
    return desk.locator("dl.facts dd").all_inner_texts()
