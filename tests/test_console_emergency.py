"""A pupil's record opened in an emergency: by whom, with what, for how long, and who hears of it. And the canary."""

import asyncio
import re
from datetime import date

import msgspec
import pytest
from litestar import Litestar

from server.access.emergency import Open, with_openings
from server.access.settings_of import decide
from server.api.people import page_for
from server.console import openings
from server.console.leaf import leaf_of
from server.console.record import open_in_emergency
from server.imports.headings import Table
from server.imports.keep import plan
from server.store import moments
from server.store.database import Tx, reading, writing
from server.store.me import Me
from tests.desk import Desk, Page, at_desk, phone_sends, put
from tests.letters import letter
from tests.visitor import signed_in
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, EVERYBODY, HANA, LENA, OLU, PASSWORD, insert

MINUTE = 60 * 1_000_000
CONOR = "/console/pupil/conor"  # year 11; Hana looks after year 9
WHY = {"reason": "He has run out of the gate", "password": PASSWORD}


async def incident_about_conor() -> str:
    return await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(conor="harmed"), "account": "He hit the wall."})


async def open_it(desk: Desk, path: str = CONOR, **said: str) -> Page:
    return await desk.send(f"{path}/emergency", WHY | said)


async def rows(sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await reading(lambda tx: tx.rows(sql))]


def later(minutes: int) -> None:
    before = moments._clock
    moments.set_clock(lambda: before() + minutes * MINUTE)


async def test_a_head_of_another_year_opens_a_record_with_a_reason_and_their_password(desk_app: Litestar) -> None:
    record = await incident_about_conor()
    hana = await at_desk(desk_app, HANA)
    before = await hana.open(CONOR)
    assert "Open in an emergency" in before
    assert "Fight" not in before
    assert "Maeve" not in before.html
    assert (await hana.open(f"/console/record/{record}")).status == 404
    assert (await open_it(hana)).goes_to == CONOR
    page = await hana.open(CONOR)
    assert "Open in an emergency until 12:" in page
    assert "Fight" in page
    assert "Maeve O’Neill" in page
    read = await hana.open(f"/console/record/{record}")
    assert "He hit the wall." in read
    assert 'data-key="c"' not in read.html
    assert "Close the record" not in read


async def test_it_is_over_after_an_hour_and_sooner_if_they_say_so(desk_app: Litestar) -> None:
    record = await incident_about_conor()
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    await hana.send(f"{CONOR}/emergency/over", {})
    assert "Maeve" not in await hana.open(CONOR)
    assert (await hana.open(f"/console/record/{record}")).status == 404
    await open_it(hana)
    assert "Maeve" in await hana.open(CONOR)
    later(61)
    assert "Maeve" not in await hana.open(CONOR)
    assert (await hana.open(f"/console/record/{record}")).status == 404
    assert "Maeve" not in await hana.open(CONOR, **{"X-Lanyard-Live": "1"})


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"reason": ""}, 400, "Say what has happened"),
        ({"reason": "   \t  "}, 400, "Say what has happened"),
        ({"reason": "why not"}, 400, "Say what has happened"),
        ({"password": ""}, 401, "That is not your password"),
        ({"password": "wrong"}, 401, "That is not your password"),
    ],
)
async def test_without_a_reason_or_the_password_nothing_opens(desk_app: Litestar, said: dict[str, str], status: int, words: str) -> None:
    hana = await at_desk(desk_app, HANA)
    answer = await open_it(hana, **said)
    assert (answer.status, words in answer) == (status, True)
    assert PASSWORD not in answer.html
    assert await rows("select id from opening") == []
    assert "Maeve" not in await hana.open(CONOR)


