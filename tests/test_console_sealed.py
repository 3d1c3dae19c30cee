"""What came sealed and could not be opened, at the desk: the administrator sees who sent it and why, and tries again."""

from collections.abc import Callable

import pytest
from litestar import Litestar

from server.intake import keys
from server.store import moments
from server.store.database import reading
from tests.desk import NOW, at_desk
from tests.letters import edit
from tests.sealing import Sealer, crate
from tests.visitor import visitor
from tests.world import ADA, CAROL, PASSWORD


@pytest.fixture
async def sealed(desk_app: Litestar, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an edit that was sealed to a key which the school has lost."""
    return await send_sealed(desk_app, lambda: monkeypatch.setattr(keys, "INTAKE", "lanyard:lost"))  # a backup older than the key


async def send_sealed(desk_app: Litestar, meanwhile: Callable[[], None] = lambda: None) -> str:
    phone, sealer = visitor(desk_app), Sealer("amira", "locked")
    card = {"id": "locked", "name": "Locked phone", "public": sealer.public}
    answer = (await phone.post("/api/session", json={"username": "amira", "password": PASSWORD, "phone": card})).json()
    sealer.learn((await phone.get("/api/school")).json()["intake"], answer["keys"]["public"])
    told = edit("locked", 1, "incident", {"category": "fight", "account": "the marmalade cat"})
    blob = sealer.seal(told)
    meanwhile()
    said = await phone.post("/api/intake", json=crate(blob), headers={"Authorization": f"Bearer {answer['grant']}"})
    assert said.json()["kept"] == [told["id"]]
    return str(told["id"])


async def test_the_administrator_sees_it_and_tries_again(desk_app: Litestar, sealed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await at_desk(desk_app, ADA)
    shown = await desk.open("/console/held")
    assert "Could not be opened" in shown
    assert "From Amira Haddad, Locked phone" in shown
    assert "Sealed to a key that the school does not have" in shown
    assert "marmalade" not in shown.html
    again = await desk.send("/console/held/sealed", {})
    assert (again.status, again.goes_to) == (303, "/console/held?done=still-sealed")
    monkeypatch.undo()  # the key is put back
    again = await desk.send("/console/held/sealed", {})
    assert again.goes_to == "/console/held?done=opened"
    assert "Could not be opened" not in await desk.open("/console/held")
    rows = await reading(lambda tx: tx.rows("select id, author, outcome from edit"))
    assert [tuple(row) for row in rows] == [(sealed, "amira", "taken")]


async def test_what_waits_for_more_than_an_hour_to_be_opened_is_shown_too(desk_app: Litestar, monkeypatch: pytest.MonkeyPatch) -> None:
    async def killed(*_: object) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr("server.api.intake.open_sealed", killed)
    await send_sealed(desk_app)
    desk = await at_desk(desk_app, ADA)
    assert "Could not be opened" not in await desk.open("/console/held")
    moments.set_clock(lambda: NOW + 61 * 60 * 1_000_000)
    shown = await desk.open("/console/held")
    assert "It waits to be opened; the school tries every quarter of an hour" in shown
    again = await desk.send("/console/held/sealed", {})
    assert again.goes_to == "/console/held?done=opened"


async def test_it_is_nobody_elses_to_see_or_try(desk_app: Litestar, sealed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    assert "Could not be opened" not in await desk.open("/console/held")
    assert (await desk.send("/console/held/sealed", {})).status == 403
