"""The main job: written down with no signal, and on the desk when there is."""

from playwright.sync_api import expect

from tests.journeys.handset import Handset
from tests.journeys.school import School


def test_an_incident_takes_six_taps_and_three_letters(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    school.stop()
    page = phone.page
    page.get_by_role("link", name="Incident", exact=True).tap()  # 1
    page.get_by_label("Find a pupil").tap()  # 2
    page.keyboard.type("mar")
    page.get_by_role("button", name="Marcus Bell").tap()  # 3
    page.get_by_text("Fight", exact=True).tap()  # 4
    page.get_by_text("Yard", exact=True).tap()  # 5
    page.get_by_role("button", name="Save", exact=True).tap()  # 6
    expect(page.get_by_text("Saved on this phone.").first).to_be_visible()
    expect(phone.strip).to_contain_text("1 saved on this phone, not sent")
    expect(page.get_by_role("link", name="Fight, Yard")).to_contain_text("Not sent")
