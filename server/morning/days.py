"""Which days have school, and the day before and after."""

from datetime import date, timedelta

import msgspec

from server.store.database import Tx

DAY = timedelta(days=1)
FRIDAY = 4
LOOKED_BACK = 80  # days: longer than any holiday


class SchoolDays(msgspec.Struct, frozen=True):
    """Weekdays inside a term that are not closed; every weekday that is not closed, where the school has said no terms."""

    terms: tuple[tuple[str, str], ...]  # first and last day
    closed: frozenset[str]

    def has_school(self, day: str) -> bool:
        if date.fromisoformat(day).weekday() > FRIDAY or day in self.closed:
            return False
        return not self.terms or any(first <= day <= last for first, last in self.terms)

    def before(self, day: str, how_many: int = 1) -> list[str]:
        """The last days with school before this one, oldest first: fewer where a long holiday lies before it."""
        found: list[str] = []
        at = date.fromisoformat(day)
        for _ in range(LOOKED_BACK):
            at -= DAY
            if len(found) < how_many and self.has_school(at.isoformat()):
                found.append(at.isoformat())
        return found[::-1]

    def next(self, day: str) -> str | None:
        """This day, or the first with school after it. None: none is in sight."""
        at = date.fromisoformat(day)
        return next((one for ahead in range(LOOKED_BACK) if self.has_school(one := (at + ahead * DAY).isoformat())), None)


def day_after(day: str, days: int = 1) -> str:
    return (date.fromisoformat(day) + days * DAY).isoformat()


async def school_days_of(tx: Tx, school: str) -> SchoolDays:
    terms = await tx.rows("select starts_on, ends_on from term where school = $1 order by starts_on", school)
    closed = await tx.rows("select on_day from closed_day where school = $1", school)
    return SchoolDays(tuple((row[0], row[1]) for row in terms), frozenset(row[0] for row in closed))
