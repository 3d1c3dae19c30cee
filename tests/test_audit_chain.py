"""The access log cannot be altered, shortened or added to behind our backs without being found out."""

from pathlib import Path
from typing import Any

import pytest

from server.__main__ import main
from server.access import chain
from server.access.audit import looked
from server.access.chain import Head
from server.settings import Settings
from server.store.database import Tx, reading, writing
from tests.world import AMIRA, CAROL, DAN

ROWS = 30


async def look_a_lot(how_often: int = ROWS) -> None:
    for n in range(how_often):
        await writing(looked, AMIRA if n % 2 else CAROL, "read pupil", pupil="zoe", detail={"n": n})
    await writing(looked, DAN, "read pupil", pupil="tom")


async def found(anchor: Head | None = None) -> list[str]:
    await chain.link_all("northgate")
    return (await reading(chain.problems_with, "northgate", anchor))[0]


async def head() -> Head:
    return (await reading(chain.problems_with, "northgate", None))[1]


async def by_force(sql: str, *args: Any) -> None:
    """As whoever owns the database could: past the triggers."""

    async def work(tx: Tx) -> None:
        if tx.engine == "sqlite":
            for (name,) in await tx.rows("select name from sqlite_master where type = 'trigger' and tbl_name in ('audit', 'chain')"):
                await tx.run(f"drop trigger {name}")
        else:
            for table in ("audit", "chain"):
                await tx.run(f"alter table {table} disable trigger user")
        await tx.run(sql, *args)

    await writing(work)


async def the_id_of(n: int) -> str:
    row = await reading(lambda tx: tx.row("select audit from chain where school = 'northgate' and n = $1", n))
    assert row is not None
    return str(row[0])


async def test_an_honest_log_has_nothing_to_say(world: Settings) -> None:
    assert await found() == []
    await look_a_lot()
    before = await head()
    assert before.n == 0  # the premise: nothing is linked by whoever looks
    assert await found() == []
    assert (await head()).n == ROWS
    await look_a_lot(3)
    assert await found(await head()) == []


@pytest.mark.parametrize(
    "column, value", [("staff", "'ben'"), ("at", "at + 1"), ("pupil", "null"), ("what", "'sign in'"), ("detail", "'{}'")]
)
async def test_a_row_that_was_altered_is_named(world: Settings, column: str, value: str) -> None:
    await look_a_lot()
    await found()
    id = await the_id_of(17)
    await by_force(f"update audit set {column} = {value} where id = $1", id)
    assert await found() == [f"Access log: row 17 ({id}) was altered."]


async def test_a_row_that_was_removed_is_named(world: Settings) -> None:
    await look_a_lot()
    await found()
    id = await the_id_of(5)
    await by_force("delete from audit where id = $1", id)
    assert await found() == [f"Access log: row 5 ({id}) was removed."]


async def test_a_row_that_was_slipped_in_is_named(world: Settings) -> None:
    await look_a_lot()
    await found()
    await by_force(
        "insert into audit (id, school, at, staff, what) select 'slipped', school, min(at) - 7200000000, 'ben', 'read pupil'"
        " from audit where school = 'northgate' group by school"
    )
    assert await found() == ["Access log: row slipped was slipped in later."]


async def test_an_end_that_was_cut_off_shows_beside_the_anchor(world: Settings) -> None:
    await look_a_lot()
    await found()
    anchor = await head()
    await by_force("delete from audit where id in (select audit from chain where school = 'northgate' and n > 20)")
    await by_force("delete from chain where school = 'northgate' and n > 20")
    assert await found() == []  # the premise: alone, the chain cannot know
    assert await found(anchor) == ["Access log: its end was cut off: it had 30 rows when it was anchored, and has 20."]


async def test_a_chain_that_was_made_anew_shows_beside_the_anchor(world: Settings) -> None:
    await look_a_lot()
    await found()
    anchor = await head()
    await by_force("update audit set staff = 'ben' where id = $1", await the_id_of(17))
    await by_force("delete from chain where school = 'northgate'")
    assert await found() == []
    assert await found(anchor) == ["Access log: it is not the one that was anchored: its chain was made anew."]


async def test_it_can_be_killed_between_a_row_and_its_link(world: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "AT_ONCE", 7)
    await look_a_lot()
    assert await writing(chain.link, "northgate") > 0
    await look_a_lot(3)
    assert await found() == []
    assert (await head()).n == ROWS + 3


def test_an_operator_compares_with_the_anchor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio
    import sqlite3

    from server.__main__ import with_database
    from tests.world import make_world

    file, anchor = tmp_path / "school.db", tmp_path / "anchor.json"
    monkeypatch.setenv("LANYARD_DATABASE", str(file))
    main(["migrate"])
    asyncio.run(with_database(Settings(database=str(file)), writing(make_world)))
    asyncio.run(with_database(Settings(database=str(file)), look_a_lot()))
    assert main(["check", "--anchor", str(anchor)]) == 0
    kept = anchor.read_bytes()
    assert main(["check", "--anchor", str(anchor)]) == 0
    assert anchor.read_bytes() == kept
    with sqlite3.connect(file) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")
        database.execute("delete from audit where id in (select audit from chain where n > 25)")
        database.execute("delete from chain where n > 25")
    capsys.readouterr()
    assert main(["check", "--anchor", str(anchor)]) == 1
    assert "its end was cut off: it had 30 rows when it was anchored, and has 25" in capsys.readouterr().out
    assert anchor.read_bytes() == kept  # it stays until somebody has looked
