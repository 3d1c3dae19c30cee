"""Who is sent what: nobody a body that they may not hold at that moment, and what they may hold no more is taken back."""

import json
from typing import Any

import pytest
from msgspec.structs import force_setattr

from server.kinds import KINDS
from server.kinds.kind import NOT_ASKED
from server.kinds.roles import Role
from server.store.database import reading, writing
from server.sync import desk
from server.sync.audience import holds, may_hold
from tests.phone import Phone
from tests.school import School
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, EVERYBODY, HANA, LENA, OLU

INCIDENT = {"category": "fight", "place": "yard"}


def put(*keys: str) -> dict[str, Any]:
    return {"put": {key: {} for key in keys}}


async def holders(record: str) -> set[str]:
    return {me.staff for me in EVERYBODY if await reading(may_hold, me, record)}


async def begun(school: School, **values: Any) -> tuple[Phone, str]:
    phone = school.phone("amira")
    record = phone.write(values or INCIDENT)["record"]
    await phone.sync_all()
    return phone, record


# ── Who may hold a record ──────────────────────────────────────────────────────────────────


async def test_whoever_wrote_in_a_record_and_the_roles_that_hold_its_kind_may_hold_it(school: School) -> None:
    _, record = await begun(school)
    assert await holders(record) == {"amira", "carol", "dee", "lena"}


async def test_whoever_is_named_as_staff_may_hold_it(school: School) -> None:
    _, record = await begun(school, staff=put("ben"))
    assert "ben" in await holders(record)


async def test_a_head_of_year_holds_what_is_about_pupils_of_their_years_and_an_officer_of_their_caseload(school: School) -> None:
    assert (HANA.years, OLU.years) == (("9",), ())
    _, ninth = await begun(school, pupils=put("zoe"))
    _, cared_for = await begun(school, pupils=put("conor"))
    _, neither = await begun(school, pupils=put("li"))
    assert {"hana", "olu"} & await holders(ninth) == {"hana"}
    assert {"hana", "olu"} & await holders(cared_for) == {"olu"}
    assert {"hana", "olu"} & await holders(neither) == set()


async def test_nobody_of_another_school_holds_anything_of_ours(school: School) -> None:
    _, record = await begun(school)
    await school.do("update staff set role = 'manager' where id = 'dan'")
    dan = school.phone("dan")
    await dan.sync_all()
    assert dan.records == {}
    assert "dan" not in await holders(record)


@pytest.mark.parametrize("me", EVERYBODY, ids=lambda me: me.staff)
async def test_the_predicate_can_stand_anywhere_among_other_arguments(school: School, me: Any) -> None:
    _, record = await begun(school, pupils=put("zoe"))
    sql, args = holds(me, first=4)
    rows = await reading(
        lambda tx: tx.rows(
            f"select r.id from record r where r.state = $1 and r.kind = $2 and r.id = $3 and {sql}", "open", "incident", record, *args
        )
    )
    assert bool(rows) == (me.staff in {"amira", "carol", "dee", "lena", "hana"})


# ── Coming and going ───────────────────────────────────────────────────────────────────────


async def test_somebody_who_is_named_no_more_is_told_that_the_record_is_gone(school: School) -> None:
    amira, record = await begun(school, staff=put("ben"))
    ben = school.phone("ben")
    await ben.sync_all()
    assert record in ben.records
    amira.write({"staff": {"drop": ["ben"]}}, record)
    await amira.sync_all()
    assert (await ben.sync())["gone"] == [record]
    assert ben.records == {}
    assert (await ben.sync())["gone"] == []


async def test_a_pupil_who_is_dropped_takes_the_record_from_those_who_held_it_for_them(school: School) -> None:
    amira, record = await begun(school, pupils=put("zoe"))
    hana, olu = school.phone("hana"), school.phone("olu")
    await hana.sync_all()
    await olu.sync_all()
    amira.write({"pupils": {"put": {"conor": {}}, "drop": ["zoe"]}}, record)
    await amira.sync_all()
    assert (await hana.sync())["gone"] == [record]
    answer = await olu.sync()
    assert ([record["id"] for record in answer["records"]], answer["gone"]) == ([record], [])


