"""A pupil's page: found by any part of any name; one story across kinds; whom not to ring; and who has looked, for one reader."""

import pytest
from litestar import Litestar

from server.store.database import Tx, reading, writing
from tests.desk import at_desk, phone_sends, put
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


async def test_every_look_at_a_pupil_is_noted_and_only_the_safeguarding_lead_sees_who(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"category": "fight", "pupils": put(zoe="harmed")})
    carol = await at_desk(desk_app, CAROL)
    await carol.open("/console/pupil/zoe")
    await carol.open(f"/console/record/{record}")
    await (await at_desk(desk_app, OLU)).open("/console/pupil/li")
    page = await (await at_desk(desk_app, DEE)).open("/console/pupil/zoe/looked")
    told = page.text.split("What Record")[1]
    assert "Carol Whitlock read record" in told
    assert "Carol Whitlock read pupil" in told
    assert "Dee Marsh read access log" in told
    assert "Olu" not in told
    for me in (CAROL, AMIRA, ADA, LENA, HANA):
        assert (await (await at_desk(desk_app, me)).open("/console/pupil/zoe/looked")).status == 403
    assert "Who has looked" not in await carol.open("/console/pupil/zoe")


async def test_another_schools_pupil_is_not_there(desk_app: Litestar) -> None:
    for me, pupil in ((CAROL, "tom"), (DAN, "zoe"), (DEE, "no-such"), (CAROL, "%00")):
        assert (await (await at_desk(desk_app, me)).open(f"/console/pupil/{pupil}")).status == 404
    rows = await reading(lambda tx: tx.rows("select what from audit where what = 'read pupil'"))
    assert rows == []
