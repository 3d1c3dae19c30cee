"""What a person has typed survives whatever happens to the app, the tab, the signal or the person after them."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Playwright, Route, expect

from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.handset import Handset
from tests.journeys.school import School

WORDS = "He would not leave the stairwell, and I asked him twice."


def test_a_draft_is_there_after_the_browser_was_killed(driver: Playwright, school: School, tmp_path: Path) -> None:
    def opened() -> Handset:
        context = driver.chromium.launch_persistent_context(str(tmp_path / "profile"), executable_path=CHROMIUM, args=QUIET, **PHONE)
        return Handset(context, school.address)

    phone = opened().open().sign_in("amira")
    phone.tap("Incident")
    phone.name_somebody("mar", "Marcus Bell")
    phone.choose("What happened?", "Defiance")
    phone.page.get_by_label("Your account", exact=True).press_sequentially(WORDS)
    expect(phone.strip).to_contain_text("Draft on this phone")
    phone.wait_for_draft()
    killed = browser_of(tmp_path / "profile")
    os.kill(killed, signal.SIGKILL)
    wait_for_the_end_of(killed)

    phone = opened().open()
    phone.page.get_by_role("region", name="Not finished").get_by_role("link", name="Defiance").click()
    expect(phone.page.get_by_label("Your account", exact=True)).to_have_value(WORDS)
    expect(phone.page.get_by_text("Marcus Bell", exact=True)).to_be_visible()
    expect(phone.page.get_by_role("radio", name="Defiance")).to_be_checked()
    phone.choose("Where?", "Yard")
    phone.save()
    expect(phone.page.get_by_role("region", name="Not finished")).to_have_count(0)
    phone.context.close()


def test_a_record_that_arrives_never_disturbs_what_is_being_typed(new_phone: Callable[..., Handset], school: School) -> None:
    amira, carol = new_phone().open().sign_in("amira"), new_phone().open().sign_in("carol")
    write_an_incident(amira, "Fight")
    amira.send_now()
    carol.open("/records").page.get_by_role("link", name="Fight").click()
    carol.tap("Add my account")
    account = carol.page.get_by_label("Your account", exact=True)
    account.press_sequentially(WORDS[:20])

    amira.open("/records").page.get_by_role("link", name="Fight").click()
    amira.tap("Correct: What happened?")
    amira.choose("What happened?", "Damage")
    amira.save()
    with carol.page.expect_response(lambda answer: answer.url.endswith("/api/sync") and "damage" in answer.text()):
        amira.send_now()
        carol.page.evaluate("dispatchEvent(new Event('online'))")

    expect(account).to_be_focused()
    account.press_sequentially(WORDS[20:])
    expect(account).to_have_value(WORDS)


# The ten seconds of Undo are as long as a busy machine needs.
NO_TIME_PASSES = "(() => { const began = Date.now(); Date.now = () => began; performance.now = () => 0; })()"


def test_undo_takes_back_what_was_saved_and_gives_the_draft_again(phone: Handset, school: School) -> None:
    phone.page.add_init_script(NO_TIME_PASSES)
    phone.open().sign_in("amira")
    write_an_incident(phone, "Truancy")
    phone.page.get_by_role("button", name=re.compile("^Undo")).click()
    expect(phone.page.get_by_role("radio", name="Truancy")).to_be_checked()
    expect(phone.strip).to_contain_text("Draft on this phone")
    phone.open("/records")
    expect(phone.page.get_by_text("Nothing here yet")).to_be_visible()


def test_the_next_person_sees_nothing_of_the_one_before_and_both_are_sent(new_phone: Callable[..., Handset], school: School) -> None:
    phone = new_phone().open().sign_in("amira")
    phone.wait_until_kept()
    phone.context.set_offline(True)
    write_an_incident(phone, "Bullying")
    phone.open().tap("Incident")
    phone.write("Your account", "Only Amira may see this draft.")
    phone.wait_for_draft()
    phone.open("/this-phone").tap("Sign out")
    expect(phone.title).to_have_text("Sign in to Lanyard")

    # Her outbox would go by itself; this once it is kept back, so that it is still here when the next person looks.
    phone.context.route("**/api/intake", lambda route: route.abort())
    phone.context.set_offline(False)
    phone.sign_in("ben")
    for path, shown in {"/": "Call for help", "/records": "Nothing here yet", "/this-phone": "Signed in as Ben Price"}.items():
        phone.open(path)
        expect(phone.page.get_by_text(shown)).to_be_visible()
        expect(phone.page.get_by_text(re.compile("Bullying|Only Amira|Amira"))).to_have_count(0)
    phone.context.unroute("**/api/intake")
    phone.send_now()
    write_an_incident(phone, "Damage")
    phone.send_now()

    desk = new_phone().open().sign_in("carol").open("/records")
    rows = desk.page.get_by_role("list", name="Records").get_by_role("listitem")
    expect(rows.filter(has_text="Bullying")).to_have_count(1)
    expect(rows.filter(has_text="Damage")).to_have_count(1)

    phone.open("/this-phone").tap("Sign out")
    expect(phone.title).to_have_text("Sign in to Lanyard")
    phone.sign_in("amira")
    expect(phone.page.get_by_role("region", name="Not finished").get_by_role("link")).to_have_count(1)


def test_a_network_that_answers_for_the_school_is_not_believed(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    page = "<!doctype html><title>Welcome to Hotel Wi-Fi</title><h1>Sign in to our network</h1>"

    def portal(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html", body=page)

    phone.context.route("**/api/**", portal)
    write_an_incident(phone, "Fight")
    phone.open("/this-phone").tap("Try now")
    expect(phone.strip).to_contain_text("1 saved on this phone, not sent")
    expect(phone.strip).to_contain_text("This network answers instead of the school.")
    phone.context.unroute("**/api/**")
    phone.send_now()
    phone.see_it_all_sent()


def test_whoever_is_no_longer_signed_in_goes_on_writing_and_it_is_sent(new_phone: Callable[..., Handset], school: School) -> None:
    phone = new_phone().open().sign_in("amira")
    phone.context.clear_cookies()
    write_an_incident(phone, "Fight")
    phone.open("/this-phone").tap("Try now")
    expect(phone.strip).to_contain_text("Not signed in")
    expect(phone.page.get_by_text("Nothing is waiting.")).to_be_visible()
    desk = new_phone().open().sign_in("carol").open("/records")
    expect(desk.page.get_by_role("link", name="Fight, Yard")).to_be_visible()

    phone.page.get_by_role("link", name="Sign in again").click()
    phone.sign_in("amira")
    phone.see_it_all_sent()


def write_an_incident(phone: Handset, category: str) -> None:
    phone.open().tap("Incident")
    phone.name_somebody("mar", "Marcus Bell")
    phone.choose("What happened?", category)
    phone.choose("Where?", "Yard")
    phone.save()


def browser_of(profile: Path) -> int:
    """The process that this test started: the one whose command line names its profile, and is nobody's child browser."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and process.name != str(os.getpid()):
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if f"--user-data-dir={profile}" in words and "--type=" not in words:
                return int(process.name)
    raise RuntimeError("No browser has that profile")


def wait_for_the_end_of(process: int) -> None:
    with contextlib.suppress(OSError):  # nothing is left of it
        while "Z" not in Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1]:
            time.sleep(0.01)