async def test_guessing_at_the_password_there_is_slowed_down(desk_app: Litestar) -> None:
    hana = await at_desk(desk_app, HANA)
    statuses = [(await open_it(hana, password="wrong")).status for _ in range(14)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert await rows("select id from opening") == []


async def test_only_roles_that_may_and_only_what_is_out_of_their_scope(desk_app: Litestar) -> None:
    for me, pupil, may in (
        (HANA, "conor", True), (HANA, "zoe", False), (BEN, "zoe", True), (OLU, "zoe", True), (OLU, "conor", False),
        (CAROL, "zoe", False), (LENA, "zoe", False), (DEE, "zoe", False), (AMIRA, "zoe", False), (ADA, "zoe", False), (DAN, "zoe", False),
    ):  # fmt: skip
        desk = await at_desk(desk_app, me)
        path = f"/console/pupil/{pupil}"
        assert ("Open in an emergency" in (await desk.open(path)).text) is may, (me.staff, pupil)
        assert (await desk.open(f"{path}/emergency")).status == (200 if may else 404), (me.staff, pupil)
        assert (await open_it(desk, path)).status == (303 if may else 404), (me.staff, pupil)
    assert {row[0] for row in await rows("select staff from opening")} == {"hana", "ben", "olu"}


async def test_the_school_decides_who_may_and_for_how_long(desk_app: Litestar) -> None:
    await writing(decide, "northgate", "emergency", {"roles": ["teacher"], "minutes": 10})
    assert (await open_it(await at_desk(desk_app, HANA))).status == 404
    amira = await at_desk(desk_app, AMIRA)
    assert (await open_it(amira, "/console/pupil/zoe")).status == 303
    assert "Karin Ångström" in await amira.open("/console/pupil/zoe")
    later(11)
    assert "Karin" not in await amira.open("/console/pupil/zoe")


async def test_what_the_safeguarding_lead_alone_may_see_stays_closed(desk_app: Litestar) -> None:
    said = {"category": "fight", "pupils": put(conor="harmed"), "concern": "yes", "concern_reference": "MC-4711"}
    record = await phone_sends(DEE, "incident", said)
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    assert "MC-4711" in await (await at_desk(desk_app, DEE)).open(f"/console/record/{record}")
    page = await hana.open(f"/console/record/{record}")
    assert page.status == 200
    assert "MC-4711" not in page.html
    assert "1 Hidden Row" not in (await hana.open("/console/pupil/jose")).html


async def test_a_withheld_address_stays_withheld_in_an_emergency(desk_app: Litestar) -> None:
    hana = await at_desk(desk_app, HANA)
    await open_it(hana, "/console/pupil/jose")
    page = await hana.open("/console/pupil/jose")
    assert "Ana D'Souza" in page
    assert "Address withheld" in page
    assert "Hidden Row" not in page.html


async def test_it_is_for_reading_only_and_for_that_pupil_only(desk_app: Litestar) -> None:
    record, other = await incident_about_conor(), await phone_sends(BEN, "incident", {"category": "damage", "pupils": put(li="involved")})
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    assert (await hana.open(f"/console/record/{other}")).status == 404
    assert "Fight" not in await hana.open("/console/review?show=all")
    for path in ("change", "close", "history"):
        assert (await hana.open(f"/console/record/{record}/{path}")).status == 404, path
    before = await rows("select count(*) from edit")
    for path in ("change", "close", "decide", "read", "unread", "undo"):
        said = {"why": "w", "state": "closed", "field": "category", "value": "damage", "category": "damage", "edit": "e"}
        assert (await hana.send(f"/console/record/{record}/{path}", said)).status >= 400, path
    assert await rows("select count(*) from edit") == before


async def test_no_phone_is_sent_more_for_it(desk_app: Litestar) -> None:
    record = await incident_about_conor()
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    assert record in (await hana.open(f"/console/record/{record}")).html  # the premise
    phone = await signed_in(desk_app, HANA)
    sent = (await phone.post("/api/sync", json=letter(HANA.phone))).json()
    assert record not in [one["id"] for one in sent["records"]]
    assert "conor-maeve" not in (await phone.get("/api/people")).text
    assert (await phone.get(f"/api/records/{record}/history")).status_code == 404


async def test_every_look_is_one_row_and_says_that_it_was_in_an_emergency(desk_app: Litestar) -> None:
    record = await incident_about_conor()
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    mine = "select what, pupil, record from audit where staff = 'hana' and what like 'read%' order by at"
    await hana.open(CONOR)
    await hana.open(f"/console/record/{record}")
    await hana.open(CONOR, **{"X-Lanyard-Live": "1"})
    assert await rows(mine) == [("read pupil in an emergency", "conor", None), ("read record in an emergency", None, record)]
    told = (await rows("select detail from audit where what = 'open in an emergency'"))[0][0]
    assert list(msgspec.json.decode(str(told))) == ["opening"]  # no words of anybody's in the log
    assert f"Opened their record in an emergency: {WHY['reason']}" in await (await at_desk(desk_app, DEE)).open(f"{CONOR}/looked")


async def test_a_page_that_says_it_only_draws_itself_again_is_noted_under_the_opening_all_the_same(desk_app: Litestar) -> None:
    record = await incident_about_conor()
    hana, live = await at_desk(desk_app, HANA), {"X-Lanyard-Live": "1"}
    for _ in range(2):  # the second opening has looks of its own
        await open_it(hana)
        await hana.open(CONOR, **live)
        await hana.open(f"/console/record/{record}", **live)
        await hana.send(f"{CONOR}/emergency/over", {})
        later(1)
    details = await rows("select distinct detail from audit where staff = 'hana' and what like 'read % in an emergency'")
    assert len(details) == 2
    assert len(await rows("select id from audit where staff = 'hana' and what like 'read % in an emergency'")) == 4


async def test_a_record_that_became_theirs_a_moment_ago_is_no_fault(desk_app: Litestar) -> None:
    """Their opening is not what lets them read it."""
    record = await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(li="harmed")})
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    (session,) = (await rows("select session from opening"))[0]
    me = Me(staff="hana", school="northgate", role="head_of_year", years=("7",), session=str(session))
    assert (await reading(with_openings, me))[1]  # the premise
    assert await writing(leaf_of, me, record) is not None  # the premise
    assert await writing(open_in_emergency, me, record, False) == (None, [], None)


