"""One pupil's attendance, summed: sessions possible, attended and missed, as the Department for Education counts them."""

from collections import Counter

from msgspec import Struct

from server.store.database import Tx

ATTENDED = ("present", "approved")  # in school, or at an approved educational activity elsewhere

MARKS = """
    select m.on_day, m.mark, c.category, c.is_possible from (
        select on_day, am as mark from attendance_day where school = $1 and pupil = $2 and on_day between $3 and $4 and am is not null
        union all
        select on_day, pm as mark from attendance_day where school = $1 and pupil = $2 and on_day between $3 and $4 and pm is not null
    ) as m join attendance_code c on c.code = m.mark and c.from_on <= m.on_day and (c.to_on is null or c.to_on >= m.on_day)"""


class Attendance(Struct, frozen=True):
    possible: int
    attended: int
    late: int
    authorised: int
    unauthorised: int
    missed_on: list[str]  # a day for each session missed
    upto: str  # the last day with a mark

    @property
    def rate(self) -> str:
        """A percentage of the sessions possible, to one place."""
        return f"{100 * self.attended / self.possible:.1f}%" if self.possible else "–"


async def attendance_of(tx: Tx, school: str, pupil: str, since: str, until: str) -> Attendance:
    rows = [row for row in await tx.rows(MARKS, school, pupil, since, until) if row["is_possible"]]
    kinds = Counter(row["category"] for row in rows)
    return Attendance(
        possible=len(rows),
        attended=sum(kinds[category] for category in ATTENDED),
        late=sum(row["mark"] in ("L", "U") for row in rows),
        authorised=kinds["authorised"],
        unauthorised=kinds["unauthorised"],
        missed_on=[row["on_day"] for row in rows if row["category"] not in ATTENDED],
        upto=max((row["on_day"] for row in rows), default=""),
    )
