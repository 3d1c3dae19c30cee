"""`lanyard check`: quiet about a sound school, and in words about whatever was tampered with."""

import pytest

from server.store.database import reading
from server.sync.check import rebuild_all
from tests.school import School

SPOIL = {
    "its body differs in category": 'update record set body = \'{"category":"damage"}\'',
    "its state is not what its edits say": "update record set state = 'void'",
    "its author is not what its edits say": "update record set author = 'ben'",
    "its made_at is not what its edits say": "update record set made_at = 1",
    "its edits is not what its edits say": "update record set edits = 7",
    "its gaps differ": "update record set gaps = '[]'",
    "its disputes differs in place": "update record set disputes = '{\"place\":[]}'",
    "its version is not the last step that moved it": "update record set seq = 1",
    "it is filed under other pupils than it names": "update record_pupil set dropped_seq = 1",
    "it is open to other staff than wrote in it or are named": "update record_staff set dropped_seq = 1 where staff = 'ben'",
    "it is linked to other records than it names": "insert into record_link select school, id, 'follows', id from record",
}


async def one_record(school: School) -> str:
    amira = school.phone("amira")
    record = amira.write({"category": "fight", "pupils": {"put": {"zoe": {}}}, "staff": {"put": {"ben": {}}}})["record"]
    amira.write({"category": "riot"})
    await amira.sync_all()
    assert await reading(rebuild_all, "northgate") == []
    return str(record)


@pytest.mark.parametrize("said", SPOIL)
async def test_what_differs_is_said_in_words_and_quotes_nothing(school: School, said: str) -> None:
    record = await one_record(school)
    await school.do(SPOIL[said])
    found = await reading(rebuild_all, "northgate")
    assert f"Record {record}: {said}." in found
    assert "damage" not in str(found)


async def test_a_record_that_is_not_there_is_missed(school: School) -> None:
    record = await one_record(school)
    for table in ("record_pupil", "record_staff", "record_link"):
        await school.do(f"delete from {table}")
    await school.do("delete from record")
    assert await reading(rebuild_all, "northgate") == [f"Record {record}: 1 edits were taken into it, and it is not there."]


async def test_a_number_without_its_step_is_missed(school: School) -> None:
    await one_record(school)
    await school.do("update counter set seq = seq + 1 where school = 'northgate'")
    (line,) = await reading(rebuild_all, "northgate")
    assert "does not have a step for each" in line


async def test_other_schools_are_none_of_its_business(school: School) -> None:
    await one_record(school)
    await school.do("update record set state = 'void'")
    assert await reading(rebuild_all, "southfield") == []
