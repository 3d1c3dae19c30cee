"""The desk's icons, drawn into the page where they stand: no request, no flicker, and they print."""

import re
from pathlib import Path

from markupsafe import Markup

DRAWN = (Path(__file__).parent / "icons.svg").read_text()
SHAPES: dict[str, str] = dict(re.findall(r'<symbol id="(\w+)">(.*)</symbol>', DRAWN))


def icon(name: str, size: str = "") -> Markup:
    """Always beside a word, so never read aloud. A name that is not drawn is a plain note."""
    shape = SHAPES.get(name, SHAPES["note"])
    return Markup(f'<svg class="icon {size}" viewBox="0 0 24 24" aria-hidden="true">{shape}</svg>')
