"""Databases for tests on either engine: made once as templates, and copied for each test."""

import shutil
from pathlib import Path

import asyncpg

from server.settings import Settings
from server.store.database import close_database, open_database, writing
from server.store.migrations import migrate
from tests.world import make_world


class SQLiteFiles:
    """Databases copied from templates: migrated once, then as cheap as a file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def address(self, name: str) -> str:
        return str(self.folder / f"{name}.db")

    async def copy(self, template: str, name: str) -> None:
        shutil.copyfile(self.address(template), self.address(name))

    async def drop(self, name: str) -> None:
        for file in self.folder.glob(f"{name}.db*"):
            file.unlink()

    async def create(self, name: str) -> None:
        pass


class PostgresDatabases:
    def __init__(self, cluster_address: str) -> None:
        self.cluster_address = cluster_address

    def address(self, name: str) -> str:
        return self.cluster_address.format(name)

    async def copy(self, template: str, name: str) -> None:
        await self._say(f"create database {name} template {template}")

    async def drop(self, name: str) -> None:
        await self._say(f"drop database if exists {name} with (force)")

    async def create(self, name: str) -> None:
        await self._say(f"create database {name}")

    async def _say(self, sql: str) -> None:
        connection = await asyncpg.connect(self.address("postgres"))
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


Databases = SQLiteFiles | PostgresDatabases


async def prepare(databases: Databases) -> None:
    await databases.create("empty")
    await migrate(Settings(database=databases.address("empty")))
    await databases.copy("empty", "world")
    await fill(Settings(database=databases.address("world")))


async def fill(settings: Settings) -> None:
    await open_database(settings)
    try:
        await writing(make_world)
    finally:
        await close_database()
