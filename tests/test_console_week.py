"""A week of looking: counted by hand, told to the safeguarding lead, and to nobody else."""

from datetime import UTC, datetime

import pytest
from litestar import Litestar

from server.access.audit import looked
from server.console.week import is_out_of_hours
from server.store import moments
from server.store.database import Tx, writing
from server.store.me import Me
from tests.desk import Desk, at_desk, phone_sends, put
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, EVERYBODY, HANA, OLU


def µs(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


async def look(me: Me, pupil: str | None, at: str, times: int = 1, record: str | None = None) -> None:
    async def note(tx: Tx) -> None:
        for _ in range(times):
            await looked(tx, me, "read pupil" if pupil else "read record", pupil=pupil, record=record)

    before = moments._clock
    moments.set_clock(lambda: µs(at))
    await writing(note)
    moments.set_clock(before)


async def told(desk: Desk, address: str = "/console/looked") -> dict[str, str]:
    text = (await desk.open(address)).text
    parts = {}
    for name, begins, ends in (
        ("most", "Looks People", "No reason that we know of"), ("strangers", "How many Looks", "Out of hours"),
        ("late", "Who Last Looks", "Keys"),
    ):  # fmt: skip
        parts[name] = text.split(begins)[1].split(ends)[0].strip()
    return parts | {"all": text}


OPENED = """
    insert into opening (id, school, staff, pupil, why, reason, at, ends_at)
    values ('o', 'northgate', 'hana', 'marcus', 'emergency', 'ran out', $1, $2)"""


async def test_a_week_is_counted_as_it_was(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed", li="witness")})
    await look(AMIRA, "zoe", "2026-11-16T10:00:00")  # she wrote about them
    await look(AMIRA, "marcus", "2026-11-16T10:00:00", times=3)  # nothing to do with her
    await look(HANA, "zoe", "2026-11-16T10:00:00")  # in her year
    await look(HANA, "conor", "2026-11-17T10:00:00")
    await look(OLU, "dara", "2026-11-17T10:00:00")  # works with every pupil
    await look(CAROL, None, "2026-11-17T22:30:00", record=record)  # late; about two pupils
    await look(BEN, "jose", "2026-11-14T11:00:00")  # a Saturday
    await look(BEN, "jose", "2026-11-10T10:00:00", times=9)  # the week before
    await look(DAN, "tom", "2026-11-17T23:00:00", times=9)  # elsewhere
    await look(HANA, "marcus", "2026-11-17T10:00:00")  # before she opened his page in an emergency, with a reason
    await writing(lambda tx: tx.run(OPENED, µs("2026-11-17T10:01:00"), µs("2026-11-17T11:01:00")))
    week = await told(await at_desk(desk_app, DEE))
    assert "10 looks at pupils’ pages and records, by 5 people" in week["all"]
    assert week["most"].startswith("Marcus Bell 10 CUR 4 2 Zoë Ångström 9 KEL 3 3")
    assert "Li Wu 7 NOE 1 1" in week["most"]
    assert week["strangers"].startswith("Amira Haddad Teacher Marcus Bell 1 3 Ben Price On-call responder Joe D'Souza 1 1 Hana Novák")
    assert "Olu" not in week["strangers"]
    assert "Zoë" not in week["strangers"]
    assert week["strangers"].count("Marcus Bell") == 1
    assert week["late"] == "Ben Price On-call responder Sat 14 Nov 2026, 11:00 1 Carol Whitlock Behaviour manager Tue 17 Nov 2026, 22:30 1"
    assert "Tom" not in week["all"]
    before = await told(await at_desk(desk_app, DEE), "/console/looked?back=1")
    assert before["most"] == "Joe D'Souza 10 CUR 9 1"


@pytest.mark.parametrize(
    ("at", "is_late"),
    [
        ("2026-11-18T06:59:59", True), ("2026-11-18T07:00:00", False), ("2026-11-18T18:59:59", False), ("2026-11-18T19:00:00", True),
        ("2026-11-21T11:00:00", True), ("2026-11-27T11:00:00", True), ("2026-07-01T06:30:00", False), ("2026-07-01T18:30:00", True),
    ],
)  # fmt: skip
def test_hours_are_those_of_the_clock_on_the_wall(at: str, is_late: bool) -> None:
    assert is_out_of_hours(µs(at), {"2026-11-27"}) is is_late


async def test_only_the_safeguarding_lead_reads_it_and_that_is_noted(desk_app: Litestar) -> None:
    for me in EVERYBODY:
        answer = await (await at_desk(desk_app, me)).open("/console/looked")
        assert answer.status == (200 if me is DEE else 403), me.staff
    assert "Who looked" in await (await at_desk(desk_app, DEE)).open("/console/openings")
    assert "Who looked" not in await (await at_desk(desk_app, ADA)).open("/console/openings")
    week = await told(await at_desk(desk_app, DEE), "/console/looked?back=99999999999999999999")
    assert week["most"] == "Nobody."
