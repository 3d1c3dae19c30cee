"""Signing in by a passkey, with a real browser's own: instead of the password, and beside it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_without_signal import ready
from tests.world import PASSWORD

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def school(tmp_path: Path, filled: Path) -> Iterator[School]:
    opened = School(tmp_path, filled, host="localhost")
    opened.start()
    yield opened
    opened.stop()


def test_a_passkey_that_is_added_signs_in_instead_of_the_password_and_is_asked_for_beside_it(phone: Handset, school: School) -> None:
    devtools = phone.context.new_cdp_session(phone.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    ready(phone, "amira")
    phone.open("/this-phone").tap("Passkeys")
    expect(phone.page.get_by_text("You have none yet.")).to_be_visible()
    phone.tap("Add a passkey")
    expect(phone.page.locator("#problem")).to_contain_text("Type your password.")
    phone.page.get_by_label("Your password").fill(PASSWORD)
    phone.tap("Add a passkey")
    expect(phone.page.get_by_role("listitem").filter(has_text="Made")).to_be_visible()

    phone.open("/this-phone").tap("Sign out")
    expect(phone.title).to_have_text("Sign in to Lanyard")
    phone.tap("Sign in with a passkey")
    expect(phone.title).to_have_text("Locked")
    phone.give_pin()
    expect(phone.title).to_have_text("Now")

    phone.open("/this-phone").tap("Sign out")
    phone.page.get_by_label("Your name at school").fill("amira")
    phone.page.get_by_label("Password").fill(PASSWORD)
    phone.tap("Sign in")
    expect(phone.title).to_have_text("One more step")
    phone.tap("Use your passkey")
    expect(phone.title).to_have_text("Locked")

    phone.give_pin()
    phone.open("/passkeys")
    phone.page.get_by_label("Your password").fill(PASSWORD)
    phone.page.get_by_role("button", name="Remove").click()
    expect(phone.page.get_by_text("You have none yet.")).to_be_visible()
