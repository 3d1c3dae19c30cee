"""What an operator says to the server, and what it says back."""

import asyncio
import io
import json
import signal
import sqlite3
from pathlib import Path

import httpx
import pytest

from server.__main__ import main, with_database
from server.access.due import DAY, rules_in
from server.kinds import KINDS
from server.kinds.kind import Field, Kind
from server.kinds.lists import LISTS
from server.kinds.roles import Role
from server.kinds.shapes import Note
from server.settings import Settings
from server.store import moments
from server.store.database import writing
from server.sync.exchange import answer
from server.sync.letter import read_letter
from tests.letters import edit, letter
from tests.serving import serving
from tests.visitor import no_phone_app
from tests.world import AMIRA, PASSWORD, make_world

GOING_DOWN_S = 60  # far longer than it ever takes


@pytest.fixture
def a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "school.db"
    monkeypatch.setenv("LANYARD_DATABASE", str(file))
    return file


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["check"],
        ["set-password", "ada"],
        ["new-school", "Northgate", "--admin", "ada", "--full-name", "Ada Quigley"],
        ["import", "pupils", "year9.csv"],
    ],
)
def test_nothing_is_done_with_a_database_that_is_not_up_to_date(a_file: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    a_file.touch()
    assert main(words) != 0
    said = capsys.readouterr()
    assert "Run `lanyard migrate` first" in said.err + said.out


def test_migrating_twice_does_nothing_the_second_time(a_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(["migrate"]), main(["migrate"])) == (0, 0)
    first, second = capsys.readouterr().out.splitlines()
    assert "nothing to do" not in first
    assert "nothing to do" in second


def test_after_an_upgrade_what_was_held_is_judged_again(a_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(database=str(a_file))
    told = letter("amira-phone", *(edit("amira-phone", number, "fire_drill", {"gist": "All out."}) for number in range(1, 31)))
    main(["migrate"])
    asyncio.run(with_database(settings, writing(make_world)))
    said = asyncio.run(with_database(settings, answer(read_letter(json.dumps(told).encode()), AMIRA, moments.now())))
    assert {receipt.outcome for receipt in said.receipts} == {"held"}  # the premise: nobody here knows this kind yet
    drill = Kind("fire_drill", "Fire drill", "Fire drills", "note", (Field("gist", "How did it go?", Note()),), ("gist",))
    monkeypatch.setitem(KINDS, drill.name, drill)
    main(["migrate"])
    with sqlite3.connect(a_file) as database:
        assert database.execute("select settled_how, count(*) from edit group by 1").fetchall() == [("taken", 30)]
        assert database.execute("select count(*) from record").fetchall() == [(30,)]


def test_a_database_that_cannot_be_opened_is_said_in_words_and_without_its_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for address in ("/no/such/folder/school.db", "postgresql://lanyard:umbrella@127.0.0.1:1/school"):
        monkeypatch.setenv("LANYARD_DATABASE", address)
        for words in (["serve"], ["check"], ["import", "pupils", "year9.csv"], ["demo"]):
            assert main(words) == 1
            said = capsys.readouterr().err
            assert "cannot be opened" in said
            assert "umbrella" not in said
            assert "Traceback" not in said


def test_a_password_is_read_from_a_pipe_and_must_be_long_enough(
    a_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["migrate"])
    for typed, username, says in (
        ("short\n", "ada", "at least 10 characters"),
        ("four wet umbrellas\n", "nobody", "Nobody here signs in as nobody"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert main(["set-password", username]) == 1
        assert says in capsys.readouterr().err


def test_a_school_is_begun_with_an_administrator_and_words_to_start_with(
    a_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["migrate"])
    found = ["new-school", "Northgate", "--admin", "Ada", "--full-name", "Ada Quigley"]
    for expected in (0, 1):  # nobody else may sign in by the same name
        monkeypatch.setattr("sys.stdin", io.StringIO("four wet umbrellas\n"))
        assert main(found) == expected
    assert "signs in as Ada already" in capsys.readouterr().err
    with sqlite3.connect(a_file) as database:
        assert database.execute("select username, role from staff").fetchall() == [("ada", "admin")]
        assert {row[0] for row in database.execute("select distinct list from list_entry")} == set(LISTS)
        rules = rules_in(json.loads(database.execute("select settings from school").fetchone()[0])["second_factor"])
    assert set(rules.roles) == set(Role) - {Role.TEACHER, Role.RESPONDER}  # who see no more than they wrote themselves
    assert 6 * DAY < (rules.due_at("admin") or 0) - moments.now() <= 7 * DAY


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("serve", "demo", "migrate", "import", "check", "set-password"))


def test_the_server_goes_down_when_told_to_though_somebody_listens(world: Settings, tmp_path: Path) -> None:
    with serving(no_phone_app(world), tmp_path / "server.log") as server, httpx.Client(base_url=server.address) as phone:
        phone.headers["X-Lanyard"] = "1"
        said = {"username": "carol", "password": PASSWORD, "phone": {"id": "carol-phone", "name": "x"}}
        assert phone.post("/api/session", json=said).status_code == 200
        with phone.stream("GET", "/api/live", timeout=GOING_DOWN_S) as hints:
            lines = hints.iter_lines()
            assert next(lines) == "event: moved"  # the premise: it is open
            server.process.terminate()
            server.process.join(GOING_DOWN_S)
            assert server.process.exitcode in (0, -signal.SIGTERM)
            list(lines)  # and it ended as it should, not in the middle
        assert "ERROR" not in server.log.read_text()
