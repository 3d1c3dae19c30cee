"""A phone in a hand: a page of a real browser, and what a thumb does with it."""

import re
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.world import PASSWORD

PATIENCE_MS = 30_000  # a busy machine is no failure
SIZE = {"width": 390, "height": 844}

PIN = "604913"
LOOK_AWAY = """() => {
    for (const hidden of [true, false]) {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }
}"""

expect.set_options(timeout=PATIENCE_MS)


class Handset:
    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context = context
        self.address = address
        self.complaints: list[str] = []
        context.set_default_timeout(PATIENCE_MS)
        self.page = self.new_tab()

    def new_tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page = page
        return page

    def _note(self, message: Any) -> None:
        """Everything that a browser complains of, but for a school that cannot be reached: that is ordinary."""
        if message.type == "error" and not re.search(r"net::ERR_|Failed to load resource|401|403|404|429|503", message.text):
            self.complaints.append(message.text)

    def open(self, path: str = "/") -> "Handset":
        self.page.goto(self.address + path)
        return self.unlock()

    def reload(self) -> "Handset":
        self.page.reload()
        return self.unlock()

    def unlock(self, pin: str = PIN) -> "Handset":
        """Whatever the page comes to: with the PIN, where it is locked."""
        expect(self.title).not_to_have_text(re.compile("^(Lanyard|Opening)$"))  # the frame, before the storage was opened
        if self.title.text_content() == "Locked":
            self.give_pin(pin)
            expect(self.title).not_to_have_text(re.compile("^(Locked|Opening)$"))
        return self

    def give_pin(self, pin: str = PIN) -> None:
        self.page.get_by_label("Your PIN").fill(pin)
        self.tap("Unlock")

    def choose_pin(self, pin: str = PIN) -> None:
        self.page.get_by_label("Six digits or more").fill(pin)
        self.page.get_by_label("The same again").fill(pin)
        self.tap("Set PIN")

    def sign_in(self, name: str, password: str = PASSWORD) -> "Handset":
        self.page.get_by_label("Your name at school").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.tap("Sign in")
        expect(self.title).not_to_have_text(re.compile("^(Sign in to Lanyard|Opening)$"))
        if self.title.text_content() == "Choose a PIN":
            self.choose_pin()
        elif self.title.text_content() == "Locked":
            self.give_pin()
        begin = self.page.get_by_role("button", name="Begin")
        now = self.page.get_by_role("heading", name="Now", exact=True)
        expect(begin.or_(now)).to_be_visible()
        if begin.is_visible():
            expect(self.page.get_by_text("questions and names are here")).to_be_visible()
            begin.click()
        expect(now).to_be_visible()
        expect(self.page.get_by_role("link", name="Incident", exact=True)).to_be_visible()
        self.wait_until_kept()
        return self

    def tap(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).or_(self.page.get_by_role("link", name=name, exact=True)).first.click()

    def choose(self, question: str, *answers: str) -> None:
        group = self.page.get_by_role("group", name=question, exact=True)
        more = group.get_by_role("button", name="More…")
        for answer in answers:
            chip = group.get_by_text(answer, exact=True)
            expect(chip.or_(more).first).to_be_visible()
            if not chip.is_visible():
                more.click()
            chip.click()

    def name_somebody(self, letters: str, name: str, question: str | None = None) -> None:
        within: Page | Locator = self.page.get_by_role("group", name=question, exact=True) if question else self.page
        within.get_by_placeholder("Two or three letters of a name").first.fill(letters)
        self.page.get_by_role("button", name=name).filter(has_text=name).first.click()

    def write(self, question: str, words: str) -> None:
        self.page.get_by_label(question, exact=True).fill(words)

    def save(self) -> None:
        self.page.get_by_role("button", name="Save", exact=True).click()
        self.see_it_saved()

    def save_as_it_is(self) -> None:
        self.page.get_by_role("button", name="Save", exact=True).click()
        self.page.get_by_role("button", name="Save it as it is, and finish later").click()
        self.see_it_saved()

    def see_it_saved(self) -> None:
        """The form goes only once what it held is on the disk; the words alone may still be those of the record before."""
        expect(self.page.locator("#form")).to_have_count(0)
        expect(self.page.locator(".toast")).to_contain_text("Saved on this phone.")

    def see_it_all_sent(self) -> None:
        """Nothing waits and nothing is held: only then does the strip begin with *Sent*."""
        self.look_away()
        expect(self.strip).to_contain_text(re.compile(r"^Sent .+, the school has it"))

    def see_nothing_waiting(self) -> None:
        """All of it was sent, by whichever way: the strip says what waits before it says that nobody is signed in."""
        expect(self.strip).to_contain_text(re.compile(r"^(Sent .+, the school has it|Not signed in)"))

    def look_away(self) -> None:
        """Another app in front, and back again: what was kept back for its ten seconds of Undo goes at once."""
        self.page.evaluate(LOOK_AWAY)

    def wait_until_kept(self) -> None:
        """Until the worker holds the app's own files, so that it opens with the school stopped."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def wait_for_draft(self) -> None:
        """Until the last keystroke is on the disk, as the form itself tells."""
        expect(self.page.locator("#form[data-kept]")).to_have_count(1)

    @property
    def strip(self) -> Locator:
        return self.page.locator(".strip")

    @property
    def title(self) -> Locator:
        return self.page.locator("#title")

    def send_now(self) -> None:
        """As somebody would who wants to see it gone: This phone, Try now."""
        self.open("/this-phone")
        with self.page.expect_response("**/api/sync"):
            self.tap("Try now")
        expect(self.page.get_by_text("Nothing is waiting.")).to_be_visible()
