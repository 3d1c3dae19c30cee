"""With the school away, the app goes on, and what was written arrives once; in a real browser, with the worker and storage of its own."""

import base64
import gzip
import json
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.journeys.handset import Handset
from tests.journeys.school import DIST, School

CONTROLLED = "navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)"
CACHES = "caches.keys()"


def test_the_app_starts_and_writes_with_the_server_killed_and_sends_once(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop(signal.SIGKILL)
    write_an_incident(phone)
    phone.reload()
    expect(phone.strip).to_contain_text("1 saved on this phone, not sent")
    tab = phone.new_tab()
    phone.open("/records")
    expect(tab.get_by_role("link", name="Fight, Yard")).to_contain_text("Not sent")
    school.start()
    tab.get_by_role("heading", name="Records").first.click()  # any tap ends the longer pauses
    phone.see_it_all_sent()
    assert authors_at(school) == ["amira"]


def test_an_answer_lost_on_the_way_is_asked_for_again_and_counted_once(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    lost: list[int] = []

    def lose(route: Route) -> None:
        if lost or not letter_in(route.request)["edits"]:
            route.continue_()
        else:
            lost.append(route.fetch().status)
            route.abort()

    phone.context.route("**/api/sync", lose)
    write_an_incident(phone)
    phone.see_it_all_sent()
    assert lost == [200]
    assert authors_at(school) == ["amira"]


def test_a_captive_portal_is_not_taken_for_the_school(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    phone.context.route("**/api/**", lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Free Wi-Fi</h1>"))
    write_an_incident(phone)
    phone.open("/this-phone")
    phone.tap("Try now")
    expect(phone.page.get_by_text("This network answers instead of the school").first).to_be_visible()
    assert authors_at(school) == []
    phone.context.unroute("**/api/**")
    phone.tap("Try now")
    phone.see_it_all_sent()
    assert authors_at(school) == ["amira"]


def test_a_second_person_sees_nothing_of_the_first_and_both_are_sent(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop()
    write_an_incident(phone)
    phone.open("/this-phone")
    sign_out(phone)
    school.start()
    phone.open("/sign-in").sign_in("ben")
    expect(phone.strip).to_contain_text("Nothing waiting to send")
    wait_until(lambda: authors_at(school) == ["amira"], phone.page)
    phone.open("/records")
    write_an_incident(phone)
    wait_until(lambda: sorted(authors_at(school)) == ["amira", "ben"], phone.page)


def test_every_tab_knows_at_once_what_another_wrote(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop()
    first = phone.page
    phone.new_tab()
    phone.open()
    write_an_incident(phone)
    expect(first.locator(".strip")).to_contain_text("1 saved on this phone, not sent")


def test_a_tab_left_open_is_loaded_again_when_somebody_else_signs_in(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    left_open = phone.page
    left_open.evaluate("window.isAmiras = true")
    phone.new_tab()
    phone.open("/this-phone")
    sign_out(phone)
    phone.open("/sign-in").sign_in("ben")
    left_open.wait_for_function("() => !window.isAmiras")
    expect(left_open.get_by_role("heading", name="Locked")).to_be_visible()
    phone.page = left_open
    phone.open("/this-phone")
    expect(left_open.get_by_text("Signed in as Ben Price")).to_be_visible()


def test_the_worker_sends_with_the_app_closed(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop()
    write_an_incident(phone)
    school.start()
    wake(phone)
    wait_until(lambda: authors_at(school) == ["amira"], phone.page)


def wake(phone: Handset) -> None:
    """As the browser does when there is signal again: on a page that is not the app, which was closed."""
    phone.page.goto(phone.address + "/api/here")
    devtools = phone.context.new_cdp_session(phone.page)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(one["registrationId"] for one in told["registrations"])
    )
    devtools.send("ServiceWorker.enable")
    wait_until(lambda: bool(found), phone.page)
    devtools.send(
        "ServiceWorker.dispatchSyncEvent", {"origin": phone.address, "registrationId": found[0], "tag": "exchange", "lastChance": False}
    )


# ── New versions ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def next_version(school: School, tmp_path: Path) -> Callable[[bool], None]:
    """Puts a new version of the app on the server, whole or with a file that is not what its worker says."""
    school.stop()
    school.dist = tmp_path / "dist"
    shutil.copytree(DIST, school.dist)
    school.start()

    def publish(whole: bool = True) -> None:
        school.stop()  # it reads its files once, when it starts
        page, worker = school.dist / "index.html", school.dist / "service-worker.js"
        before = page.read_bytes()
        after = before.replace(b"</title>", b"</title><!-- the next version -->")
        told = worker.read_text().replace(integrity(before), integrity(after))
        worker.write_text(re.sub(r"build:`\w+`", "build:`the-next-one`", told))
        page.write_bytes(after if whole else after + b"<!-- but not quite -->")
        school.start()

    return publish


# The old version counts as active until the new one has taken over.
HAS_TAKEN_OVER = "navigator.serviceWorker.ready.then((one) => one.waiting === null && one.active.state === 'activated')"


def test_a_new_version_waits_until_somebody_says_so(phone: Handset, next_version: Callable[..., None]) -> None:
    ready(phone, "amira")
    next_version()
    look_for_a_new_version(phone.page)
    phone.page.reload()
    assert "next version" not in phone.page.content()
    phone.page.evaluate("navigator.serviceWorker.ready.then((one) => one.waiting.postMessage('take over'))")
    wait_until(lambda: phone.page.evaluate(HAS_TAKEN_OVER), phone.page)
    phone.page.reload()
    assert "next version" in phone.page.content()
    assert phone.page.evaluate(CACHES) == ["lanyard the-next-one"]


def test_a_cold_start_takes_the_new_version(phone: Handset, next_version: Callable[..., None], school: School) -> None:
    ready(phone, "amira")
    next_version()
    look_for_a_new_version(phone.page)
    school.stop()

    def start_afresh(closed_for_ms: int) -> bool:
        phone.page.close()
        phone.new_tab().wait_for_timeout(closed_for_ms)
        return "next version" in phone.open().page.content()

    assert any(start_afresh(200 * n) for n in range(10))  # the browser takes a moment to let the old one go once nothing is open


def test_a_version_that_is_not_whole_is_not_installed_and_the_old_one_goes_on(
    phone: Handset, next_version: Callable[..., None], school: School
) -> None:
    ready(phone, "amira")
    next_version(whole=False)
    phone.page.evaluate("navigator.serviceWorker.ready.then((one) => one.update()).catch(() => {})")
    wait_until(lambda: phone.page.evaluate("navigator.serviceWorker.ready.then((one) => one.installing === null)"), phone.page)
    assert phone.page.evaluate("navigator.serviceWorker.ready.then((one) => one.waiting)") is None
    school.stop()
    phone.reload()
    expect(phone.page.get_by_role("heading", name="Now", exact=True)).to_be_visible()


def test_a_worker_that_is_switched_off_leaves_and_takes_nothing_along(
    phone: Handset, next_version: Callable[..., None], school: School
) -> None:
    ready(phone, "amira")
    assert phone.page.evaluate(CONTROLLED)
    phone.context.route(re.compile("/api/(sync|intake)$"), lambda route: route.abort())
    write_an_incident(phone)
    school.stop()
    shutil.copy(school.dist / "service-worker-off.js", school.dist / "service-worker.js")
    school.start()
    phone.page.evaluate("navigator.serviceWorker.ready.then((one) => one.update()).catch(() => {})")
    wait_until(lambda: phone.page.evaluate(CACHES) == [], phone.page)
    wait_until(lambda: phone.page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0, phone.page)
    phone.page.reload()
    expect(phone.strip).to_contain_text("1 saved on this phone, not sent")


def look_for_a_new_version(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready.then((one) => one.update())")
    wait_until(lambda: page.evaluate("navigator.serviceWorker.ready.then((one) => one.waiting !== null)"), page)


def integrity(content: bytes) -> str:
    return "sha256-" + base64.b64encode(sha256(content).digest()).decode()


# ── What these journeys do and look at ───────────────────────────────────────────────────────


def ready(phone: Handset, name: str) -> None:
    """Signed in, with the worker in place, everybody's names on the phone, and whatever the first minute fetches fetched."""
    phone.open().sign_in(name)
    assert phone.page.evaluate(CONTROLLED)
    phone.open("/people")
    phone.page.get_by_placeholder("Two or three letters of a name").first.fill("mar")
    expect(phone.page.get_by_text("Marcus Bell").first).to_be_visible()
    phone.open("/")


def write_an_incident(phone: Handset) -> None:
    phone.open("/new/incident")
    phone.name_somebody("mar", "Marcus Bell")
    phone.page.get_by_text("Fight", exact=True).click()
    phone.page.get_by_text("Yard", exact=True).click()
    phone.save()


def sign_out(phone: Handset) -> None:
    phone.tap("Sign out")
    expect(phone.page.get_by_label("Password")).to_be_visible()


def authors_at(school: School) -> list[str]:
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        return [author for (author,) in database.execute("select author from edit where seq is not null order by seq")]


def letter_in(request: Request) -> dict[str, Any]:
    body = request.post_data_buffer or b"{}"
    letter: dict[str, Any] = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
    return letter


def wait_until(claim: Callable[[], bool], page: Page) -> None:
    for _ in range(300):
        if claim():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come to pass within 30 seconds")
