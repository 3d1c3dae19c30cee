"""A pupil's plan: written and read at the desk, on no phone, and on the card of a call for whoever goes to it, while they go."""

import json
from typing import Any

import pytest
from litestar import Litestar

from server.kinds import KINDS
from server.kinds.kind import NOT_ASKED
from server.morning.days import school_days_of
from server.morning.gathering import gather
from server.oncall.plans import plans_of
from server.store.database import reading, writing
from server.store.ids import new_id
from server.store.me import Me
from server.sync import desk
from server.sync.audience import fingerprint
from tests.desk import at_desk
from tests.school import School
from tests.test_oncall_calls import act, ask, call, look, on_duty, passes
from tests.test_sync_audience import holders
from tests.world import BEN, CAROL, EVERYBODY, HANA, OLU

PLAN = "pupil_plan"
ZOE = {
    "pupils": {"put": {"zoe": {}}, "drop": []},
    "risk_to_others": "Throws what is at hand",
    "keep_apart": {"put": {"li": {}}, "drop": []},
    "helps": "Two minutes outside, no questions",
    "fetch": {"put": {"olu": {}}, "drop": []},
    "ring_if_absent": "yes",
    "review_by": "2026-10-02T11:00:00Z",
}


async def planned(values: dict[str, Any] = ZOE, me: Me = CAROL) -> str:
    record = new_id()
    receipt = await writing(desk.write, me, record, PLAN, values, None)
    assert receipt.outcome == "taken", receipt
    return record


async def read(school: School) -> list[tuple[str, str, str]]:
    rows = await school.rows("select staff, pupil, record from audit where what = 'read plan for a call' order by at")
    return [(row["staff"], row["pupil"], row["record"]) for row in rows]


# ── On no phone ────────────────────────────────────────────────────────────────────────────


async def test_it_is_sent_to_no_phone_and_none_is_told_that_there_is_one(school: School) -> None:
    record = await planned()
    assert await holders(record) == {"carol", "dee", "lena", "hana", "olu"}
    for me in EVERYBODY:
        phone = school.phone(me.staff)
        await phone.sync_all()
        assert record not in phone.records, me.staff
        status, said = await ask(school, me.staff, "/api/school", method="GET")
        assert (status, PLAN in json.dumps(said)) == (200, False), me.staff
        assert (await ask(school, me.staff, f"/api/records/{record}/history", method="GET"))[0] == 404
    phone = school.phone("olu")
    await phone.sync_all()
    receipt = await writing(desk.write, CAROL, record, PLAN, {"fetch": {"put": {}, "drop": ["olu"]}}, await version_of(school, record))
    assert receipt.outcome == "taken", receipt
    assert (await phone.sync())["gone"] == []  # it never had it


async def version_of(school: School, record: str) -> str:
    from server.store.numbers import Place

    (row,) = await school.rows("select seq, mark from record where id = $1", record)
    return str(Place(row["seq"], row["mark"]))


async def test_what_a_phone_writes_in_one_is_held(school: School) -> None:
    carol = school.phone("carol")
    carol.write({"helps": "Nothing"}, kind=PLAN)
    (receipt,) = (await carol.sync())["receipts"]
    assert (receipt["outcome"], receipt["because"]) == ("held", {"helps": NOT_ASKED})


def test_no_phone_has_to_fill_a_new_store_for_a_kind_that_none_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    monkeypatch.delitem(KINDS, PLAN)
    assert fingerprint() == before


# ── With a call ────────────────────────────────────────────────────────────────────────────


async def test_whoever_is_rung_or_goes_reads_it_hazards_first_and_that_is_written_down(school: School) -> None:
    await planned()
    await on_duty(school, "ben")
    record = await call(school, pupils=["zoe"])
    for _ in range(2):
        (plan,) = (await look(school, record, "ben"))["plans"]
    assert (plan["pupil"], plan["ring_if_absent"], plan["review"], plan["overdue"]) == ("zoe", True, "2026-10-02", True)
    assert [(line["label"], line["words"], line["careful"]) for line in plan["lines"]] == [
        ("Risk to others", "Throws what is at hand", True),
        ("Keep apart from", "Li Wu, 7 NOE", True),
        ("What helps", "Two minutes outside, no questions", False),
        ("Who to fetch", "Olu Balogun", False),
    ]
    assert await read(school) == [("ben", "zoe", record)]  # once, however often the screen looks
    assert (await act(school, "ben", record, "accept"))[1]["plans"] == [plan]
    assert (await act(school, "ben", record, "close"))[1]["plans"] == []


