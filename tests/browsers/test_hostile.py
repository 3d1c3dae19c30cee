"""Hundreds of strings that would like to be more than text, in every free-text field of every kind: on the phone, at the desk, on paper."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, Request

from server.kinds import KINDS
from server.kinds.kind import Field, Kind
from server.kinds.roles import Role
from server.kinds.shapes import Line, Note, tidy
from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.elsewhere import Elsewhere
from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.world import PASSWORD

# By what they are after. Whatever of them ran would call taken(), show a dialog, or ask for an address with "taken" in it.
CLASSES: dict[str, list[str]] = json.loads(Path(__file__).with_name("hostile.json").read_text())
STRINGS = list(dict.fromkeys(words for strings in CLASSES.values() for words in strings))
RECORDS = 2  # of each kind: every string in every note, and some in the lines
READER, ROLE = "dee", Role.DSL  # may see every field

LONGEST = max(map(len, STRINGS))  # a line that is shorter takes none of them

PLANTED = list[tuple[str, str, list[str]]]  # record, kind, and every word that is in it

WATCH = """
    window.taken = () => { window.wasTaken = true };
    window.refused = [];
    addEventListener('securitypolicyviolation', (told) => window.refused.push(`${told.violatedDirective} ${told.blockedURI}`));
"""
# Anything in the page that only a string of theirs could have put there, or anything that ran.
FOUND = """() => {
    const ADDRESS = /^(src|href|action|data|srcdoc)$/;
    return [
    ...(window.wasTaken ? ['it ran'] : []),
    ...(document.title === 'taken' ? ['the title'] : []),
    ...window.refused,
    ...[...document.querySelectorAll('*')].flatMap((one) => [...one.attributes]
        .filter(({ name, value }) => /^on/.test(name) || (ADDRESS.test(name) && /[/]taken|taken[(]|script:/i.test(value)))
        .map(({ name, value }) => `<${one.localName} ${name}=${value}>`)),
    ...[...document.querySelectorAll('script')].filter((one) => one.textContent.includes('taken')).map((one) => one.outerHTML),
    ...[...document.querySelectorAll('iframe, object, embed, base, marquee, frameset, plaintext, xmp, math')].map((one) => one.outerHTML),
    ];
}"""

# Without loading the app again. The record before is gone first, so that nothing of it is taken for the next.
TURN_TO = """async (path) => {
    const until = async (claim) => { while (!claim()) await new Promise((resolve) => setTimeout(resolve, 5)); };
    for (const [address, shown] of [['/people', '.search'], [path, '#facts, #accounts']]) {
        history.pushState(null, '', address);
        dispatchEvent(new PopStateEvent('popstate'));
        await until(() => document.querySelector(shown));
    }
}"""


def test_there_are_three_hundred_of_them() -> None:
    assert len(STRINGS) >= 300
    assert all(len(words) <= 300 for words in STRINGS)  # so that each fits into a line


def test_hostile_strings_in_every_free_text_field_are_only_ever_text(watched: "Watched", school: School) -> None:
    read_everywhere(watched, school, RECORDS)


@pytest.mark.soak
def test_every_hostile_string_in_every_single_field_is_only_ever_text(watched: "Watched", school: School) -> None:
    read_everywhere(watched, school, len(STRINGS))


def read_everywhere(watched: "Watched", school: School, records: int) -> None:
    planted = plant(school, records)
    desk, phone = watched.desk(), watched.phone()
    for record, _, words in planted:
        desk.goto(f"{school.address}/console/record/{record}")
        assert missing_from(desk, "main", words) == [], f"desk, {record}"
        watched.look(desk)
        desk.emulate_media(media="print")
        assert missing_from(desk, "main", words) == [], f"paper, {record}"
        desk.emulate_media(media="screen")
    for path in ("review", "review?q=taken", "held", "pupil/zoe", "pupils?q=taken", "patterns"):
        desk.goto(f"{school.address}/console/{path}")
        watched.look(desk)
    for record, _, words in planted:
        phone.page.evaluate(
            "(path) => { history.pushState(null, '', `${path}?whole=1`); dispatchEvent(new PopStateEvent('popstate')) }",
            f"/record/{record}",
        )
        phone.page.wait_for_function(
            "(path) => location.pathname === path && document.querySelector('#facts, #accounts')", arg=f"/record/{record}"
        )
        assert missing_from(phone.page, "body", words) == [], f"phone, {record}"
        watched.look(phone.page)
    for path in ("/", "/records", "/needs-you", "/pupil/zoe", "/people", "/this-phone"):
        phone.open(path)
        watched.look(phone.page)
    assert watched.noticed == []


def missing_from(page: Page, where: str, words: list[str]) -> list[str]:
    """What should stand there, letter for letter but for white space, and does not."""
    said = plainly(page.locator(where).first.evaluate("(one) => one.textContent"))
    return [one for one in words if plainly(one) not in said]


def plainly(words: str) -> str:
    return re.sub(r"\s+", "", tidy(words))


# ── Into every field ───────────────────────────────────────────────────────────────────────


def plant(school: School, records: int) -> PLANTED:
    """Through the exchange, as a phone would; and some that do not fit, which are held and shown as they came."""
    planted: PLANTED = []
    with Elsewhere(school, READER) as phone:
        for kind in (each for each in KINDS.values() if not each.at_desk):
            for number in range(records):
                values, words = filled(kind, number, records)
                planted.append((phone.write(kind.name, values), kind.name, words))
        for words in STRINGS[::15]:
            phone.write("incident", {words: words, "category": words})
        assert phone.send() == ["taken"] * len(planted) + ["held"] * len(STRINGS[::15])
    return planted


def filled(kind: Kind, number: int, records: int) -> tuple[dict[str, Any], list[str]]:
    """Where there is a record for each string, each field has one of its own; else a note has all of them."""
    lines = [field for field in kind.of_shape(Line) if writable(kind, field) and field.shape.longest >= LONGEST]
    notes = [field for field in kind.of_shape(Note) if writable(kind, field)]
    values: dict[str, Any] = {name: {"put": {"zoe": {}}, "drop": []} for name in kind.pupil_fields[:1]}
    is_one_each = records >= len(STRINGS)
    for at, field in enumerate(lines):
        values[field.name] = STRINGS[(number + at * len(STRINGS) // len(lines)) % len(STRINGS)]
    for at, field in enumerate(notes):
        values[field.name] = STRINGS[(number + 7 * at) % len(STRINGS)] if is_one_each else "\n".join(STRINGS)
    in_notes = [values[field.name] for field in notes] if is_one_each or not notes else STRINGS
    return values | {"state": "closed"}, [values[field.name] for field in lines] + in_notes


def writable(kind: Kind, field: Field) -> bool:
    return not field.apart and not field.retired and kind.visible(field, ROLE)


# ── Who looks ──────────────────────────────────────────────────────────────────────────────


class Watched:
    """A browser in which nothing happens unnoticed."""

    def __init__(self, browser: Browser, school: School) -> None:
        self.browser, self.school = browser, school
        self.noticed: list[str] = []

    def desk(self) -> Page:
        page = self._watch(self.browser.new_page(locale="en-GB"))
        page.goto(f"{self.school.address}/console/sign-in")
        page.fill("#username", READER)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/console/review")
        return page

    def phone(self) -> Handset:
        phone = Handset(self.browser.new_context(**PHONE), self.school.address)
        self._watch(phone.page)
        phone.open().sign_in(READER)
        return phone

    def _watch(self, page: Page) -> Page:
        page.add_init_script(WATCH)
        page.on("dialog", lambda told: (self.noticed.append(f"a dialog: {told.message}"), told.dismiss()))
        page.on("pageerror", lambda error: self.noticed.append(str(error)))
        page.on("console", lambda told: self.noticed.append(told.text) if "Content Security Policy" in told.text else None)
        page.on("request", self._asked)
        return page

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.school.address, "blob:")) or "taken" in request.url.partition("?")[0]:
            self.noticed.append(f"a request: {request.url}")

    def look(self, page: Page) -> None:
        found = page.evaluate(FOUND)
        assert found == [], page.url


@pytest.fixture
def watched(driver: Playwright, school: School) -> Iterator[Watched]:
    browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield Watched(browser, school)
    browser.close()
