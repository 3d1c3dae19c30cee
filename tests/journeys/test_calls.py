"""The morning's calls: a list is done when the families on it have been rung, and by nothing else."""

from playwright.sync_api import expect

from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_main_job import attendance_call


def test_a_call_that_was_on_no_list_does_not_make_one_done(phone: Handset, school: School) -> None:
    phone.open().sign_in("olu")
    phone.tap("Calls")
    expect(phone.page.get_by_role("heading", name="No list today")).to_be_visible()
    attendance_call(phone)
    expect(phone.page.get_by_role("region", name="Rung today")).to_contain_text("Conor O'Neill")
    expect(phone.page.get_by_role("heading", name="No list today")).to_be_visible()


def test_a_plain_answer_is_one_tap_and_the_list_is_done_after_its_last_family(phone: Handset, school: School) -> None:
    phone.open().sign_in("olu")
    for letters, name in (("mar", "Marcus Bell"), ("dara", "Dara Adeyemi-Smith")):
        put_on_the_list(phone, letters, name)
    phone.open().tap("Calls")
    expect(phone.page.get_by_text("2 families to ring")).to_be_visible()
    phone.page.get_by_role("link", name="Marcus").click()
    phone.tap("Answered")
    expect(phone.title).to_have_text("Adeyemi-Smith")
    phone.tap("No answer")
    expect(phone.page.get_by_role("heading", name="Everybody on the list has been rung")).to_be_visible()
    expect(phone.page.get_by_text("2 families today.", exact=False)).to_be_visible()
    rung = phone.page.get_by_role("region", name="Rung today")
    expect(rung.get_by_role("link", name="Marcus Bell")).to_contain_text("Answered")


def put_on_the_list(phone: Handset, letters: str, name: str) -> None:
    """As the school does: whom, and why, and nothing yet of how it went."""
    phone.open("/new/attendance_call?form=1")
    phone.name_somebody(letters, name, "Whom is the call about?")
    phone.page.get_by_role("button", name="More to say").click()
    phone.page.get_by_role("group", name="Why were they on the list?").locator(".chip").first.click()
    phone.save_as_it_is()
