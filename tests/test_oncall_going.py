"""What a visit's edits are worth: by whose clock a time is meant, and whose word gives longer or ends it."""

from typing import Any

import pytest

from server.oncall.going import Wrote
from server.store.moments import to_wire
from tests.phone import Phone
from tests.school import SECOND, School
from tests.test_oncall_visits import MINUTE, act, arrives, at, goes_out, look, passes, plan, put, rings, says, sets_words, timeline, told

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE


# ── Clocks ─────────────────────────────────────────────────────────────────────────────────


async def goes_out_by_a_wrong_clock(school: School, wrong_by: int, minutes: int = 30) -> tuple[Phone, str]:
    phone = school.phone("olu", wrong_by)
    said = plan(school) | {"leaves_at": at(phone.time()), "back_by": at(phone.time() + minutes * MINUTE)}
    record = phone.write(said, kind="home_visit")["record"]
    await arrives(school, phone)
    return phone, record


@pytest.mark.parametrize(
    ("wrong_by", "said"),
    [(HOUR, "60 minutes ahead"), (365 * DAY, "365 days ahead"), (-HOUR, "60 minutes behind"), (-2 * DAY, "2 days behind")],
)
async def test_a_time_by_a_wrong_clock_is_waited_for_by_the_schools(school: School, wrong_by: int, said: str) -> None:
    phone, record = await goes_out_by_a_wrong_clock(school, wrong_by)
    card = await look(school, record)
    assert (card["state"], card["due_back"]) == ("out", to_wire(school.now + 30 * MINUTE))
    assert await timeline(school, record) == [f"The school has the plan (their phone’s clock was {said})"]
    await passes(school, 34)
    await says(school, phone, record, back_by=at(phone.time() + 20 * MINUTE), arrived_at=at(phone.time()))
    assert await told(school) == []
    await passes(school, 25)
    assert await told(school) == [("olu", "visit.overdue")]
    await says(school, phone, record, safe_at=at(phone.time() - MINUTE))
    card = await look(school, record)
    assert (card["state"], card["safe_at"]) == ("safe", to_wire(school.now - MINUTE))
    lines = await timeline(school, record)
    assert [line.split(" (")[0] for line in lines][1:] == [
        "Olu Balogun: arrived", "Olu Balogun: back by 09:24, later than 09:00", "Asked Olu Balogun: are you safe?",
        "Olu Balogun says: safe",
    ]  # fmt: skip
    assert sum(f"(their phone’s clock was {said})" in line for line in lines) == 4


async def test_by_a_clock_that_is_behind_a_time_read_off_a_wall_is_waited_for_as_it_was_said(school: School) -> None:
    phone = school.phone("olu", -HOUR)
    record = phone.write(plan(school, 30), kind="home_visit")["record"]
    await arrives(school, phone)
    assert (await look(school, record))["due_back"] == to_wire(school.now + 30 * MINUTE)


async def test_what_waited_for_signal_is_not_wrong_for_that(school: School) -> None:
    phone = school.phone("olu")
    record = phone.write(plan(school, 30), kind="home_visit")["record"]
    was = school.now
    school.now += 20 * MINUTE
    phone.write({"arrived_at": at(school.now - 10 * MINUTE)}, record, kind="home_visit")
    school.now += 5 * MINUTE
    await arrives(school, phone)
    assert (await look(school, record))["due_back"] == to_wire(was + 30 * MINUTE)
    assert await timeline(school, record) == [
        "The school has the plan", "Olu Balogun: arrived (the school heard so at 08:55)",
    ]  # fmt: skip
    assert (await look(school, record))["timeline"][1]["at"] == to_wire(was + 10 * MINUTE)


async def test_a_time_far_ahead_of_the_hour_it_was_written_at_is_no_word_that_they_are_safe(school: School) -> None:
    phone, record = await goes_out(school, 60)
    await says(school, phone, record, safe_at=at(school.now + 50 * MINUTE))
    card = await look(school, record)
    assert (card["state"], card["unsure"], card["safe_at"]) == ("out", True, None)
    assert (await timeline(school, record))[-1] == "Olu Balogun says: safe at 09:20, which had not come. It does not count"
    await passes(school, 65)
    assert await told(school) == [("olu", "visit.overdue")]
    await says(school, phone, record, safe_at=at(school.now))
    card = await look(school, record)
    assert (card["state"], card["unsure"]) == ("safe", False)


