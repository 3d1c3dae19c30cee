"""When things run out or break: room, storage, its answers, tabs and clocks. What was typed stays, and what is said is so."""

import json
import re
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, Route, expect

from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_without_signal import authors_at, ready, wait_until, write_an_incident

SMALL = 2_000_000  # bytes for everything that a phone keeps
WORDS = "He would not leave the stairwell, and I asked him twice."


def test_with_no_room_left_that_is_said_and_the_words_stay_on_the_screen(phone: Handset, school: School) -> None:
    devtools = phone.context.new_cdp_session(phone.page)
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": school.address, "quotaSize": SMALL})
    ready(phone, "amira")
    phone.open("/new/incident")
    phone.page.get_by_text("Fight", exact=True).click()
    account = phone.page.get_by_label("Your account", exact=True)
    why = phone.page.locator("#form [role=alert]")
    account.fill(typed := WORDS * 13_000)  # twice that is more than there is room for
    expect(why).to_contain_text("Not saved yet. This phone has no room left. What you typed is still here. Delete a few photos")
    expect(account).to_have_value(typed)
    assert phone.page.locator("#form[data-kept]").count() == 0

    devtools.send("Storage.overrideQuotaForOrigin", {"origin": school.address})
    account.fill(WORDS)
    phone.wait_for_draft()
    expect(why).to_have_count(0)
    phone.save_as_it_is()
    phone.see_it_all_sent()
    assert authors_at(school) == ["amira"]


SWALLOW = """for (const one of [IDBRequest, IDBTransaction]) {
    const listen = one.prototype.addEventListener;
    one.prototype.addEventListener = function (...given) { if (!window.isSilent) listen.apply(this, given); };
}"""


def test_storage_that_never_calls_back_is_said_and_what_it_kept_is_not_doubled(phone: Handset, school: School) -> None:
    phone.page.add_init_script(SWALLOW)
    ready(phone, "amira")
    phone.open("/new/incident")
    phone.page.get_by_text("Fight", exact=True).click()
    phone.page.get_by_text("Yard", exact=True).click()
    phone.write("Your account", WORDS)
    phone.wait_for_draft()
    phone.page.evaluate("window.isSilent = true")
    phone.page.get_by_role("button", name="Save", exact=True).click()
    phone.page.get_by_role("button", name="Save it as it is, and finish later").click()
    expect(phone.page.get_by_text("Not saved yet. This phone’s storage has not answered yet.")).to_be_visible()
    expect(phone.page.get_by_label("Your account", exact=True)).to_have_value(WORDS)
    phone.page.evaluate("window.isSilent = false")
    phone.see_it_saved()
    phone.see_it_all_sent()
    assert authors_at(school) == ["amira"]


