"""For everybody who holds it: read aloud, by keyboard, in the dark, with large words, on a small phone, whatever strings come."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_main_job import home_visit, incident

FORMS = ("/new/incident", "/new/statement", "/new/sighting", "/new/call_out")
LISTS = ("/", "/records", "/needs-you", "/people", "/pupil/zoe", "/this-phone", "/change-pin", "/passkeys")
SERIOUS = {"serious", "critical"}
HOSTILE = (
    "<img src=x onerror=\"document.title='taken'\">",
    "</textarea><script>document.title='taken'</script>",
    "{{constructor.constructor('return 1')()}} ${7*7} `x`",
    "javascript:alert(1) \u202eright to left\u202c 🏫 A\u0301",
    "'; drop table record; --",
)


def assert_sound(page: Page, where: str, rules: Sequence[str] = ()) -> None:
    """To all rules, or to those that can give another answer than before."""
    expect(page.locator("main")).not_to_be_empty()
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    bad = [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found if one["impact"] in SERIOUS]
    assert bad == [], where


def test_an_incident_can_be_written_with_no_pointer_at_all(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    page, press = phone.page, phone.page.keyboard.press
    tab_to(page, "Incident")
    press("Enter")
    expect(phone.title).to_be_focused()
    tab_to(page, "Find a pupil")
    page.keyboard.type("mar")
    expect(page.get_by_role("button", name="Marcus Bell")).to_be_visible()
    press("Enter")
    tab_to(page, "Responsible")
    press("Space")
    tab_to(page, "Defiance")
    press("ArrowRight")
    expect(page.get_by_role("radio", name="Fight", exact=True)).to_be_checked()
    tab_to(page, "Yard")
    press("Space")
    tab_to(page, "Save")
    press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Undo"))).to_be_visible()
    expect(page.get_by_role("link", name="Fight, Yard")).to_be_visible()


def test_what_is_wrong_is_said_at_the_top_with_the_focus_on_it_and_leads_to_its_field(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira").open("/new/incident")
    phone.choose("Where?", "Yard")
    phone.tap("Save")
    summary = phone.page.get_by_role("alert").filter(has_text="Still to say")
    expect(summary).to_be_focused()
    expect(phone.page.get_by_text("Choose at least one pupil, or say who it was")).to_be_visible()
    summary.get_by_role("link", name="Who?").click()
    expect(phone.page.get_by_label("Find a pupil")).to_be_focused()
    expect(phone.page.get_by_role("radio", name="Yard")).to_be_checked()
    phone.write("Who else?", "Two boys, about Year 8")
    phone.choose("What happened?", "Damage")
    phone.save()


def test_the_same_words_are_heard_that_are_seen(phone: Handset, school: School) -> None:
    phone.open().sign_in("amira")
    school.stop()
    incident(phone)
    expect(phone.page.get_by_role("status").first).to_contain_text(re.compile("Saved on this phone|not sent"))
    phone.open().tap("Call for help")
    phone.choose("Where?", "B12")
    phone.tap("Send the call for help")
    expect(phone.page.get_by_role("alert").filter(has_text="Nobody knows yet that you need help")).to_have_count(1)


def test_strings_of_any_sort_are_only_ever_text(new_phone: Callable[..., Handset], school: School) -> None:
    phone = new_phone().open().sign_in("amira")
    for words in HOSTILE:
        phone.open().tap("Incident")
        phone.page.get_by_role("button", name="I do not know who").click()
        phone.write("Who else?", words)
        phone.choose("What happened?", "Fight")
        phone.choose("Where?", "Yard")
        phone.write("Your account", words)
        phone.save()
    phone.send_now()

    desk = new_phone().open().sign_in("carol")
    for words in HOSTILE:
        desk.open("/records")
        rows = desk.page.get_by_role("list", name="Records").get_by_role("listitem")
        expect(rows).to_have_count(len(HOSTILE))
        rows.nth(len(HOSTILE) - 1 - HOSTILE.index(words)).get_by_role("link").click()
        expect(desk.page.get_by_role("article").get_by_role("blockquote")).to_have_text(words.replace("A\u0301", "Á"))
        expect(desk.page).to_have_title("Incident · Lanyard")  # nobody's words: the browser keeps titles in the clear


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_runs_out_of_the_side_and_every_target_is_large(new_phone: Callable[..., Handset], school: School, width: int) -> None:
    phone = new_phone(viewport={"width": width, "height": 700}).open().sign_in("olu")
    incident(phone)
    home_visit(phone)
    for path in (*LISTS, *FORMS, "/new/home_visit", "/new/attendance_call?pupils=conor"):
        phone.open(path)
        expect(phone.title).not_to_have_text("Opening")
        expect(phone.page.locator("main")).not_to_be_empty()
        for size in ("100%", "200%"):
            phone.page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", size)
            assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, size)
            assert phone.page.evaluate(TOO_SMALL) == [], (path, size)


# Links in the middle of a sentence are as high as its line, as WCAG allows.
TOO_SMALL = """() => [...document.querySelectorAll('a, button, .chip, select, textarea, input:not(.chip input)')]
    .filter((one) => !one.closest('p, .meta'))
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width > 0 && height > 0 && (width < 48 || height < 48))
    .map(([one, { width, height }]) => `${one.textContent || one.id} ${Math.round(width)} x ${Math.round(height)}`)"""


def tab_to(page: Page, name: str, at_most: int = 80) -> None:
    for _ in range(at_most):
        page.keyboard.press("Tab")
        if page.evaluate(NAME_OF_FOCUSED) == name:
            return
    raise AssertionError(f"Tab never came to {name}")


NAME_OF_FOCUSED = """() => {
    const one = document.activeElement;
    return (one.getAttribute('aria-label') || one.labels?.[0]?.textContent || one.textContent || '').trim();
}"""