async def test_looks_under_another_opening_take_no_place_of_those_under_this(desk_app: Litestar, monkeypatch: pytest.MonkeyPatch) -> None:
    record = await incident_about_conor()
    other = await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(li="harmed")})
    monkeypatch.setattr(openings, "LOOKS", openings.LOOKS.replace(f"limit {openings.LOOKS_SHOWN}", "limit 1"))
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    await open_it(hana, "/console/pupil/li")
    await hana.open(f"/console/record/{other}")
    await hana.open(f"/console/record/{record}")
    found, _ = await reading(openings.openings_and_canaries, DEE)
    assert {one.pupil.id: [look.record for look in one.looks] for one in found} == {"conor": [record], "li": [other]}


async def test_what_is_open_of_one_pupil_shows_nothing_more_of_another(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(conor="harmed", li="witness")})
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    assert "Fight" in await hana.open(CONOR)
    assert "Fight" not in await hana.open("/console/pupil/li")


DEES = """
    insert into opening (id, school, staff, pupil, why, reason, at, ends_at)
    values ('mine', 'northgate', 'dee', 'conor', 'emergency', 'ran out', 1, 2)"""


async def test_nobody_looks_into_their_own_and_no_administrator_may_open(desk_app: Litestar) -> None:
    ada = await at_desk(desk_app, ADA)
    await ada.send("/console/safety", {"do": "emergency", "role": ["admin", "dsl"], "minutes": "10"})
    assert (await ada.open(f"{CONOR}/emergency")).status == 404
    await writing(lambda tx: tx.run(DEES))
    dee = await at_desk(desk_app, DEE)
    assert "I have looked into it" not in await dee.open("/console/openings")
    assert (await dee.send("/console/openings", {"opening": "mine"})).status == 404
    assert (await ada.send("/console/openings", {"opening": "mine"})).status == 303


