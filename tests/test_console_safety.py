"""The school's own safety: what an administrator decides is kept, bounded, written down, and obeyed by phones' doors."""

import asyncio
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from server.access import shares
from server.access.shares import CONTACTS
from server.console.safety import held_by_roles
from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, reading, writing
from tests.desk import Desk, at_desk, phone_sends, put
from tests.letters import letter
from tests.visitor import signed_in
from tests.world import ADA, AMIRA, CAROL, DAN, DEE, HANA, LENA, OLU

PHONES = {"do": "phones", "lease_hours": "24", "hidden_s": "120", "idle_s": "600", "taken_along_hours": "8"}


async def ticked(desk: Desk, **without: tuple[str, ...]) -> dict[str, Any]:
    """The form of what a role's phones may hold, with these ticks taken out."""
    form = (await desk.open("/console/safety")).form("/console/safety", do="offline")
    return {name: value for name, value in form.items() if name.partition(".")[2] not in without.get(name.partition(".")[0], ())}


async def everything(phone: httpx.AsyncClient, me: Any) -> tuple[set[str], dict[str, Any], dict[str, Any]]:
    records = (await phone.post("/api/sync", json=letter(me.phone))).json()["records"]
    return {record["kind"] for record in records}, (await phone.get("/api/people")).json(), (await phone.get("/api/school")).json()["vault"]


async def test_phones_hear_how_they_lock(desk_app: Litestar) -> None:
    phone = await signed_in(desk_app, AMIRA)
    before = (await phone.get("/api/school")).json()["vault"]
    assert before == {"lease_hours": 12, "hidden_s": 60, "idle_s": 180, "taken_along_hours": 24, "kept_back": []}
    ada = await at_desk(desk_app, ADA)
    assert (await ada.send("/console/safety", PHONES)).goes_to == "/console/safety?done=saved"
    after = (await phone.get("/api/school")).json()["vault"]
    assert after == {"lease_hours": 24, "hidden_s": 120, "idle_s": 600, "taken_along_hours": 8, "kept_back": []}
    assert 'value="120"' in (await ada.open("/console/safety")).html
    noted = await reading(lambda tx: tx.rows("select staff, detail from audit where what = 'change safety'"))
    assert [(row["staff"], '"lease_hours":24' in row["detail"]) for row in noted] == [("ada", True)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"lease_hours": "73"}, {"lease_hours": "-1"}, {"lease_hours": ""}, {"lease_hours": "1e9"}, {"lease_hours": "٣"}, {"hidden_s": "29"},
        {"idle_s": "9" * 40}, {"taken_along_hours": "25"}, {"taken_along_hours": "0"},
    ],
)  # fmt: skip
async def test_what_is_out_of_bounds_changes_nothing(desk_app: Litestar, wrong: dict[str, str]) -> None:
    ada = await at_desk(desk_app, ADA)
    answer = await ada.send("/console/safety", PHONES | wrong)
    assert (answer.status, "There is a problem" in answer) == (400, True)
    assert (await (await signed_in(desk_app, AMIRA)).get("/api/school")).json()["vault"]["lease_hours"] == 12


async def test_only_an_administrator_decides_and_only_for_their_school(desk_app: Litestar) -> None:
    for me in (CAROL, DEE, LENA, HANA, AMIRA, OLU):
        desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/safety")).status == 403
        assert (await desk.send("/console/safety", PHONES)).status == 403
    await (await at_desk(desk_app, ADA)).send("/console/safety", PHONES)
    assert (await (await signed_in(desk_app, DAN)).get("/api/school")).json()["vault"]["lease_hours"] == 12
    assert (await (await at_desk(desk_app, ADA)).send("/console/safety", {"do": "other"})).status == 404


