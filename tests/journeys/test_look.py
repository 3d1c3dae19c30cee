"""Every pair of colours the phone writes with can be read: 7:1 for words, 3:1 for edges, in light, dark and high contrast."""

import itertools
import re

import pytest

from server.settings import CHECKOUT

SHEET = CHECKOUT / "pwa" / "src" / "style.css"
GROUNDS = ("ground", "surface", "sunk")
WORDS_ON_ANY_GROUND = ("ink", "ink-2")
WORDS_ON_PAPER = ("link", "act", "needs", "alarm", "sent", "waiting", "sending")  # on ground and surface
STATES = ("sent", "waiting", "sending", "needs", "alarm")
ON = (("on-act", "act"), ("on-alarm", "alarm-fill"), ("on-toast", "toast"))
EDGES = (("edge", "surface"), ("edge", "ground"), ("focus", "surface"), ("focus", "ground"))

PAIRS = [
    *itertools.product(WORDS_ON_ANY_GROUND, GROUNDS),
    *itertools.product(WORDS_ON_PAPER, ("ground", "surface")),
    *((state, f"{state}-tint") for state in STATES),
    *ON,
]


def tokens(block: str, side: int) -> dict[str, str]:
    found = re.findall(r"--([\w-]+):\s*(?:light-dark\((#\w+),\s*(#\w+)\)|(#\w+))\s*;", block)
    return {name: alike or (day, night)[side] for name, day, night, alike in found}


def looks() -> dict[str, dict[str, str]]:
    sheet = SHEET.read_text()
    plain = re.search(r":root \{(.*?)\n\}", sheet, re.S)
    more = re.search(r':root\[data-contrast="more"\] \{(.*?)\n\}', sheet, re.S)
    assert plain
    assert more
    sides = {"light": 0, "dark": 1}
    return {
        f"{name}{' with more contrast' if high else ''}": tokens(plain[1], side) | (tokens(more[1], side) if high else {})
        for name, side in sides.items()
        for high in (False, True)
    }


@pytest.mark.parametrize("look", looks())
def test_every_word_can_be_read_on_what_it_stands_on(look: str) -> None:
    colours = looks()[look]
    assert {pair: round(contrast(colours, *pair), 2) for pair in PAIRS if contrast(colours, *pair) < 7} == {}


@pytest.mark.parametrize("look", looks())
def test_every_edge_and_the_focus_can_be_seen(look: str) -> None:
    colours = looks()[look]
    assert {pair: round(contrast(colours, *pair), 2) for pair in EDGES if contrast(colours, *pair) < 3} == {}


def contrast(colours: dict[str, str], one: str, other: str) -> float:
    lighter, darker = sorted((luminance(colours[one]), luminance(colours[other])), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    red, green, blue = (linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