async def test_nobody_else_reads_it_with_a_call(school: School) -> None:
    await planned()
    await on_duty(school, "ben")
    record = await call(school, pupils=["zoe"])
    for who in ("amira", "carol", "dee", "lena"):  # who called; who hold the call and were not rung
        assert (await look(school, record, who))["plans"] == []
    assert [card["plans"] for card in (await ask(school, "ben", "/api/calls", method="GET"))[1]] == [[]]
    assert (await act(school, "ben", record, "give_back"))[1]["plans"] == []
    await passes(school, 120)
    school.now += 13 * 3600 * 1_000_000
    assert (await look(school, record, "lena"))["plans"] == []  # nobody closed it
    school.now -= 13 * 3600 * 1_000_000
    assert len((await look(school, record, "lena"))["plans"]) == 1  # rung by now
    await act(school, "lena", record, "accept")
    assert (await look(school, record, "ben"))["plans"] == []
    assert await read(school) == [("lena", "zoe", record)]


async def test_a_call_about_nobody_with_a_plan_shows_none(school: School) -> None:
    await on_duty(school, "ben")
    assert (await look(school, await call(school, pupils=["marcus"]), "ben"))["plans"] == []


# ── Which, and about whom ──────────────────────────────────────────────────────────────────


async def test_the_newest_that_is_open_counts(school: School) -> None:
    await planned()
    school.now += 60_000_000
    newer = await planned({"pupils": ZOE["pupils"], "risk_to_self": "Runs off"})
    (plan,) = await reading(plans_of, "northgate", ["zoe"], school.now)
    assert (plan.record, [line.words for line in plan.lines]) == (newer, ["Runs off"])
    await writing(desk.write, CAROL, newer, PLAN, {"state": "closed"}, await version_of(school, newer))
    (plan,) = await reading(plans_of, "northgate", ["zoe"], school.now)
    assert plan.lines[0].words == "Throws what is at hand"


async def test_keeping_apart_goes_for_both_and_makes_it_nobody_elses_plan(school: School) -> None:
    record = await planned(ZOE | {"pupils": {"put": {"marcus": {}}, "drop": []}, "keep_apart": {"put": {"zoe": {}}, "drop": []}})
    (plan,) = await reading(plans_of, "northgate", ["zoe"], school.now)
    assert (plan.record, [line.words for line in plan.lines]) == ("", ["Marcus Bell, 10 CUR"])
    assert (HANA.years, "hana" in await holders(record)) == (("9",), False)
    assert await school.rows("select pupil from record_pupil where record = $1", record) == [{"pupil": "marcus"}]


async def test_a_newer_plan_that_says_nothing_of_it_ends_the_keeping_apart(school: School) -> None:
    await planned()
    school.now += 60_000_000
    await planned({"pupils": ZOE["pupils"], "risk_to_self": "Runs off"})
    assert await reading(plans_of, "northgate", ["li"], school.now) == []


async def test_whoever_is_to_be_fetched_reads_it_and_writes_nothing_in_it(school: School) -> None:
    record = await planned()
    receipt = await writing(desk.write, OLU, record, PLAN, {"risk_to_others": None}, await version_of(school, record))
    assert receipt.because == {"record": "this is not yours to write in"}


async def test_whose_plan_says_so_is_on_the_list_of_calls_when_they_were_away(school: School) -> None:
    await planned()
    gathered = await reading(lambda tx: gather_on(tx, "2026-11-17"))
    assert {child.id for child in gathered.children if child.plan} == {"zoe"}


async def gather_on(tx: Any, day: str) -> Any:
    return await gather(tx, "northgate", day, await school_days_of(tx, "northgate"))


# ── At the desk ────────────────────────────────────────────────────────────────────────────


async def test_it_stands_at_the_top_of_the_pupils_page_for_who_may_hold_it(desk_app: Litestar) -> None:
    hana = await at_desk(desk_app, HANA)
    page = await hana.open("/console/pupil/zoe")
    assert "Write a plan" in page
    form = (await hana.open("/console/new/pupil_plan?pupil=zoe")).form("/console/new/pupil_plan")
    assert form["pupils.keep"] == "zoe"
    written = {
        "risk_to_others": "Throws what is at hand",
        "keep_apart.add": "li wu",
        "review_by.day": "2026-10-02",
        "ring_if_absent": "yes",
    }
    sent = await hana.send("/console/new/pupil_plan", form | written)
    assert sent.status == 303, sent.text
    page = await hana.open("/console/pupil/zoe")
    assert (
        "Its review was due on Fri 2 Oct 2026. Risk to others Throws what is at hand Keep apart from Li Wu, 7 NOE Ring home if absent"
        in page
    )
    assert "Review by Fri 2 Oct 2026" in await hana.open(sent.goes_to.partition("?")[0])
    change = sent.goes_to.partition("?")[0] + "/change"
    assert "Nothing was changed" in await hana.send(change, (await hana.open(change)).form("/change"))
    for me in (BEN, OLU):
        assert "Throws what" not in await (await at_desk(desk_app, me)).open("/console/pupil/zoe")
        assert (await (await at_desk(desk_app, me)).open("/console/new/pupil_plan")).status == 403
    page = await (await at_desk(desk_app, OLU)).open(f"/console/record/{await planned()}")
    assert "Throws what is at hand" in page  # who is to be fetched reads it
    assert "/change" not in page.html
    assert "Do next" not in page
