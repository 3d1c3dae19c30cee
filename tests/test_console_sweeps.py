"""Sweeps at the desk: everybody spoken to, whose phones are out, a sheet for each other school, and who somebody was."""

import re
from typing import Any

import pytest
from litestar import Litestar

from server.oncall.forgetting import DAY, lay_night
from server.oncall.steps import take_due
from server.store import moments
from server.store.database import reading, writing
from server.store.me import Me
from tests.desk import NOW, Desk, at_desk, phone_sends, put
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, HANA, LENA, OLU

SWEEP = {
    "area": "town_centre", "starts_at": {"at": "2026-11-18T09:00:00Z", "precision": "exact"},
    "ends_at": {"at": "2026-11-18T11:00:00Z", "precision": "exact"}, "authority_reference": "S16/26/117", "police_lead": "PC 4417 Hale",
    "team": put(olu="leads", ben="goes"),
}  # fmt: skip
SEEN = {"where": "arcade", "company": "alone", "outcome": "agreed"}
OF_FULLING = {"whose": "other_school", "said_name": "Kacper Zając", "said_born": "14", "said_school": "Fulling Mill School"}


async def a_sweep(**more: Any) -> str:
    return await phone_sends(OLU, "sweep", SWEEP | more, at=NOW)


async def spoken_to(sweep: str | None, me: Me = OLU, **said: Any) -> str:
    return await phone_sends(me, "sighting", SEEN | ({"sweep": sweep} if sweep else {}) | said)


async def edits_of(record: str) -> int:
    row = await reading(lambda tx: tx.row("select count(*) from edit where record = $1", record))
    return int(row[0]) if row else 0


async def match(desk: Desk, record: str, **said: str) -> Any:
    path = f"/console/sightings/{record}/match"
    form = (await desk.open(path)).forms()
    seen = next(one["carries"]["seen"] for one in form if "seen" in one["carries"])
    return await desk.send(path, {"seen": seen, **said})


# ── A sweep's page ─────────────────────────────────────────────────────────────────────────


async def test_everybody_spoken_to_by_any_phone_is_on_the_page_of_their_sweep_and_nobody_else(desk_app: Litestar) -> None:
    sweep, other = await a_sweep(), await a_sweep(area="park")
    await spoken_to(sweep, whose="ours", pupils=put(zoe=""))
    await spoken_to(sweep, BEN, **OF_FULLING)
    await spoken_to(sweep, BEN, whose="not_known", description="Girl, about 12")
    await spoken_to(other, whose="ours", pupils=put(marcus=""))
    wrong = await spoken_to(sweep, whose="ours", pupils=put(li=""))
    await phone_sends(OLU, "sighting", {"state": "void", "state_reason": "Twice"}, record=wrong)
    desk = await at_desk(desk_app, CAROL)
    shown = await desk.open(f"/console/sweeps/{sweep}")
    assert "3 young people spoken to : 1 ours, 1 another school’s, 1 not known. Written by 2 people" in shown
    assert "1 more made in error is not counted" in shown
    for words in ("Zoë Ångström", "Kacper Zając", "Girl, about 12", "PC 4417 Hale", "S16/26/117"):
        assert words in shown
    assert "Marcus" not in shown
    listed = await desk.open("/console/sweeps")
    assert re.search(r"Town centre (On now|Over, not closed yet|Closed|To come) 3", listed.text)


async def test_a_head_of_year_sees_pupils_of_their_years_and_sweeps_they_were_on_and_hands_nobody_over(desk_app: Litestar) -> None:
    sweep, other = await a_sweep(team=put(hana="goes")), await a_sweep(area="park")
    await spoken_to(sweep, whose="ours", pupils=put(zoe=""))
    await spoken_to(other, whose="ours", pupils=put(marcus=""))
    seen = await spoken_to(sweep, **OF_FULLING)
    carol, hana = await at_desk(desk_app, CAROL), await at_desk(desk_app, HANA)
    listed = await hana.open("/console/sweeps")
    assert "Zoë Ångström" in listed
    assert not [name for name in ("Marcus Bell", "Kacper") if name in listed]
    shown = await hana.open(f"/console/sweeps/{sweep}")
    assert "1 young person whom you may see, spoken to : 1 ours" in shown
    assert "Not everybody." in shown
    assert "Hand-off" not in shown
    assert (await hana.open(f"/console/sweeps/{other}")).status == 404
    sheet = re.findall(r"hand-off/(\w+)", (await carol.open(f"/console/sweeps/{sweep}")).html)[0]
    for path in (f"sweeps/{sweep}/hand-off/{sheet}", f"sightings/{seen}/match"):
        assert (await hana.open(f"/console/{path}")).status == 403, path


