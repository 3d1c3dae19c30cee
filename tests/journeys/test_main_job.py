"""The main job: written down with no signal, and on the desk when there is."""

import re
from datetime import date, datetime, timedelta

from playwright.sync_api import Browser, expect

from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_without_signal import write_an_incident
from tests.world import PASSWORD


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


def test_one_of_each_kind_written_with_the_school_stopped_reaches_the_desk_once(phone: Handset, school: School, browser: Browser) -> None:
    phone.open().sign_in("olu")
    phone.wait_until_kept()
    school.stop()

    incident(phone)
    home_visit(phone)
    sweep_and_sighting(phone)
    attendance_call(phone)
    call_for_help(phone)
    statement(phone)
    contact(phone)

    phone.open("/this-phone")
    expect(phone.strip).to_contain_text("8 saved on this phone, not sent")
    school.start()
    phone.send_now()
    phone.see_it_all_sent()

    desk = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Europe/London").new_page()
    desk.goto(f"{school.address}/console")
    desk.get_by_label("Your name at school").fill("carol")
    desk.get_by_label("Password").fill(PASSWORD)
    desk.get_by_role("button", name="Sign in").click()
    rows = desk.locator("#rows li")
    expect(rows).to_have_count(8)
    for kind in ("Incident", "Home visit", "Truancy sweep", "Sighting", "Attendance call", "Call for help", "Statement", "Contact"):
        expect(rows.filter(has_text=kind)).to_have_count(1)
    rows.filter(has_text="Incident").get_by_role("link").click()
    expect(desk.get_by_text("I heard shouting from the landing.")).to_be_visible()
    desk.context.close()


def test_the_place_of_a_call_for_help_is_where_i_was_at_this_hour_of_the_week(phone: Handset) -> None:
    phone.open().sign_in("amira")
    said = phone.page.get_by_text("Where you were at this time before.")
    yard = phone.page.get_by_role("radio", name="Yard")
    for days, hour, was_here in ((1, "09:20", False), (1, "09:40", True), (1, "16:30", False), (2, "09:40", False)):
        phone.page.clock.set_fixed_time(datetime.fromisoformat(f"{date.today() + timedelta(days)}T{hour}+00:00"))
        phone.open("/new/call_out")
        expect(yard).to_be_checked(checked=was_here)
        expect(said).to_have_count(int(was_here))
        assert phone.page.url.endswith("/new/call_out")  # no draft of a form stands in its address
        if hour == "09:20":
            write_an_incident(phone)  # in the yard


def incident(phone: Handset) -> None:
    phone.open().tap("Incident")
    phone.name_somebody("mar", "Marcus Bell")
    phone.choose("What happened?", "Fight")
    phone.choose("Where?", "North stairs")
    phone.write("Your account", "I heard shouting from the landing.")
    phone.save()


def home_visit(phone: Handset) -> None:
    phone.open().tap("Visit")
    phone.name_somebody("dara", "Dara Adeyemi-Smith", "Whom is the visit about?")
    phone.choose("What is it for?", "Absence")
    phone.save()


def sweep_and_sighting(phone: Handset) -> None:
    phone.open().tap("Sweep")
    phone.choose("Which area?", "Town centre")
    phone.write("Which officer leads?", "PC 4417 Hale")
    phone.save_as_it_is()
    phone.choose("Spoken to at", "Arcade")
    phone.tap("Ours")
    phone.name_somebody("zo", "Zoë Ångström", "Who?")
    phone.choose("Was anybody with them?", "Alone")
    phone.choose("What came of it?", "Agreed to go in")
    phone.save()
    expect(phone.page.get_by_label("1 young people spoken to")).to_be_visible()


def attendance_call(phone: Handset) -> None:
    phone.open().tap("Calls")
    phone.name_somebody("conor", "Conor O'Neill")
    expect(phone.page.get_by_role("link", name="Ring Maeve O’Neill")).to_be_visible()
    phone.tap("No answer")
    expect(phone.page.get_by_text("Saved on this phone.").last).to_be_visible()


def call_for_help(phone: Handset) -> None:
    phone.open().tap("Call for help")
    phone.choose("Where?", "B12")
    phone.tap("Send the call for help")
    expect(phone.page.get_by_role("heading", name="NOT SENT")).to_be_visible()
    expect(phone.page.locator(".ask")).to_contain_text(re.compile("Nobody knows yet that you need help.*Where: B12"))
    expect(phone.page.get_by_role("link", name="Ring the school")).to_have_attribute("href", "tel:01632960140")


def statement(phone: Handset) -> None:
    phone.open().tap("Statement")
    phone.page.get_by_text("Fight, North stairs").click()
    phone.name_somebody("sio", "Siobhán O’Neill", "Whose statement is it?")
    page = phone.page.locator("#page")
    while not phone.page.get_by_label("Their words", exact=True).is_visible():
        before = page.inner_text()
        phone.tap("Continue")
        expect(page).not_to_have_text(before)
    phone.write("Their words", "He took my bag and I said stop.")
    phone.save()


def contact(phone: Handset) -> None:
    phone.open().tap("Contact")
    phone.choose("Who was it with?", "A parent or carer")
    phone.write("Their name", "Ray Bell, grandfather")
    phone.name_somebody("mar", "Marcus Bell", "About whom?")
    phone.choose("How?", "Phone")
    phone.choose("Who began it?", "We contacted them")
    phone.write("What was said?", "He will talk to Marcus tonight.")
    phone.save()
