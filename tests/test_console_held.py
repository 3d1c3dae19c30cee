"""Held: why, the words as they were written, and a person who takes it in or sets it aside, with a reason."""

from litestar import Litestar

from server.store.database import reading
from tests.desk import Desk, Page, at_desk, phone_sends, put
from tests.world import AMIRA, BEN, CAROL, DAN, DEE, OLU

AT = "2026-11-18T09:00:00.000Z"


async def the_held_one(desk: Desk) -> Page:
    page = await desk.open("/console/held")
    address = page.html.split('href="/console/held?edit=')[1].split('"')[0]
    return await desk.open(f"/console/held?edit={address}")


async def test_it_says_why_in_words_and_shows_what_was_written(desk_app: Litestar) -> None:
    values = {"place": "moon", "category": "fight", "account": "He said <b>no</b>.", "pupils": put(tom="harmed"), "mood": {"odd": [1]}}
    await phone_sends(AMIRA, "incident", values)
    page = await the_held_one(await at_desk(desk_app, CAROL))
    assert "The school has this, but could not add it to a record:" in page
    assert "Where? Not in the school’s list of places." in page
    assert "Who? Not at this school." in page
    assert "He said <b>no</b>." in page
    assert 'mood {"odd":[1]}' in page
    assert "Fight" in page


async def test_it_is_taken_in_as_it_is_with_a_reason(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"place": "moon", "category": "fight", "happened_at": AT, "pupils": put(zoe="")})
    desk = await at_desk(desk_app, CAROL)
    form = (await the_held_one(desk)).form("/console/held")
    without = await desk.send("/console/held", form | {"how": "taken", "why": " "})
    assert without.status == 400
    assert "Give a reason: it stays with the record" in without
    answer = await desk.send("/console/held", form | {"how": "taken", "why": "Our new place"})
    assert answer.goes_to == "/console/held?done=taken"
    assert "Nothing is held" in await desk.open(answer.goes_to)
    assert "Where? moon" in await desk.open(f"/console/record/{record}")


async def test_it_is_set_aside_and_its_author_sees_why(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"place": "moon"})
    desk = await at_desk(desk_app, CAROL)
    page = await the_held_one(desk)
    assert (await desk.send("/console/held", page.form("/console/held") | {"how": "set aside", "why": "Written twice"})).status == 303
    again = await (await at_desk(desk_app, AMIRA)).open("/console/held?edit=" + page.form("/console/held")["edit"])
    assert "Set aside by Carol Whitlock. Written twice" in again


async def test_of_two_who_settle_one_the_second_is_told(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"place": "moon"})
    carol, dee = await at_desk(desk_app, CAROL), await at_desk(desk_app, DEE)
    forms = [(await the_held_one(desk)).form("/console/held") for desk in (carol, dee)]
    assert (await carol.send("/console/held", forms[0] | {"how": "set aside", "why": "Twice"})).status == 303
    answer = await dee.send("/console/held", forms[1] | {"how": "taken", "why": "Fine"})
    assert answer.status == 409
    assert "Set aside by Carol Whitlock. Twice" in answer


async def test_it_is_shown_to_its_author_and_to_those_who_settle_its_kind(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"place": "moon"})
    edit = (await the_held_one(await at_desk(desk_app, CAROL))).form("/console/held")["edit"]
    mine = await (await at_desk(desk_app, AMIRA)).open(f"/console/held?edit={edit}")
    assert "You wrote this yourself" in mine
    assert "Take it in as it is" not in mine
    for me in (BEN, OLU, DAN):
        desk = await at_desk(desk_app, me)
        assert "Nothing of yours is held" in await desk.open("/console/held")
        assert (await desk.open(f"/console/held?edit={edit}")).status == 404
        assert (await desk.send("/console/held", {"edit": edit, "how": "taken", "why": "x"})).status in (403, 404)


async def test_an_id_of_any_kind_is_shown_and_settled(desk_app: Litestar) -> None:
    same = "01a1ee56-65d0-7dd6-8cd9-bffdc6d0ed8f"
    await phone_sends(BEN, "call_out", {"place": "yard"}, id=same)
    await phone_sends(AMIRA, "incident", {"place": "yard"}, id=same)  # kept under another name, with a line break in it
    await phone_sends(AMIRA, "incident", {"place": "yard"}, id="../a b?&#%/“é”+")
    desk = await at_desk(desk_app, CAROL)
    for _ in range(2):
        page = await the_held_one(desk)
        assert page.status == 200
        assert (await desk.send("/console/held", page.form("/console/held") | {"how": "set aside", "why": "Odd"})).status == 303
    assert "Nothing is held" in await desk.open("/console/held")


async def test_what_could_not_even_be_read_is_shown_as_it_came(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"account": "<b>kept</b>"}, id=None)
    page = await (await at_desk(desk_app, CAROL)).open("/console/held")
    assert "From Amira Haddad’s phone" in page
    assert '"account":"<b>kept</b>"' in page
    assert "kept" not in await (await at_desk(desk_app, OLU)).open("/console/held")


async def test_values_of_any_shape_are_shown_as_they_came(desk_app: Litestar) -> None:
    odd = {"pupils": {"put": "zoe"}, "happened_at": {"at": 5}, "category": ["a"], "severity": 3, "account": {"x": None}, "staff": None}
    await phone_sends(AMIRA, "incident", odd)
    await phone_sends(AMIRA, "incident", {"account": "long " * 20_000})
    await phone_sends(AMIRA, "no_such_kind", {"anything": "at all"})
    desk = await at_desk(desk_app, CAROL)
    page = await desk.open("/console/held")
    assert len(page.rows()) == 3
    for address in page.html.split('href="/console/held?edit=')[1:]:
        assert (await desk.open("/console/held?edit=" + address.split('"')[0])).status == 200
    assert (await desk.open("/console/review")).status == 200


async def test_an_edit_held_for_a_record_stands_on_its_page(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"place": "yard", "happened_at": AT})
    await phone_sends(AMIRA, "incident", {"place": "moon"}, record=record)
    page = await (await at_desk(desk_app, CAROL)).open(f"/console/record/{record}")
    assert "Held: what Amira Haddad wrote" in page
    assert "Where? Not in the school’s list of places." in page


async def test_reading_what_is_held_is_noted(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"place": "moon", "pupils": put(zoe="")})
    desk = await at_desk(desk_app, CAROL)
    edit = (await the_held_one(desk)).form("/console/held")["edit"]
    await desk.open(f"/console/review?on=held.{edit}")
    rows = await reading(lambda tx: tx.rows("select staff from audit where what = 'read held'"))
    assert [row["staff"] for row in rows] == ["carol", "carol"]