async def test_nobody_is_waited_for_longer_than_a_day_whatever_year_they_wrote(school: School) -> None:
    phone, record = await goes_out(school, 365 * 24 * 60)
    assert (await look(school, record))["due_back"] == to_wire(school.now + DAY)
    await says(school, phone, record, leaves_at=at(school.now + 2 * DAY))  # a plan for the day after tomorrow
    await says(school, phone, record, back_by=at(school.now + 800 * DAY))
    assert (await look(school, record))["due_back"] == to_wire(school.now + 3 * DAY)


async def test_an_edit_whose_hour_cannot_be_read_ends_it_all_the_same(school: School) -> None:
    phone, record = await goes_out(school)
    phone.write({"safe_at": at(school.now)}, record, kind="home_visit", made_at="at teatime")
    await arrives(school, phone)
    assert (await look(school, record))["state"] == "safe"


def wrote(made_at: int | None, ordered_at: int, **values: Any) -> Wrote:
    return Wrote("olu", "officer", 1, made_at, ordered_at, ordered_at, values, False, False)


def test_of_two_readings_of_a_time_to_come_the_earlier_counts_that_had_not_gone_by() -> None:
    noon = 20_000 * DAY + 12 * HOUR
    for made_at, back_by, due in (
        (noon, noon + HOUR, noon + HOUR),
        (noon + 90 * SECOND, noon + HOUR, noon + HOUR),  # a letter that took its time
        (noon + HOUR, noon + 2 * HOUR, noon + HOUR),
        (noon - HOUR, noon + HOUR, noon + HOUR),
        (noon - HOUR, noon - MINUTE, noon + 59 * MINUTE),
        (noon + HOUR, noon + MINUTE, noon + MINUTE),
        (noon + HOUR, noon - MINUTE, noon - 61 * MINUTE),  # gone by however it is read
        (None, noon + HOUR, noon + HOUR),
    ):
        assert wrote(made_at, noon, back_by=at(back_by)).due("back_by") == due


# ── Whose word ─────────────────────────────────────────────────────────────────────────────


async def theirs(school: School, who: str) -> Phone:
    phone = school.phone(who)
    await phone.sync_all()
    return phone


async def test_a_colleague_who_puts_themselves_down_ends_nobodys_visit(school: School) -> None:
    _, record = await goes_out(school)
    carol = await theirs(school, "carol")
    await says(school, carol, record, going=put("carol"), safe_at=at(school.now))
    await says(school, carol, record, safe_at=at(school.now + MINUTE))
    card = await look(school, record)
    assert (card["state"], card["goes"]) == ("out", ["olu"])
    assert await timeline(school, record) == [
        "The school has the plan",
        "Carol Whitlock wrote that they are safe. It does not count: only those who go, or a safeguarding lead, can say so",
        "Carol Whitlock changed who goes. It does not count: only those who go, whoever made the plan or a safeguarding lead can",
        "Carol Whitlock wrote that they are safe. It does not count: only those who go, or a safeguarding lead, can say so",
    ]
    await passes(school, 65)
    assert sorted(await told(school)) == [("carol", "visit.overdue"), ("olu", "visit.overdue")]  # if she went after all, she is asked


@pytest.mark.parametrize("by", ["olu", "dee"])
async def test_whoever_is_put_down_by_one_who_goes_or_a_lead_goes(school: School, by: str) -> None:
    _, record = await goes_out(school)
    await says(school, await theirs(school, by), record, going=put("hana"))
    await says(school, await theirs(school, "hana"), record, safe_at=at(school.now))
    card = await look(school, record)
    assert (card["state"], card["closed_by"]) == ("safe", "hana")


async def test_whoever_made_the_plan_may_change_it_and_one_written_with_a_clock_set_back_is_not_theirs(school: School) -> None:
    phone = await theirs(school, "carol")
    record = phone.write(plan(school), kind="home_visit")["record"]
    await arrives(school, phone)
    await says(school, phone, record, back_by=at(school.now + 90 * MINUTE))
    assert (await look(school, record))["due_back"] == to_wire(school.now + 90 * MINUTE)
    other = await theirs(school, "hana")
    other.write({"back_by": at(school.now + 120 * MINUTE)}, record, kind="home_visit", made_at=to_wire(school.now - DAY), seen=None)
    other.write({"back_by": at(school.now + 150 * MINUTE)}, record, kind="home_visit")
    await arrives(school, other)
    assert (await look(school, record))["due_back"] == to_wire(school.now + 90 * MINUTE)


