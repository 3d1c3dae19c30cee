"""Which phones the school has not heard from: what is counted today may grow when they come back."""

from msgspec import Struct

from server.store.database import Tx

QUIET_AFTER_US = 24 * 3600 * 1_000_000
FORGOTTEN_AFTER_US = 30 * QUIET_AFTER_US  # a phone keeps what it sent as long; after that it is not in use


class Quiet(Struct, frozen=True):
    staff: str  # their name
    waiting: int  # records on the phone, as it said last
    seen_at: int


class Heard(Struct, frozen=True):
    as_at: int
    quiet: list[Quiet]  # longest first

    @property
    def words(self) -> str:
        if not self.quiet:
            return "Every phone in use has been heard from since yesterday, with nothing left to send."
        silent = sum(phone.seen_at < self.as_at - QUIET_AFTER_US for phone in self.quiet)
        waiting = sum(phone.waiting for phone in self.quiet)
        phones = f"{silent} {'phone has' if silent == 1 else 'phones have'} not been heard from since yesterday" if silent else ""
        records = f"{waiting} {'record is' if waiting == 1 else 'records are'} known to wait on phones" if waiting else ""
        return f"{'; '.join(filter(None, (phones, records)))}."


async def heard(tx: Tx, school: str, now: int) -> Heard:
    rows = await tx.rows(
        "select s.name, p.waiting, p.seen_at from phone p join staff s on s.school = p.school and s.id = p.staff"
        " where p.school = $1 and not p.is_desk and p.revoked_at is null and s.left_at is null"
        " and p.seen_at > $2 and (p.waiting > 0 or p.seen_at < $3) order by p.seen_at",
        school, now - FORGOTTEN_AFTER_US, now - QUIET_AFTER_US,
    )  # fmt: skip
    return Heard(now, [Quiet(*row) for row in rows])
