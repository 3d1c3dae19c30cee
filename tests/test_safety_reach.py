"""Who can reach what: every address, every role, two schools. Nothing crosses, and whoever looks is written down."""

from typing import Any

import httpx
import pytest
from litestar import Litestar

from server.access.rights import RIGHTS
from server.kinds import KINDS
from server.settings import Settings
from server.store.database import reading, writing
from tests.letters import about, edit, letter
from tests.routes import Door, doors
from tests.visitor import HERE, signed_in, the_app, visitor
from tests.world import CAROL, CONTACTS, CONTACTS_ELSEWHERE, DAN, DEE, ELSEWHERE, EVERYBODY, FULL_NAMES, OLU, PUPILS, insert

OURS, THEIRS = "ours alone: the stairwell", "theirs alone: the bicycle shed"
STREAMS = ("/api/live", "/console/live")
FOR_ANYBODY = {
    "/api/here", "/api/session", "/api/passkeys/sign-in", "/api/alerts/{alert:str}",
    "/console/sign-in", "/console/sign-out", "/console/look", "/console",
}  # fmt: skip


@pytest.fixture
def app(world: Settings) -> Litestar:
    return the_app()


@pytest.fixture
async def ids(app: Litestar) -> dict[str, str]:
    """One record of every kind in each school, a held edit, and what addresses may name, all of them Northgate's."""
    olu, dan = await signed_in(app, OLU), await signed_in(app, DAN)
    edits = [edit(OLU.phone, n + 1, kind, about(kind, "zoe", OURS)) for n, kind in enumerate(on_phones())]
    held = edit(OLU.phone, len(edits) + 1, "incident", {"place": "nowhere we know of", "account": OURS})
    answer = await olu.post("/api/sync", json=letter(OLU.phone, *edits, held))
    outcomes = {receipt["id"]: receipt["outcome"] for receipt in answer.json()["receipts"]}
    assert outcomes == {one["id"]: "taken" for one in edits} | {held["id"]: "held"}, answer.text
    theirs = edit(DAN.phone, 1, "incident", about("incident", "tom", THEIRS))
    assert (await dan.post("/api/sync", json=letter(DAN.phone, theirs))).json()["receipts"][0]["outcome"] == "taken"
    return {
        "record": edits[0]["record"], "edit": held["id"], "pupil": "zoe", "staff": "amira", "phone": "amira-phone",
        "name": "places", "list": "places", "kind": "incident", "contact": "zoe-karin",
    }  # fmt: skip


def on_phones() -> list[str]:
    return [kind.name for kind in KINDS.values() if not kind.at_desk]


def words_of(pupils: Any, contacts: Any, staff: list[str], said: str) -> set[str]:
    """What would give a school away: surnames, families, who works there, what was written."""
    return (
        {pupil[2] for pupil in pupils if len(pupil[2]) > 4}
        | {contact[3] for contact in contacts}
        | {FULL_NAMES[name] for name in staff}
        | {said}
    )


NORTHGATES = words_of(PUPILS, CONTACTS, [me.staff for me in EVERYBODY if me is not DAN], OURS) | {"Northgate", "amira-phone"}
SOUTHFIELDS = words_of(ELSEWHERE, CONTACTS_ELSEWHERE, ["dan"], THEIRS) | {"Southfield", "dan-phone"}


def given_away(answer: httpx.Response, words: set[str]) -> set[str]:
    text = answer.text.replace("&#39;", "'").replace("&#x27;", "'")
    return {word for word in words if word in text}


def guarded(app: Litestar) -> list[Door]:
    """All but plain files, which are the same for everybody."""
    return [door for door in doors(app) if door.template.startswith(("/api/", "/console")) and "/static/" not in door.template]


def readable(app: Litestar) -> list[Door]:
    return [door for door in guarded(app) if door.method == "GET" and door.template not in STREAMS]


def changing(app: Litestar) -> list[Door]:
    return [door for door in guarded(app) if not door.is_safe and door.template not in FOR_ANYBODY]


async def test_no_address_says_anything_of_another_school_to_any_role(app: Litestar, ids: dict[str, str]) -> None:
    seen = 0
    for me in EVERYBODY:
        browser = await signed_in(app, me)
        for door in readable(app):
            answer = await browser.get(door.path(**ids))
            words = NORTHGATES if me is DAN else SOUTHFIELDS
            assert given_away(answer, words) == set(), (me.staff, door)
            assert answer.status_code < 500, (me.staff, door)
            seen += answer.status_code == 200
    assert seen > 20


async def test_another_schools_ids_are_found_nowhere(app: Litestar, ids: dict[str, str]) -> None:
    await writing(lambda tx: tx.run("update staff set role = 'dsl' where id = 'dan'"))
    await writing(
        lambda tx: insert(tx, "staff", {"id": "don", "school": "southfield", "username": "don", "name": "Don", "role": "manager"})
    )
    await writing(lambda tx: tx.run("update staff set password = (select password from staff where id = 'dan') where id = 'don'"))
    for name in ("dan", "don"):
        browser = visitor(app)
        said = {"username": name, "password": "three wet umbrellas", "phone": {"id": f"{name}-phone", "name": ""}}
        assert (await browser.post("/api/session", json=said)).status_code == 200
        for door in readable(app):
            if any(f"{{{name}" in door.template for name in ("record", "pupil", "staff", "phone", "edit", "contact")):
                assert (await browser.get(door.path(**ids))).status_code in (403, 404), (name, door)


