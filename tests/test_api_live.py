"""The hint that something moved: heard soon, by those of that school, and never holding anything up."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from litestar import Litestar

from server.api import live
from server.api.live import HINT, PING, Hub, hints
from server.app import create_app
from server.settings import Settings
from server.store import numbers
from server.store.database import writing
from tests.visitor import no_phone_app, signed_in
from tests.world import CAROL

SOON_S = 10  # far more than is ever needed; only a hint that never comes waits so long


@pytest.fixture
async def token(world: Settings) -> str:
    app: Litestar = create_app(no_phone_app(world))
    return (await signed_in(app, CAROL)).cookies["lanyard"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.02)


async def heard(stream: AsyncIterator[bytes]) -> bytes:
    return await asyncio.wait_for(anext(stream), SOON_S)


async def something_moves(school: str) -> None:
    await writing(numbers.draw, school, [numbers.NewStep("people")])


async def test_a_listener_hears_that_something_moved_in_their_own_school(token: str) -> None:
    hub = Hub()
    here, there = hints(hub, "northgate", token), hints(hub, "southfield", token)
    assert await heard(here) == await heard(there) == HINT  # whatever moved before they listened
    waiting, elsewhere = asyncio.ensure_future(heard(here)), asyncio.ensure_future(heard(there))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await something_moves("northgate")
    assert await waiting == HINT
    assert not elsewhere.done()
    elsewhere.cancel()
    hub.close()


async def test_two_processes_hear_of_each_other(token: str) -> None:
    one, other = Hub(), Hub()
    first, second = hints(one, "northgate", token), hints(other, "northgate", token)
    assert [await heard(first), await heard(second)] == [HINT, HINT]
    await asyncio.sleep(0.1)
    await something_moves("northgate")
    assert [await heard(first), await heard(second)] == [HINT, HINT]
    one.close()
    other.close()


async def test_silence_is_broken_by_a_ping_that_is_no_hint(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    stream = hints(hub, "northgate", token)
    assert await heard(stream) == HINT
    monkeypatch.setattr(live, "PING_EVERY_S", 0.05)
    assert await heard(stream) == PING
    hub.close()


async def test_the_stream_ends_when_i_am_signed_out(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    stream = hints(hub, "northgate", token)
    assert await heard(stream) == HINT
    monkeypatch.setattr(live, "PING_EVERY_S", 0.05)
    await writing(lambda tx: tx.run("delete from session"))
    with pytest.raises(StopAsyncIteration):
        await heard(stream)
    hub.close()


async def test_the_stream_ends_when_i_am_signed_out_however_much_moves(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    stream = hints(hub, "northgate", token)
    assert await heard(stream) == HINT
    monkeypatch.setattr(live, "PING_EVERY_S", 0.2)
    await writing(lambda tx: tx.run("delete from session"))

    async def never_silent() -> None:
        while True:  # told by no database, which may take its time on a busy machine
            for moved in hub.listeners["northgate"]:
                moved.set()
            await asyncio.sleep(0.02)

    busy = asyncio.create_task(never_silent())
    try:
        async with asyncio.timeout(SOON_S):
            assert PING not in [hint async for hint in stream]  # the premise: it was never silent
    finally:
        busy.cancel()
        hub.close()


async def test_nothing_is_missed_between_the_first_hint_and_the_first_look(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK_EVERY_S", 0.3)
    hub = Hub()
    elsewhere = hints(hub, "southfield", token)
    assert await heard(elsewhere) == HINT
    await asyncio.sleep(0.1)  # somebody listens already, and the counters were just read: the next look is a while away
    stream = hints(hub, "northgate", token)
    assert await heard(stream) == HINT
    await something_moves("northgate")
    assert await heard(stream) == HINT
    hub.close()


async def test_every_stream_ends_when_the_server_goes_down(token: str) -> None:
    hub = Hub()
    streams = [hints(hub, "northgate", token) for _ in range(3)]
    for stream in streams:
        await heard(stream)
    waiting = [asyncio.ensure_future(heard(stream)) for stream in streams]
    await asyncio.sleep(0.05)
    hub.close()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ended] == [StopAsyncIteration] * 3


async def test_whoever_hangs_up_is_forgotten(token: str) -> None:
    hub = Hub()
    stream = hints(hub, "northgate", token)
    await heard(stream)
    assert hub.listeners
    await stream.aclose()  # type: ignore[attr-defined]
    assert not hub.listeners
    assert hub.looking is not None
    await asyncio.wait_for(hub.looking, SOON_S)  # and nobody reads counters for nobody