async def test_the_safeguarding_lead_and_the_administrator_are_told_at_once_and_nobody_else(desk_app: Litestar) -> None:
    record = await incident_about_conor()
    hana, dee = await at_desk(desk_app, HANA), await at_desk(desk_app, DEE)
    assert "Opened 1" not in await dee.open("/console/review")
    await open_it(hana)
    assert "Opened 1" in await dee.open("/console/review")
    await hana.open(CONOR)
    await hana.open(f"/console/record/{record}")
    for me in (DEE, ADA):
        page = await (await at_desk(desk_app, me)).open("/console/openings")
        assert "Hana Novák opened Conor O'Neill’s record" in page
        assert "“He has run out of the gate”" in page
        assert "Looked at: the pupil’s page" in page
    assert "Fight" in await dee.open("/console/openings")
    assert "Fight" not in await (await at_desk(desk_app, ADA)).open("/console/openings")  # not hers to see
    for me in (HANA, CAROL, AMIRA, LENA, OLU):
        desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/openings")).status == 403
        assert (await desk.send("/console/openings", {"opening": "x"})).status == 403
    looked = await dee.open(f"{CONOR}/looked")
    assert "Hana Novák Opened their record in an emergency: He has run out of the gate" in looked
    assert "Hana Novák Read a record in an emergency Fight" in looked
    form = (await dee.open("/console/openings")).form("/console/openings")
    assert (await dee.send("/console/openings", form)).status == 303
    assert "Dee Marsh looked into it" in await dee.open("/console/openings")
    assert "Opened 1" not in await dee.open("/console/review")


async def test_it_can_be_ended_at_once_by_whoever_looks_after_openings(desk_app: Litestar) -> None:
    hana = await at_desk(desk_app, HANA)
    for me in (DEE, ADA):
        await open_it(hana)
        assert "Maeve" in await hana.open(CONOR)
        desk = await at_desk(desk_app, me)
        form = (await desk.open("/console/openings")).form("/console/openings")
        assert (await hana.send("/console/openings", form | {"end": "yes"})).status == 403
        assert (await desk.send("/console/openings", form | {"end": "yes"})).status == 303
        assert "Maeve" not in await hana.open(CONOR)
        assert "End it now" not in await desk.open("/console/openings")
    assert "Ended what somebody had opened in an emergency" in await (await at_desk(desk_app, DEE)).open(f"{CONOR}/looked")


async def test_another_schools_openings_are_nowhere(desk_app: Litestar) -> None:
    await open_it(await at_desk(desk_app, HANA))
    id = (await rows("select id from opening"))[0][0]
    await writing(lambda tx: tx.run("update staff set role = 'dsl' where id = 'dan'"))
    dan = await at_desk(desk_app, DAN)
    page = await dan.open("/console/openings")
    assert "Nothing was opened" in page
    assert (await dan.send("/console/openings", {"opening": str(id)})).status == 404
    assert (await dan.send("/console/openings", {"opening": str(id), "end": "yes"})).status == 404
    assert (await dan.send(f"{CONOR}/emergency", WHY)).status == 404
    assert await rows("select seen_at from opening") == [(None,)]


async def test_nobody_holds_more_but_while_it_is_open(desk_app: Litestar) -> None:
    await open_it(await at_desk(desk_app, HANA))
    session = str((await rows("select session from opening"))[0][0])

    async def opened_by(me: Me) -> list[Open]:
        return (await reading(with_openings, msgspec.structs.replace(me, session=session)))[1]

    assert [len(await opened_by(me)) for me in EVERYBODY] == [1 if me is HANA else 0 for me in EVERYBODY]


