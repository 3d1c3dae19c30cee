"""What a call for help and a visit have in common: a row beside their record, each thing that happened, and whom they told."""

from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar

import msgspec

from server.push.alerts import alert
from server.store.database import Tx


class Followed(msgspec.Struct):
    """How far the record of this name has been followed. `TABLE` is its own, beside it what happened; `PAGE` is a phone's."""

    school: str
    record: str

    TABLE: ClassVar[str]
    PAGE: ClassVar[str]

    @classmethod
    def columns(cls) -> str:
        return ", ".join(cls.__struct_fields__)

    @property
    def topic(self) -> str:
        return f"{self.PAGE}/{self.record}"

    @property
    def opens(self) -> str:
        """A phone's address. An id that does not look like one of ours is not put into an alert: the list opens instead."""
        plain = len(self.record) <= 100 and self.record.replace("-", "").isalnum() and self.record.isascii()
        return f"/{self.PAGE}/{self.record}" if plain else f"/{self.PAGE}"


F = TypeVar("F", bound=Followed)


async def read(tx: Tx, which: type[F], school: str, record: str) -> F | None:
    """Held by nobody."""
    return await _row(tx, which, school, record, "")


async def held(tx: Tx, which: type[F], school: str, record: str) -> F | None:
    """By this transaction to its end: whoever else would move it waits, and then sees how it stands."""
    return await _row(tx, which, school, record, " for update" if tx.engine == "postgres" else "")


async def _row(tx: Tx, which: type[F], school: str, record: str, lock: str) -> F | None:
    row = await tx.row(f"select {which.columns()} from {which.TABLE} where school = $1 and record = $2{lock}", school, record)
    return which(*row) if row else None


async def keep(tx: Tx, one: Followed, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(one, name, value)
    said = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, 3))
    await tx.run(f"update {one.TABLE} set {said} where school = $1 and record = $2", one.school, one.record, *changes.values())


async def note(tx: Tx, one: Followed, what: str, at: int, staff: str | None = None, **detail: Any) -> None:
    """The row is held meanwhile: nobody else counts."""
    moments = f"{one.TABLE}_moment"
    sql = (
        f"insert into {moments} (school, record, n, at, what, staff, detail)"
        f" select $1, $2, count(*) + 1, $3, $4, $5, $6 from {moments} where school = $1 and record = $2"
    )
    await tx.run(sql, one.school, one.record, at, what, staff, msgspec.json.encode(detail).decode())


async def rung_so_far(tx: Tx, one: Followed) -> set[str]:
    sql = f"select detail from {one.TABLE}_moment where school = $1 and record = $2 and what = 'rang'"
    return {staff for row in await tx.rows(sql, one.school, one.record) for staff in msgspec.json.decode(row["detail"])["rang"]}


async def tell_quietly(tx: Tx, one: Followed, staff: Iterable[str | None], words: str, ttl_s: int, place: str | None = None) -> None:
    for who in sorted(filter(None, staff)):
        await alert(tx, one.school, who, words, opens=one.opens, topic=one.topic, ttl_s=ttl_s, place=place, urgent=False)
