"""A lost phone: the desk lists what it could have held, and nothing to those who may not see it."""

from litestar import Litestar

from server.store.database import reading, writing
from tests.desk import at_desk, phone_sends, put
from tests.letters import letter
from tests.visitor import signed_in, visitor
from tests.world import ADA, AMIRA, BEN, CAROL, DEE, OLU, PASSWORD


async def a_phone_with_records(app: Litestar) -> None:
    """Carol's phone has heard of an incident about Zoë and one about Marcus; Ben has written of Li since."""
    await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed", marcus="responsible")})
    await phone_sends(AMIRA, "incident", {"category": "truancy", "pupils": put(zoe="")})
    carol = await signed_in(app, CAROL)
    assert len((await carol.post("/api/sync", json=letter(CAROL.phone))).json()["records"]) == 2
    assert (await carol.get("/api/people")).status_code == 200
    await phone_sends(BEN, "incident", {"category": "fight", "pupils": put(li="")})


async def test_what_was_sent_to_a_phone_and_written_on_it_is_listed_and_nothing_else(desk_app: Litestar) -> None:
    await a_phone_with_records(desk_app)
    desk = await at_desk(desk_app, DEE)
    shown = await desk.open("/console/people/carol/lost/carol-phone")
    assert "Zoë Ångström 9 KEL Incident 2" in shown
    assert "Marcus Bell 10 CUR Incident 1" in shown
    assert "Li Wu" not in shown
    assert "records about 2 pupils known by name" in shown
    assert "Switch it off first" in shown
    bens = await desk.open("/console/people/ben/lost/ben-phone")
    assert "Li Wu 7 NOE Incident 1" in bens  # he wrote it there
    assert "Zoë" not in bens


async def test_what_its_owner_wrote_on_another_phone_is_listed_too(desk_app: Litestar) -> None:
    """It came back to this one, and the access log says nothing of one's own words."""
    await a_phone_with_records(desk_app)
    second = "insert into phone (school, id, staff, name, paired_at) values ('northgate', 'ben-second', 'ben', 'Pixel', 1)"
    await writing(lambda tx: tx.run(second))
    assert "Li Wu 7 NOE Incident 1" in await (await at_desk(desk_app, DEE)).open("/console/people/ben/lost/ben-second")


async def test_of_a_handset_that_two_people_use_what_both_held_is_listed_and_both_are_named(desk_app: Litestar) -> None:
    await a_phone_with_records(desk_app)
    handset = visitor(desk_app)
    for who in ("carol", "ben"):
        said = {"username": who, "password": PASSWORD, "phone": {"id": f"{who}-phone", "name": "Shared"}}
        assert (await handset.post("/api/session", json=said)).status_code == 200
    desk = await at_desk(desk_app, DEE)
    for path in ("ben/lost/ben-phone", "carol/lost/carol-phone"):
        shown = await desk.open(f"/console/people/{path}")
        for pupil in ("Zoë Ångström 9 KEL Incident 2", "Marcus Bell 10 CUR Incident 1", "Li Wu 7 NOE Incident 1"):
            assert pupil in shown, path
    assert "a phone used by Carol Whitlock and Ben Price was reported lost" in shown
    assert "Others use Lanyard on it" in shown
    assert "For Ben Price it has not been switched off." in shown
    await desk.send("/console/people/ben/phone", shown.form("/console/people/ben/phone") | {"do": "off"})
    shown = await desk.open("/console/people/carol/lost/carol-phone")
    assert "Ben Price Switched off" in shown
    assert "For Ben Price it has not" not in shown
    amiras = await desk.open("/console/people/amira/lost/amira-phone")
    assert "Others use" not in amiras  # a handset of her own


async def test_once_switched_off_it_says_so_and_who_listed_it_is_written_down(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, DEE)
    form = (await desk.open("/console/people/carol/lost/carol-phone")).form("/phone")
    await desk.send("/console/people/carol/phone", form | {"do": "off"})
    shown = await desk.open("/console/people/carol/lost/carol-phone")
    assert "Switched off" in shown
    assert "Switch it off first" not in shown
    rows = await reading(lambda tx: tx.rows("select staff, detail from audit where what = 'list lost phone'"))
    assert [(row["staff"], "carol-phone" in row["detail"]) for row in rows] == [("dee", True)] * 2


async def test_an_administrator_learns_how_much_and_not_about_whom(desk_app: Litestar) -> None:
    await a_phone_with_records(desk_app)
    shown = await (await at_desk(desk_app, ADA)).open("/console/people/carol/lost/carol-phone")
    assert "2 records of these your role may not see" in shown
    assert not {"Ångström", "Bell"} & set(shown.text.split())


async def test_it_is_not_for_teachers_nor_about_another_schools_phone_or_a_desk(desk_app: Litestar) -> None:
    assert (await (await at_desk(desk_app, AMIRA)).open("/console/people/amira/lost/amira-phone")).status == 403
    desk = await at_desk(desk_app, DEE)
    desks = await reading(lambda tx: tx.rows("select id from phone where staff = 'dee' and is_desk"))
    for path in ("dan/lost/dan-phone", "carol/lost/amira-phone", "carol/lost/none", f"dee/lost/{desks[0]['id']}"):
        assert (await desk.open(f"/console/people/{path}")).status == 404, path


async def test_addresses_taken_along_are_named_with_the_time_when_they_were_to_go(desk_app: Litestar) -> None:
    olus = "/console/people/olu/lost/olu-phone"
    desk = await at_desk(desk_app, DEE)
    assert "It held no addresses" in await desk.open(olus)
    visit = await phone_sends(OLU, "home_visit", {"pupils": put(marcus="")})
    assert (await (await signed_in(desk_app, OLU)).post("/api/taken-along", json={"record": visit})).status_code == 200
    shown = await desk.open(olus)
    assert "Taken along for 1 visit; the last until" in shown
    assert "It held no addresses" not in shown