async def test_it_opens_nothing_at_another_desk_and_ends_when_they_sign_out(desk_app: Litestar) -> None:
    record = await incident_about_conor()
    hana, elsewhere = await at_desk(desk_app, HANA), await at_desk(desk_app, HANA)
    await open_it(hana)
    assert "Maeve" in await hana.open(CONOR)
    assert "Maeve" not in (await elsewhere.open(CONOR)).html
    assert (await elsewhere.open(f"/console/record/{record}")).status == 404
    await hana.send("/console/sign-out", {})
    assert await rows("select what from audit where what like 'close%'") == [("close after an emergency",)]
    assert await rows("select id from opening where ends_at > at + 1800000000") == []


async def test_it_is_over_once_their_role_may_not(desk_app: Litestar) -> None:
    hana = await at_desk(desk_app, HANA)
    await open_it(hana)
    await writing(decide, "northgate", "emergency", {"roles": ["responder"], "minutes": 60})
    assert "Maeve" not in (await hana.open(CONOR)).html


async def test_two_presses_open_once_and_closing_notes_every_desk(desk_app: Litestar) -> None:
    hana = await at_desk(desk_app, HANA)
    both = await asyncio.gather(open_it(hana), open_it(hana))
    assert [answer.goes_to for answer in both] == [CONOR, CONOR]
    assert await rows("select count(*) from opening") == [(1,)]
    assert await rows("select count(*) from audit where what = 'open in an emergency'") == [(1,)]
    await open_it(await at_desk(desk_app, HANA))
    await hana.send(f"{CONOR}/emergency/over", {})
    assert await rows("select count(*) from audit where what = 'close after an emergency'") == [(2,)]


# ── The canary ─────────────────────────────────────────────────────────────────────────────

MADE = {"forename": "Rowan", "surname": "Ashgrove", "year": "9", "form": "9 KEL"}


async def canary(app: Litestar) -> str:
    assert (await (await at_desk(app, ADA)).send("/console/openings/canary", MADE)).status == 303
    return str((await rows("select id from pupil where canary"))[0][0])


async def test_whoever_opens_a_canary_is_told_of_at_once(desk_app: Litestar) -> None:
    id = await canary(desk_app)
    carol, dee = await at_desk(desk_app, CAROL), await at_desk(desk_app, DEE)
    assert "Rowan Ashgrove" in await carol.open("/console/pupils?q=ashgrove")
    assert "Opened 1" not in await dee.open("/console/review")  # found is not opened
    assert (await carol.open(f"/console/pupil/{id}")).status == 200
    await carol.open(f"/console/pupil/{id}", **{"X-Lanyard-Live": "1"})
    assert "Opened 1" in await dee.open("/console/review")
    assert "Carol Whitlock opened a canary" in await dee.open("/console/openings")
    assert "canary" not in (await carol.open(f"/console/pupil/{id}")).text.lower()
    assert len(await rows("select id from opening")) == 1  # over and over is told of once


async def test_a_canary_sings_whichever_way_it_is_come_upon(desk_app: Litestar) -> None:
    id = await canary(desk_app)
    carol, hana = await at_desk(desk_app, CAROL), await at_desk(desk_app, HANA)
    await writing(lambda tx: tx.run("update pupil set year = '11' where canary"))
    await carol.open(f"/console/pupil/{id}", **{"X-Lanyard-Live": "1"})
    assert (await hana.open(f"/console/pupil/{id}/emergency")).status == 200
    assert await rows("select staff from opening order by staff") == [("carol",), ("hana",)]


async def test_a_canary_goes_to_no_phone_and_no_import_knows_it(desk_app: Litestar) -> None:
    await canary(desk_app)
    for me in (AMIRA, HANA, CAROL, DEE):
        answer, _ = await reading(page_for, me, None)
        assert "siobhan" in {card.id for card in answer.pupils}  # the premise
        assert "Ashgrove" not in {card.surname for card in answer.pupils}

    async def absent(tx: Tx) -> str:
        return repr(await plan(tx, "northgate", "pupils", Table([], {}, 0, []), lambda: "id", date(2026, 11, 18)))

    said = await reading(absent)
    assert "Ångström" in said  # the premise: those whom the list does not have are named
    assert "Ashgrove" not in said


