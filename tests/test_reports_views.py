"""The school's own reporting tool reads typed views: one of each kind, as it stands, and nothing that is only for some."""

from typing import Any

from server.kinds import KINDS
from server.kinds.kind import Merge
from server.reports.views import make_views, shown
from server.settings import Settings
from server.store.database import Tx, reading, writing
from server.store.ids import new_id
from server.store.me import Me
from server.sync.desk import write
from tests.world import CAROL, DAN, DEE, OLU

WHAT_HAPPENED = {
    "category": "fight",
    "place": "yard",
    "happened_at": {"at": "2026-11-16T10:42:00.120Z", "precision": "lesson", "lesson": "p2"},
    "severity": "high",
    "pupils": {"put": {"zoe": {"part": "harmed", "outcome": "warning"}, "li": {}}, "drop": []},
    "account": "I saw it.",
}


async def written(me: Me, kind: str, values: dict[str, Any], record: str | None = None) -> str:
    record = record or new_id()
    receipt = await writing(write, me, record, kind, values, None)
    assert receipt.outcome == "taken", receipt
    return record


async def rows(sql: str, *args: Any) -> list[Any]:
    async def read(tx: Tx) -> list[Any]:
        return await tx.rows(sql, *args)

    return await reading(read)


async def test_an_incident_is_a_row_with_a_column_for_each_question(world: Settings) -> None:
    record = await written(CAROL, "incident", WHAT_HAPPENED)
    await writing(make_views)
    (row,) = await rows("select * from report_incident where school = 'northgate'")
    told = {name: row[name] for name in ("record", "category", "place", "severity", "pupils", "account", "hurt", "edits")}
    assert told == {
        "record": record, "category": "fight", "place": "yard", "severity": "high", "pupils": 2, "account": 1, "hurt": None, "edits": 1,
    }  # fmt: skip
    assert (row["happened_at_precision"], row["happened_at_lesson"]) == ("lesson", "p2")
    assert not row["disputed"]


async def test_moments_compare_as_moments(world: Settings) -> None:
    await written(CAROL, "incident", WHAT_HAPPENED)
    await writing(make_views)
    (row,) = await rows("select happened_at = at as same, happened_at, at from report_incident")
    assert row["same"], (row["happened_at"], row["at"])
    is_text = isinstance(row["at"], str)
    assert (row["at"] if is_text else row["at"].isoformat(timespec="milliseconds")[:23] + "Z") == "2026-11-16T10:42:00.120Z"


async def test_what_was_gathered_is_a_row_each(world: Settings) -> None:
    record = await written(CAROL, "incident", WHAT_HAPPENED | {"actions": {"put": {"moved": {}}, "drop": []}})
    await writing(make_views)
    found = await rows("select field, key, part, outcome from report_incident_entries where record = $1 order by field, key", record)
    assert [tuple(row) for row in found] == [
        ("actions", "moved", None, None),
        ("pupils", "li", None, None),
        ("pupils", "zoe", "harmed", "warning"),
    ]


async def test_minutes_are_numbers(world: Settings) -> None:
    await written(OLU, "attendance_call", {"took": 7, "pupils": {"put": {"zoe": {}}, "drop": []}})
    await writing(make_views)
    (row,) = await rows("select took + 1 as more from report_attendance_call")
    assert row["more"] == 8


async def test_a_row_shows_the_record_as_it_stands_now(world: Settings) -> None:
    record = await written(CAROL, "incident", WHAT_HAPPENED)
    await writing(make_views)
    await written(CAROL, "incident", {"place": "gate", "state": "closed"}, record)
    (row,) = await rows("select place, state, edits from report_incident")
    assert tuple(row) == ("gate", "closed", 2)


async def test_every_row_says_its_school(world: Settings) -> None:
    await written(CAROL, "incident", {"place": "yard"})
    await written(DAN, "incident", {"place": "gate"})
    await writing(make_views)
    found = await rows("select school, place from report_incident order by school")
    assert [tuple(row) for row in found] == [("northgate", "yard"), ("southfield", "gate")]


async def test_what_is_for_some_roles_or_kept_at_the_desk_is_in_no_view(world: Settings) -> None:
    await written(DEE, "incident", {"concern_reference": "CP-77", "account": "I saw it."})
    await written(OLU, "home_visit", {"address": "1 Hidden Row"})
    await writing(make_views)
    told = [tuple(row) for kind in ("incident", "home_visit") for row in await rows(f"select * from report_{kind}")]
    assert len(told) == 2
    for kept_back in ("CP-77", "1 Hidden Row", "I saw it."):
        assert not [row for row in told if kept_back in row]


async def test_a_dispute_in_what_is_in_no_view_is_not_told_either(world: Settings) -> None:
    hidden, shown_too = [await written(OLU, "home_visit", {"address": "1 Hidden Row", "to_find_out": "Why"}) for _ in range(2)]
    await writing(lambda tx: tx.run("update record set disputes = $2 where id = $1", hidden, '{"address": []}'))
    await writing(lambda tx: tx.run("update record set disputes = $2 where id = $1", shown_too, '{"address": [], "going/olu": []}'))
    await writing(make_views)
    found = {row[0]: bool(row[1]) for row in await rows("select record, disputed from report_home_visit")}
    assert found == {hidden: False, shown_too: True}


async def test_there_is_a_view_of_every_kind_with_all_it_asks(world: Settings) -> None:
    await writing(make_views)
    await writing(make_views)  # safe to repeat
    for kind in KINDS.values():
        await writing(begin_bare, kind.name)
        (row,) = await rows(f"select * from report_{kind.name}")
        for field in shown(kind):
            many = field.merge in (Merge.GATHER, Merge.OWN)
            assert row[field.name] == (0 if many else None), field.name
        if kind.pupil_fields:
            assert await rows(f"select * from report_{kind.name}_entries") == []


async def begin_bare(tx: Tx, kind: str) -> None:
    """A record as it stands when everything in it was cleared."""
    await tx.run(
        "insert into record (school, id, kind, seq, mark, state, author, made_at, received_at, happened_at, edits, body)"
        """ values ('northgate', $1, $1, 1, 1, 'open', 'carol', 0, 0, 0, 1, '{"state": null, "place": null, "code": null}')""",
        kind,
    )
