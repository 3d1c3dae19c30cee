"""People and phones: who works here, as what; a password shown once; a lost phone switched off."""

import asyncio
import re

from litestar import Litestar

from server.store.database import reading
from tests.desk import Desk, at_desk, phone_sends
from tests.visitor import signed_in
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, HANA


async def test_everybody_is_listed_with_their_phones_and_what_waits_on_them(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"place": "yard"})
    page = await (await at_desk(desk_app, CAROL)).open("/console/people")
    assert "Amira Haddad amira Teacher – 1 11:06 1" in page
    assert "Hana Novák hana Head of year 9" in page
    assert "Dan Rowe" not in page
    assert "Amira" not in (await (await at_desk(desk_app, CAROL)).open("/console/people?role=admin")).text.split("Waiting")[1]


async def test_a_person_is_added_gets_a_password_and_signs_in(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, ADA)
    answer = await desk.send("/console/people", {"name": "Priya Nair", "username": "Priya", "role": "teacher", "years": "9 10, 9"})
    assert answer.status == 303
    shown = await desk.send(f"{answer.goes_to}/password", {})
    password = re.findall(r'<dd class="once">([^<]+)</dd>', shown.html)[1]
    new = Desk(desk_app)
    assert (await new.send("/console/sign-in", {"username": "priya", "password": password})).status == 303
    row = await reading(lambda tx: tx.row("select years, password from staff where username = 'priya'"))
    assert row is not None
    assert row["years"] == '["10","9"]'
    assert password not in row["password"]
    rows = await reading(lambda tx: tx.rows("select detail from audit"))
    assert not any(password in row["detail"] for row in rows)


async def test_a_new_password_ends_the_old_one_and_every_session(desk_app: Litestar) -> None:
    amira, ada = await at_desk(desk_app, AMIRA), await at_desk(desk_app, ADA)
    assert (await ada.send("/console/people/amira/password", {})).status in (200, 201)
    assert (await amira.open("/console/review")).status == 303
    assert (await Desk(desk_app).sign_in(AMIRA)).status == 401


async def test_what_is_wrong_comes_back_with_all_that_was_typed(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, ADA)
    answer = await desk.send("/console/people", {"name": "", "username": "amira", "role": "king", "years": "9"})
    assert answer.status == 400
    assert "Enter their name" in answer
    assert "Choose a role" in answer
    taken = await desk.send("/console/people", {"name": "A", "username": "DAN", "role": "teacher", "years": ""})
    assert "Somebody has that username already" in taken
    assert taken.form("/console/people")["username"] == "DAN"


async def test_a_new_role_changes_what_they_may_hold_at_once(desk_app: Litestar) -> None:
    record = await phone_sends(BEN, "incident", {"place": "yard"})
    amira, ada = await at_desk(desk_app, AMIRA), await at_desk(desk_app, ADA)
    assert (await amira.open(f"/console/record/{record}")).status == 404
    form = (await ada.open("/console/people/amira")).form("/console/people/amira")
    assert (await ada.send("/console/people/amira", form | {"role": "manager"})).status == 303
    assert (await amira.open(f"/console/record/{record}")).status == 200
    row = await reading(lambda tx: tx.row("select rights from staff where id = 'amira'"))
    assert row is not None
    assert row["rights"] == 2


async def test_a_lost_phone_is_switched_off_and_on_again(desk_app: Litestar) -> None:
    phone = await signed_in(desk_app, AMIRA)
    assert (await phone.get("/api/school")).status_code == 200
    desk = await at_desk(desk_app, CAROL)
    page = await desk.open("/console/people/amira")
    assert (await desk.send("/console/people/amira/phone", page.form("/phone", phone="amira-phone") | {"do": "off"})).status == 303
    assert (await phone.get("/api/school")).status_code in (401, 403)
    assert "Switched off" in await desk.open("/console/people/amira")
    await desk.send("/console/people/amira/phone", {"phone": "amira-phone", "do": "on"})
    assert (await phone.get("/api/school")).status_code == 200


