"""A visit that nobody closes: told of ever less often and never forgotten, out of everybody's way, and no dearer for being one of many."""

from itertools import pairwise
from typing import Any

import msgspec

from server.oncall import visits
from server.oncall.steps import take_due
from server.store.database import Tx, reading, writing
from server.store.migrations import m0017_whose_plan
from server.store.moments import now, to_wire
from tests.school import School
from tests.test_oncall_calls import ask
from tests.test_oncall_visits import MINUTE, act, goes_out, look, passes, put
from tests.world import CAROL, DEE

HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE


async def goes_on(school: School, until: int) -> list[tuple[int, str]]:
    """Whatever falls due is done in its minute; when the safeguarding lead was told, and in which words."""
    while (found := (await school.rows("select min(not_before) as at from due_step where taken_at is null"))[0]["at"]) and found <= until:
        school.now = max(school.now, found)
        await take_due(school.now)
    school.now = until
    rows = await school.rows("select made_at, words from alert where staff = 'dee' order by made_at")
    return [(row["made_at"], row["words"]) for row in rows]


async def test_those_who_lead_are_told_again_ever_less_often_until_it_is_closed_and_never_no_more(school: School) -> None:
    start = school.now  # half past eight
    _, record = await goes_out(school, 60)
    heard = await goes_on(school, start + 3 * DAY)
    assert heard[0] == (start + 70 * MINUTE, "visit.alarm")
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(heard)]
    assert gaps[:24] == [5 * MINUTE] * 24
    assert set(gaps[24:-2]) == {HOUR}
    assert [(to_wire(at)[11:16], words) for at, words in heard[-4:]] == [
        ("08:40", "visit.alarm"), ("09:40", "visit.open"), ("08:00", "visit.open"), ("08:00", "visit.open"),
    ]  # fmt: skip
    assert (await act(school, "dee", record, "seen_safe", "Met them"))[0] == 200
    assert await goes_on(school, start + 5 * DAY) == heard


async def test_whoever_sees_to_it_is_reminded_every_morning_until_it_is_closed(school: School) -> None:
    start = school.now
    _, record = await goes_out(school, 60)
    before = await goes_on(school, start + 80 * MINUTE)
    assert (await act(school, "dee", record, "on_it"))[0] == 200
    heard = (await goes_on(school, start + 2 * DAY))[len(before) :]
    assert [(to_wire(at)[8:16], words) for at, words in heard] == [("24T08:00", "visit.open"), ("25T08:00", "visit.open")]
    assert (await look(school, record, "dee"))["next"]["at"] == to_wire(start + 3 * DAY - 30 * MINUTE)


async def test_one_that_had_been_told_of_often_enough_is_told_of_again_from_the_next_morning_on(school: School) -> None:
    start = school.now
    _, record = await goes_out(school, 60)
    before = await goes_on(school, start + 4 * HOUR)
    await school.do("delete from due_step where taken_at is null")
    await writing(lambda tx: tx.run("insert" + m0017_whose_plan.TABLES.split("insert")[1].rstrip("; \n")))
    await school.do("update watch set raised_at = raised_at - $1", DAY)
    await school.do(
        """update due_step set more = replace(more, (select raised_at + $1 from watch) || '', (select raised_at from watch) || '')""", DAY
    )
    assert await goes_on(school, start + 23 * HOUR) == before
    assert (await goes_on(school, start + DAY))[len(before) :] == [(start + DAY - 30 * MINUTE, "visit.open")]
    assert (await look(school, record, "dee"))["state"] == "alarm"


async def test_a_day_past_its_time_it_is_out_of_the_list_and_stands_under_never_closed_at_the_desk(school: School) -> None:
    start = school.now
    _, record = await goes_out(school, 60)
    for hours, out, never in ((24, [record], []), (26, [], [record])):
        await goes_on(school, start + hours * HOUR)
        await writing(school.sign_everybody_in)
        board = await reading(visits.board_of, DEE, now())
        assert ([card.record for card in board.out], [card.record for card in board.never_closed]) == (out, never)
        for who in ("olu", "carol", "dee"):
            assert [card["record"] for card in (await ask(school, who, "/api/visits", method="GET"))[1]] == out
    assert "seen_safe" in (await look(school, record, "dee"))["may"]
    assert (await act(school, "dee", record, "seen_safe", "Met them"))[0] == 200
    board = await reading(visits.board_of, DEE, now())
    assert ([card.record for card in board.over], board.never_closed) == ([record], [])


async def test_however_many_are_out_the_list_and_the_board_ask_no_more_of_the_database(school: School) -> None:
    asked = []
    for _ in range(2):
        await goes_out(school, 60, going=put("olu"))
        counts = []
        for cards in (visits.cards_for, visits.board_of):
            for me in (DEE, CAROL):

                async def counted(tx: Tx, cards: Any = cards, me: Any = me) -> int:
                    counting = Counting(tx)
                    await cards(counting, me, now())
                    return counting.n

                counts.append(await reading(counted))
        asked.append(counts)
    assert asked[0] == asked[1]
    assert max(asked[0]) <= 9


class Counting:
    def __init__(self, tx: Tx) -> None:
        self.tx, self.engine, self.n = tx, tx.engine, 0

    async def rows(self, sql: str, *args: Any) -> Any:
        self.n += 1
        return await self.tx.rows(sql, *args)

    async def row(self, sql: str, *args: Any) -> Any:
        self.n += 1
        return await self.tx.row(sql, *args)


async def test_of_those_that_are_out_the_next_to_be_back_are_shown_however_many_are_planned(school: School) -> None:
    _, record = await goes_out(school, 60)
    for n in range(3):
        await goes_out(school, 60 * 24 * (n + 2), leaves_at={"at": to_wire(school.now + DAY), "precision": "exact"})
    found = await reading(lambda tx: visits.cards_for(tx, DEE, now()))
    assert found[0].record == record
    assert visits.OUT.index("order by due_back_at,") > 0


async def test_what_a_school_keeps_off_phones_is_followed_on_one_by_those_in_it_and_whoever_is_told(school: School) -> None:
    kept_back = msgspec.json.encode({"offline": {"dsl": ["home_visit"], "manager": ["home_visit"], "leader": ["home_visit"]}}).decode()
    await school.do("update school set settings = $1", kept_back)
    _, record = await goes_out(school, 60)

    async def who_may() -> list[str]:
        found = []
        for who in ("olu", "carol", "dee", "lena"):
            listed = (await ask(school, who, "/api/visits", method="GET"))[1]
            status, _ = await ask(school, who, f"/api/visits/{record}", method="GET")
            assert (status == 200) == bool(listed), who
            found += [who] if listed else []
        return found

    assert await who_may() == ["olu", "carol"]
    assert (await act(school, "dee", record, "seen_safe", "Met them"))[0] == 404
    assert [card.record for card in (await reading(visits.board_of, DEE, now())).out] == [record]
    await passes(school, 75)
    assert await who_may() == ["olu", "carol", "dee"]
