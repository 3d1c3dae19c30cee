"""Five hundred names and notes, looked for byte by byte in all that an engine left on the disk: in use, locked, signed out."""

import random
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browsers.hand import Hand
from tests.browsers.windows import ENGINES, Driven, Window, kill
from tests.chance import SEED
from tests.journeys.elsewhere import Elsewhere
from tests.journeys.school import School
from tests.journeys.test_locked import heap_of

PUPILS, NOTES = 400, 100
ALPHABET, LETTERS = "bcdfghjkmnpqrstvwxz", 12
RUNS = re.compile(f"[{ALPHABET}]{{{LETTERS},}}".encode(), re.IGNORECASE)
CONTROL = """
    const opened = await new Promise((resolve, reject) => {
        const request = indexedDB.open('control', 1);
        request.onupgradeneeded = () => request.result.createObjectStore('rows');
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
    const tx = opened.transaction('rows', 'readwrite', { durability: 'strict' });
    tx.objectStore('rows').put({ said: given[0] }, 1);
    await new Promise((resolve) => { tx.oncomplete = resolve; });
    opened.close();
"""


@pytest.mark.soak
@pytest.mark.parametrize("engine", ENGINES)
def test_none_of_five_hundred_marks_is_on_the_disk_in_the_clear(engine: str, new_window: Callable[..., Window], school: School) -> None:
    marks = Marks(random.Random(f"{SEED} marks"))
    marks.plant(school)
    window = new_window(engine)
    hand = Hand(window, school.address).open().sign_in("carol")
    window.run(CONTROL, marks.control)

    use(hand, school, marks)
    kill(window)
    marks.are_not_in(window.profile, "killed in use")

    window.start()
    hand.open().give_pin()
    hand.stand_at("Now")
    hand.tap("Lock now")
    hand.stand_at("Locked")
    assert [mark for mark in marks.all if mark in str(window.run("return document.documentElement.outerHTML"))] == []
    if engine == "chromium" and isinstance(window, Driven):
        in_heap = heap_of(window.page, marks.all)
        print(f"{in_heap} of {len(marks.all)} marks stand in the heap of the locked page")
        assert in_heap == 0
    kill(window)
    marks.are_not_in(window.profile, "killed when locked")

    window.start()
    hand.open().give_pin()
    hand.stand_at("Now")
    hand.open("/this-phone").give_pin()
    hand.tap("Sign out")
    hand.stand_at("Sign in to Lanyard")
    kill(window)
    marks.are_not_in(window.profile, "killed when signed out")


def use(hand: Hand, school: School, marks: "Marks") -> None:
    """Looks, writes, leaves something waiting and something unfinished."""
    hand.open("/records").give_pin()
    hand.tap("Fight, Yard")
    hand.until("return document.querySelector('blockquote') !== null")
    hand.open("/pupil/marked-1").give_pin()
    hand.see(marks.pupils[1])
    school.stop()
    hand.open().give_pin()
    hand.save_an_incident(marks.typed[0], marks.typed[1])
    hand.tap("Incident")
    hand.write("Your account", marks.typed[2])
    hand.until("return document.querySelector('#form[data-kept]') !== null")
    school.start()


class Marks:
    """Words that nothing else says. No two begin alike, so that no packing of the browser's can break one in two."""

    def __init__(self, chance: random.Random) -> None:
        def mark() -> str:
            return "Qé" + "".join(chance.choices(ALPHABET, k=LETTERS))

        self.pupils, self.notes = [mark() for _ in range(PUPILS)], [mark() for _ in range(NOTES)]
        self.typed, self.control = [mark() for _ in range(3)], mark()
        self.all = [*self.pupils, *self.notes, *self.typed]

    def plant(self, school: School) -> None:
        with sqlite3.connect(school.database) as database:
            columns = [row[1] for row in database.execute("pragma table_info(pupil)")]
            model = dict(zip(columns, database.execute("select * from pupil where id = 'marcus'").fetchone(), strict=True))
            (last,) = database.execute("select max(seq) from pupil").fetchone()
            for number, name in enumerate(self.pupils):
                row = model | {"id": f"marked-{number}", "surname": name, "seq": last + 1 + number}
                row |= {column: f"mark{number}" for column in ("upn", "admission_number") if row.get(column)}
                database.execute(f"insert into pupil ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))
        with Elsewhere(school, "amira") as phone:
            for note in self.notes:
                phone.write("incident", {"category": "fight", "place": "yard", "account": f"I saw {note} do it.", "others": note})
            assert set(phone.send()) == {"taken"}

    def are_not_in(self, profile: Path, when: str) -> None:
        files = [file for file in profile.rglob("*") if file.is_file()]
        assert found_in(files, [self.control]), f"{when}: the search itself finds nothing"
        assert found_in(files, self.all) == [], when
        print(f"{when}: none of {len(self.all)} marks in {len(files)} files, {sum(file.stat().st_size for file in files):,} bytes")


def found_in(files: list[Path], marks: list[str]) -> list[tuple[str, str]]:
    """In any case, with accents or without, in UTF-8, Latin-1 and either UTF-16: without its zeros that one reads the same."""
    looked_for = {letters_of(mark) for mark in marks}
    found = []
    for file in files:
        content = file.read_bytes() if file.exists() else b""
        for run in RUNS.findall(content) + RUNS.findall(content.replace(b"\0", b"")):
            said = run.decode().lower()
            found += [
                (str(file), said[at : at + LETTERS]) for at in range(len(said) - LETTERS + 1) if said[at : at + LETTERS] in looked_for
            ]
    return found


def letters_of(mark: str) -> str:
    return mark[-LETTERS:]


@pytest.mark.parametrize("way", ["utf-8", "utf-16-le", "utf-16-be", "latin-1"])
def test_the_search_finds_a_mark_however_it_is_written(tmp_path: Path, way: str) -> None:
    (tmp_path / "file").write_bytes(b"\x01\x00" + 'x Qébcdfghjkmnpq, "BCDFGHJKMNPQ'.encode(way) + b"\x00")
    assert len({said for _, said in found_in([tmp_path / "file"], ["Qébcdfghjkmnpq"])}) == 1