async def test_what_a_role_may_not_hold_leaves_its_phones_and_stays_at_the_desk(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed")})
    await phone_sends(OLU, "attendance_call", {"outcome": "no_answer", "pupils": put(zoe="")})
    carol, hana = await signed_in(desk_app, CAROL), await signed_in(desk_app, HANA)
    kinds, people, _ = await everything(carol, CAROL)
    assert kinds == {"incident", "attendance_call"}
    assert people["contacts"]
    cursor, old = people["cursor"], (await carol.post("/api/sync", json=letter(CAROL.phone))).json()["cursor"]

    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/safety", await ticked(ada, manager=("incident", CONTACTS), head_of_year=("attendance_call",)))
    kinds, people, vault = await everything(carol, CAROL)
    assert (kinds, people["contacts"], vault["kept_back"]) == ({"attendance_call"}, [], ["contacts", "incident"])
    later = (await carol.post("/api/sync", json=letter(CAROL.phone, cursor=old))).json()
    assert later["rebuild"] == "rights"  # the store is filled anew
    assert (await carol.get("/api/people", params={"cursor": cursor})).json()["fresh"]
    kinds, people, _ = await everything(hana, HANA)
    assert kinds == {"incident"}
    assert people["contacts"]
    desk = await at_desk(desk_app, CAROL)
    assert "Fight" in await desk.open("/console/pupil/zoe")
    assert "Karin Ångström" in await desk.open("/console/pupil/zoe")

    await ada.send("/console/safety", (await ticked(ada)) | {"manager.incident": "yes", "manager.contacts": "yes"})
    kinds, people, _ = await everything(carol, CAROL)
    assert kinds == {"incident", "attendance_call"}
    assert people["contacts"]


async def test_what_somebody_wrote_themselves_comes_all_the_same(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/safety", await ticked(ada, manager=("incident",)))
    mine = await phone_sends(CAROL, "incident", {"category": "fight", "pupils": put(zoe="harmed")})
    await phone_sends(AMIRA, "incident", {"category": "damage", "pupils": put(zoe="harmed")})
    carol = await signed_in(desk_app, CAROL)
    assert [record["id"] for record in (await carol.post("/api/sync", json=letter(CAROL.phone))).json()["records"]] == [mine]


async def test_an_edit_is_judged_by_what_the_role_may_hold_and_not_by_what_its_phones_are_sent(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed")})
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/safety", await ticked(ada, manager=("incident",)))
    await phone_sends(CAROL, "incident", {"place": "yard"}, record=record)  # written before the phone had heard of it
    held = await reading(lambda tx: tx.rows("select id from edit where outcome = 'held'"))
    assert held == []


# ── Taken along ────────────────────────────────────────────────────────────────────────────

VISIT = {
    "pupils": put(marcus="", jose=""), "purpose": "absence", "leaves_at": "2026-11-18T13:00:00Z", "risk": "some",
    "hazards_note": "A dog at the side gate.", "account": "Not yet.",
}  # fmt: skip


async def test_the_address_of_a_visit_of_ones_own_is_taken_along_for_a_day(desk_app: Litestar) -> None:
    await writing(lambda tx: tx.run("update pupil set address = '7 Kiln Lane' where id = 'marcus'"))
    record = await phone_sends(OLU, "home_visit", VISIT)
    olu = await signed_in(desk_app, OLU)
    answer = await olu.post("/api/taken-along", json={"record": record})
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert {home["id"]: (home["address"], home["address_withheld"]) for home in said["pupils"]} == {
        "marcus": ("7 Kiln Lane", False),
        "jose": (None, True),
    }
    assert {adult["name"]: adult["address"] for adult in said["contacts"]} == {"Ray Bell": "7 Kiln Lane", "Ana D'Souza": None}
    assert "Hidden Row" not in answer.text
    assert said["plan"]["hazards_note"] == "A dog at the side gate."
    assert "account" not in said["plan"]
    assert said["until"].startswith("2026-11-19T11:")
    rows = await reading(lambda tx: tx.rows("select staff, what, record from audit where what = 'take along'"))
    assert [tuple(row) for row in rows] == [("olu", "take along", record)]
    told = (await (await at_desk(desk_app, DEE)).open("/console/pupil/marcus/looked")).text
    assert "Olu Balogun Took the address and the plan of a visit along on their phone" in told


async def test_an_address_that_is_withheld_anywhere_in_the_family_is_not_taken_along(desk_app: Litestar) -> None:
    await writing(lambda tx: tx.run("update pupil set address = '7 Kiln Lane' where id = 'marcus'"))
    record = await phone_sends(OLU, "home_visit", VISIT)
    olu = await signed_in(desk_app, OLU)
    assert "Kiln" in (await olu.post("/api/taken-along", json={"record": record})).text  # the premise
    await writing(lambda tx: tx.run("update contact set address_withheld = $1 where pupil = 'marcus'", True))
    assert "Kiln" not in (await olu.post("/api/taken-along", json={"record": record})).text


async def test_nobody_takes_along_what_is_not_a_visit_of_their_own(desk_app: Litestar) -> None:
    visit = await phone_sends(OLU, "home_visit", VISIT)
    incident = await phone_sends(OLU, "incident", {"category": "fight", "pupils": put(marcus="harmed")})
    for me, record, status in (
        (CAROL, visit, 404), (DEE, visit, 404), (LENA, visit, 404), (AMIRA, visit, 403), (ADA, visit, 403), (DAN, visit, 403),
        (OLU, incident, 404), (OLU, "none", 404),
    ):  # fmt: skip
        answer = await (await signed_in(desk_app, me)).post("/api/taken-along", json={"record": record})
        assert answer.status_code == status, (me.staff, answer.text)
        assert "Kiln" not in answer.text
    await writing(lambda tx: tx.run("update staff set role = 'dsl' where id = 'dan'"))
    assert (await (await signed_in(desk_app, DAN)).post("/api/taken-along", json={"record": visit})).status_code == 404
    await writing(lambda tx: tx.run("update record set state = 'closed' where id = $1", visit))
    assert (await (await signed_in(desk_app, OLU)).post("/api/taken-along", json={"record": visit})).status_code == 404


async def test_a_head_of_year_takes_along_only_what_their_own_pupils_families_gave(desk_app: Litestar) -> None:
    await writing(lambda tx: tx.run("update pupil set address = '9 Mill Row' where id in ('conor', 'zoe')"))
    record = await phone_sends(HANA, "home_visit", VISIT | {"pupils": put(conor="", zoe="")})
    hana = await signed_in(desk_app, HANA)
    said = (await hana.post("/api/taken-along", json={"record": record})).json()
    assert [home["id"] for home in said["pupils"]] == ["zoe"]
    assert "Maeve" not in str(said)
    elsewhere = await phone_sends(HANA, "home_visit", VISIT | {"pupils": put(conor="")})
    assert (await hana.post("/api/taken-along", json={"record": elsewhere})).status_code == 404


async def test_whoever_authorises_a_visit_does_not_go_on_it(desk_app: Litestar) -> None:
    record = await phone_sends(OLU, "home_visit", VISIT | {"authorised_by": put(lena="")})
    assert (await (await signed_in(desk_app, LENA)).post("/api/taken-along", json={"record": record})).status_code == 404
    await phone_sends(OLU, "home_visit", {"going": put(lena="goes")}, record=record)
    assert (await (await signed_in(desk_app, LENA)).post("/api/taken-along", json={"record": record})).status_code == 200


async def test_the_visits_own_address_stays_where_one_of_the_familys_is_withheld(desk_app: Litestar) -> None:
    olu = await signed_in(desk_app, OLU)
    for pupils, other in (({"marcus": ""}, "Refuge 1"), ({"marcus": "", "jose": ""}, None)):
        record = await phone_sends(OLU, "home_visit", VISIT | {"pupils": put(**pupils)})
        await writing(add_address, record)
        said = (await olu.post("/api/taken-along", json={"record": record})).json()
        assert said["other_address"] == other
        assert "address" not in said["plan"]


async def add_address(tx: Tx, record: str) -> None:
    """As at the desk: a phone never has it, and never writes it."""
    row = await tx.row("select body from record where id = $1", record)
    assert row
    body = msgspec.json.decode(row["body"]) | {"address": "Refuge 1"}
    await tx.run("update record set body = $2 where id = $1", record, msgspec.json.encode(body).decode())


async def test_what_a_role_is_not_sent_is_not_told_as_history_either(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="")})
    carol = await signed_in(desk_app, CAROL)
    assert (await carol.get(f"/api/records/{record}/history")).status_code == 200
    keep_back = [f"{role}.{name}" for role, names in held_by_roles().items() for name in names if (role, name) != ("manager", "incident")]
    await (await at_desk(desk_app, ADA)).send("/console/safety", {"do": "offline"} | dict.fromkeys(keep_back, "on"))
    assert (await carol.get(f"/api/records/{record}/history")).status_code == 404


async def test_the_rules_are_not_changed_from_a_desk_that_was_left_open(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await writing(lambda tx: tx.run("update session set signed_in_at = signed_in_at - 3600000000"))
    refused = await ada.send("/console/safety", {"do": "emergency", "role": "teacher", "minutes": "10"})
    assert refused.status == 401
    assert "Nothing was changed" in refused


# ── Who may open, and who needs a second factor ────────────────────────────────────────────


async def test_who_may_open_in_an_emergency_and_who_needs_a_second_factor_are_decided_here(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/safety", {"do": "emergency", "role": ["teacher", "king"], "minutes": "10"})
    assert "Open in an emergency" in await (await at_desk(desk_app, AMIRA)).open("/console/pupil/zoe")
    assert "Open in an emergency" not in await (await at_desk(desk_app, HANA)).open("/console/pupil/conor")
    await ada.send("/console/safety", {"do": "second_factor", "role": "manager", "grace_days": "0"})
    assert (await (await at_desk(desk_app, CAROL)).open("/console/review")).goes_to == "/console/own"
    page = await ada.open("/console/safety")
    assert "Without one so far:" in page
    assert "Behaviour manager 1" in page
    await ada.send("/console/safety", {"do": "second_factor", "grace_days": "7"})
    assert (await (await at_desk(desk_app, CAROL)).open("/console/review")).status == 200


async def test_of_two_who_change_what_is_kept_back_at_once_the_second_knows_what_the_first_did(world: Settings) -> None:
    async def first(tx: Tx) -> None:
        await numbers.lock(tx, "northgate")
        if world.database.startswith("postgresql"):
            await asyncio.sleep(0.3)  # the other begins; SQLite lets nobody begin
        await shares.keep_back(tx, "northgate", {"manager": ["incident"]})

    async def second() -> None:
        await asyncio.sleep(0.1)
        await writing(shares.keep_back, "northgate", {})

    rights = "select rights from staff where id = 'carol'"
    before = await reading(lambda tx: tx.row(rights))
    await asyncio.gather(writing(first), second())
    after = await reading(lambda tx: tx.row(rights))
    assert before
    assert after
    assert after[0] == before[0] + 2  # her phones fill their store anew for both