@pytest.mark.parametrize("me", [AMIRA, BEN, ADA, DAN], ids=lambda me: me.staff)
async def test_whoever_does_not_hold_sweeps_opens_none_of_it(desk_app: Litestar, me: Me) -> None:
    sweep = await a_sweep()
    seen = await spoken_to(sweep, **OF_FULLING)
    carol, desk = await at_desk(desk_app, CAROL), await at_desk(desk_app, me)
    sheet = re.findall(r"hand-off/(\w+)", (await carol.open(f"/console/sweeps/{sweep}")).html)[0]
    for path in ("sweeps", f"sweeps/{sweep}", f"sweeps/{sweep}/hand-off/{sheet}", f"sightings/{seen}/match"):
        assert (await desk.open(f"/console/{path}")).status == 403, path
    assert (await desk.send(f"/console/sightings/{seen}/match", {"pupil": "zoe"})).status == 403


async def test_another_schools_sweep_is_found_nowhere_and_a_sighting_that_names_it_is_kept(desk_app: Litestar) -> None:
    sweep = await a_sweep()
    theirs = await phone_sends(DAN, "sighting", SEEN | {"sweep": sweep, "whose": "not_known", "description": "Boy"})
    await writing(lambda tx: tx.run("update staff set role = 'dsl' where id = 'dan'"))
    dan, carol = await at_desk(desk_app, DAN), await at_desk(desk_app, CAROL)
    for path in (f"sweeps/{sweep}", f"sweeps/{sweep}/hand-off/0011223344556677"):
        assert (await dan.open(f"/console/{path}")).status == 404
    kept = await dan.open(f"/console/record/{theirs}")
    assert "A record that has not come in, or is not yours to see" in kept
    assert "0 young people spoken to" in await carol.open(f"/console/sweeps/{sweep}")
    assert (await carol.open(f"/console/sightings/{theirs}/match")).status == 404


async def test_what_comes_after_a_sweep_was_closed_is_kept_counted_and_said_and_whose_phone_is_out(desk_app: Litestar) -> None:
    sweep = await a_sweep(ends_at={"at": "2026-11-18T10:00:00Z", "precision": "exact"})
    await writing(lambda tx: tx.run("update phone set seen_at = 1 where staff = 'ben'"))
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{sweep}/close")).form("/close")
    await desk.send(f"/console/record/{sweep}/close", form)
    shown = await desk.open(f"/console/sweeps/{sweep}")
    assert "Closed" in shown
    assert "Ben Price’s phone may still be out" in shown
    await spoken_to(sweep, BEN, whose="ours", pupils=put(zoe=""))
    shown = await desk.open(f"/console/sweeps/{sweep}")
    assert "1 young person spoken to" in shown
    assert "1 sighting came in after that, and is counted" in shown
    assert "after it was closed" in shown
    assert "may still be out" not in shown


async def test_a_sighting_on_a_void_sweep_is_kept_and_the_page_says_so(desk_app: Litestar) -> None:
    sweep = await a_sweep()
    await phone_sends(OLU, "sweep", {"state": "void", "state_reason": "Wrong day"}, record=sweep)
    await spoken_to(sweep, BEN, whose="ours", pupils=put(zoe=""))
    shown = await (await at_desk(desk_app, CAROL)).open(f"/console/sweeps/{sweep}")
    assert "Void: made in error. Wrong day What was written on it is kept, each by itself." in shown
    assert "Zoë Ångström" in shown


# ── Hand-off sheets ────────────────────────────────────────────────────────────────────────


