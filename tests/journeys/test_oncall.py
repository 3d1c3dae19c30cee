"""A call for help between two people: two taps, who is coming, and an honest screen where nobody knows."""

import re
import sqlite3
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from playwright.sync_api import expect

from tests.journeys.handset import Handset
from tests.journeys.school import HELP_NUMBER, School
from tests.journeys.test_every_screen import assert_usable
from tests.world import PASSWORD


def test_a_call_is_answered_and_its_caller_sees_by_whom(new_phone: Callable[..., Handset], school: School) -> None:
    amira, ben = new_phone().open().sign_in("amira"), new_phone().open().sign_in("ben")
    amira.tap("Call for help")
    amira.choose("Where?", "B12")
    amira.name_somebody("mar", "Marcus Bell")
    plan_for_marcus(school)
    expect(amira.page.get_by_role("link", name=re.compile(HELP_NUMBER))).to_be_visible()
    amira.tap("Send the call for help")
    expect(amira.title).to_have_text("Help for B12")
    expect(amira.page.locator("main")).to_contain_text("The school has your call for help")
    expect(amira.page.locator("main")).to_contain_text("Nobody has answered yet.")

    ben.open("/duty").page.get_by_role("link", name=re.compile("B12")).click()
    expect(ben.page.locator("header")).to_contain_text("Amira Haddad called at")
    assert_usable(ben.page, "a call")
    expect(ben.page.get_by_role("region", name="Plan")).to_have_count(0)  # nobody has rung him
    ben.tap("I am going")
    expect(ben.page.get_by_role("region", name="Plan")).to_contain_text("Keep others behind you")
    assert_usable(ben.page, "a call with a plan")
    expect(amira.page.get_by_role("region", name="Plan")).to_have_count(0)
    expect(amira.page.locator("main")).to_contain_text("Ben Price is coming")
    expect(amira.page.locator("main")).to_contain_text("Answered by Ben Price")
    assert_usable(amira.page, "my call")
    ben.tap("I cannot come")
    expect(amira.page.locator("main")).to_contain_text("Nobody has answered yet.")
    ben.tap("I am going")
    amira.tap("Ben Price is with me")
    expect(ben.page.locator("main")).to_contain_text("Ben Price is there")
    ben.tap("Make it an incident")
    expect(ben.page.get_by_role("link", name="Back")).to_be_visible()
    amira.tap("It is over")
    expect(amira.page.locator("main")).to_contain_text("It is over.")


def plan_for_marcus(school: School) -> None:
    with httpx.Client(base_url=school.address, headers={"Origin": school.address}, timeout=60) as desk:
        desk.post("/console/sign-in", data={"username": "carol", "password": PASSWORD, "next": "/console/review"})
        said = {"record": str(uuid.uuid4()), "pupils.chosen": "marcus", "risk_to_others": "Keep others behind you", "helps": "A walk"}
        assert desk.post("/console/new/pupil_plan", data=said).status_code == 303


def test_nobody_is_said_to_come_who_only_signed_in_on_the_same_phone(new_phone: Callable[..., Handset], school: School) -> None:
    amira, ben = new_phone().open().sign_in("amira"), new_phone().open().sign_in("ben")
    amira.tap("Call for help")
    amira.choose("Where?", "B12")
    amira.tap("Send the call for help")
    expect(amira.page.locator("main")).to_contain_text("Nobody has answered yet.")
    ben.open("/duty").page.get_by_role("link", name=re.compile("B12")).click()
    expect(ben.page.locator("header")).to_contain_text("Amira Haddad called at")
    ben.context.add_cookies(new_phone().open().sign_in("carol").context.cookies())  # the same handset, signed in on it by another since
    ben.tap("I am going")
    expect(ben.page.locator("main")).to_contain_text("Please sign in.")
    expect(amira.page.locator("main")).to_contain_text("Nobody has answered yet.")


def test_a_call_that_comes_late_asks_first_whether_it_is_still_needed(phone: Handset, school: School) -> None:
    began = datetime.now(UTC)
    phone.page.clock.set_fixed_time(began)
    phone.open().sign_in("amira")
    school.stop()
    phone.tap("Call for help")
    phone.choose("Where?", "B12")
    phone.tap("Send the call for help")
    expect(phone.title).to_have_text("NOT SENT")
    expect(phone.page.get_by_role("link", name="Ring the school")).to_be_visible()
    phone.page.clock.set_fixed_time(began + timedelta(seconds=100))
    school.start()
    expect(phone.page.locator("main")).to_contain_text("Still needed?")
    phone.tap("Nobody needs to come")
    expect(phone.page.locator("main")).to_contain_text("Nobody needs to come.")


def test_a_call_that_the_school_cannot_take_says_that_nobody_was_rung(phone: Handset, school: School) -> None:
    phone.open().sign_in("ben")
    school.stop()
    with sqlite3.connect(school.database) as database:
        database.execute("delete from pupil where id = 'marcus'")
    phone.open().tap("Call for help")
    phone.choose("Where?", "B12")
    phone.name_somebody("mar", "Marcus Bell")
    phone.tap("Send the call for help")
    expect(phone.title).to_have_text("NOT SENT")
    school.start()
    phone.tap("Try now")
    expect(phone.title).to_have_text("Nobody was rung")
    expect(phone.page.get_by_role("link", name=re.compile(HELP_NUMBER))).to_be_visible()
    assert_usable(phone.page, "a held call")