async def everything_of(school: str) -> dict[str, Any]:
    tables = ("edit", "record", "pupil", "staff", "phone", "list_entry", "contact", "step", "counter", "record_pupil", "record_staff")
    return {
        table: sorted(
            map(
                repr,
                [tuple(row) for row in await reading(lambda tx, table=table: tx.rows(f"select * from {table} where school = $1", school))],
            )
        )
        for table in tables
    }


async def test_nothing_that_is_asked_of_another_school_changes_anything_there(app: Litestar, ids: dict[str, str]) -> None:
    before = await everything_of("northgate")
    for role in ("teacher", "manager", "dsl", "admin"):
        await writing(lambda tx, role=role: tx.run("update staff set role = $1 where id = 'dan'", role))
        for door in changing(app):
            browser = await signed_in(app, DAN)
            fields = {
                "record": ids["record"],
                "edit": ids["edit"],
                "id": ids["edit"],
                "pupil": "zoe",
                "staff": "amira",
                "phone": "amira-phone",
            }
            said = fields | {
                "why": "because",
                "how": "taken",
                "field": "category",
                "value": "fight",
                "state": "closed",
                "label": "Mine",
                "code": "yard",
            }
            if door.template.startswith("/console"):
                answer = await browser.request(door.method, door.path(**ids), data=said, headers={"Origin": HERE})
            else:
                answer = await browser.request(door.method, door.path(**ids), json=said)
            assert answer.status_code < 500, (role, door, answer.text[:300])
            assert await everything_of("northgate") == before, (role, door)


async def test_an_edit_of_another_schools_record_or_pupil_is_kept_at_home(app: Litestar, ids: dict[str, str]) -> None:
    before = await everything_of("northgate")
    browser = await signed_in(app, DAN)
    mine = edit(DAN.phone, 100, "incident", {"pupils": {"put": {"zoe": {}}, "drop": []}})
    same = edit(DAN.phone, 101, "incident", {"category": "fight"}, record=ids["record"])
    amending = edit(DAN.phone, 102, "incident", {"category": "fight"}, amends=ids["edit"], id=ids["edit"])
    answer = (await browser.post("/api/sync", json=letter(DAN.phone, mine, same, amending))).json()
    assert answer["receipts"][0]["outcome"] == "held"
    assert await everything_of("northgate") == before
    assert not {word for word in NORTHGATES if word in str(answer)}


async def test_nobody_who_is_not_signed_in_reaches_anything(app: Litestar, ids: dict[str, str]) -> None:
    stranger = visitor(app, Origin=HERE)
    seen = 0
    for door in [*readable(app), *changing(app)]:
        answer = await stranger.request(door.method, door.path(**ids))
        assert given_away(answer, NORTHGATES | SOUTHFIELDS) == set(), door
        if door.template not in FOR_ANYBODY:
            to_the_door = answer.status_code == 303 and answer.headers["location"].startswith("/console/sign-in")
            assert answer.status_code in (401, 403) or to_the_door, door
            seen += 1
    assert seen >= 3


async def test_every_right_is_somebodys_and_nobody_has_them_all(app: Litestar) -> None:
    roles = {me.role for me in EVERYBODY}
    assert all(RIGHTS[right] for right in RIGHTS)
    assert not [role for role in roles if all(role in RIGHTS[right] for right in RIGHTS)]


async def test_whoever_reads_a_record_or_a_pupil_is_written_down_once(app: Litestar, ids: dict[str, str]) -> None:
    for me in (CAROL, DEE):
        browser = await signed_in(app, me)
        for door in readable(app):
            if not ("{record" in door.template or "{pupil" in door.template):
                continue
            before = await audit_rows()
            answer = await browser.get(door.path(**ids))
            new = [row for row in await audit_rows() if row not in before]
            if answer.status_code == 200:
                assert [(row["staff"], row["school"]) for row in new] == [(me.staff, "northgate")], door
                assert new[0]["pupil"] == "zoe" or new[0]["record"] == ids["record"], door
            else:
                assert new == [], door


async def test_records_that_go_to_a_phone_are_written_down(app: Litestar, ids: dict[str, str]) -> None:
    before = await audit_rows()
    browser = await signed_in(app, CAROL)
    answer = (await browser.post("/api/sync", json=letter(CAROL.phone))).json()
    assert ids["record"] in [record["id"] for record in answer["records"]]
    new = [row for row in await audit_rows() if row not in before and row["what"] == "records to phone"]
    assert len(new) == 1
    assert (new[0]["staff"], new[0]["phone"]) == ("carol", "carol-phone")
    assert all(record["id"] in new[0]["detail"] for record in answer["records"])
    before = await audit_rows()
    await browser.post("/api/sync", json=letter(CAROL.phone, cursor=answer["cursor"]))
    assert await audit_rows() == before  # nothing was sent


async def audit_rows() -> list[dict[str, Any]]:
    rows = await reading(lambda tx: tx.rows("select id, school, staff, phone, what, pupil, record, detail from audit order by id"))
    return [dict(zip(("id", "school", "staff", "phone", "what", "pupil", "record", "detail"), row, strict=True)) for row in rows]
