"""Taking an address along on a visit: it is on the phone only after it was asked for, and gone when it is let go."""

from playwright.sync_api import expect

from tests.journeys.handset import Handset
from tests.journeys.school import School


def test_an_address_is_taken_along_read_without_signal_and_let_go(phone: Handset, school: School) -> None:
    phone.open().sign_in("olu").tap("Visit")
    phone.name_somebody("mar", "Marcus Bell", "Whom is the visit about?")
    phone.save()
    phone.see_it_all_sent()
    phone.open("/records")
    phone.page.get_by_role("link", name="Marcus Bell").click()
    phone.tap("Take the address along")
    where = phone.page.get_by_role("region", name="Where to")
    expect(where).to_contain_text("Ray Bell, grandfather")
    expect(where).to_contain_text("7 Kiln Lane")
    expect(where).to_contain_text("then it is let go")
    school.stop()
    phone.reload().unlock()
    expect(where).to_contain_text("7 Kiln Lane")
    phone.tap("Let it go now")
    expect(phone.page.get_by_text("7 Kiln Lane")).to_have_count(0)
    phone.tap("Take the address along")
    expect(where).to_contain_text("Addresses come with signal only")
    school.start()
    phone.tap("Take the address along")
    expect(where).to_contain_text("7 Kiln Lane")
    for step in ("I am leaving school", "I have arrived", "I have left"):
        phone.tap(step)
    expect(phone.page.get_by_role("button", name="I am back and safe")).to_be_visible()
    expect(phone.page.get_by_text("7 Kiln Lane")).to_have_count(0)  # the visit is over