async def test_a_canarys_page_gives_nothing_away(desk_app: Litestar) -> None:
    """Somebody to ring, whom no list has and no phone; and marks, which are counted as a classmate's and never as its own."""
    id = await canary(desk_app)
    for on_day in ("2026-11-16", "2026-11-17"):
        day = {"school": "northgate", "pupil": "zoe", "on_day": on_day, "am": "/", "pm": "\\"}
        await writing(lambda tx, day=day: insert(tx, "attendance_day", day))
    await writing(lambda tx: tx.run("update pupil set left_at = 1 where id = 'siobhan'"))  # in 9 KEL there is only Zoë
    carol = await at_desk(desk_app, CAROL)
    real, shown = await carol.open("/console/pupil/zoe"), await carol.open(f"/console/pupil/{id}")
    assert "100.0%" in real  # the premise
    assert "100.0%" in shown
    assert set(re.findall(r"(\w+) Ashgrove", shown.text)) - {"Rowan"}  # somebody of that name to ring
    assert "07700 900" in shown
    assert await rows(f"select on_day from attendance_day where pupil = '{id}'") == []

    async def absent(tx: Tx) -> str:
        return repr(await plan(tx, "northgate", "contacts", Table([], {}, 0, []), lambda: "id", date(2026, 11, 18)))

    said = await reading(absent)
    assert "Folake" in said  # the premise: those whom the list does not have are named
    assert "Ashgrove" not in said
    for me in (CAROL, DEE):
        answer, _ = await reading(page_for, me, None)
        assert "Folake Adeyemi" in {card.name for card in answer.contacts}  # the premise
        assert not [card.name for card in answer.contacts if "Ashgrove" in card.name]


async def test_nothing_is_written_about_a_canary_so_it_is_in_no_count_and_no_export(desk_app: Litestar) -> None:
    id = await canary(desk_app)
    await phone_sends(CAROL, "incident", {"category": "fight", "pupils": put(zoe="harmed")})  # the premise: this is taken
    await phone_sends(CAROL, "incident", {"category": "fight", "pupils": {"put": {id: {"part": "harmed"}}, "drop": []}})
    assert await rows("select outcome from edit order by received_at") == [("taken",), ("held",)]
    assert await rows(f"select record from record_pupil where pupil = '{id}'") == []


async def test_only_an_administrator_makes_a_canary_up_and_nobody_real_is_made_one(desk_app: Litestar) -> None:
    for me in (CAROL, DEE, AMIRA, HANA):
        assert (await (await at_desk(desk_app, me)).send("/console/openings/canary", MADE)).status == 403
    ada = await at_desk(desk_app, ADA)
    assert (await ada.send("/console/openings/canary", MADE | {"surname": " "})).status == 400
    assert (await ada.send("/console/openings/canary", {"remove": "zoe"})).status == 404
    id = await canary(desk_app)
    assert (await ada.send("/console/openings/canary", {"remove": id})).status == 303
    assert "Ashgrove" not in await ada.open("/console/pupils?q=ashgrove")


async def test_a_canary_of_another_school_is_not_there(desk_app: Litestar) -> None:
    id = await canary(desk_app)
    dan = await at_desk(desk_app, DAN)
    assert (await dan.open(f"/console/pupil/{id}")).status == 404
    await writing(lambda tx: insert(tx, "staff", {"id": "don", "school": "southfield", "username": "don", "name": "Don", "role": "admin"}))
    await writing(lambda tx: tx.run("update staff set password = (select password from staff where id = 'dan') where id = 'don'"))
    don = Desk(desk_app)
    await don.send("/console/sign-in", {"username": "don", "password": PASSWORD, "next": "/console/review"})
    assert (await don.send("/console/openings/canary", {"remove": id})).status == 404
    assert await rows("select id from opening") == []
