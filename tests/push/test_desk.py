"""What the desk is told of alerts, and what an operator says to renew their key."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from litestar import Litestar

from server.__main__ import main
from server.push.alerts import alert
from server.push.keys import key_in_use
from server.settings import Settings
from server.store.database import close_database, open_database, writing
from tests.desk import at_desk
from tests.push.ringing import Handset, deliver
from tests.push.service import PushService, Trick
from tests.school import School
from tests.visitor import the_app
from tests.world import AMIRA, CAROL


async def test_nobody_is_promised_more_than_is_so(desk_app: Litestar) -> None:
    page = await (await at_desk(desk_app, CAROL)).open("/console/alerts")
    assert "Alerts reach phones only if they are on, online and allowed to notify." in page.html
    assert "There is no second channel." in page.html
    assert "No phone has its alerts turned on yet." in page.html
    assert (await (await at_desk(desk_app, AMIRA)).open("/console/alerts")).status == 403


async def test_the_desk_sees_which_phones_ring_and_why_others_do_not(
    school: School, handset: Callable[..., Awaitable[Handset]], service: PushService
) -> None:
    ben, _, olu = await handset("ben"), await handset("amira"), await handset("olu")
    await ben.ask("POST", "/api/push/test", {})
    await deliver(school, service)
    (said,) = (one["data"] for one in ben.shown())
    await school.door.post(f"/api/alerts/{said['alert']}", json={"token": said["token"], "what": "shown"})
    service.tricks.append(Trick(410))
    await writing(lambda tx: alert(tx, "northgate", olu.staff, "call", opens="/call/1", topic="call/1", ttl_s=60))
    await deliver(school, service)
    page = await (await at_desk(the_app(), CAROL)).open("/console/alerts")
    lines = {name: page.html.split(f">{name}<")[1].split("</tr>")[0] for name in ("Ben Price", "Amira Haddad", "Olu Balogun")}
    assert "Yes" in lines["Ben Price"]
    assert "Not tested yet" in lines["Amira Haddad"]
    assert "Its browser has ended the subscription." in lines["Olu Balogun"]
    assert "6 people who can sign in have no phone that can be rung." in page.html
    assert "Rowe" not in page.html


def test_the_key_is_renewed_by_one_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(database=str(tmp_path / "school.db"))
    monkeypatch.setenv("LANYARD_DATABASE", settings.database)
    assert main(["migrate"]) == 0

    async def in_use() -> str:
        await open_database(settings)
        try:
            return (await key_in_use())[1]
        finally:
            await close_database()

    before = asyncio.run(in_use())
    assert main(["new-push-keys"]) == 0
    assert asyncio.run(in_use()) != before
    assert "Phones are rung under a new key from when they next open the app." in capsys.readouterr().out
