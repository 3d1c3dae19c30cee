"""The desk in a real browser, with its own policy on: read by keyboard alone, kept up to date in place, and nothing typed is lost."""

import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Page, async_playwright, expect

from server.console.hand_off import key_of
from server.settings import Settings
from server.store.database import reading, writing
from tests.desk import phone_sends, put
from tests.serving import serving
from tests.visitor import no_phone_app
from tests.world import ADA, AMIRA, CAROL, DEE, HANA, OLU, PASSWORD, Me

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 30_000  # a busy machine is no failure
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"]

expect.set_options(timeout=PATIENCE_MS)

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
    await expect(desk.locator("a.row")).to_have_count(32)
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
    await expect(desk).to_have_url(re.compile(r"/console/review\?kind=sweep$"))
    await desk.go_back()
    await desk.click(f'[id="row-{record}"]')
    await expect(desk.locator("#reading h1")).to_have_text("Fight, Yard, 08:20")
    await expect(desk).to_have_url(re.compile(f"on={record}$"))
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


# ── For everybody ──────────────────────────────────────────────────────────────────────────

OF_EVERYBODY = (
    "/console/review", "/console/review?show=all", "/console/pupils", "/console/pupils?q=zoe", "/console/pupil/zoe", "/console/held",
    "/console/own",
)  # fmt: skip
OF_CAROL = (
    "/console/patterns", "/console/lists", "/console/lists/places", "/console/year", "/console/people", "/console/people/amira",
    "/console/alerts", "/console/oncall", "/console/oncall/rota", "/console/visits", "/console/sweeps", "/console/morning",
)  # fmt: skip
OF_DEE = ("/console/pupil/zoe/looked", "/console/pupil/zoe/warnings", "/console/looked", "/console/openings")
OF_HANA = ("/console/pupil/conor/emergency",)
OF_ADA = (
    "/console/people",
    "/console/people/amira",
    "/console/year",
    "/console/pupil/zoe/warnings",
    "/console/safety",
    "/console/openings",
)


async def comes_in_as(desk: Page, me: Me) -> None:
    await desk.context.clear_cookies()
    await desk.goto("/console/sign-in")
    await assert_sound(desk)
    await desk.fill("#username", me.staff)
    await desk.fill("#password", PASSWORD)
    await desk.keyboard.press("Enter")
    await expect(desk.locator("h1")).to_have_text("Review")


async def assert_sound(desk: Page, rules: Sequence[str] = ()) -> None:
    """To all rules, or to those that can give another answer than before."""
    await expect(desk.locator("main")).not_to_be_empty()
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = (await Axe().run(desk, options=options)).response["violations"]
    bad = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found if one["impact"] in ("serious", "critical")]
    assert bad == [], desk.url


async def a_school_day() -> tuple[str, ...]:
    """Something for every page to show: a dispute, accounts, something held. Answers the pages of them."""
    record, disputed = await incident(1, hurt="yes"), await incident(2)
    await phone_sends(HANA, "incident", {"category": "damage", "account": "I came later."}, record=disputed)
    await phone_sends(AMIRA, "incident", {"place": "moon"})
    row = await reading(lambda tx: tx.row("select id from edit where outcome = 'held'"))
    assert row is not None
    sweep = await phone_sends(OLU, "sweep", {"area": "town_centre"})
    seen = await phone_sends(
        OLU,
        "sighting",
        {"sweep": sweep, "whose": "other_school", "said_name": "Marcus Bel", "said_school": "Kingfisher", "where": "arcade"},
    )
    of_records = [
        f"/console/sweeps/{sweep}",
        f"/console/sweeps/{sweep}/hand-off/{key_of('kingfisher')}",
        f"/console/sightings/{seen}/match",
        f"/console/record/{disputed}",
        f"/console/record/{record}/change",
        f"/console/record/{record}/close",
        "/console/new/incident",
    ]
    return (*(f"/console/review?on={on}" for on in (record, disputed)), *of_records, f"/console/held?edit={row['id']}")


@pytest.mark.parametrize("look", ["light", "dark"])
async def test_axe_finds_nothing_serious_on_any_page(desk: Page, look: Literal["light", "dark"]) -> None:
    pages = await a_school_day()
    await desk.emulate_media(color_scheme=look)
    for me, paths in ((CAROL, (*OF_EVERYBODY, *OF_CAROL, *pages)), (DEE, OF_DEE), (ADA, OF_ADA), (HANA, OF_HANA)):
        await comes_in_as(desk, me)
        for path in paths:
            await desk.goto(path)
            await assert_sound(desk, () if look == "light" else ["color-contrast"])


async def test_nothing_is_wider_than_the_smallest_screen(desk: Page) -> None:
    pages = await a_school_day()
    await desk.set_viewport_size({"width": 320, "height": 640})
    for me, paths in ((CAROL, (*OF_EVERYBODY, *OF_CAROL, *pages)), (DEE, OF_DEE), (ADA, OF_ADA), (HANA, OF_HANA)):
        await comes_in_as(desk, me)
        for path in paths:
            await desk.goto(path)
            assert await desk.evaluate("document.documentElement.scrollWidth") <= 320, path


