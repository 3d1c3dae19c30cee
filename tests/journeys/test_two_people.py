"""Where people disagree, and where the school could not add what was written: a person decides, on the phone, with no signal too."""

import sqlite3
from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_nothing_is_lost import write_an_incident


def test_two_answers_are_shown_side_by_side_and_decided_with_no_signal(new_phone: Callable[..., Handset], school: School) -> None:
    amira, carol, lena = (new_phone().open().sign_in(name) for name in ("amira", "carol", "lena"))
    write_an_incident(amira, "Defiance")
    amira.send_now()
    for phone in (carol, lena):
        phone.send_now()
        phone.open("/records").page.get_by_role("link", name="Defiance, Yard").click()
        phone.context.set_offline(True)
    correct(carol, "Fight")
    correct(lena, "Damage")
    for phone in (carol, lena, carol):
        phone.context.set_offline(False)
        phone.send_now()

    carol.open("/records").page.get_by_role("link", name="Yard").click()
    dispute = carol.page.get_by_role("region", name="Two answers: what happened?")
    expect(dispute.locator(".value")).to_have_text(["Fight", "Damage"])
    expect(carol.title).to_have_text("Yard")
    widths = [box["width"] for side in dispute.locator(".side").all() if (box := side.bounding_box())]
    assert len(widths) == 2
    assert abs(widths[0] - widths[1]) <= 1

    carol.context.set_offline(True)
    dispute.get_by_role("button", name="Decide").click()
    sheet = carol.page.get_by_role("dialog")
    sheet.get_by_role("button", name="Decide").click()
    expect(sheet.get_by_text("Choose the answer that should stand")).to_be_visible()
    sheet.get_by_text("Fight", exact=True).click()
    sheet.get_by_role("button", name="Decide").click()
    expect(dispute).to_have_count(0)
    expect(carol.title).to_have_text("Fight, Yard")
    carol.context.set_offline(False)
    carol.send_now()
    lena.send_now()
    lena.open("/records")
    expect(lena.page.get_by_role("link", name="Fight, Yard")).to_be_visible()


def test_what_the_school_could_not_add_is_told_with_the_reason_and_corrected(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    held(phone, school)
    phone.strip.click()
    expect(phone.page.get_by_role("heading", name="The school has your incident, but could not add it")).to_be_visible()
    expect(phone.page.get_by_text("What happened?").first).to_be_visible()
    expect(phone.page.get_by_label("What you wrote").get_by_text("I asked him twice.")).to_be_visible()
    phone.tap("Correct it")
    expect(phone.page.get_by_label("Your account", exact=True)).to_have_value("I asked him twice.")
    phone.choose("What happened?", "Damage")
    phone.save()
    phone.send_now()
    phone.see_it_all_sent()
    phone.open("/records")
    expect(phone.page.get_by_role("link", name="Damage, Yard")).to_contain_text("Sent")


def test_what_is_not_needed_is_set_aside_with_a_reason(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    held(phone, school)
    phone.open("/needs-you")
    phone.choose("What should we do?", "Set it aside, and say why")
    phone.tap("Set aside")
    expect(phone.page.get_by_text("Say why, in a few words").first).to_be_visible()
    phone.write("Why is it not needed?", "Written twice")
    phone.tap("Set aside")
    expect(phone.page.locator(".toast")).to_contain_text("It will be set aside")
    phone.send_now()
    phone.see_it_all_sent()
    phone.open("/needs-you")
    expect(phone.page.get_by_role("heading", name="Nothing needs you")).to_be_visible()


def correct(phone: Handset, category: str) -> None:
    phone.tap("Correct: What happened?")
    phone.choose("What happened?", category)
    phone.save()


def test_a_pupil_who_is_not_at_the_school_is_told_in_a_sentence(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    held(phone, school, gone="delete from pupil where id = 'marcus'")
    phone.open()
    expect(phone.page.get_by_role("region", name="Needs you")).to_contain_text("A pupil who is not at this school")
    phone.strip.click()
    expect(phone.page.get_by_text("A pupil who is not at this school.", exact=True)).to_be_visible()


def held(phone: Handset, school: School, gone: str = "delete from list_entry where list = 'categories' and code = 'bullying'") -> None:
    """Written with no signal, while the school loses what it speaks of."""
    school.stop()
    phone.open().tap("Incident")
    phone.name_somebody("mar", "Marcus Bell")
    phone.choose("What happened?", "Bullying")
    phone.choose("Where?", "Yard")
    phone.write("Your account", "I asked him twice.")
    phone.save()
    with sqlite3.connect(school.database) as database:
        database.execute(gone)
    school.start()
    phone.send_now()
    expect(phone.strip).to_contain_text("Needs you: 1 record")
    expect(phone.strip).to_contain_text("The school has everything else")
