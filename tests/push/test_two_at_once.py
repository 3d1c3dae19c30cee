"""Two application processes at one database, and one that dies: nothing rings twice, nothing is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable
from unittest import mock

from server.push import delivery
from server.push.alerts import alert
from server.push.delivery import CLAIMED_FOR, Delivery, look_soon, take
from server.store.database import writing
from server.store.moments import now
from tests.push.ringing import Handset, deliver, standing_in
from tests.push.service import PushService
from tests.school import School

ROUNDS = 20
STAFF = ("ben", "olu", "carol", "dee")


async def ring(staff: str, topic: str) -> None:
    await writing(lambda tx: alert(tx, "northgate", staff, "call", opens="/call/1", topic=topic, ttl_s=600))


async def test_loops_side_by_side_hand_each_alert_over_once(
    school: School, handset: Callable[..., Awaitable[Handset]], service: PushService
) -> None:
    for staff in STAFF:
        await handset(staff)
    loops = [Delivery(standing_in(school.settings, service)) for _ in range(4)]
    for round in range(ROUNDS):
        for staff in STAFF:
            await ring(staff, f"call/{round}")
        await asyncio.gather(*(loop.turn() for loop in loops))
        await asyncio.gather(*(loop.finish() for loop in loops))
    for loop in loops:
        await loop.post.close()
    assert len(service.asked) == ROUNDS * len(STAFF)
    assert {status for _, status in service.asked} == {201}


async def test_what_a_process_had_taken_when_it_died_is_sent_by_another_when_its_time_is_up(
    school: School, handset: Callable[..., Awaitable[Handset]], service: PushService
) -> None:
    ben = await handset("ben")
    await ring("ben", "call/1")
    assert len(await writing(take, 10, now())) == 1  # and no more is heard of it
    await deliver(school, service)
    assert ben.pushes() == []
    school.now += CLAIMED_FOR
    await deliver(school, service)
    assert len(ben.pushes()) == 1


async def test_the_loop_is_woken_and_when_it_is_stopped_what_is_out_is_still_kept(
    school: School, handset: Callable[..., Awaitable[Handset]], service: PushService
) -> None:
    ben = await handset("ben")
    running = asyncio.create_task(Delivery(standing_in(school.settings, service)).run())
    await asyncio.sleep(0)
    await ring("ben", "call/1")
    look_soon()
    async with asyncio.timeout(20):
        while not ben.pushes():  # noqa: ASYNC110  another thread's
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    (row,) = await school.rows("select waiting, handed_at from delivery")
    assert (row["waiting"], row["handed_at"]) == (False, school.now)


async def test_a_look_that_finds_nothing_to_do_writes_nothing(
    school: School, handset: Callable[..., Awaitable[Handset]], service: PushService
) -> None:
    ben = await handset("ben")
    loop = Delivery(standing_in(school.settings, service))
    with mock.patch.object(delivery, "writing", wraps=delivery.writing) as written:
        await loop.turn()
        assert written.call_count == 0
        await ring("ben", "call/1")
        await loop.turn()
        await loop.finish()
        assert (len(ben.pushes()), written.call_count) == (1, 2)  # taken, and what came of it kept
        await loop.turn()
        assert written.call_count == 2
        school.now += delivery.SHOWN_WITHIN
        await loop.turn()
        assert written.call_count == 3  # nobody has seen it: the second channel
        await loop.turn()
        assert written.call_count == 3
        await ring("ben", "call/2")
        await school.do("update subscription set retired_at = $1, retired_why = 'gone'", school.now)
        await loop.turn()
        assert written.call_count == 3  # it waits for the phone to come back
        school.now += 600 * delivery.SECOND
        await loop.turn()
        assert written.call_count == 4  # its time is over
        await loop.turn()
        assert written.call_count == 4
    await loop.finish()
    await loop.post.close()
