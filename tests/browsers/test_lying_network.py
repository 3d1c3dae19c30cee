"""A network that lies: nothing is called sent that the school has not got, nothing arrives twice, and nobody hammers the school."""

import os
import random
import time
from collections.abc import Callable

import pytest

from tests.browsers import writer
from tests.browsers.hand import Hand
from tests.browsers.liar import LIES, Liar, standing_before
from tests.browsers.windows import Driven, Window
from tests.chance import SEED
from tests.journeys.school import School
from tests.journeys.test_back_off import AT_ONCE, most_within

EXCHANGES, EXCHANGES_IN_SOAK = 100, 5_000
LOOK_EVERY = 50  # exchanges
LOCKED_EVERY = 150  # from then on it sends sealed, until it is unlocked
LOOKED_FOR_S = 20
SOONER = 20  # thirty seconds of patience are one and a half; the network stalls for twice as long

HURRY = f"const timeout = AbortSignal.timeout.bind(AbortSignal); AbortSignal.timeout = (ms) => timeout(ms / {SOONER});"


def test_a_lying_network_gets_no_false_receipt_out_of_a_phone(new_window: Callable[..., Window], school: School) -> None:
    exchange_through_lies(new_window("chromium"), school, EXCHANGES)


@pytest.mark.soak
def test_five_thousand_exchanges_through_a_lying_network(new_window: Callable[..., Window], school: School) -> None:
    exchange_through_lies(new_window("chromium"), school, int(os.environ.get("EXCHANGES", EXCHANGES_IN_SOAK)))


def exchange_through_lies(window: Window, school: School, exchanges: int) -> None:
    liar = Liar(school.address, random.Random(f"{SEED} lies"), lies=0)
    with standing_before(liar) as address:
        hand = Hand(window, address).open().sign_in("amira")
        assert isinstance(window, Driven)
        window.page.add_init_script(HURRY)
        saved: set[str] = set()
        liar.lies, sitting = 0.7, 0
        while liar.exchanges < exchanges:
            hand.open()
            time.sleep(liar.chance.uniform(0, 2))  # locked, and sending sealed
            window.run(writer.BEGIN, *writer.given(f"sitting-{sitting}", "chromium", send_every=1))
            until = liar.exchanges + LOCKED_EVERY
            while liar.exchanges < min(until, exchanges):
                look_at = liar.exchanges + LOOK_EVERY
                hand.until(writer.SAVED)
                while liar.exchanges < min(look_at, exchanges):
                    window.run(writer.SAVED)
                    time.sleep(0.1)
                hand.until(writer.REST)
                nothing_is_called_sent_that_is_not_there(window, school, saved | set(window.run(writer.SAVED)))
                window.run(writer.GO_ON)
            hand.until(writer.REST)
            saved.update(window.run(writer.SAVED))
            sitting += 1
        if exchanges >= EXCHANGES_IN_SOAK:
            assert LIES.keys() <= liar.told.keys()
            nobody_is_hammered(liar)
        liar.lies = 0
        hand.open()
        window.run(writer.BEGIN, *writer.given("last", "chromium", send_every=1))
        hand.until(writer.SAVED)
        hand.until(writer.REST)
        saved.update(window.run(writer.SAVED))
        hand.until(writer.NOTHING_WAITS)
        arrived = writer.arrived(school)
        assert sorted(saved - arrived.keys()) == [], f"lost, seed {SEED}"
        assert sorted(words for words, times in arrived.items() if times > 1) == [], f"twice, seed {SEED}"
    print(f"seed {SEED}: {liar.exchanges} exchanges, {len(saved)} records, {dict(liar.told)}")


def nothing_is_called_sent_that_is_not_there(window: Window, school: School, saved: set[str]) -> None:
    """Whatever the school has not got still waits. The phone is asked first: what it sends meanwhile is at the school by then."""
    waiting = set(window.run(writer.WAITING))
    waiting -= writer.edits_at(school).keys()
    missing = saved - writer.arrived(school).keys()
    assert len(missing) <= len(waiting), f"called sent, seed {SEED}: some of {sorted(missing)}"


def nobody_is_hammered(liar: Liar) -> None:
    liar.lies, asked = 1, liar.exchanges
    time.sleep(LOOKED_FOR_S)
    assert liar.exchanges - asked <= most_within(LOOKED_FOR_S * 1000) + AT_ONCE
