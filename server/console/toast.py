"""What was just done, said once on the next page, with a way back where there is one. Carried by the address as `done`."""

import re
from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request
from msgspec import Struct

from server.console.words import count

DONE = re.compile(
    r"(read|all|wrote|begun|saved|decided|undone|taken|set-aside|opened|still-sealed|lists|listed|off|back|removed|lifted|put-back"
    r"|rota|call|words|no-words|made|shared)"
    r"(?:\.([0-9A-Za-z_.:-]{1,200}))?"
)

ALL = re.compile(r"[0-9]{1,17}\.[0-9]{1,9}")  # when, and how many


class Toast(Struct, frozen=True):
    said: str
    more: str = ""
    undo: str = ""  # where to post it
    fields: dict[str, str] = {}


def toast_for(request: Request[Any, Any, Any]) -> Toast | None:
    """`done`: what, and of what. Whatever else somebody puts into an address says nothing."""
    found = DONE.fullmatch(request.query_params.get("done", ""))
    return told(found[1], found[2] or "", request.url.path, without_done(request)) if found else None


def without_done(request: Request[Any, Any, Any]) -> str:
    asked = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != "done"])
    return request.url.path + (f"?{asked}" if asked else "")


def told(what: str, of: str, path: str, back: str) -> Toast | None:
    match what:
        case "read" if of:
            return Toast("Read.", "It is still under Everything.", f"/console/record/{quote(of)}/unread", {"back": back})
        case "all" if ALL.fullmatch(of):
            at, _, how_many = of.partition(".")
            return Toast(f"{count(int(how_many), 'record')} marked as read.", "", "/console/review/unread", {"at": at, "back": back})
        case "wrote" if of and path.startswith("/console/record/"):
            return Toast("Written, with your name on it.", "", f"{path}/undo", {"edit": of})
        case "decided":
            return Toast("Decided.", "Every answer stays in the history.")
        case "undone":
            return Toast("Undone.", "The record says what it said before; both edits stay in the history.")
        case "taken":
            return Toast("Taken in.", "It is part of its record now.")
        case "set-aside":
            return Toast("Set aside.", "Its author sees your reason.")
        case "opened":
            return Toast("Opened.", "What was in them is where it belongs, or is held.")
        case "still-sealed":
            return Toast("They could not be opened.", "They are kept as they came.")
        case "rota":
            return Toast("Changed.", "Whoever is called from now on is called by it.")
        case "made":
            return Toast("The list is made.", "What was on it before stayed as it was; phones hear of it at once.")
        case "shared":
            return Toast("Shared out.", "Whom somebody had taken or rung they keep.")
        case "call":
            return Toast("Said.", "Everybody concerned sees it.")
        case "words":
            return Toast("Set.", "A visit of yours is over when you say one of the two.")
        case "no-words":
            return Toast("Removed.", "One tap ends a visit of yours.")
        case "listed":
            return Toast("Changed.", "Phones hear of it at once.", "/console/lists/undo")
        case "lists":
            return Toast("Undone.")
        case "saved":
            return Toast("Saved.")
        case "begun":
            return Toast("Saved.", "The school has it.")
        case "removed":
            return Toast("Removed.")
        case "lifted" if of:
            return Toast("Lifted.", "Who, when and why are kept.", path, {"put_back": of})
        case "put-back":
            return Toast("Put back.", "The warning stands again.")
        case "off":
            return Toast("Switched off.", "It can send what it still holds, and read nothing.")
        case "back":
            return Toast("Switched on again.")
    return None
