"""A kind needs one file and one line: one is added here, and followed through form, phone, storage, desk, SQL view, figures and CSV."""

import json
from typing import Any

import pytest
from litestar import Litestar

from server.app import create_app
from server.kinds import KINDS
from server.kinds.kind import Field, Kind, Merge
from server.kinds.roles import Role
from server.kinds.shapes import (
    Choice,
    Choices,
    Code,
    Duration,
    Gathered,
    Line,
    Link,
    Moment,
    Note,
    Place,
    Pupils,
    Retired,
    Shape,
    Staff,
    Tags,
    YesNo,
)
from server.reports.csv import csv_of
from server.reports.frames import frames
from server.reports.sheets import Names, records_sheet
from server.reports.views import make_views
from server.settings import Settings
from server.store.database import Tx, reading, writing
from server.store.ids import new_id
from server.sync.check import rebuild_all
from tests.letters import edit, letter
from tests.visitor import no_phone_app, signed_in
from tests.world import AMIRA, CAROL, DAN

DETENTION = Kind(
    name="detention",
    label="Detention",
    plural="Detentions",
    icon="clock",
    moment="starts_at",
    title=("pupils", "room"),
    held_by=(Role.MANAGER,),
    fields=(
        Field("pupils", "Who is it for?", Pupils({"owes": "Owes the time"}, outcomes="outcomes"), Merge.GATHER, needed=True, quick=True),
        Field("starts_at", "When?", Moment(), needed=True),
        Field("room", "Where?", Place()),
        Field("length", "How long?", Duration()),
        Field("served", "Did they come?", Choice({"yes": "Yes, on time", "late": "Late", "no": "No", "fled": Retired("Ran off")})),
        Field("missed_lunch", "Did they miss lunch?", YesNo(), Merge.GRAVEST),
        Field("work", "What did they do?", Choices({"reading": "Read", "writing": "Wrote"})),
        Field("for_what", "What for?", Tags(list="categories"), Merge.GATHER),
        Field("supervised_by", "Who was with them?", Staff({"sat": "Sat with them"}), Merge.GATHER),
        Field("code", "Which code?", Code()),
        Field("incident", "Which incident?", Link("incident")),
        Field("reason", "In one line?", Line()),
        Field("account", "How did it go?", Note(), Merge.OWN),
        Field("sealed", "For the manager only?", Line(), only=(Role.MANAGER,)),
    ),
)

INCIDENT = new_id()
ANSWERS = {
    "pupils": {"put": {"zoe": {"part": "owes", "outcome": "warning"}}, "drop": []},
    "starts_at": {"at": "2026-11-16T15:10:00Z", "precision": "about"},
    "room": "b12",
    "length": 30,
    "served": "fled",
    "missed_lunch": "no",
    "work": ["writing", "reading"],
    "for_what": {"put": {"damage": {}}, "drop": []},
    "supervised_by": {"put": {"ben": {"part": "sat"}}, "drop": []},
    "code": "/",
    "incident": INCIDENT,
    "reason": "Carving desks",
    "account": "He read quietly, and then he left.",
}


@pytest.fixture
async def app(world: Settings, monkeypatch: pytest.MonkeyPatch) -> Litestar:
    """A school that keeps detentions, in which Amira wrote one down on her phone."""
    monkeypatch.setitem(KINDS, "detention", DETENTION)
    app = create_app(no_phone_app(world))
    written = edit("amira-phone", 1, "detention", ANSWERS)
    answer = await (await signed_in(app, AMIRA)).post("/api/sync", json=letter("amira-phone", written))
    assert answer.json()["receipts"] == [{"id": written["id"], "outcome": "taken"}]
    return app


def test_it_asks_in_every_shape_there_is() -> None:
    every = {shape for base in (Shape, *Shape.__subclasses__()) for shape in base.__subclasses__()}
    assert {type(field.shape) for field in DETENTION.fields} == every - {Gathered}


async def test_a_phone_is_told_how_to_ask_it(app: Litestar) -> None:
    school = (await (await signed_in(app, AMIRA)).get("/api/school")).json()
    (told,) = [kind for kind in school["kinds"] if kind["name"] == "detention"]
    asked = {field["name"]: field for field in told["fields"]}
    assert asked["room"]["shape"] == {"control": "place", "list": "places"}
    assert asked["served"]["shape"]["options"][3] == {"code": "fled", "label": "Ran off", "retired": True}
    assert asked["state"]["shape"]["control"] == "choice"
    assert "sealed" not in asked


