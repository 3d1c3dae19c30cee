"""`lanyard demo`: a believable school to try things on, made once and then served."""

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from server.access.passwords import hashed
from server.demo.made import SIZES, make
from server.demo.school import LONDON, SECOND
from server.demo.staffroom import OUTSIDER, SIGN_INS
from server.reports.views import make_views
from server.settings import Settings, from_environment
from server.store.database import Tx, close_database, open_database, reading, writing
from server.store.migrations import drop_tables, migrate

FINE, REFUSED = 0, 2
NOON = "12:40"
PASSWORD_WORDS = """
amber anchor badger barley beacon birch bramble brook canal candle chestnut clover copper crane dapple ember fern fiddle finch flint
foxglove garnet gorse harbour hazel heron ivory juniper kestrel lantern larch linen maple marble meadow mill nettle oak otter pebble
plover quarry quill raven reed rowan saddle sparrow teasel thistle thread tinder velvet walnut weaver willow wren yarrow
"""

Serve = Callable[[Settings, int, str], int]


def main(argv: list[str], serve: Serve | None = None) -> int:
    asked = _asked(argv)
    settings, out = from_environment(), Console(highlight=False, soft_wrap=True)
    if not asyncio.run(_ready(asked, settings, out)):
        return REFUSED
    if asked.no_serve or serve is None:
        return FINE
    return serve(settings, asked.port, asked.host)


def _asked(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("lanyard demo", description="Make a believable school, and serve it.")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same school (1)")
    parser.add_argument("--size", choices=list(SIZES), default="school", help="small: 120 pupils; school: 1,500; trust: four schools")
    parser.add_argument(
        "--as-at", type=moment, default=None, metavar="DAY", help="the day it is there: 2026-11-24, or 2026-11-24T11:31 (now)"
    )
    parser.add_argument("--fresh", action="store_true", help="make it again, in place of the demo that is there")
    parser.add_argument("--no-serve", action="store_true", help="only make it")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--host", default="127.0.0.1")
    return parser.parse_args(argv)


def moment(text: str) -> int:
    """A day is meant as it is at lunch time there; a time as said, in the school's own clock."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is no day: write 2026-11-24 or 2026-11-24T11:31") from None
    if isinstance(said, datetime) and len(text) <= 10:
        said = datetime.combine(date.fromisoformat(text), datetime.strptime(NOON, "%H:%M").time())
    return int((said if said.tzinfo else said.replace(tzinfo=LONDON)).timestamp()) * SECOND


async def _ready(asked: argparse.Namespace, settings: Settings, out: Console) -> bool:
    """Whether there is a demo to serve: made now, or there before."""
    await _open(settings)
    try:
        schools = await reading(_schools)
        if not all(one.is_demo for one in schools):
            out.print("There is a school here that is no demo. Nothing was touched.", style="red")
            return False
        if schools and not asked.fresh and not any(one.is_unfinished for one in schools):
            out.print(f"{await reading(_signing_in)} is here already, and is left as it is. Make it again with --fresh.")
            _say_who_signs_in(out)
            out.print(f"The password is the one of the first time. For a new one: {_program()} set-password {SIGN_INS[0][0]}")
            return True
        if schools:
            await _clear(settings)
        await _make(asked, settings, out)
        return True
    finally:
        await close_database()


async def _open(settings: Settings) -> None:
    """Up to date, with the views a school's own tools read."""
    await migrate(settings)
    await open_database(settings)
    await writing(make_views)


class Here(NamedTuple):
    name: str
    is_demo: bool
    is_unfinished: bool  # somebody stopped it while it was being made


async def _schools(tx: Tx) -> list[Here]:
    rows = await tx.rows("select name, is_demo, settings from school order by made_at, name")
    return [Here(row[0], bool(row[1]), "unfinished" in json.loads(row[2])) for row in rows]


async def _signing_in(tx: Tx) -> str:
    """The school whose people can sign in."""
    row = await tx.row("select school.name from staff join school on school.id = staff.school where username = $1", SIGN_INS[0][0])
    assert row is not None  # a demo that is finished has them
    return str(row[0])


def _program() -> str:
    """By what we were called just now."""
    return f"{sys.executable} -m server" if sys.argv[0].endswith("__main__.py") else sys.argv[0]


async def _clear(settings: Settings) -> None:
    """Edits can never be deleted; so all of our tables go, and are made again."""
    await writing(_forget)
    await close_database()
    if not settings.database.startswith(("postgresql://", "postgres://")):
        _remove(settings.database)
    await _open(settings)


def _remove(file: str) -> None:
    for end in ("", "-wal", "-shm"):
        Path(file + end).unlink(missing_ok=True)


async def _forget(tx: Tx) -> None:
    if tx.engine == "postgres":  # where a database may be somebody else's, too
        await drop_tables(tx)


async def _make(asked: argparse.Namespace, settings: Settings, out: Console) -> None:
    password = settings.demo_password or "-".join(secrets.choice(PASSWORD_WORDS.split()) for _ in range(4))
    as_at = asked.as_at if asked.as_at is not None else time.time_ns() // 1000
    began = time.perf_counter()
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=out, transient=True) as bar:
        await make(asked.size, asked.seed, as_at, await hashed(password), Telling(bar))
    out.print(f"{SIZES[asked.size][0][0]} is made, in {time.perf_counter() - began:.1f} s. It is a demo: nobody in it is real.")
    _say_who_signs_in(out)
    if settings.demo_password is None:
        out.print(f"The password of all of them is   {password}", style="bold")
        out.print("It is not shown again. Choose your own with LANYARD_DEMO_PASSWORD.")


def _say_who_signs_in(out: Console) -> None:
    out.print(f"Sign in as {', '.join(one[0] for one in SIGN_INS)}, or as {OUTSIDER[0]}, who is of another school.")


class Telling:
    """A bar for each thing that is done."""

    def __init__(self, bar: Progress) -> None:
        self.bar, self.tasks = bar, dict[str, TaskID]()

    def __call__(self, what: str, done: int, of: int) -> None:
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(what, total=of)
        self.bar.update(self.tasks[what], completed=done, total=of)