async def test_a_sheet_has_what_that_school_needs_and_nobody_elses_pupils(desk_app: Litestar) -> None:
    sweep = await a_sweep()
    said = {"account": "He was rude to me.", "said": "I hate it there.", "companions": "His uncle", "concern": "yes"}
    await spoken_to(sweep, **OF_FULLING, **said, reason="ill", description="Tall, red coat")
    await spoken_to(sweep, BEN, whose="other_school", said_school="the fulling mill", description="Girl, green bag")
    await spoken_to(sweep, whose="other_school", said_name="Iris Wood", said_school="Kingfisher Park Academy")
    await spoken_to(sweep, whose="ours", pupils=put(zoe=""), said_school="Fulling Mill School")
    desk = await at_desk(desk_app, OLU)
    shown = await desk.open(f"/console/sweeps/{sweep}")
    keys = dict(re.findall(r'hand-off/(\w+)"><span class="grow"><b>([^<]+)', shown.html))
    assert sorted(keys.values()) == ["Fulling Mill School", "Kingfisher Park Academy"]
    key = next(key for key, name in keys.items() if name.startswith("Fulling"))
    sheet = await desk.open(f"/console/sweeps/{sweep}/hand-off/{key}")
    for words in ("2 young people who said", "Kacper Zając", "Girl, green bag", "Arcade", "Ill", "Agreed to go in", "S16/26/117"):
        assert words in sheet, words
    for words in ("Zoë", "Iris", "rude", "hate", "uncle", "red coat", "concern is", "Balogun’s"):
        assert words not in sheet, words
    assert (await desk.open(f"/console/sweeps/{sweep}/hand-off/0000000000000000")).status == 404


async def test_handing_over_is_written_into_each_sighting_of_the_sheet_once(desk_app: Litestar) -> None:
    sweep = await a_sweep()
    seen = await spoken_to(sweep, **OF_FULLING)
    other = await spoken_to(sweep, whose="other_school", said_name="Iris Wood", said_school="Kingfisher")
    desk = await at_desk(desk_app, OLU)
    keys = dict(re.findall(r'hand-off/(\w+)"><span class="grow"><b>([^<]+)', (await desk.open(f"/console/sweeps/{sweep}")).html))
    path = next(f"/console/sweeps/{sweep}/hand-off/{key}" for key, name in keys.items() if name.startswith("Fulling"))
    for nobody in ("", " ", "x" * 200):
        assert (await desk.send(path, {"to": nobody})).status == 400
    assert (await desk.send(path, {"to": "Mrs Patel, attendance"})).status == 303
    assert "Mrs Patel, attendance" in await desk.open(path)
    assert "It was handed over" not in await desk.open(path)
    assert (await desk.send(path, {"to": "Somebody else"})).status == 303
    assert "Somebody else" not in await desk.open(path)
    assert await edits_of(seen) == 2
    assert await edits_of(other) == 1


# ── Who was it? ────────────────────────────────────────────────────────────────────────────


async def test_a_likely_pupil_is_suggested_with_a_reason_and_the_match_is_an_edit_with_a_name_on_it(desk_app: Litestar) -> None:
    seen = await spoken_to(None, BEN, whose="not_known", said_name="Shivaun Oneil", said_born="14", description="Girl, black coat")
    desk = await at_desk(desk_app, CAROL)
    shown = await desk.open(f"/console/sightings/{seen}/match")
    assert "It was Siobhán O’Neill" in shown
    assert "14 years old, as they said" in shown
    assert "Marcus" not in shown
    assert (await match(desk, seen, pupil="siobhan")).status == 303
    shown = await desk.open(f"/console/sightings/{seen}/match")
    assert "Matched: Siobhán O’Neill" in shown
    record = await desk.open(f"/console/record/{seen}")
    assert "Carol Whitlock" in record
    assert "Shivaun Oneil" in record  # what was written stays
    assert "Girl, black coat" not in await desk.open("/console/sweeps")


async def test_whoever_is_matched_already_is_not_matched_twice(desk_app: Litestar) -> None:
    seen = await spoken_to(None, whose="not_known", said_name="Conor Oneil")
    carol, dee = await at_desk(desk_app, CAROL), await at_desk(desk_app, DEE)
    form = next(one["carries"] for one in (await dee.open(f"/console/sightings/{seen}/match")).forms() if "pupil" in one["carries"])
    assert (await match(carol, seen, pupil="conor")).status == 303
    refused = await dee.send(f"/console/sightings/{seen}/match", form | {"pupil": "marcus"})
    assert refused.status == 409
    assert "They are matched already: Conor O'Neill" in refused
    assert await edits_of(seen) == 2