def test_what_the_browser_threw_away_is_told_at_the_next_start_to_its_author_and_at_the_desk(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    write_an_incident(phone)
    phone.see_it_all_sent()
    school.stop()
    for _ in range(2):
        write_an_incident(phone)
    expect(phone.strip).to_contain_text("2 saved on this phone, not sent")  # by then it is noted, too
    phone.page.goto("about:blank")
    devtools = phone.context.new_cdp_session(phone.page)
    evicted = {"origin": school.address, "storageTypes": "indexeddb,cache_storage,service_workers,file_systems"}
    devtools.send("Storage.clearDataForOrigin", evicted)
    school.start()

    phone.page.goto(school.address)
    expect(phone.page.get_by_text("2 records written today had not been sent when this phone last looked.")).to_be_visible()
    phone.sign_in("amira")
    missed = phone.page.get_by_role("region", name="Not received")
    expect(missed).to_contain_text("2 records written here today were not received.")
    phone.open("/records")
    missed.get_by_role("button", name="I know").click()
    expect(missed).to_have_count(0)
    phone.reload()
    expect(missed).to_have_count(0)
    write_an_incident(phone)
    phone.see_it_all_sent()
    assert authors_at(school) == ["amira", "amira"]
    assert lost_at(school) == [[[2, 3]]]


def lost_at(school: School) -> list[list[list[int]]]:
    """The numbers that the desk is told of, by phone."""
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        return [json.loads(lost) for (lost,) in database.execute("select lost from phone where lost <> '[]'")]


def test_a_copy_is_saved_from_the_locked_screen_and_says_nothing_in_the_clear(phone: Handset, school: School, tmp_path: Path) -> None:
    ready(phone, "amira")
    school.stop()
    write_an_incident(phone)
    phone.open("/new/incident").write("Your account", WORDS)
    phone.wait_for_draft()
    phone.tap("Lock now")
    expect(phone.title).to_have_text("Locked")
    expect(phone.page.get_by_text("1 draft is not finished: closed with your PIN, and still here.")).to_be_visible()
    with phone.page.expect_download() as saved:
        phone.tap("Save a copy")
    text = Path(saved.value.path()).read_text()
    copy = json.loads(text)
    assert [copy["lanyard"], copy["school"], copy["staff"], copy["edits"]] == ["waiting edits", "northgate", "amira", []]
    assert [one["what"] for one in copy["sealed"]] == ["edit", "draft"]
    assert not re.search("stairwell|Marcus|fight", text)


def test_five_tabs_show_the_same_and_when_the_one_that_sends_is_closed_another_does(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    tabs = [phone.page, *(opened(phone) for _ in range(4))]
    phone.page = tabs[0]
    asked: list[Route] = []
    phone.context.route(re.compile("/api/(sync|intake)$"), lambda route: asked.append(route))  # whoever sends is left waiting
    write_an_incident(phone)
    for tab in tabs:
        expect(tab.locator(".strip")).to_contain_text(re.compile("1 saved on this phone, not sent|Sending 1 of 1"))
    wait_until(lambda: len(asked) > 0, phone.page)
    sending = asked[0].request.frame.page
    phone.context.unroute(re.compile("/api/(sync|intake)$"))
    sending.close()
    left = [tab for tab in tabs if tab is not sending]
    left[0].evaluate("dispatchEvent(new Event('online'))")
    for tab in left:
        expect(tab.locator(".strip")).to_contain_text(re.compile("^Sent .+, the school has it"))
    assert authors_at(school) == ["amira"]


def opened(phone: Handset) -> Page:
    tab = phone.new_tab()
    phone.open()
    return tab


def test_a_call_for_help_with_no_signal_is_never_said_to_be_on_its_way(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    phone.context.set_offline(True)
    phone.tap("Call for help")
    phone.choose("Where?", "B12")
    phone.page.evaluate(LISTEN)
    phone.tap("Send the call for help")
    expect(phone.page.get_by_role("heading", name="NOT SENT")).to_be_visible()
    assert [words for words in phone.page.evaluate("window.shown") if "Sending" in words] == []


LISTEN = """() => {
    window.shown = [];
    const noted = new MutationObserver(() => window.shown.push(document.body.innerText));
    noted.observe(document.body, {childList: true, characterData: true, subtree: true});
}"""


@pytest.mark.soak
@pytest.mark.parametrize("years", [10, -10])
def test_a_clock_that_jumps_ten_years_makes_nothing_unsendable_and_puts_nothing_before_what_was_seen(
    phone: Handset, school: School, years: int
) -> None:
    ready(phone, "amira")
    write_an_incident(phone)
    phone.see_it_all_sent()
    phone.page.clock.install(time=datetime.now(UTC) + timedelta(days=365 * years))
    phone.reload()
    phone.open("/records").page.get_by_role("link", name="Fight").click()
    phone.tap("Correct: What happened?")
    phone.choose("What happened?", "Damage")
    phone.save()
    phone.send_now()
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        rows = database.execute("select ordered_at, received_at from edit where seq is not null order by seq").fetchall()
        (body,) = database.execute("select body from record where kind = 'incident'").fetchone()
    assert len(rows) == 2
    assert rows[0][0] < rows[1][0] <= rows[1][1]
    assert json.loads(body)["category"] == "damage"


@pytest.mark.soak
def test_a_phone_copied_to_another_handset_goes_on_as_two_and_loses_nothing(driver: Playwright, school: School, tmp_path: Path) -> None:
    def handset(profile: str) -> Handset:
        context = driver.chromium.launch_persistent_context(str(tmp_path / profile), executable_path=CHROMIUM, args=QUIET, **PHONE)
        return Handset(context, school.address)

    first = handset("one")
    ready(first, "amira")
    first.context.set_offline(True)
    write_an_incident(first)
    first.context.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("Singleton*"))
    for profile in ("one", "two"):
        phone = handset(profile).open()
        write_an_incident(phone)
        phone.send_now()
        phone.see_it_all_sent()
        phone.context.close()
    assert authors_at(school) == ["amira"] * 3
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        numbers = database.execute("select phone, number from edit where author = 'amira'").fetchall()
    assert len(numbers) == 3