async def test_gone_names_only_what_they_could_have_held(school: School) -> None:
    amira, record = await begun(school, staff=put("ben"))
    bystander = school.phone("ada")
    await bystander.sync_all()
    amira.write({"staff": {"drop": ["ben"]}}, record)
    await amira.sync_all()
    assert (await bystander.sync())["gone"] == []


async def test_what_went_and_came_back_is_there(school: School) -> None:
    amira, record = await begun(school, staff=put("ben"))
    ben = school.phone("ben")
    await ben.sync_all()
    amira.write({"staff": {"drop": ["ben"]}}, record)
    await amira.sync_all()
    amira.write({"staff": put("ben")}, record)
    await amira.sync_all()
    answer = await ben.sync()
    assert ([record["id"] for record in answer["records"]], answer["gone"]) == ([record], [])


async def test_gone_is_told_though_the_record_moved_on_and_the_pages_end_between(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.sync.unseen.PAGE_LIMIT", 1)
    amira, record = await begun(school, staff=put("ben"))
    ben = school.phone("ben")
    await ben.sync_all()
    amira.write({"staff": {"drop": ["ben"]}}, record)
    await amira.sync_all()
    for _ in range(3):
        amira.write({"staff": put("ben")})
    await amira.sync_all()
    amira.write({"category": "damage"}, record)
    await amira.sync_all()
    await ben.sync_all()
    assert record not in ben.records
    assert len(ben.records) == 3


async def test_whoever_wrote_in_it_keeps_it_though_they_are_named_no_more(school: School) -> None:
    amira, record = await begun(school, staff=put("ben"))
    ben = school.phone("ben")
    await ben.sync_all()
    ben.write({"account": "I saw it."}, record)
    await ben.sync_all()
    await amira.sync_all()
    amira.write({"staff": {"drop": ["ben"]}}, record)
    await amira.sync_all()
    await ben.sync_all()
    assert record in ben.records


async def test_rights_withdrawn_while_away_the_phone_forgets_and_its_unsent_edits_still_arrive(school: School) -> None:
    _, record = await begun(school)
    carol = school.phone("carol")
    await carol.sync_all()
    assert record in carol.records
    unsent = carol.write({"category": "damage"})

    async def demote(tx: Any) -> None:
        await tx.run("update staff set role = 'teacher' where id = 'carol'")
        await desk.rights_changed(tx, "northgate", "carol")

    await writing(demote)
    await carol.sync_all()
    assert set(carol.records) == {unsent["record"]}


async def test_the_rights_that_count_are_those_of_the_moment_of_the_answer(school: School) -> None:
    """Not those of the moment at which the door looked."""
    from server.sync.exchange import exchange
    from server.sync.letter import read_letter

    await begun(school)
    await school.do("update staff set role = 'teacher' where id = 'carol'")
    assert CAROL.role == "manager"
    letter = read_letter(json.dumps({"protocol": 1, "phone": "carol-phone", "edits": []}).encode())
    assert (await writing(exchange, letter, CAROL, school.now)).records == []


# ── What of a record is sent ───────────────────────────────────────────────────────────────


async def test_a_field_for_some_roles_only_is_left_out_of_everything_that_others_are_sent(school: School) -> None:
    _, record = await begun(school)
    dee, lena = school.phone("dee"), school.phone("lena")
    for phone, reference in ((dee, "S-1"), (school.phone("dee"), "S-2")):
        school.now += 1_000_000
        phone.write({"concern_reference": reference}, record)
        await phone.sync_all()
    await dee.sync_all()
    await lena.sync_all()
    assert dee.records[record]["body"]["concern_reference"] == "S-2"
    assert "concern_reference" not in lena.records[record]["body"]
    assert lena.records[record]["version"] == dee.records[record]["version"]
    held = json.dumps(lena.records[record])
    assert "S-1" not in held
    assert "S-2" not in held


async def test_a_dispute_in_a_field_that_one_may_not_see_does_not_show(school: School) -> None:
    _, record = await begun(school)
    await school.do("update staff set role = 'dsl' where id = 'lena'")
    dee, lena = school.phone("dee"), school.phone("lena")
    await dee.sync_all()
    await lena.sync_all()
    dee.write({"concern_reference": "S-1"}, record)
    lena.write({"concern_reference": "S-2"}, record)
    await dee.sync_all()
    await lena.sync_all()
    await dee.sync_all()
    assert list(dee.records[record]["disputes"]) == ["concern_reference"]
    carol = school.phone("carol")
    await carol.sync_all()
    assert carol.records[record]["disputes"] == {}


async def test_a_field_that_is_kept_at_the_desk_never_leaves_for_a_phone(school: School) -> None:
    (apart,) = KINDS["home_visit"].apart
    carol = school.phone("carol")
    record = carol.write({"state_reason": "Planned"}, kind="home_visit")["record"]
    await carol.sync_all()
    version = carol.records[record]["version"]
    receipt = await writing(desk.write, CAROL, record, "home_visit", {apart: "1 Hidden Row"}, version)
    assert receipt.outcome == "taken", receipt
    answer = await carol.sync()
    assert [record["id"] for record in answer["records"]] == [record]
    assert "Hidden Row" not in json.dumps(answer)
    (row,) = await school.rows("select body from record where id = $1", record)
    assert json.loads(row["body"])[apart] == "1 Hidden Row"


# ── Who may write ──────────────────────────────────────────────────────────────────────────


async def test_what_is_not_theirs_to_write_in_is_held_in_the_same_words_as_what_is_not_theirs_to_begin(school: School) -> None:
    _, record = await begun(school)
    olu = school.phone("olu")
    unseen = olu.write({"category": "damage"}, record)
    answer = await olu.sync()
    assert answer["receipts"] == [{"id": unseen["id"], "outcome": "held", "because": {"record": "this is not yours to write in"}}]
    assert answer["records"] == []


async def test_what_their_role_may_not_begin_is_held_in_those_words(school: School) -> None:
    contact = KINDS["contact"]
    before = contact.written_by
    force_setattr(contact, "written_by", (Role.MANAGER,))
    try:
        amira = school.phone("amira")
        amira.write({"gist": "Rang home."}, kind="contact")
        assert (await amira.sync())["receipts"][0]["because"] == {"record": "this is not yours to write in"}
    finally:
        force_setattr(contact, "written_by", before)


async def test_nobody_writes_a_field_that_they_may_not_see_and_it_is_as_unknown_to_them(school: School) -> None:
    amira = school.phone("amira")
    amira.write({"concern_reference": "S-1", "mood": "bad"})
    because = (await amira.sync())["receipts"][0]["because"]
    assert because["concern_reference"] == because["mood"] == NOT_ASKED


async def test_a_record_of_one_kind_takes_no_edit_of_another(school: School) -> None:
    amira, record = await begun(school)
    amira.write({"gist": "Rang home."}, record, "contact")
    assert list((await amira.sync())["receipts"][0]["because"]) == ["kind"]


def test_the_world_has_a_manager_a_lead_and_people_who_hold_little() -> None:
    """What the tests above stand on."""
    roles = {me.staff: me.role for me in (ADA, AMIRA, BEN, CAROL, DAN, DEE, LENA)}
    assert roles == {
        "ada": "admin", "amira": "teacher", "ben": "responder", "carol": "manager", "dan": "teacher", "dee": "dsl", "lena": "leader",
    }  # fmt: skip
    incident = KINDS["incident"]
    assert set(incident.held_by) == {"manager", "dsl", "leader"}
    assert set(incident.scoped_to) == {"head_of_year", "officer"}
