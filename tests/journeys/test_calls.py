"""The attendance morning: a list that is on the phone already, rung family by family with no signal, by more than one person."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.elsewhere import Elsewhere
from tests.journeys.handset import Handset
from tests.journeys.school import School
from tests.journeys.test_main_job import attendance_call

FIRST = ("Ash", "Birch", "Cedar", "Elm", "Fir", "Gorse")
REST = ("by", "combe", "den", "ford", "gate", "ham", "low", "mere", "stead", "ton")
OUTCOMES = ("No answer", "Coming in", "Voicemail", "Answered", "Ill", "In late")
# Nothing here can telephone: what was dialled is noted instead.
TELEPHONE = """
    window.taps = 0;
    window.dialled = [];
    addEventListener('click', (event) => {
        const { href } = event.target.closest('a[href^="tel:"]') ?? {};
        if (href) event.preventDefault(), window.dialled.push(href);
    });
    addEventListener('click', ({ isTrusted }) => { window.taps += isTrusted ? 1 : 0; }, true);
"""


@pytest.fixture
def new_phone(new_phone: Callable[..., Handset]) -> Callable[..., Handset]:
    def unpack() -> Handset:
        phone = new_phone()
        phone.context.add_init_script(TELEPHONE)
        return phone

    return unpack


def test_a_call_that_was_on_no_list_does_not_make_one_done(phone: Handset, school: School) -> None:
    phone.open().sign_in("olu")
    phone.tap("Calls")
    expect(phone.page.get_by_role("heading", name="No list today")).to_be_visible()
    attendance_call(phone)
    expect(region(phone, "Rung today")).to_contain_text("Conor O'Neill")
    expect(phone.page.get_by_role("heading", name="No list today")).to_be_visible()


@pytest.mark.parametrize("families", [12, pytest.param(60, marks=pytest.mark.soak)])
def test_a_morning_of_calls_is_two_taps_a_family_with_no_signal(phone: Handset, school: School, families: int) -> None:
    names = add_families(school, families)
    make_list(school, {name.lower(): {} for name in names})
    phone.open().sign_in("olu").open("/calls")
    expect(phone.page.get_by_text(f"{families} families to ring")).to_be_visible()
    school.stop()
    page = phone.page
    page.get_by_role("link", name=f"Start with {names[0]}").tap()
    taps = []
    again = list(range(0, families, len(OUTCOMES)))  # who did not answer: last of all, once more
    rung = [(at, OUTCOMES[at % len(OUTCOMES)]) for at in range(families)] + [(at, "Voicemail") for at in again]
    for at, outcome in rung:
        expect(phone.title).to_have_text(names[at])
        expect(page.get_by_role("link", name=f"Ring {names[at]}’s mother")).to_be_visible()
        before = page.evaluate("window.taps")
        page.get_by_role("link", name=f"Ring {names[at]}’s mother").tap()
        page.get_by_role("button", name=outcome, exact=True).tap()
        expect(phone.title).not_to_have_text(names[at])
        taps.append(page.evaluate("window.taps") - before)
    assert median(taps) <= 2
    assert max(taps) == 2
    assert page.evaluate("window.dialled") == [f"tel:{number_of(at)}".replace(" ", "") for at, _ in rung]
    expect(page.get_by_role("heading", name="Everybody on the list has been rung")).to_be_visible()
    expect(phone.strip).to_contain_text(f"{2 * len(rung)} saved on this phone, not sent")  # a claim, and a call
    school.start()
    phone.send_now()
    calls = calls_at(school)
    assert {call["number"] for call in calls} == {number_of(at) for at in range(families)}
    assert len(calls) == len(rung)
    assert len({call["listed"] for call in calls}) == families
    assert all(call["outcome"] and call["pupils"] and call["rung"].endswith("’s mother, mother") for call in calls)


def test_two_people_who_ring_one_family_with_no_signal_keep_both_calls_and_are_told(
    new_phone: Callable[..., Handset], school: School
) -> None:
    make_list(school, {"marcus": {}, "dara": {"caller": "olu"}, "zoe": {"caller": "carol"}})
    olu, carol = (new_phone().open().sign_in(who) for who in ("olu", "carol"))
    for phone in (olu, carol):
        expect(phone.open("/calls").page.get_by_text("2 families to ring for you")).to_be_visible()
    school.stop()
    ring(olu, {"Adeyemi-Smith": "Ill", "Bell": "No answer"})
    ring(carol, {"Ångström": "Voicemail", "Bell": "Coming in"})
    school.start()
    for phone in (olu, carol):
        phone.send_now()
    for phone, me, other in (
        (olu, "No answer", "Carol Whitlock · Answered, coming in"),
        (carol, "Answered, coming in", "Olu Balogun · No answer"),
    ):
        bell = region(phone.open("/calls"), "Rung today").get_by_role("link", name="Marcus Bell")
        expect(bell).to_contain_text("More than one of you rang")
        expect(bell).to_contain_text(f"you · {me}")
        expect(bell).to_contain_text(other)
        expect(phone.page.get_by_text("More than one of you rang Bell.")).to_be_visible()
        expect(phone.page.get_by_role("heading", name="Everybody on the list has been rung")).to_be_visible()
    assert sorted(call["outcome"] for call in calls_at(school)) == ["answered", "answered", "no_answer", "voicemail"]


def test_a_card_stays_as_it_was_opened_and_says_what_somebody_else_did_meanwhile(phone: Handset, school: School) -> None:
    rows = make_list(school, {"zoe": {}, "marcus": {}})
    phone.open().sign_in("olu").open("/calls").tap("Start with Ångström")
    page = phone.page
    expect(page.get_by_text("Do not ring Erik Ångström.")).to_be_visible()
    expect(page.get_by_role("link", name="Ring Erik")).to_have_count(0)
    dial = page.get_by_role("link", name="Ring Karin Ångström")
    where = dial.bounding_box()
    with Elsewhere(school, "carol") as carol:
        carol.write("attendance_call", {"pupils": put("zoe"), "listed": rows["zoe"], "outcome": "answered", "rung_at": today().isoformat()})
        carol.write("listed_family", {"off_list": "spoken_to"}, record=rows["zoe"])
        assert carol.send() == ["taken", "taken"]
    expect(page.get_by_role("banner")).to_contain_text("Carol Whitlock rang them at")
    expect(phone.title).to_have_text("Ångström")
    assert dial.bounding_box() == where
    dial.tap()
    phone.reload()
    expect(page.get_by_role("list", name="Rung already")).to_contain_text("Carol Whitlock · Answered")
    phone.tap("No answer")
    expect(phone.title).to_have_text("Bell")
    page.get_by_role("button", name="Undo").tap()
    expect(phone.title).to_have_text("Ångström")
    expect(page.get_by_role("list", name="Rung already").get_by_role("listitem")).to_have_count(1)
    with Elsewhere(school, "carol") as carol:
        carol.write("listed_family", {"off_list": "nobody"}, record=rows["zoe"])
        assert carol.send() == ["taken"]
    expect(page.get_by_text("Nobody may be rung: ask the safeguarding lead")).to_be_visible()
    expect(dial).to_have_count(0)


def test_the_long_form_begins_with_what_the_card_knows(phone: Handset, school: School) -> None:
    make_list(school, {"conor": {"reasons": put("no_reason")}})
    phone.open().sign_in("olu").open("/calls").tap("Start with O'Neill")
    phone.page.get_by_role("link", name="Ring Pat O'Neill").tap()
    phone.reload()  # as after a long call, locked meanwhile
    expect(phone.page.get_by_text("One tap saves it as a call to Pat O'Neill, uncle.")).to_be_visible()
    phone.tap("More…")
    expect(phone.page.get_by_label("Whom did you ring?")).to_have_value("Pat O'Neill, uncle")
    phone.choose("How did it go?", "Would not speak")
    phone.save()
    phone.send_now()
    (call,) = calls_at(school)
    assert (call["outcome"], call["number"], list(call["listed_for"])) == ("refused", "07700 900104", ["no_reason"])
    expect(region(phone.open("/calls"), "Rung today").get_by_role("link", name="Conor O'Neill")).to_contain_text("Would not speak")


# ── A morning ──────────────────────────────────────────────────────────────────────────────


def ring(phone: Handset, families: dict[str, str]) -> None:
    """One's own first, and then the one that is nobody's: the next card comes by itself."""
    phone.page.get_by_role("link", name="Start with").tap()
    for family, outcome in families.items():
        expect(phone.title).to_have_text(family)
        phone.page.locator("a.dial").first.tap()
        phone.page.get_by_role("button", name=outcome, exact=True).tap()
    expect(phone.title).to_have_text("Calls")


def region(phone: Handset, name: str) -> Locator:
    return phone.page.get_by_role("region", name=name)


def today() -> datetime:
    """At the hour of calls; a list made just before midnight is for the day that begins."""
    return (datetime.now(ZoneInfo("Europe/London")) + timedelta(minutes=10)).replace(hour=7, minute=30, second=0, microsecond=0)


def put(*keys: str) -> dict[str, Any]:
    return {"put": {key: {} for key in keys}, "drop": []}


def make_list(school: School, families: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """One family for each of these pupils, in this order; their rows."""
    with Elsewhere(school, "lena") as lena:
        rows = {
            pupil: lena.write(
                "listed_family",
                {
                    "for_day": today().isoformat(),
                    "pupils": put(pupil),
                    "because": "Absent yesterday without a reason.",
                    "place_in_list": str(place),
                }
                | {name: put(said) if name == "caller" else said for name, said in more.items()},
            )
            for place, (pupil, more) in enumerate(families.items(), 1)
        }
        assert set(lena.send()) == {"taken"}
    return rows


def add_families(school: School, how_many: int) -> list[str]:
    """Surnames; each has one child, so called in small letters, and a mother who can be rung."""
    names = [f"{first}{rest}" for first in FIRST for rest in REST][:how_many]
    pupils = (
        "insert into pupil (school, id, forename, surname, year, form, seq) values ('northgate', lower(?1), 'Sam', ?1, '9', '9 KEL', 1)"
    )
    mothers = (
        "insert into contact (id, school, pupil, person, position, name, relationship, phone, seq)"
        " values (?1, 'northgate', lower(?1), ?1, 1, ?1 || '’s mother', 'Mother', ?2, 1)"
    )
    with sqlite3.connect(school.database, timeout=30) as database:
        database.executemany(pupils, [(name,) for name in names])
        database.executemany(mothers, [(name, number_of(at)) for at, name in enumerate(names)])
    return names


def number_of(at: int) -> str:
    return f"07700 9003{at:02}"


def calls_at(school: School) -> list[dict[str, Any]]:
    with sqlite3.connect(school.database) as database:
        return [json.loads(body) for (body,) in database.execute("select body from record where kind = 'attendance_call'")]
