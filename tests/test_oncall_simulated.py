"""Thousands of calls, to people who answer late, twice, never, or give it back: none is left without somebody being told."""

import random

import pytest

from server.oncall.steps import take_due
from tests.school import SECOND, School
from tests.test_oncall_calls import act, call, on_duty

A_FEW, ALL = 40, 10_000
PEOPLE = ("ben", "carol", "dee", "lena")


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_no_call_is_left_alone(school: School) -> None:
    await some_calls(school, A_FEW, random.Random(4))


@pytest.mark.soak
@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)
async def test_none_of_ten_thousand_is(school: School) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    await some_calls(school, ALL, random.Random(seed))


async def some_calls(school: School, how_many: int, chance: random.Random) -> None:
    for n in range(how_many):
        school.now = school.now - school.now % (7 * 24 * 3600 * SECOND) + (4 * 24 + 9) * 3600 * SECOND + n  # a Monday, at nine
        await school.do("delete from duty")
        for who in PEOPLE:
            if chance.random() < 0.5:
                await on_duty(school, who, part=chance.choice(("first", "next", "lead")))
        await one_call(school, chance)


async def one_call(school: School, chance: random.Random) -> None:
    record = await call(school, urgency=chance.choice(("danger", "now", "soon")))
    asked_at, winners = school.now, list[str]()
    answers = sorted((int(chance.expovariate(1 / 120)), chance.choice(PEOPLE)) for _ in range(chance.choice((0, 0, 1, 2, 4))))
    gives_back_after = chance.choice((None, None, 5, 40))
    for second in sorted({0, 29, 30, 60, 61, 120, 180, 240, 310, *(at for at, _ in answers)}):
        school.now = asked_at + second * SECOND
        await take_due(school.now)
        for who in [who for at, who in answers if at == second]:
            status, _ = await act(school, who, record, "accept")
            assert status in (200, 409)
            standing = await state_of(school, record)
            assert standing["answered_by"] is not None
            if status == 200 and standing["answered_by"] == who and (not winners or winners[-1] != who):
                winners.append(who)
                if gives_back_after is not None and chance.random() < 0.5:
                    await act(school, who, record, "give_back")
                    winners.append("nobody")
    school.now = max(asked_at, school.now) + 400 * SECOND  # a whole ladder after whoever gave it back last
    await take_due(school.now)
    standing = await state_of(school, record)
    if standing["answered_by"]:
        assert winners[-1] == standing["answered_by"]
        assert not await waiting(school, record), "answered, and still climbing"
    else:
        assert standing["alone_at"] is not None, "nobody answered, and the caller does not know"
        rungs = await school.rows("select words, staff from alert where topic = $1", f"call/{record}")
        assert ("call.unanswered", "amira") in {(row["words"], row["staff"]) for row in rungs}
        assert await waiting(school, record), "nobody answered, and it climbs no more"
    await act(school, "amira", record, "stand_down" if not standing["answered_by"] else "close")
    assert not await waiting(school, record)


async def state_of(school: School, record: str) -> dict[str, object]:
    return (await school.rows("select state, answered_by, alone_at from call where record = $1", record))[0]


async def waiting(school: School, record: str) -> int:
    rows = await school.rows(
        "select count(*) as n from due_step where about = $1 and taken_at is null and does in ('call.rung', 'call.again')", record
    )
    return int(rows[0]["n"])