async def test_only_those_whose_plan_it_is_make_the_school_wait_longer_and_anybody_look_sooner(school: School) -> None:
    start = school.now
    phone, record = await goes_out(school, 60)
    carol = await theirs(school, "carol")
    await says(school, carol, record, back_by=at(start + DAY))
    assert (await look(school, record))["due_back"] == to_wire(start + 60 * MINUTE)
    assert "Carol Whitlock wrote back by 08:30. It does not count: only those who go, whoever made the plan" in (
        await timeline(school, record)
    )[-1]  # fmt: skip
    await phone.sync_all()
    assert phone.records[record]["body"]["back_by"]["at"] == to_wire(start + DAY)  # kept in the record
    await says(school, phone, record, checked_in_at=at(school.now))
    await passes(school, 65)
    assert await told(school) == [("olu", "visit.overdue")]
    await says(school, carol, record, back_by=at(start + 2 * DAY))
    await passes(school, 10)
    assert ("dee", "visit.alarm") in await told(school)
    await says(school, await theirs(school, "dee"), record, back_by=at(school.now + 60 * MINUTE))
    assert (await look(school, record))["due_back"] == to_wire(school.now + 60 * MINUTE)
    await says(school, carol, record, back_by=at(school.now + 30 * MINUTE))
    assert (await look(school, record))["due_back"] == to_wire(school.now + 30 * MINUTE)
    await says(school, phone, record, back_by=at(school.now + 90 * MINUTE))
    assert (await look(school, record))["due_back"] == to_wire(school.now + 90 * MINUTE)


async def test_a_time_that_was_written_earlier_and_comes_later_overtakes_none_but_what_does_not_count(school: School) -> None:
    start = school.now
    phone, record = await goes_out(school, 60)
    tablet, carol = await theirs(school, "olu"), await theirs(school, "carol")
    for minutes, their in ((40, tablet), (300, carol)):
        phone.write({"back_by": at(start + 2 * HOUR)}, record, kind="home_visit")  # no signal
        school.now += MINUTE
        await says(school, their, record, back_by=at(start + minutes * MINUTE))
        school.now += MINUTE
        await arrives(school, phone)
        assert (await look(school, record))["due_back"] == to_wire(start + (40 if their is tablet else 120) * MINUTE)


async def test_nobody_else_calls_off_a_visit_that_has_begun_by_having_it_begin_later(school: School) -> None:
    _, record = await goes_out(school, 60)
    await says(school, await theirs(school, "carol"), record, leaves_at=at(school.now + 30 * MINUTE), state="void", state_reason="None")
    assert (await look(school, record))["state"] == "out"


async def test_one_that_is_still_to_begin_is_called_off_by_those_whose_plan_it_is_and_whoever_goes_hears_so(school: School) -> None:
    _, record = await goes_out(school, 60, leaves_at=at(school.now + 20 * MINUTE))
    await says(school, await theirs(school, "carol"), record, state="void", state_reason="Tidied up")
    assert (await look(school, record))["state"] == "planned"
    assert "Carol Whitlock closed the record. They are waited for" in (await timeline(school, record))[-1]
    dee = await theirs(school, "dee")
    await says(school, dee, record, state="open")
    await says(school, dee, record, state="void", state_reason="The family rang")
    assert ((await look(school, record))["state"], await told(school)) == ("over", [("olu", "visit.off")])


async def test_the_other_word_of_one_whom_a_colleague_put_down_is_an_alarm(school: School) -> None:
    await rings(school, "carol")
    await sets_words(school, "hana")
    _, record = await goes_out(school)
    await says(school, await theirs(school, "carol"), record, going=put("hana"))
    await says(school, await theirs(school, "hana"), record, safe_at=at(school.now), closing_word="crumpet")
    assert ((await look(school, record, "dee"))["state"], (await look(school, record, "hana"))["state"]) == ("alarm", "safe")
    assert (await act(school, "dee", record, "seen_safe", "Spoke to both"))[0] == 200
