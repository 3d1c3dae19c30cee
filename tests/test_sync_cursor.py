"""What comes since the cursor: everything that this person may hold, once, in pages; and how a cursor that no longer fits is told."""

import gzip
import json
from typing import Any

import pytest
from msgspec.structs import replace

from server.kinds import KINDS
from server.kinds.kind import STATE
from server.store.database import reading, writing
from server.sync import desk, exchange, unseen
from server.sync.audience import fingerprint, holds, let_go
from server.sync.exchange import LOOK
from server.sync.unseen import PAGE_BYTES_LIMIT, PAGE_LIMIT
from tests.phone import Phone, Store
from tests.school import School
from tests.test_sync_numbers import told
from tests.world import CAROL, EVERYBODY

INCIDENT = {"category": "fight", "place": "yard"}


async def test_everything_changed_since_the_cursor_comes_once_in_its_newest_state(school: School) -> None:
    amira, carol = school.phone("amira"), school.phone("carol")
    record = amira.write(INCIDENT)["record"]
    await amira.sync_all()
    amira.write({"category": "damage"}, record)
    await amira.sync_all()
    answer = await carol.sync()
    assert [(record["id"], record["edits"], record["body"]["category"]) for record in answer["records"]] == [(record, 2, "damage")]
    assert (await carol.sync())["records"] == []


async def test_pages_of_five_hundred_lead_to_everything(school: School) -> None:
    amira, carol = school.phone("amira"), school.phone("carol")
    for _ in range(PAGE_LIMIT + 7):
        amira.write(INCIDENT)
    await amira.sync_all()
    first = await carol.sync()
    assert (len(first["records"]), first["more"]) == (PAGE_LIMIT, True)
    second = await carol.sync()
    assert (len(second["records"]), second["more"]) == (7, False)
    assert set(carol.records) == set(amira.records)


async def test_a_page_is_about_a_megabyte_at_most_and_never_empty_while_there_is_more(school: School) -> None:
    amira, carol = school.phone("amira"), school.phone("carol")
    for _ in range(40):
        amira.write({"account": "x" * 59_000})
        amira.batch = 10
        await amira.sync()
    sizes: list[int] = []
    answer = {"more": True}
    while answer["more"]:
        answer = await told(carol)
        assert answer["records"]
        sizes.append(len(json.dumps(answer)))
        carol.keep(carol.kept, [], answer)
    assert max(sizes) < PAGE_BYTES_LIMIT + 60_000
    assert len(sizes) >= 3
    assert len(carol.records) == 40


