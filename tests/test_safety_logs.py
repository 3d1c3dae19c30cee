"""What we write down about ourselves: ids and counts, never a name or a note, also when something breaks."""

import io
import logging
from typing import Any

import msgspec
import pytest
from litestar import Litestar, get

from server.app import create_app
from server.intake import opening
from server.logs import Discreet
from server.settings import Settings
from server.store.database import Tx, reading
from tests.letters import edit, letter
from tests.routes import doors
from tests.school import School
from tests.sealing import handset_of
from tests.visitor import no_phone_app, signed_in, try_signing_in, visitor
from tests.world import CAROL, CONTACTS, FULL_NAMES, PASSWORD, PUPILS

NOTE = "he said he had seen the marmalade cat"
MARKERS = (
    {pupil[1] for pupil in PUPILS if len(pupil[1]) > 3}
    | {pupil[2] for pupil in PUPILS if len(pupil[2]) > 3}
    | {contact[3] for contact in CONTACTS}
    | {contact[5] for contact in CONTACTS}
    | set(FULL_NAMES.values())
    | {NOTE, "marmalade", PASSWORD, "a wrong guess", "Test phone", "1 Hidden Row"}
)


@pytest.fixture
def written() -> io.StringIO:
    """All that is logged, at every level, as the server's own handler writes it."""
    text, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(text), root.level
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)


@get("/api/broken")
async def break_down() -> None:
    async def work(tx: Tx) -> None:
        await tx.row("select * from no_such_table where name = $1", "Ångström")

    try:
        await reading(work)
    except Exception as error:
        raise RuntimeError(f"while looking for Zoë Ångström: {NOTE}") from error


def broken_app(settings: Settings) -> Litestar:
    app = create_app(msgspec.structs.replace(no_phone_app(settings)))
    app.register(break_down)
    return app


async def test_a_run_of_everything_leaves_no_name_in_the_log(world: Settings, written: io.StringIO) -> None:
    app = broken_app(world)
    await try_signing_in(visitor(app), "Amira Haddad", "a wrong guess")
    browser = await signed_in(app, CAROL)
    values = {"account": NOTE, "place": "yard", "pupils": {"put": {"zoe": {}}, "drop": []}}
    taken, held = edit(CAROL.phone, 1, "incident", values), edit(CAROL.phone, 2, "incident", values | {"place": "the marmalade shop"})
    answer = (await browser.post("/api/sync", json=letter(CAROL.phone, taken, held))).json()
    assert [receipt["outcome"] for receipt in answer["receipts"]] == ["taken", "held"]
    asked = [door for door in doors(app) if door.method == "GET" and not door.template.endswith("/live")]
    for door in asked:
        await browser.get(door.path(record=taken["record"], pupil="zoe", staff="amira"), params={"q": "Ångström", "name": "Zoë"})
    await browser.post("/api/sync", json={"protocol": 1, "phone": NOTE + "\0", "edits": [NOTE]})
    await browser.post("/api/session", content=f'{{"username": "{NOTE}", "password": 3}}', headers={"Content-Type": "application/json"})

    log = written.getvalue()
    assert "/api/sync" in log  # the premise: it was listening
    assert "RuntimeError" in log
    assert {marker for marker in MARKERS if marker in log} == set()


async def test_what_was_sealed_leaves_no_name_in_the_log_whatever_becomes_of_it(
    school: School, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await handset_of(school.door, "amira")
    values = {"account": NOTE, "pupils": {"put": {"zoe": {}}, "drop": []}}
    taken, held, failing = (phone.write(values=values | more) for more in ({}, {"place": "the marmalade shop"}, {}))
    broken = phone.sealer.seal(phone.write(values=values)) | {"kid": NOTE, "what": NOTE}
    draft = phone.sealer.seal({"id": "d", "values": values}, "draft")

    async def fail(tx: Tx, me: Any, edits: list[Any]) -> list[Any]:
        if any(edit.id == failing["id"] for edit in edits):
            raise RuntimeError(f"while looking for Zoë Ångström: {NOTE}")
        return []

    monkeypatch.setattr(opening, "told_otherwise", fail)
    blobs = [phone.sealer.seal(one) for one in (taken, held, failing)]
    assert len(await phone.kept(*blobs, broken, draft)) == 5
    await phone.send(*blobs, {"id": NOTE + "\0"})
    await phone.post(f"{NOTE}".encode())
    log = written.getvalue()
    assert "/api/intake" in log  # the premise: it was listening
    assert "RuntimeError" in log
    assert {marker for marker in MARKERS if marker in log} == set()


async def test_an_error_is_written_down_with_its_place_and_its_request(world: Settings, written: io.StringIO) -> None:
    answer = await visitor(broken_app(world)).get("/api/broken")
    assert answer.status_code == 500
    told = [line for line in written.getvalue().splitlines() if "RuntimeError" in line]
    assert len(told) == 1
    assert answer.headers["x-request-id"] in told[0]
    assert "test_safety_logs.py" in written.getvalue()


def test_whatever_logs_an_exception_keeps_its_message_to_itself(written: io.StringIO) -> None:
    try:
        raise ValueError(NOTE)
    except ValueError:
        logging.getLogger("somebody.else").exception("it broke")
    assert "ValueError" in written.getvalue()
    assert NOTE not in written.getvalue()