async def test_whatever_can_be_pressed_is_reached_by_tab_and_can_be_seen(desk: Page) -> None:
    for path in (*OF_EVERYBODY, *OF_CAROL, *await a_school_day()):
        await desk.goto(path)
        await desk.evaluate("document.querySelector('.skip').focus()")
        reached = {await desk.evaluate(HERE)}
        for _ in range(400):
            await desk.keyboard.press("Tab")
            at = await desk.evaluate(HERE)
            if at is None:
                break
            reached.add(at)
        missed = set(await desk.evaluate(ALL)) - reached
        assert missed == set(), path


NAME = "(one) => one.outerHTML.slice(0, 120)"
HERE = f"""() => {{ const name = {NAME}, here = document.activeElement;
  if (here === document.body) return null;
  const box = here.getBoundingClientRect();
  if (here.matches(":focus-visible") && getComputedStyle(here).outlineStyle === "none") throw new Error("no ring: " + name(here));
  if (box.bottom < 0 || box.top > innerHeight) throw new Error("out of sight: " + name(here));
  return name(here); }}"""
ALL = f"""() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((one) => one.checkVisibility({{ visibilityProperty: true }}) && one.tabIndex >= 0 && !one.matches("[type=radio]")).map({NAME})"""


async def test_all_are_marked_as_read_and_back_again(desk: Page) -> None:
    await a_school_day()
    await desk.goto("/console/review")
    rows = desk.locator("a.row")
    await expect(rows).to_have_count(5)
    await desk.click("text=Mark all as read")
    await expect(desk.locator("#toast")).to_contain_text("3 records marked as read.")
    await expect(rows).to_have_count(2)
    await desk.locator("#toast button", has_text="Undo").click()
    await expect(rows).to_have_count(5)


async def test_a_word_offers_to_be_renamed_once_it_is_changed(desk: Page) -> None:
    await desk.goto("/console/lists/places")
    rename = desk.locator("text=Rename").first
    await expect(rename).to_be_hidden()
    await desk.fill("#label-yard", "The yard")
    await expect(desk.locator("button:visible", has_text="Rename")).to_have_count(1)
    await desk.keyboard.press("Enter")
    await expect(desk.locator("#toast")).to_contain_text("Changed.")
    await expect(desk.locator("#label-yard")).to_have_value("The yard")


async def test_a_passkey_is_made_shown_and_removed_at_the_desk(desk: Page) -> None:
    device = await desk.context.new_cdp_session(desk)
    await device.send("WebAuthn.enable")
    lock = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    there = await device.send("WebAuthn.addVirtualAuthenticator", {"options": {"protocol": "ctap2", "transport": "internal", **lock}})
    review = desk.locator("h1", has_text="Review")

    async def sign_out() -> None:
        await desk.locator("details.me summary").click()
        await desk.get_by_role("button", name="Sign out").click()
        await expect(desk.locator("h1")).to_have_text("Sign in to the desk")

    async def give_password() -> None:
        await desk.get_by_label("Your name at school").fill(CAROL.staff)
        await desk.get_by_label("Password").fill(PASSWORD)
        await desk.keyboard.press("Enter")

    await desk.goto("/console/own")
    await desk.get_by_label("What to call it").fill("Office computer")
    await desk.locator("#password-new").fill("not mine")
    await desk.get_by_role("button", name="Add a passkey").click()
    await expect(desk.locator("#not-added")).to_contain_text("That is not your password.")
    await desk.locator("#password-new").fill(PASSWORD)
    await desk.get_by_role("button", name="Add a passkey").click()
    await expect(desk.locator("#passkeys")).to_contain_text("Office computer")

    await sign_out()
    await desk.get_by_role("button", name="Use a passkey").click()
    await expect(review).to_be_visible()

    await sign_out()
    await give_password()
    await expect(desk.locator("h1")).to_have_text("One more step")
    await assert_sound(desk)
    await desk.goto("/console/review")
    await expect(desk.locator("h1")).to_have_text("Sign in to the desk")  # the password alone opened nothing
    await give_password()
    await device.send("WebAuthn.setUserVerified", {"authenticatorId": there["authenticatorId"], "isUserVerified": False})
    await desk.get_by_role("button", name="Show my passkey").click()
    await expect(desk.locator("#not-shown")).to_contain_text("No passkey was shown.")
    await device.send("WebAuthn.setUserVerified", {"authenticatorId": there["authenticatorId"], "isUserVerified": True})
    await desk.get_by_role("button", name="Show my passkey").click()
    await expect(review).to_be_visible()

    await desk.goto("/console/own")
    await desk.locator("summary", has_text="Remove").click()
    await desk.locator("#password-remove1").fill(PASSWORD)
    await desk.get_by_role("button", name="Remove it").click()
    await expect(desk.locator("#passkeys")).not_to_contain_text("Office computer")
    await sign_out()
    await give_password()
    await expect(review).to_be_visible()