async def test_whoever_has_left_is_out_at_once_and_what_they_wrote_stays(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"place": "yard", "account": "I saw it."})
    amira, ada = await at_desk(desk_app, AMIRA), await at_desk(desk_app, ADA)
    assert (await ada.send("/console/people/amira/leave", {})).status == 303
    assert (await amira.open("/console/review")).status == 303
    assert "Amira Haddad" in await (await at_desk(desk_app, CAROL)).open(f"/console/record/{record}")
    await ada.send("/console/people/amira/leave", {"back": "yes"})
    assert (await Desk(desk_app).sign_in(AMIRA)).status == 303


async def test_a_lost_phone_or_a_leavers_is_told_to_forget_and_its_share_is_gone(desk_app: Litestar) -> None:
    async def shares() -> list[str]:
        return [row[0] for row in await reading(lambda tx: tx.rows("select phone from vault order by phone"))]

    auth, ada = "A" * 43, await at_desk(desk_app, ADA)
    phones = {me.staff: await signed_in(desk_app, me) for me in (AMIRA, HANA)}
    for staff, phone in phones.items():
        assert (await phone.put("/api/vault", json={"phone": f"{staff}-phone", "auth": auth})).status_code == 200
    await ada.send("/console/people/amira/phone", {"phone": "amira-phone", "do": "off"})
    assert await shares() == ["hana-phone"]
    await ada.send("/console/people/hana/leave", {})
    assert await shares() == []
    for staff, phone in phones.items():
        for answer in (await phone.get("/api/school"), await phone.post("/api/vault", json={"phone": f"{staff}-phone", "auth": auth})):
            assert (answer.status_code, answer.json()["refusal"]) == (403, "phone_revoked"), staff
    await ada.send("/console/people/hana/leave", {"back": "yes"})
    assert (await phones["hana"].get("/api/school")).status_code == 401  # they sign in again


async def test_nobody_shuts_themselves_out(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    assert (await ada.send("/console/people/ada/leave", {})).status == 400
    form = (await ada.open("/console/people/ada")).form("/console/people/ada")
    assert (await ada.send("/console/people/ada", form | {"role": "teacher"})).status == 400
    assert (await ada.open("/console/people")).status == 200


async def test_a_manager_switches_phones_off_and_changes_nobody(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, CAROL)
    page = await desk.open("/console/people/amira")
    assert "Make a new password" not in page
    for path in ("/console/people", "/console/people/amira", "/console/people/amira/password", "/console/people/amira/leave"):
        assert (await desk.send(path, {"name": "x", "username": "x", "role": "admin"})).status == 403


async def test_teachers_and_other_schools_find_nothing_here(desk_app: Litestar) -> None:
    for me in (AMIRA, HANA):
        assert (await (await at_desk(desk_app, me)).open("/console/people")).status == 403
    assert (await (await at_desk(desk_app, DAN)).open("/console/people/amira")).status == 403
    ada = await at_desk(desk_app, ADA)
    assert (await ada.open("/console/people/dan")).status == 404
    for path in ("", "/password", "/leave", "/phone"):
        answer = await ada.send(
            f"/console/people/dan{path}", {"name": "x", "username": "y", "role": "admin", "phone": "dan-phone", "do": "off"}
        )
        assert answer.status == 404
    rows = await reading(lambda tx: tx.rows("select role, left_at from staff where id = 'dan'"))
    assert [tuple(row) for row in rows] == [("teacher", None)]


async def test_two_administrators_who_give_one_username_at_once_hear_of_it(desk_app: Litestar) -> None:
    desks = [await at_desk(desk_app, ADA) for _ in range(4)]
    filled = {"name": "Priya Nair", "username": "priya", "role": "teacher", "years": ""}
    answers = await asyncio.gather(*(desk.send("/console/people", filled) for desk in desks))
    assert sorted(answer.status for answer in answers) == [303, 400, 400, 400]
    assert all("Somebody has that username already" in answer for answer in answers if answer.status == 400)
