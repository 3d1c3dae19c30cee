"""A pupil's page: found by any part of any name; one story across kinds; whom not to ring; and who has looked, for one reader."""

import pytest
from litestar import Litestar

from server.api.sync import exchange_and_note
from server.store.database import Tx, reading, writing
from server.store.moments import now
from server.sync.letter import read_letter
from tests.desk import as_bytes, at_desk, phone_sends, put
from tests.letters import letter
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, HANA, LENA, OLU


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("zoe", ["Zoë Ångström"]),
        ("angst", ["Zoë Ångström"]),
        ("ÅNGSTRÖM", ["Zoë Ångström"]),
        ("oneill", ["Conor O'Neill", "Siobhán O’Neill"]),
        ("o'ne", ["Conor O'Neill", "Siobhán O’Neill"]),
        ("siobhan neill", ["Siobhán O’Neill"]),
        ("joe", ["Joe D'Souza"]),
        ("jose", ["Joe D'Souza"]),  # the name he does not go by
        ("adeyemi smith", ["Dara Adeyemi-Smith"]),
        ("smith", ["Dara Adeyemi-Smith"]),
        ("oluwadara", ["Dara Adeyemi-Smith"]),
        ("10cur", ["Joe D'Souza", "Marcus Bell"]),
        ("10 cur", ["Joe D'Souza", "Marcus Bell"]),
        ("wu", ["Li Wu"]),
        ("marucs", ["Marcus Bell"]),  # a slip of the finger
        ("gone", []),  # who has left
        ("tom", []),  # another school's
        ("%", []),
        ("\u0000<script>", []),
        ("   ", []),
    ],
)
async def test_a_pupil_is_found_by_any_part_of_any_name(desk_app: Litestar, asked: str, found: list[str]) -> None:
    page = await (await at_desk(desk_app, AMIRA)).browser.get("/console/pupils", params={"q": asked})
    names = [row.split('<span class="meta"')[0].split("<b>")[1].split("</b>")[0] for row in page.text.split('<a class="row"')[1:]]
    plain = [name.replace("<mark>", "").replace("</mark>", "").replace("&#39;", "'") for name in names]
    assert sorted(plain) == found


async def test_what_was_typed_is_marked_in_the_name(desk_app: Litestar) -> None:
    page = await (await at_desk(desk_app, AMIRA)).open("/console/pupils?q=onei")
    assert "<mark>O’Nei</mark>ll" in page.html


async def test_the_story_runs_across_kinds_newest_first(desk_app: Litestar) -> None:
    await phone_sends(
        AMIRA, "incident", {"category": "fight", "happened_at": "2026-11-16T09:00:00Z", "pupils": put(zoe="harmed", li="witness")}
    )
    await phone_sends(OLU, "attendance_call", {"outcome": "no_answer", "rung_at": "2026-11-17T07:40:00Z", "pupils": put(zoe="")})
    await phone_sends(AMIRA, "incident", {"category": "damage", "happened_at": "2026-11-12T09:00:00Z", "pupils": put(li="responsible")})
    desk = await at_desk(desk_app, CAROL)
    page = await desk.open("/console/pupil/zoe")
    assert page.text.index("No answer Attendance call") < page.text.index("Fight Incident · harmed · with Li Wu")
    assert "Damage" not in page
    only = await desk.open("/console/pupil/zoe?kind=incident")
    assert "No answer" not in only.text.split("Story")[1].split("Fight")[1]


