"""Ringing 200 phones at once: from what the school received to a push service having accepted it, by the loop that `lanyard serve` runs."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from server.push.alerts import alert
from server.push.delivery import Delivery, look_soon
from server.push.endpoints import LONGEST
from server.push.keys import key_in_use
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, reading, writing
from server.store.moments import now
from tests.push.reading import Browser

PHONES = 200
CALLS = 12  # one after the other
ENDPOINT = "https://fcm.googleapis.com/fcm/send/"

Figures = dict[str, float]


def measure(fresh: Callable[[], str]) -> Figures:
    """A push service in a process of its own takes everything at once; ours closes and signs each alert for its phone."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.ringing"], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
    ) as service:
        assert service.stdout
        try:
            address = service.stdout.readline().strip()
            waits = sorted(asyncio.run(_measure(Settings(database=fresh(), push_stand_in=address))))
        finally:
            service.terminate()
    return {"rung_p50_s": waits[len(waits) // 2], "rung_p99_s": waits[int(len(waits) * 0.99)]}


async def _measure(settings: Settings) -> list[float]:
    await open_database(settings)
    loop = asyncio.create_task(Delivery(settings).run())
    try:
        key, _ = await key_in_use()
        staff = await writing(subscribe, key)
        for call in range(CALLS):
            await writing(ring, *staff, call)
            look_soon()
            while await reading(waiting):  # noqa: ASYNC110  nothing says when it is done but the rows
                await asyncio.sleep(0.1)
        return [wait / 1_000_000 for (wait,) in await reading(lambda tx: tx.rows(WAITS))]
    finally:
        loop.cancel()
        await asyncio.wait([loop])
        await close_database()


WAITS = "select d.handed_at - a.made_at from delivery d join alert a on a.id = d.alert"


async def subscribe(tx: Tx, key: str) -> tuple[str, str]:
    """All of them phones of one teacher."""
    row = await tx.row("select school, id from staff where role = 'teacher' order by id limit 1")
    assert row is not None
    school, staff = row
    at = now()
    phones = [(school, f"rung-{n}", staff, at) for n in range(PHONES)]
    await tx.run_many("insert into phone (school, id, staff, name, paired_at) values ($1, $2, $3, '', $4)", phones)
    browsers = [Browser() for _ in phones]
    await tx.run_many(
        "insert into subscription (school, phone, staff, endpoint, public, secret, key, made_at, checked_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
        [
            (school, phone, staff, ENDPOINT + secrets.token_urlsafe(100)[:LONGEST], browser.public, browser.secret, key, at)
            for (_, phone, _, _), browser in zip(phones, browsers, strict=True)
        ],
    )
    return school, staff


async def ring(tx: Tx, school: str, staff: str, call: int) -> None:
    await alert(tx, school, staff, "call.urgent", opens=f"/call/{call}", topic=f"call/{call}", ttl_s=600)


async def waiting(tx: Tx) -> bool:
    return await tx.row("select 1 from delivery where waiting limit 1") is not None


# ── The push service ───────────────────────────────────────────────────────────────────────


async def take_everything(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=201)


async def serve() -> None:
    app = web.Application()
    app.router.add_post("/{any:.*}", take_everything)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
