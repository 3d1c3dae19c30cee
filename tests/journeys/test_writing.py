"""Writing something down: what is asked, what is let through, and where a screen begins."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.handset import Handset
from tests.journeys.school import School

KINDS = ("incident", "statement", "sighting", "sweep", "home_visit", "contact")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_answered_is_nothing_saved(phone: Handset, school: School, kind: str) -> None:
    phone.open().sign_in("olu").open(f"/new/{kind}")
    phone.tap("Save")
    expect(phone.page.get_by_role("heading", name="Still to say")).to_be_visible()
    expect(phone.page.get_by_role("button", name=re.compile("^Save it as it is"))).to_have_count(0)
    phone.open("/records")
    expect(phone.page.get_by_text("Nothing here yet")).to_be_visible()


def test_one_answer_is_enough_to_save_it_as_it_is(phone: Handset, school: School) -> None:
    phone.open().sign_in("olu").open("/new/sighting")
    phone.tap("Save")
    asked = phone.page.locator(".problems").get_by_role("link", name="Whose pupil?")
    expect(asked).to_be_visible()
    phone.choose("Whose pupil?", "Ours")
    expect(asked).to_have_count(0)  # it is answered now
    phone.save_as_it_is()
    phone.open("/records")
    expect(phone.page.get_by_role("link", name="Sighting")).to_have_count(1)


def test_a_long_form_counts_its_section_and_says_that_it_can_wait(phone: Handset, school: School) -> None:
    phone.open().sign_in("olu").tap("Visit")
    page = phone.page.locator("#page")
    expect(page).to_have_text(re.compile(r"^Plan · 1 of \d$"))
    expect(phone.page.get_by_text("You can save now and go on later.")).to_be_visible()
    phone.tap("Continue")
    expect(page).to_have_text(re.compile(r"^Plan · 2 of \d$"))
    phone.open()
    expect(phone.page.get_by_role("region", name="Not finished")).to_have_count(0)  # nothing was written


def test_no_time_is_ever_shown_with_the_month_first(new_phone: Callable[..., Handset], school: School) -> None:
    phone = new_phone(locale="en-US").open().sign_in("olu").open("/new/sweep")
    until = phone.page.get_by_role("group", name="Until when?")
    over = until.locator(".when > span")
    expect(over).to_have_text("Day and time")
    until.get_by_label("Until when?").fill("2026-03-04T14:05")
    expect(over).to_have_text(re.compile("4 Mar.*, 14:05"))
    theirs, ours = until.get_by_label("Until when?").bounding_box(), over.bounding_box()
    assert theirs
    assert ours
    assert ours["x"] - theirs["x"] <= 4
    assert ours["height"] >= theirs["height"] - 8


def test_a_new_screen_begins_at_its_top_and_back_returns_to_where_one_was(new_phone: Callable[..., Handset], school: School) -> None:
    phone = new_phone(viewport={"width": 320, "height": 480})
    phone.open()
    phone.page.evaluate("scrollTo(0, 40)")
    phone.sign_in("olu")
    phone.page.wait_for_function("() => scrollY === 0")
    phone.page.evaluate("scrollTo(0, 60)")
    assert phone.page.evaluate("scrollY") == 60
    phone.tap("Calls")
    expect(phone.title).to_have_text("Calls")
    phone.page.wait_for_function("() => scrollY === 0")
    phone.tap("Back")
    expect(phone.title).to_have_text("Now")
    phone.page.wait_for_function("() => scrollY === 60")


def test_the_strip_stays_in_view_down_the_whole_page(new_phone: Callable[..., Handset], school: School) -> None:
    phone = new_phone(viewport={"width": 390, "height": 500}).open().sign_in("olu").open("/new/sighting")
    expect(phone.page.locator("#form")).to_be_visible()
    phone.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert phone.page.evaluate("scrollY") > 300
    assert phone.page.evaluate("document.querySelector('.strip').getBoundingClientRect().top") == 0


def test_the_password_can_be_looked_at(phone: Handset, school: School) -> None:
    phone.open()
    password = phone.page.get_by_label("Password")
    password.fill("three wet umbrellas")
    expect(password).to_have_attribute("type", "password")
    phone.tap("Show what you typed")
    expect(password).to_have_attribute("type", "text")
    expect(password).to_have_value("three wet umbrellas")
    phone.tap("Hide what you typed")
    expect(password).to_have_attribute("type", "password")
