"""Another process at the same database: `python -m tests.writer ADDRESS how-many` draws numbers and prints each once it is committed."""

import asyncio
import sys

from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, open_database, writing

HANDS = 8


async def draw_one(tx: Tx, school: str = "northgate") -> int:
    await numbers.lock(tx, school)
    (place,) = await numbers.draw(tx, school, [numbers.NewStep("taken")])
    return place.seq


async def write(address: str, how_many: int) -> None:
    await open_database(Settings(database=address))

    async def draw_and_tell() -> None:
        for _ in range(how_many):
            print(await writing(draw_one), flush=True)

    await asyncio.gather(*(draw_and_tell() for _ in range(HANDS)))


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], int(sys.argv[2])))
