"""How the desk looks, as far as arithmetic can tell: every text 7:1 or better, every edge 3:1, by day, night and in high contrast."""

import re
from itertools import product

import pytest

from server.console.pages import DRAWING, STATIC

SHEET, CONTRAST = (re.sub(r"/\*.*?\*/", "", (STATIC / name).read_text(), flags=re.S) for name in ("console.css", "contrast.css"))
TOKEN = re.compile(r"--([\w-]+):\s*([^;]+);")
BOTH = re.compile(r"light-dark\((#\w+), (#\w+)\)")
STATES = ("sent", "waiting", "sending", "needs", "alarm")
TEXT = [
    *product(("ink", "ink-2", "link"), ("ground", "surface", "sunk")),
    *((state, f"{state}-tint") for state in STATES),
    *product(STATES, ("surface", "ground")),
    ("on-act", "act"), ("on-toast", "toast"), ("ink", "heat"),
]  # fmt: skip
EDGES = [*product(("edge", "focus", "act"), ("ground", "surface"))]


def tokens(css: str) -> dict[str, str]:
    """Those of the first :root block."""
    return dict(TOKEN.findall(css.split(":root {", 1)[1].split("}", 1)[0]))


def colours(night: bool, contrast: bool) -> dict[str, str]:
    said = tokens(SHEET) | (tokens(CONTRAST) if contrast else {})
    plain = {name: (found[2] if night else found[1]) if (found := BOTH.match(value)) else value for name, value in said.items()}
    return {name: plain[value[6:-1]] if value.startswith("var(--") and value[6:-1] in plain else value for name, value in plain.items()}


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("contrast", [False, True])
@pytest.mark.parametrize("night", [False, True])
def test_text_can_be_read_and_edges_can_be_seen(night: bool, contrast: bool) -> None:
    has = colours(night, contrast)
    too_faint = {
        (one, other): round(ratio(has[one], has[other]), 2)
        for one, other in TEXT
        if ratio(has[one], has[other]) < 7 and (one, other) != ("ink", "heat")
    }
    assert too_faint == {}
    assert ratio(has["ink"], has["heat"]) >= 4.5  # a number in the darkest cell is also bold
    assert {pair for pair in EDGES if ratio(has[pair[0]], has[pair[1]]) < 3} == set()


def test_a_browser_without_light_dark_gets_the_day() -> None:
    fallback = dict(TOKEN.findall(SHEET.split("@supports not", 1)[1].split("}", 1)[0]))
    day = colours(night=False, contrast=False)
    assert {name: value for name, value in fallback.items() if value != day[name]} == {}
    assert {name for name, value in tokens(SHEET).items() if "light-dark" in value} <= fallback.keys()


def test_every_class_that_a_page_uses_is_in_the_sheet() -> None:
    known = set(re.findall(r"\.([a-z][\w-]*)", SHEET))
    used: set[str] = set()
    for name in DRAWING.list_templates():
        source = DRAWING.loader.get_source(DRAWING, name)[0]  # type: ignore[union-attr]
        for classes in re.findall(r'class="([^"]*)"', re.sub(r"\{[{%].*?[}%]\}", " ", source)):
            used |= set(classes.split())
    assert used - known == {"row-link", "h"}  # for the keyboard; h0 to h10


def test_no_sheet_fetches_anything() -> None:
    assert "url(" not in SHEET + CONTRAST
    assert "@import" not in SHEET + CONTRAST
