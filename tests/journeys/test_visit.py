"""A home visit that somebody watches: each step one tap, with no signal and with it; and who is told when nobody comes back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import expect

from tests.journeys.elsewhere import Elsewhere
from tests.journeys.handset import Handset
from tests.journeys.school import HELP_NUMBER, School
from tests.journeys.test_every_screen import assert_usable
from tests.world import PASSWORD


def test_a_visit_goes_from_plan_to_safe_while_the_signal_goes_and_comes(phone: Handset, school: School) -> None:
    planned(school, siobhan=-30 * 24 * 60, for_next_visitor="Ring first: the bell is broken")
    visit = planned(school, conor=-1, back_in=50)
    phone.open().sign_in("olu").open("/this-phone").send_now()
    main = phone.open(f"/visit/{visit}").page.locator("main")
    expect(main).to_contain_text("Ring first: the bell is broken.")  # at her brother's
    expect(main).to_contain_text("The school has your plan.")
    expect(main).to_contain_text("Ben Price at")
    school.stop()
    for step in ("I am leaving school", "Add 15 min", "I have arrived"):
        phone.tap(step)
    refused = phone.page.get_by_role("button", name="Would not speak to us")
    refused.dispatch_event("click", {"detail": 2})  # the second of two taps was meant for what stood there before
    for step in ("Let in", "Yes, and spoken to alone"):
        phone.tap(step)
    expect(main).to_contain_text("Let in. Yes, and spoken to alone")
    expect(main).to_contain_text("The school still expects you by")
    phone.reload().unlock()
    expect(main).to_contain_text("The school still expects you by")
    expect(phone.page.get_by_role("link", name=HELP_NUMBER)).to_be_visible()
    school.start()
    phone.send_now()
    phone.open(f"/visit/{visit}")
    expect(main).to_contain_text("The school has your plan.")
    phone.tap("I have left")
    phone.tap("I am back and safe")
    expect(main).to_contain_text("Safe, done")
    phone.send_now()
    phone.open(f"/visit/{visit}")
    expect(main).to_contain_text("The school knows that you are safe.")
    expect(phone.page.get_by_role("link", name="Write it up")).to_be_visible()


def test_whoever_closes_with_the_other_word_sees_nothing_of_the_alarm(new_phone: Callable[..., Handset], school: School) -> None:
    visit = planned(school, conor=-60, back_in=-7)
    olu, ben = new_phone().open().sign_in("olu"), new_phone().open().sign_in("ben")
    olu.open("/closing-words")
    for question, answer in {"When you are safe": "tulip", "When you need help": "daffodil", "Your password": PASSWORD}.items():
        olu.write(question, answer)
    olu.tap("Set these words")
    expect(olu.page.locator("main")).to_contain_text("Your words are set.")
    assert_usable(olu.page, "closing words")
    ben.open(f"/visit/{visit}")
    theirs, watched = olu.page.locator("main"), ben.page.locator("main")
    expect(watched).to_contain_text("minutes past the time")
    expect(watched).to_contain_text("Blue Fiesta")
    assert_usable(ben.page, "somebody's visit")
    olu.send_now()
    olu.open(f"/visit/{visit}").tap("I am leaving school")
    expect(theirs).to_contain_text("minutes past your time")
    assert_usable(olu.page, "my visit")
    olu.tap("I am back and safe")
    olu.write("Your closing word", "Daffodil")
    olu.tap("I am back and safe")
    expect(theirs).to_contain_text("The school knows that you are safe.")
    expect(watched).to_contain_text("Do not ring them")
    expect(olu.page.get_by_role("link", name="Write it up")).to_be_visible()
    ben.tap("I see to it")
    expect(watched).to_contain_text("Ben Price sees to it.")
    expect(theirs).to_contain_text("The school knows that you are safe.")


def planned(school: School, back_in: int | None = None, for_next_visitor: str | None = None, **pupil: int) -> str:
    """Olu's visit to one pupil, who leaves so many minutes from now; Ben expects the call."""
    [(who, leaves_in)] = pupil.items()
    values: dict[str, Any] = {"pupils": put(who), "going": put("olu"), "expects_call": put("ben"), "vehicle": "Blue Fiesta"}
    values |= {"leaves_at": moment(leaves_in)} | ({"back_by": moment(back_in)} if back_in is not None else {})
    with Elsewhere(school, "olu") as olu:
        visit = olu.write("home_visit", values | ({"for_next_visitor": for_next_visitor} if for_next_visitor else {}))
        assert olu.send() == ["taken"]
    return visit


def put(key: str) -> dict[str, Any]:
    return {"put": {key: {}}, "drop": []}


def moment(minutes: int) -> dict[str, str]:
    return {"at": (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="milliseconds"), "precision": "exact"}
