"""Many phones at the same moment: readers who ask in between end with exactly what they may see, and nobody waits for nothing."""

import asyncio

from server.store.database import reading
from server.sync.check import rebuild_all
from tests.phone import Phone
from tests.school import School

WRITERS = ("amira", "ben", "hana", "dee", "olu", "lena")
LETTERS, EDITS = 6, 5


async def reach(phone: Phone) -> None:
    """Sends until it is all there: a school that is busy is asked again."""
    while phone.kept.outbox:
        await phone.sync()


async def write_on(phone: Phone) -> None:
    for _ in range(LETTERS):
        for n in range(EDITS):
            phone.write({"category": "fight" if n % 2 else "damage"}, next(iter(phone.records), None) if n == 0 else None)
        await reach(phone)


async def poll(phone: Phone, until: asyncio.Event) -> int:
    polls = 0
    while not until.is_set():
        await phone.sync()
        polls += 1
    return polls


async def test_a_reader_who_polls_at_any_moment_ends_with_exactly_what_they_may_see(school: School) -> None:
    written, done = [school.phone(staff) for staff in WRITERS], asyncio.Event()
    readers = [school.phone("carol") for _ in range(3)]
    polling = [asyncio.create_task(poll(reader, done)) for reader in readers]
    await asyncio.gather(*map(write_on, written))
    done.set()
    assert min(await asyncio.gather(*polling)) > 1  # they did ask in between
    for reader in readers:
        await reader.sync_all()
    there = {row["id"]: row["seq"] for row in await school.rows("select id, seq from record")}
    assert len(there) > len(WRITERS) * LETTERS
    for reader in readers:
        assert {id: int(record["version"].split(".")[0]) for id, record in reader.records.items()} == there
    assert await reading(rebuild_all, "northgate") == []


async def test_one_letter_sent_by_many_at_once_is_taken_once(school: School) -> None:
    phone = school.phone("amira")
    for _ in range(10):
        phone.write({"category": "fight"})
    copies = [phone.copied() for _ in range(8)]
    await asyncio.gather(*map(reach, copies))
    assert len(await school.rows("select id from edit")) == 10
    (row,) = await school.rows("select sum(edits) as edits from record")
    assert row["edits"] == 10


async def test_two_schools_in_one_database_are_in_each_others_way_in_nothing(school: School) -> None:
    ours, theirs = school.phone("amira"), school.phone("dan")
    await asyncio.gather(write_on(ours), write_on(theirs))
    await ours.sync_all()
    await theirs.sync_all()
    assert not set(ours.records) & set(theirs.records)
    for name in ("northgate", "southfield"):
        assert await reading(rebuild_all, name) == []
