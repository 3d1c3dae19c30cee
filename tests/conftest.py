"""What every test stands on: a database of its own on either engine, and a school with people in it."""

import asyncio
import contextlib
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any

import hypothesis
import pytest
from litestar import Litestar

from server.settings import Settings
from server.store.database import close_database, open_database
from tests.chance import IS_FRESH
from tests.cluster import Missing, cluster
from tests.databases import Databases, PostgresDatabases, SQLiteFiles, prepare
from tests.desk import desk_over
from tests.school import School

# How quick a machine is, is for bench/ to say; and what hypothesis tries is the same every time, but in `make soak`.
hypothesis.settings.register_profile("lanyard", deadline=None, derandomize=not IS_FRESH, max_examples=1_000 if IS_FRESH else 100)
hypothesis.settings.load_profile("lanyard")

NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What an operator's command sets up writes to a stream that pytest closes after the test, and of every request for ever after."""
    log = logging.getLogger()
    handlers, level = log.handlers[:], log.level
    yield
    log.setLevel(level)
    for handler in set(log.handlers) - set(handlers):
        log.removeHandler(handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    try:
        with cluster() as address:
            yield address
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return prepared(SQLiteFiles(tmp_path_factory.mktemp("databases")))


@pytest.fixture(scope="session")
def postgres_databases(postgres: str) -> Databases:
    return prepared(PostgresDatabases(postgres))


def prepared(made: Databases) -> Databases:
    apart(prepare(made))
    return made


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """One engine, with two templates: tables with nothing in them, and a world. Made once, whatever order the tests come in."""
    made: Databases = request.getfixturevalue(f"{request.param}_databases")
    return made


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Settings]:
    """A database with tables and nothing in them, open; the settings it was opened by."""
    async with copy_of(databases, "empty") as settings:
        yield settings


@pytest.fixture
async def world(databases: Databases) -> AsyncIterator[Settings]:
    """A database with the people of `tests/world.py` in it, open; the settings it was opened by."""
    async with copy_of(databases, "world") as settings:
        yield settings


@pytest.fixture
async def school(databases: Databases) -> AsyncIterator[School]:
    """The world's school with its app, and a clock of its own: what phones and school agree on."""
    async with School(databases, f"school_{next(NUMBERS)}") as made:
        yield made


@contextlib.asynccontextmanager
async def copy_of(databases: Databases, template: str) -> AsyncIterator[Settings]:
    name = f"test_{next(NUMBERS)}"
    await databases.copy(template, name)
    settings = Settings(database=databases.address(name))
    await open_database(settings)
    try:
        yield settings
    finally:
        await close_database()
        await databases.drop(name)


def apart(work: Coroutine[Any, Any, Any]) -> None:
    """Runs it on a loop of its own, beside whatever loop the tests have."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


@pytest.fixture
def desk_app(world: Settings) -> Iterator[Litestar]:
    """The whole app over the world, with a clock of its own."""
    with desk_over(world) as app:
        yield app
