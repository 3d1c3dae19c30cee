"""What a thumb does in a window of any engine: it finds things by the words on them, and waits for what it expects."""

import time
from typing import Any

from playwright.sync_api import Error

from tests.browsers.windows import Window
from tests.journeys.handset import PIN
from tests.world import PASSWORD

PATIENCE_S = 30  # a busy machine is no failure

# Marks what is meant, so that the engine itself can put its pointer on it.
FIND = """
    const [words, what] = given;
    const said = (one) => (one.getAttribute('aria-label') ?? one.textContent).trim();
    const labelled = (label) => label.control ?? document.getElementById(label.htmlFor);
    const all = what === 'field'
        ? [...document.querySelectorAll('label')].filter((one) => said(one) === words).map(labelled)
        : [...document.querySelectorAll('button, a, label.chip')].filter((one) => said(one).startsWith(words));
    const inSight = all.filter((each) => each && each.getClientRects().length > 0);
    const one = inSight.find((each) => said(each) === words) ?? inSight[0]; // a row says more than its first words
    if (!one) return false;
    document.querySelectorAll('[data-hand]').forEach((each) => each.removeAttribute('data-hand'));
    one.setAttribute('data-hand', '');
    one.scrollIntoView({ block: 'center' });
    return true;
"""
SEEN = "return document.body.innerText.includes(given[0])"
TITLE = "return document.getElementById('title')?.textContent ?? ''"


class Hand:
    def __init__(self, window: Window, address: str) -> None:
        self.window, self.address = window, address

    def open(self, path: str = "/") -> "Hand":
        self.window.go(self.address + path)
        return self

    def until(self, script: str, *given: Any, patience_s: float = PATIENCE_S) -> Any:
        """The first answer that is not nothing. A page that is just being loaded again has none."""
        over, last = time.monotonic() + patience_s, None
        while time.monotonic() < over:
            try:
                if last := self.window.run(script, *given):
                    return last
            except (Error, RuntimeError) as gone:
                last = gone
            time.sleep(0.05)
        raise AssertionError(f"{script.strip()} {given}: not within {patience_s} s but {last!r}. The page says:\n{self.words()}")

    def words(self) -> str:
        return str(self.window.run("return document.body.innerText"))

    def see(self, words: str) -> None:
        self.until(SEEN, words)

    def stand_at(self, *titles: str) -> str:
        return str(self.until(f"const title = (() => {{ {TITLE} }})(); return given.includes(title) && title", *titles))

    def tap(self, words: str) -> None:
        self.until(FIND, words, "thing")
        self.window.click("[data-hand]")

    def write(self, question: str, words: str) -> None:
        self.until(FIND, question, "field")
        self.window.type("[data-hand]", words)

    # ── What everybody does ────────────────────────────────────────────────────────────────

    def sign_in(self, name: str) -> "Hand":
        self.write("Your name at school", name)
        self.write("Password", PASSWORD)
        self.tap("Sign in")
        self.write("Six digits or more", PIN)
        self.write("The same again", PIN)
        self.tap("Set PIN")
        self.see("questions and names are here")
        self.until("return navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)")
        self.tap("Begin")
        self.stand_at("Now")
        return self

    def give_pin(self, pin: str = PIN) -> None:
        self.stand_at("Locked")
        self.write("Your PIN", pin)
        self.tap("Unlock")

    def save_an_incident(self, who: str, account: str) -> None:
        """Of somebody nobody knows, in so few taps that every engine takes them alike."""
        self.stand_at("Now")
        self.tap("Incident")
        self.tap("I do not know who")
        self.write("Who else?", who)
        self.tap("Fight")
        self.tap("Yard")
        self.write("Your account", account)
        self.tap("Save")
        self.until("return !document.getElementById('form')")
        self.see("Saved on this phone.")

    def see_it_all_sent(self) -> None:
        self.until("return /^Sent .+, the school has it/.test(document.querySelector('.strip')?.innerText ?? '')")
