"""The main story in the engines beside Chromium: written with the school gone, killed, opened without it by the PIN, and sent once."""

import sqlite3
from collections.abc import Callable

import pytest

from tests.browsers.hand import Hand
from tests.browsers.windows import Driven, Window, kill
from tests.journeys.school import School
from tests.journeys.test_for_everybody import assert_sound

WORDS = "He would not leave the stairwell, and I asked him twice."


@pytest.mark.parametrize("engine", ["firefox", "webkit"])
def test_what_was_written_offline_survives_a_kill_and_arrives_once(engine: str, new_window: Callable[..., Window], school: School) -> None:
    window = new_window(engine)
    hand = Hand(window, school.address).open().sign_in("amira")
    school.stop()
    hand.save_an_incident("Two boys, about Year 8", WORDS)
    hand.see("1 saved on this phone, not sent")
    hand.tap("Incident")
    hand.write("Your account", "Not finished.")
    hand.until("return document.querySelector('#form[data-kept]') !== null")
    kill(window)

    window.start()
    hand.open().stand_at("Locked")
    hand.see("1 record is waiting.")
    assert "Amira" not in hand.words()
    hand.give_pin()
    hand.stand_at("Now")
    hand.see("Not finished")
    if isinstance(window, Driven):
        assert_sound(window.page, engine)
    school.start()
    hand.tap("Fight, Yard")
    hand.see(WORDS)
    hand.see_it_all_sent()
    for path in ("/records", "/"):
        hand.open(path).give_pin()  # the page before is put aside as it was, and keeps nobody waiting
        hand.see("Fight, Yard")
    with sqlite3.connect(f"file:{school.database}?mode=ro", uri=True) as database:
        assert database.execute("select author, outcome from edit where original like '%stairwell%'").fetchall() == [("amira", "taken")]