async def test_another_phone_reads_it(app: Litestar) -> None:
    answer = (await (await signed_in(app, CAROL)).post("/api/sync", json=letter("carol-phone"))).json()
    (record,) = answer["records"]
    body = record["body"]
    assert (record["kind"], record["gaps"], record["author"]) == ("detention", [], "amira")
    assert body["starts_at"] == {"at": "2026-11-16T15:10:00.000Z", "precision": "about"}
    assert body["pupils"] == {"zoe": {"part": "owes", "outcome": "warning"}}
    assert body["work"] == ["reading", "writing"]
    assert body["account"]["amira"]["value"] == ANSWERS["account"]
    elsewhere = (await (await signed_in(app, DAN)).post("/api/sync", json=letter("dan-phone"))).json()
    assert elsewhere["records"] == []


async def test_what_does_not_fit_is_held_in_words(app: Litestar) -> None:
    wrong = edit("amira-phone", 2, "detention", {"length": "an hour", "room": "moon", "sealed": "psst"})
    answer = await (await signed_in(app, AMIRA)).post("/api/sync", json=letter("amira-phone", wrong))
    (receipt,) = answer.json()["receipts"]
    assert receipt["outcome"] == "held"
    assert receipt["because"].keys() == {"length", "room", "sealed"}


async def test_it_is_stored_and_can_be_built_again_from_its_edits(app: Litestar) -> None:
    (row,) = await stored()
    assert (row["kind"], row["happened_at"]) == ("detention", 1_794_841_800_000_000)
    assert [person[0] for person in await rows("select pupil from record_pupil where record = $1", row["id"])] == ["zoe"]
    assert {person[0] for person in await rows("select staff from record_staff where record = $1", row["id"])} == {"amira", "ben"}
    assert [other[0] for other in await rows("select other from record_link where record = $1", row["id"])] == [INCIDENT]
    assert await reading(rebuild_all, "northgate") == []


async def test_the_desk_shows_every_answer_in_words(app: Litestar) -> None:
    (row,) = await stored()
    page = (await (await signed_in(app, CAROL)).get(f"/console/record/{row['id']}")).text.lower()
    told = ("Detention", "Who is it for?", "Ångström", "Owes the time", "Warning", "B12", "30", "Ran off", "No", "Read", "Wrote", "Damage")
    for words in (*told, "Ben Price", "Sat with them", "Carving desks", "Amira Haddad", str(ANSWERS["account"])):
        assert words.lower() in page, words


async def test_the_schools_own_reporting_tool_reads_it(app: Litestar) -> None:
    await writing(make_views)
    (row,) = await rows("select * from report_detention")
    told = {"room": "b12", "length": 30, "served": "fled", "pupils": 1, "account": 1, "code": "/", "reason": "Carving desks"}
    assert {name: row[name] for name in told} == told
    found = await rows("select field, key, part, outcome from report_detention_entries order by field")
    assert [tuple(entry) for entry in found] == [
        ("for_what", "damage", None, None),
        ("pupils", "zoe", "owes", "warning"),
        ("supervised_by", "ben", "sat", None),
    ]


async def test_it_can_be_counted(app: Litestar) -> None:
    found = await frames("northgate", DETENTION)
    (row,) = found.records.to_dict("records")
    assert (row["room"], row["length"], row["served"], row["precision"]) == ("b12", 30, "fled", "about")
    assert set(found.entries["key"]) == {"zoe", "damage", "ben", "reading", "writing"}


async def test_it_goes_into_a_spreadsheet(app: Litestar) -> None:
    (row,) = await stored()
    record = {name: row[name] for name in ("id", "author", "made_at", "received_at", "happened_at", "edits")}
    record |= {"body": json.loads(row["body"]), "disputes": None}
    names = Names({"zoe": "Zoë Ångström"}, {"amira": "Amira Haddad", "ben": "Ben Price"}, {"places": {"b12": "B12"}})
    text = csv_of(records_sheet(DETENTION, [record], names, Role.MANAGER, []))
    told = (
        "Who is it for?",
        "Zoë Ångström (Owes the time, warning)",
        "about 2026-11-16 15:10",
        "B12",
        "Ran off",
        "Read; Wrote",
        "Amira Haddad: He",
    )
    for words in (*told, "Amira Haddad: He read quietly"):
        assert words in text, words


async def stored() -> list[Any]:
    return await rows("select * from record where school = 'northgate'")


async def rows(sql: str, *args: Any) -> list[Any]:
    async def read(tx: Tx) -> list[Any]:
        return await tx.rows(sql, *args)

    return await reading(read)
