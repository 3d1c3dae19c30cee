"""The desk in a real browser, with its own policy on: read by keyboard alone, kept up to date in place, and nothing typed is lost."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from server.settings import Settings
from server.store.database import writing
from tests.desk import phone_sends, put
from tests.serving import serving
from tests.visitor import no_phone_app
from tests.world import AMIRA, CAROL, HANA, PASSWORD

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"]

pytestmark = pytest.mark.journey


@pytest.fixture
def databases(databases: Any) -> Any:
    """One engine will do: what is tried here runs in the browser."""
    if type(databases).__name__ != "SQLiteFiles":
        pytest.skip("the browser does not know which database there is")
    return databases


@pytest.fixture(autouse=True)
def chromium() -> None:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"This needs Chromium at {CHROMIUM}: apt-get install chromium", pytrace=False)


@pytest.fixture
async def desk(world: Settings, tmp_path: Path) -> AsyncIterator[Page]:
    """Carol at her desk. At the end, the browser has refused and complained of nothing."""
    with serving(no_phone_app(world), tmp_path / "log") as server:
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            page = await browser.new_page(base_url=server.address, locale="en-GB", timezone_id="Europe/London")
            complaints: list[str] = []
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" and "401" not in said.text else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto("/console/sign-in")
            await page.fill("#username", CAROL.staff)
            await page.fill("#password", PASSWORD)
            await page.keyboard.press("Enter")
            await expect(page.locator("h1")).to_have_text("Review")
            yield page
            await browser.close()
            assert complaints == []


async def incident(minute: int, **more: Any) -> str:
    at = f"2026-11-16T08:{minute:02}:00.000Z"
    said = {"category": "fight", "place": "yard", "happened_at": at, "pupils": put(zoe="harmed"), "account": f"At {minute} past."}
    return await phone_sends(AMIRA, "incident", said | more)


async def test_a_morning_is_read_by_keyboard_alone(desk: Page) -> None:
    for minute in (3, 2, 1):
        await incident(minute)
    await desk.reload()
    current, reading = desk.locator("a.row[aria-current]"), desk.locator("#reading h1")
    await desk.keyboard.press("j")
    await expect(reading).to_have_text("Fight, Yard, 08:03")
    await desk.keyboard.press("j")
    await expect(reading).to_have_text("Fight, Yard, 08:02")
    await desk.keyboard.press("k")
    await expect(reading).to_have_text("Fight, Yard, 08:03")
    await expect(current).to_have_count(1)
    await desk.keyboard.press("e")
    await expect(reading).to_have_text("Fight, Yard, 08:02")  # the next one, and the first is read
    await expect(desk.locator("#toast")).to_contain_text("Read.")
    await expect(desk.locator("a.row")).to_have_count(2)
    await desk.locator("#toast button", has_text="Undo").click()
    await expect(desk.locator("a.row")).to_have_count(3)
    await desk.keyboard.press("?")
    await expect(desk.locator("#keys")).to_be_visible()
    await desk.keyboard.press("Escape")
    await desk.keyboard.press("/")
    await desk.keyboard.type("jk?e")
    await expect(desk.locator("#find")).to_have_value("jk?e")


async def test_a_dispute_is_decided_by_keyboard(desk: Page) -> None:
    record = await incident(5)
    await phone_sends(HANA, "incident", {"category": "damage"}, record=record)
    await desk.reload()
    await desk.keyboard.press("j")
    await expect(desk.locator(".dispute h2")).to_have_text("Two answers: what happened?")
    await desk.keyboard.press("2")
    await expect(desk.locator(".side .button").nth(1)).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(desk.locator("#toast")).to_contain_text("Decided.")
    await expect(desk.locator(".dispute")).to_have_count(0)


async def test_what_comes_in_appears_without_moving_what_is_read_or_typed(desk: Page) -> None:
    first = await incident(9)
    for minute in range(10, 40):
        await incident(minute)
    await desk.goto(f"/console/review?on={first}")
    await expect(desk.locator("a.row")).to_have_count(31)
    here = desk.locator(f'[id="row-{first}"]')
    await here.scroll_into_view_if_needed()
    before = await here.bounding_box()
    await desk.fill("#find", "half a na")
    await desk.evaluate("window.same = document.querySelector('#reading h1')")
    await phone_sends(HANA, "incident", {"place": "gate", "happened_at": "2026-11-16T08:50:00Z", "severity": "danger"})
    await expect(desk.locator("a.row")).to_have_count(32, timeout=15_000)
    after = await here.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 2
    await expect(here).to_have_attribute("aria-current", "true")
    await expect(desk.locator("#find")).to_have_value("half a na")
    assert await desk.evaluate("window.same === document.querySelector('#reading h1')")


async def test_a_record_that_changes_while_it_is_open_says_so_and_waits(desk: Page) -> None:
    record = await incident(12)
    await desk.goto(f"/console/review?on={record}")
    await expect(desk.locator("#moved")).to_be_hidden()
    await phone_sends(HANA, "incident", {"account": "I came later."}, record=record)
    await expect(desk.locator("#moved")).to_be_visible(timeout=15_000)
    await expect(desk.locator("#reading")).not_to_contain_text("I came later.")
    await desk.click("#moved a")
    await expect(desk.locator("#reading")).to_contain_text("I came later.")


async def test_filters_answer_as_they_are_chosen_and_back_goes_back(desk: Page) -> None:
    record = await incident(20)
    await desk.reload()
    await desk.select_option("[name=kind]", "sweep")
    await expect(desk.locator("#rows")).to_contain_text("Nothing here fits")
    assert desk.url.endswith("/console/review?kind=sweep")
    await desk.go_back()
    await desk.click(f'[id="row-{record}"]')
    await expect(desk.locator("#reading h1")).to_have_text("Fight, Yard, 08:20")
    assert desk.url.endswith(f"on={record}")
    await desk.go_back()
    await expect(desk.locator("#reading .empty h2")).to_contain_text("to read")


async def test_what_was_typed_outlives_a_session_that_ran_out(desk: Page) -> None:
    record = await incident(30)
    await desk.goto(f"/console/record/{record}/change")
    await desk.fill("#f-others", "Two boys, about Year 8")
    await writing(lambda tx: tx.run("delete from session where staff = 'carol'"))
    await desk.click("text=Write it")
    await expect(desk.locator("h1")).to_have_text("Please sign in.")
    await desk.click("a.button.main")
    await desk.fill("#username", CAROL.staff)
    await desk.fill("#password", PASSWORD)
    await desk.keyboard.press("Enter")
    await expect(desk.locator("#back")).to_be_visible()
    await expect(desk.locator("#f-others")).to_have_value("Two boys, about Year 8")
    await desk.click("text=Write it")
    await expect(desk.locator("#toast")).to_contain_text("Written, with your name on it.")
    await desk.goto(f"/console/record/{record}/change")
    await expect(desk.locator("#back")).to_be_hidden()