async def test_a_page_never_ends_between_two_things_that_moved_in_one_step(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    """A held edit that is taken moves its record in the same step: the phone is told of both, or of neither yet."""
    monkeypatch.setattr("server.sync.unseen.PAGE_LIMIT", 1)
    amira = school.phone("amira")
    amira.write(INCIDENT | {"category": "riot"})
    await amira.sync()
    (row,) = await school.rows("select id from edit")
    await school.do("insert into list_entry (school, list, code, label) values ('northgate', 'categories', 'riot', 'Riot')")
    await writing(desk.judge_again, "northgate")
    answer = await amira.sync()
    assert [held["edit"] for held in answer["held"]] == [row["id"]]
    assert len(answer["records"]) == 1


# ── Cursors that do not fit ────────────────────────────────────────────────────────────────


@pytest.fixture
async def amira(school: School) -> Phone:
    phone = school.phone("amira")
    phone.write(INCIDENT)
    await phone.sync_all()
    return phone


BROKEN = ["", "x", "1.2.3", "٣.0000000000000000.1.1.0000000000000000", "0" * 10_000]


@pytest.mark.parametrize("cursor", [*BROKEN, 7, {}, []], ids=lambda cursor: str(cursor)[:12])
async def test_a_cursor_that_cannot_be_read_is_unknown(amira: Phone, cursor: Any) -> None:
    assert (await told(amira, cursor=cursor))["rebuild"] == "unknown"


async def test_somebody_elses_cursor_is_unknown(school: School, amira: Phone) -> None:
    ben = school.phone("ben")
    assert (await told(ben, cursor=amira.kept.store.cursor))["rebuild"] == "unknown"


async def test_a_place_that_is_not_in_history_means_that_the_school_was_restored(school: School, amira: Phone) -> None:
    await school.back_up()
    amira.write(INCIDENT)
    await amira.sync_all()
    await school.restore()
    assert (await told(amira))["rebuild"] == "restored"


async def test_what_is_settled_after_a_restore_is_told_though_a_phone_was_being_filled_before_it(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sync.unseen.PAGE_LIMIT", 1)
    amira = school.phone("amira")
    held = amira.write(INCIDENT | {"category": "riot"})
    for _ in range(3):
        amira.write(INCIDENT)
    await amira.sync_all()
    await school.back_up()
    for _ in range(3):
        amira.write(INCIDENT)
    await amira.sync_all()
    new = school.phone("amira")
    await new.sync()  # its first page, of a history that is about to be forgotten
    assert new.needs_me == [held["id"]]
    assert new.kept.filling is None
    await school.restore()
    await writing(desk.settle, CAROL, held["id"], "set aside", "nobody was there")
    carol = school.phone("carol")
    for _ in range(5):
        carol.write(INCIDENT)
    await carol.sync_all()
    await new.sync_all()
    assert new.needs_me == []


async def test_where_an_upgrade_lets_others_hold_a_kind_everybodys_phones_fill_a_new_store(
    school: School, amira: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.judge_all_again("northgate")
    assert (await told(amira))["rebuild"] == "rights"  # nobody had noted yet what this version lets whom hold
    await amira.sync_all()
    await desk.judge_all_again("northgate")
    assert (await told(amira))["rebuild"] is None
    monkeypatch.setattr(desk, "fingerprint", lambda: "of another version")
    await desk.judge_all_again("northgate")
    assert (await told(amira))["rebuild"] == "rights"


def test_what_kinds_let_whom_hold_and_hide_has_a_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before, incident = fingerprint(), KINDS["incident"]
    fields = incident.fields[: -len(STATE)]  # which every kind has, and adds by itself
    for change in ({"held_by": ()}, {"scoped_to": ()}, {"fields": tuple(replace(field, only=()) for field in fields)}):
        monkeypatch.setitem(KINDS, "incident", replace(incident, **{"fields": fields} | change))
        assert fingerprint() != before
    monkeypatch.setitem(KINDS, "incident", replace(incident, fields=fields, label="Something"))
    assert fingerprint() == before


async def test_an_old_number_drawn_again_behind_other_neighbours_is_another_place(school: School, amira: Phone) -> None:
    await school.back_up()
    amira.write(INCIDENT)
    await amira.sync_all()
    lost = amira.kept.store.cursor
    await school.restore()
    ben = school.phone("ben")
    ben.write(INCIDENT)
    await ben.sync_all()
    assert ben.kept.store.cursor is not None
    assert lost is not None
    assert ben.kept.store.cursor.split(".")[0] == lost.split(".")[0]  # the same number
    assert (await told(amira))["rebuild"] == "restored"


async def test_a_change_of_rights_means_filling_a_new_store(school: School, amira: Phone) -> None:
    await writing(desk.rights_changed, "northgate", "amira")
    assert (await told(amira))["rebuild"] == "rights"


async def test_a_cursor_is_checked_for_its_person_then_its_place_then_its_rights(school: School, amira: Phone) -> None:
    await school.back_up()
    amira.write(INCIDENT)
    await amira.sync_all()
    await school.restore()
    await writing(desk.rights_changed, "northgate", "amira")
    assert (await told(amira))["rebuild"] == "restored"
    assert (await told(school.phone("ben"), cursor=amira.kept.store.cursor))["rebuild"] == "unknown"


async def test_a_rebuild_answer_takes_edits_in_and_carries_what_is_due_to_them(school: School, amira: Phone) -> None:
    await writing(desk.rights_changed, "northgate", "amira")
    copy = amira.copied()
    amira.write(INCIDENT)
    await amira.sync_all()
    await writing(desk.rights_changed, "northgate", "amira")
    collides, ahead = copy.write(INCIDENT), copy.write(INCIDENT) | {"number": 5}
    answer = await told(copy, edits=[collides, ahead])
    assert answer["rebuild"] == "rights"
    assert [receipt["outcome"] for receipt in answer["receipts"]] == ["taken", "taken"]
    assert answer["wanted"] == [3, 4]
    assert answer["forked"]
    assert (answer["records"], answer["held"], answer["gone"], answer["cursor"], answer["more"]) == ([], [], [], None, False)


async def test_the_outbox_is_never_part_of_a_rebuild(school: School, amira: Phone) -> None:
    await writing(desk.rights_changed, "northgate", "amira")
    unsent = amira.write(INCIDENT)
    amira.kept.outbox, later = [], amira.kept.outbox
    await amira.sync()
    assert amira.kept.filling == Store()
    amira.kept.outbox = later
    assert len(amira.records) == 1  # the old store is shown until the new one is complete
    await amira.sync_all()
    assert unsent["record"] in amira.records
    assert amira.kept.filling is None


async def test_after_a_restore_the_phone_offers_its_edits_again_and_nothing_is_lost(school: School, amira: Phone) -> None:
    await school.back_up()
    lost = amira.write(INCIDENT)
    await amira.sync_all()
    await school.restore()
    assert await school.rows("select id from edit where id = $1", lost["id"]) == []
    await amira.sync_all()
    assert len(await school.rows("select id from edit where id = $1", lost["id"])) == 1
    assert set(amira.records) == {record["id"] for record in await school.rows("select id from record")}


async def test_nobodys_unseen_value_is_settled_by_an_old_seen(school: School, amira: Phone) -> None:
    """The school draws an old number again, in the same record, for what Ben writes; Amira had seen the other history's."""
    record = next(iter(amira.records))
    amira.write({"staff": {"put": {"ben": {}}}}, record)
    await amira.sync_all()
    ben = school.phone("ben")
    await ben.sync_all()
    await school.back_up()
    amira.write({"severity": "low"}, record)
    await amira.sync_all()
    seen = amira.records[record]["version"]
    await school.restore()
    ben.write({"severity": "danger"}, record)
    await ben.sync_all()
    assert ben.records[record]["version"].split(".")[0] == seen.split(".")[0]  # the same number, another place
    assert amira.write({"severity": "medium"}, record)["seen"] == seen
    await amira.sync_all()
    assert amira.records[record]["body"]["severity"] == "danger"
    assert "severity" in amira.records[record]["disputes"]


async def test_a_new_store_is_told_only_of_what_is_held_and_not_settled(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sync.unseen.PAGE_LIMIT", 2)
    amira = school.phone("amira")
    for _ in range(4):
        amira.write({"category": "riot"})
    await amira.sync_all()
    first, second = sorted(amira.needs_me)[:2]
    for id in (first, second):
        await writing(lambda tx, id=id: desk.settle(tx, CAROL, id, "set aside", "asked her"))
    again = school.phone("amira")
    await again.sync_all()
    assert set(again.kept.store.held) == set(amira.kept.store.held) - {first, second}
    await amira.sync_all()
    settled = amira.kept.store.held[first]["settled"]
    assert (settled["how"], settled["by"], settled["why"]) == ("set aside", "carol", "asked her")


# ── What it costs ──────────────────────────────────────────────────────────────────────────


async def test_nothing_new_is_under_three_hundred_bytes_whatever_the_school_holds(school: School) -> None:
    amira, carol = school.phone("amira"), school.phone("carol")
    sizes = []
    for _ in range(3):
        for _ in range(40):
            amira.write(INCIDENT)
        await amira.sync_all()
        await carol.sync_all()
        answer = await school.post("carol", json.dumps(carol.letter([])).encode())
        assert answer.json()["records"] == []
        sizes.append(len(answer.content))
    assert max(sizes) < 300
    assert max(sizes) - min(sizes) < 10


async def test_what_changed_costs_what_changed_and_not_what_is_held(school: School) -> None:
    amira, carol = school.phone("amira"), school.phone("carol")

    async def cost_of_ten() -> int:
        await carol.sync_all()
        for _ in range(10):
            amira.write(INCIDENT)
        await amira.sync_all()
        answer = await school.post("carol", json.dumps(carol.letter([])).encode())
        assert len(answer.json()["records"]) == 10
        return len(gzip.compress(answer.content))

    before = await cost_of_ten()
    for _ in range(300):
        amira.write(INCIDENT)
    await amira.sync_all()
    assert await cost_of_ten() < before * 1.1


async def test_nothing_new_is_one_read_by_keys(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    carol = school.phone("carol")
    carol.write(INCIDENT)
    await carol.sync_all()
    asked: list[str] = []

    class Listening:
        def __init__(self, tx: Any) -> None:
            self.tx = tx

        def __getattr__(self, name: str) -> Any:
            async def ask(sql: str, *args: Any) -> Any:
                asked.append(sql)
                return await getattr(self.tx, name)(sql, *args)

            return ask

    quiet = exchange.quiet_exchange
    monkeypatch.setattr(exchange, "quiet_exchange", lambda tx, *args, **how: quiet(Listening(tx), *args, **how))
    answer = await carol.sync()
    assert answer["records"] == []
    assert asked == [LOOK]
    if school.settings.database.startswith("postgres"):
        return  # its planner reads a table of one row whole, and is right
    steps = await plan_of(LOOK, "northgate", "carol", 1, "carol-phone", carol.kept.id, 1, 1)
    assert steps
    assert all("USING" in step and "SCAN" not in step for step in steps), steps


@pytest.mark.parametrize("staff", ["amira", "carol", "hana"])
async def test_what_moved_since_a_cursor_is_found_by_its_number(school: School, staff: str) -> None:
    if school.settings.database.startswith("postgres"):
        return  # as above
    me = next(me for me in EVERYBODY if me.staff == staff)
    sql, args = holds(me, first=3)
    plan = await plan_of(f"select r.id from record r where r.school = $1 and r.seq > $2 and {sql} order by r.seq", "northgate", 5, *args)
    assert any("record_by_seq" in step for step in plan), plan
    sql, args = let_go(me, 5)
    plan = await plan_of(f"select record, seq from ({sql}) as lost order by seq", *args)
    assert any("record_staff_dropped (school=? AND staff=? AND dropped_seq>?)" in step for step in plan), plan
    assert staff != "hana" or any("record_pupil_dropped (school=? AND dropped_seq>?)" in step for step in plan), plan


async def plan_of(sql: str, *args: Any) -> list[str]:
    return [row[3] for row in await reading(lambda tx: tx.rows(f"explain query plan {sql}", *args))]


async def test_a_school_that_goes_back_while_a_phone_is_between_two_pages_is_noticed(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the first page left out, since it had moved on, would have gone back behind what the phone has read."""
    monkeypatch.setattr(unseen, "PAGE_LIMIT", 1)
    amira, carol = school.phone("amira"), school.phone("carol")
    records = [amira.write(INCIDENT)["record"] for _ in range(4)]
    await amira.sync_all()
    assert (await carol.sync())["more"]
    await school.back_up()
    amira.write({"place": "gate"}, records[1])
    await amira.sync_all()
    assert (await carol.sync())["more"]
    assert set(carol.records) == {records[0], records[2]}  # the premise: it comes on a later page
    await school.restore()
    assert (await carol.sync())["rebuild"] == "restored"
    await carol.sync_all()
    await amira.sync_all()
    assert set(carol.records) == set(amira.records)