async def test_a_match_taken_back_leaves_both_in_the_history_and_is_not_taken_back_twice(desk_app: Litestar) -> None:
    seen = await spoken_to(None, whose="not_known", said_name="Conor Oneil")
    desk = await at_desk(desk_app, CAROL)
    await match(desk, seen, pupil="conor")
    assert (await match(desk, seen, take_back="conor")).status == 303
    shown = await desk.open(f"/console/record/{seen}")
    assert "Taken out: Conor O'Neill" in shown
    again = await desk.send(f"/console/sightings/{seen}/match", {"take_back": "conor"})
    assert again.status == 409
    assert "That match was taken back already" in again
    assert "It was Conor O'Neill" in await desk.open(f"/console/sightings/{seen}/match")


@pytest.mark.parametrize("pupil", ["tom", "nobody", "", "x" * 5000, "zoe,li"])
async def test_nobody_elses_pupil_can_be_named(desk_app: Litestar, pupil: str) -> None:
    seen = await spoken_to(None, whose="not_known", said_name="Tom Hart")
    desk = await at_desk(desk_app, CAROL)
    assert "It was Tom Hart" not in await desk.open(f"/console/sightings/{seen}/match")
    refused = await match_with(desk, seen, pupil)
    assert refused.status == 409
    assert await edits_of(seen) == 1


async def match_with(desk: Desk, record: str, pupil: str) -> Any:
    return await desk.send(f"/console/sightings/{record}/match", {"pupil": pupil})


async def test_a_canary_is_suggested_to_nobody(desk_app: Litestar) -> None:
    await writing(lambda tx: tx.run("update pupil set canary = $1 where id = 'marcus'", True))
    seen = await spoken_to(None, whose="not_known", said_name="Marcus Bell")
    assert "It was Marcus" not in await (await at_desk(desk_app, CAROL)).open(f"/console/sightings/{seen}/match")


async def test_somebody_forgotten_while_the_page_was_open_cannot_be_matched_any_more_and_it_says_so(desk_app: Litestar) -> None:
    seen = await spoken_to(None, whose="not_known", said_name="Conor Oneil", description="Boy")
    desk = await at_desk(desk_app, CAROL)
    form = next(one["carries"] for one in (await desk.open(f"/console/sightings/{seen}/match")).forms() if "pupil" in one["carries"])
    await after_days(30)
    refused = await desk.send(f"/console/sightings/{seen}/match", form)
    assert refused.status == 409
    assert "the school’s days were over" in refused
    assert "Oneil" not in await desk.open("/console/sweeps")


async def after_days(days: int) -> None:
    at = moments.now() + days * DAY
    await writing(lay_night, "northgate", at)
    await take_due(at + DAY)


# ── The school's days ──────────────────────────────────────────────────────────────────────


async def test_the_days_are_the_schools_and_fewer_hold_at_once(desk_app: Litestar) -> None:
    seen = await spoken_to(None, whose="not_known", said_name="Conor Oneil")
    dee, carol = await at_desk(desk_app, DEE), await at_desk(desk_app, CAROL)
    for wrong in ("", "0", "366", "-3", "ten", "１０", "99999"):
        refused = await dee.send("/console/sweeps", {"days": wrong})
        assert refused.status == 400
        assert "Enter whole days, from 1 to 365" in refused
    assert (await carol.send("/console/sweeps", {"days": "5"})).status == 403
    assert (await dee.send("/console/sweeps", {"days": "5"})).status == 303
    assert "They are forgotten 5 days after they came in" in await carol.open("/console/sweeps")
    await take_due(moments.now() + 6 * DAY)
    assert "Conor Oneil" not in await carol.open(f"/console/record/{seen}")
    rows = await reading(lambda tx: tx.rows("select detail from audit where what = 'change days of sightings'"))
    assert [row[0] for row in rows] == ['{"days":5}']


async def test_with_nothing_written_the_page_says_what_will_stand_there(desk_app: Litestar) -> None:
    shown = await (await at_desk(desk_app, LENA)).open("/console/sweeps")
    assert "No sweeps yet" in shown
    assert "Everybody spoken to is known, or forgotten" in shown
