"""New versions of the app, one after the other, while a long form is filled: no letter is lost, and nothing moves under people’s thumbs."""

import gzip
import json
import os
import random
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browsers import writer
from tests.browsers.liar import Liar, standing_before
from tests.browsers.windows import Driven, Window
from tests.chance import SEED
from tests.journeys.handset import Handset
from tests.journeys.school import School

FORMS, FORMS_IN_SOAK = 3, 200
TAKEN_OVER_MS = 330_000  # with its tools attached Chromium gives a worker that an event wakes just then five minutes; else half a minute
OFFERED_EVERY = 5  # fields: the two minutes in which somebody answers them
CHOICES = {
    "Whose pupil?": "Ours",
    "Where were they spoken to?": "Park",
    "Was anybody with them?": "With an adult",
    "What reason did they give?": "Ill",
    "What came of it?": "Agreed to go in",
    "Is there a safeguarding concern?": "No",
}
LINES = {
    "What do they look like?": "description",
    "What name did they give?": "said_name",
    "What age or date of birth did they give?": "said_born",
    "Which school did they say they go to?": "said_school",
    "Where exactly?": "where_exactly",
    "Who was with them?": "companions",
    "What did they say?": "said",
    "Your account": "account",
    "Handed to whom?": "handed_to",
    "Who at their school was told?": "school_told",
}


def test_a_long_form_loses_no_letter_to_new_versions(new_window: Callable[..., Window], school: School) -> None:
    fill_forms(new_window("chromium"), school, FORMS)


@pytest.mark.soak
def test_two_hundred_long_forms_lose_no_letter_to_new_versions(new_window: Callable[..., Window], school: School) -> None:
    fill_forms(new_window("chromium"), school, int(os.environ.get("FORMS", FORMS_IN_SOAK)))


def fill_forms(window: Window, school: School, forms: int) -> None:
    chance = random.Random(f"{SEED} forms")
    releases = Releases(school)
    with standing_before(releases.network) as address:
        assert isinstance(window, Driven)
        assert window.context
        phone = Handset(window.context, address).open().sign_in("olu")
        written = [fill_one(phone, releases, number, chance) for number in range(forms)]
        phone.send_now()
    arrived = [values for values in map(json.loads, writer.edits_at(school).values()) if "description" in values]
    assert sorted([{name: values[name] for name in LINES.values()} for values in arrived], key=str) == sorted(written, key=str)
    assert phone.complaints == []
    print(f"seed {SEED}: {forms} forms, {releases.made} new versions, {sum(len(''.join(one.values())) for one in written)} letters")


def fill_one(phone: Handset, releases: "Releases", number: int, chance: random.Random) -> dict[str, str]:
    """What was typed, by field. At the end the new version is taken."""
    phone.tap("Sighting")
    phone.page.get_by_role("button", name="More to say").click()
    phone.page.evaluate("(number) => { window.filling = number }", number)
    written: dict[str, str] = {}
    for at, question in enumerate(chance.sample([*LINES, *CHOICES], len(LINES) + len(CHOICES))):
        if question in CHOICES:
            phone.choose(question, CHOICES[question])
            continue
        words = f"{question} {number} {chance.randrange(10**12):x}"
        box = phone.page.get_by_label(question, exact=True)
        box.press_sequentially(words[: len(words) // 2])
        if at % OFFERED_EVERY == OFFERED_EVERY - 1 or not releases.is_offered:
            releases.offer(phone)
            expect(box).to_be_focused()
            if chance.random() < 0.3:
                phone.page.get_by_role("region", name="Update").get_by_role("button", name="Update").click()
                expect(phone.page.get_by_role("region", name="Update")).to_contain_text("Save it first")
                box.focus()
                phone.page.keyboard.press("End")
        phone.page.keyboard.type(words[len(words) // 2 :])
        written[LINES[question]] = words
    for question, name in LINES.items():
        expect(phone.page.get_by_label(question, exact=True)).to_have_value(written[name])
    assert phone.page.evaluate("window.filling") == number, "the page was loaded again"
    phone.save()
    releases.take(phone)
    return {name: written[name] for name in LINES.values()}


class Releases:
    """New versions of the app, which come out whenever it is asked for one."""

    def __init__(self, school: School) -> None:
        self.made = 0
        self.is_offered = False
        self.network = Liar(school.address, random.Random(0), lies=0)
        self.network.changed = self._newest

    def _newest(self, path: str, body: bytes) -> bytes:
        if path != "/service-worker.js" or not self.made:
            return body
        squeezed = body.startswith(b"\x1f\x8b")
        worker = re.sub(rb"build:`[\w-]+`", b"build:`made-%d`" % self.made, gzip.decompress(body) if squeezed else body)
        return gzip.compress(worker) if squeezed else worker

    def offer(self, phone: Handset) -> None:
        self.made += 1
        self.is_offered = True
        phone.page.evaluate("navigator.serviceWorker.ready.then((one) => one.update())")
        expect(phone.page.get_by_role("region", name="Update")).to_contain_text("A new version is ready.")

    def take(self, phone: Handset) -> None:
        self.is_offered = False
        phone.page.wait_for_function("() => navigator.serviceWorker.ready.then((one) => one.installing === null && one.waiting !== null)")
        with phone.page.expect_event("load", timeout=TAKEN_OVER_MS):
            phone.page.get_by_role("region", name="Update").get_by_role("button", name="Update").click()
        phone.unlock()
        expect(phone.title).to_have_text("Now")