async def test_the_story_holds_only_what_its_reader_may_hold(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed")})
    await phone_sends(BEN, "incident", {"category": "damage", "pupils": put(zoe="involved")})
    assert "Damage" not in await (await at_desk(desk_app, AMIRA)).open("/console/pupil/zoe")
    assert "Damage" in await (await at_desk(desk_app, HANA)).open("/console/pupil/zoe")


async def test_whoever_must_not_be_rung_has_a_warning_and_no_number(desk_app: Litestar) -> None:
    page = await (await at_desk(desk_app, CAROL)).open("/console/pupil/zoe")
    assert "Do not ring Erik Ångström. Father." in page
    assert "07700 900102" not in page.html
    assert "07700 900101" in page


async def test_a_withheld_address_is_on_no_page(desk_app: Litestar) -> None:
    for me in (CAROL, DEE, OLU, LENA):
        page = await (await at_desk(desk_app, me)).open("/console/pupil/jose")
        assert "Address withheld" in page
        assert "Hidden Row" not in page.html
    await writing(give_his_uncle_the_same)
    page = await (await at_desk(desk_app, CAROL)).open("/console/pupil/jose")
    assert "Rui D'Souza" in page
    assert "Hidden Row" not in page.html
    assert "7 Kiln Lane" in await (await at_desk(desk_app, CAROL)).open("/console/pupil/marcus")


async def test_contacts_are_only_for_those_who_ring_families(desk_app: Litestar) -> None:
    for me in (AMIRA, BEN, ADA):
        page = await (await at_desk(desk_app, me)).open("/console/pupil/zoe")
        assert page.status == 200
        assert "Karin" not in page.html
    hana = await at_desk(desk_app, HANA)
    assert "Karin Ångström" in await hana.open("/console/pupil/zoe")
    assert "Maeve" not in (await hana.open("/console/pupil/conor")).html  # of a year that is not hers


async def test_attendance_is_summed_as_the_department_counts(desk_app: Litestar) -> None:
    marks = [
        ("2026-11-02", "/", "\\"),
        ("2026-11-03", "L", "N"),
        ("2026-11-04", "V", "V"),
        ("2026-11-05", "I", "I"),
        ("2026-11-06", "X", "#"),
    ]

    async def mark(tx: Tx) -> None:
        await tx.run_many("insert into attendance_day (school, pupil, on_day, am, pm) values ('northgate', 'zoe', $1, $2, $3)", marks)

    await writing(mark)
    page = await (await at_desk(desk_app, CAROL)).open("/console/pupil/zoe")
    assert "Attended 62.5% Sessions missed 3 of 8 Authorised 2 Not authorised 1 Late 1" in page
    assert "Attended" not in await (await at_desk(desk_app, AMIRA)).open("/console/pupil/zoe")
    assert "Attended" in await (await at_desk(desk_app, HANA)).open("/console/pupil/zoe")
    await writing(lambda tx: tx.run("update pupil set year = '10' where id = 'zoe'"))
    assert "Attended" not in await (await at_desk(desk_app, HANA)).open("/console/pupil/zoe")  # of a year that is not hers


async def test_every_look_at_a_pupil_is_noted_and_only_the_safeguarding_lead_sees_who(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed")})
    carol = await at_desk(desk_app, CAROL)
    await carol.open("/console/pupil/zoe")
    await carol.open(f"/console/record/{record}")
    await (await at_desk(desk_app, OLU)).open("/console/pupil/li")
    page = await (await at_desk(desk_app, DEE)).open("/console/pupil/zoe/looked")
    told = page.text.split("What they did Record")[1]
    assert "Carol Whitlock Opened a record Fight" in told
    assert "Carol Whitlock Opened their page" in told
    assert "Dee Marsh Looked at this list" in told
    assert "Olu" not in told
    for me in (CAROL, AMIRA, ADA, LENA, HANA):
        assert (await (await at_desk(desk_app, me)).open("/console/pupil/zoe/looked")).status == 403
    assert "Who has looked" not in await carol.open("/console/pupil/zoe")


async def test_another_schools_pupil_is_not_there(desk_app: Litestar) -> None:
    for me, pupil in ((CAROL, "tom"), (DAN, "zoe"), (DEE, "no-such"), (CAROL, "%00")):
        assert (await (await at_desk(desk_app, me)).open(f"/console/pupil/{pupil}")).status == 404
    rows = await reading(lambda tx: tx.rows("select what from audit where what = 'read pupil'"))
    assert rows == []


async def test_what_went_to_a_phone_is_told_with_who_has_looked(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed")})
    await phone_sends(AMIRA, "incident", {"category": "damage", "pupils": put(li="harmed")})
    sent = await writing(exchange_and_note, read_letter(as_bytes(letter(CAROL.phone))), CAROL, now(), False)
    assert len(sent.records) == 2
    told = (await (await at_desk(desk_app, DEE)).open("/console/pupil/zoe/looked")).text
    assert "Carol Whitlock A record about them went to their phone Fight" in told
    assert "Damage" not in told


# ── Lifting a warning ──────────────────────────────────────────────────────────────────────


async def test_a_warning_is_lifted_with_a_reason_by_the_safeguarding_lead_or_an_administrator(desk_app: Litestar) -> None:
    for me in (DEE, ADA):
        desk = await at_desk(desk_app, me)
        assert "Lift a warning" in await desk.open("/console/pupil/zoe")
        form = (await desk.open("/console/pupil/zoe/warnings")).form("/warnings")
        without = await desk.send("/console/pupil/zoe/warnings", form)
        assert (without.status, "Say why" in without) == (400, True)
        done = await desk.send("/console/pupil/zoe/warnings", form | {"why": "The order ended on 1 November"})
        page = await desk.open(done.goes_to)
        assert "No warnings" in page
        assert "Lifted." in page
        await desk.send("/console/pupil/zoe/warnings", page.form("/warnings"))
        assert "Do not ring" in await desk.open("/console/pupil/zoe/warnings")
    told = (await (await at_desk(desk_app, DEE)).open("/console/pupil/zoe/looked")).text
    assert "Ada" in told
    assert "Lifted “do not ring”: The order ended on 1 November" in told
    assert "Put back “do not ring”: lifted by mistake" in told


async def test_phones_hear_that_a_warning_was_lifted(desk_app: Litestar) -> None:
    dee = await at_desk(desk_app, DEE)
    before = (await reading(lambda tx: tx.row("select max(seq) from contact where pupil = 'zoe'")))[0]  # type: ignore[index]
    form = (await dee.open("/console/pupil/zoe/warnings")).form("/warnings")
    await dee.send("/console/pupil/zoe/warnings", form | {"why": "Agreed with both parents"})
    row = await reading(lambda tx: tx.row("select seq, do_not_contact from contact where pupil = 'zoe' and position = 2"))
    assert row is not None
    assert row["seq"] > before
    assert not row["do_not_contact"]


async def test_nobody_else_lifts_a_warning_nor_one_of_another_school(desk_app: Litestar) -> None:
    key = (await (await at_desk(desk_app, DEE)).open("/console/pupil/zoe/warnings")).form("/warnings")["lift"]
    for me in (CAROL, HANA, AMIRA, OLU, LENA):
        desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/pupil/zoe/warnings")).status == 403
        assert (await desk.send("/console/pupil/zoe/warnings", {"lift": key, "why": "no"})).status == 403
    dee = await at_desk(desk_app, DEE)
    for pupil, lifted in (("tom", key), ("li", key), ("zoe", "pupil.do_not_contact"), ("zoe", "x.name"), ("zoe", "")):
        assert (await dee.send(f"/console/pupil/{pupil}/warnings", {"lift": lifted, "why": "no"})).status == 404
    row = await reading(lambda tx: tx.row("select do_not_contact from contact where pupil = 'zoe' and position = 2"))
    assert row is not None
    assert row["do_not_contact"]


async def give_his_uncle_the_same(tx: Tx) -> None:
    await tx.run(
        "insert into contact (id, school, pupil, person, position, name, address, seq)"
        " values ('rui', 'northgate', 'jose', 'rui', 2, 'Rui D''Souza', '1 Hidden Row', 1)"
    )
