"""A page of the desk: the frame round it (who, which school, what waits) and the drawing of it."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.response import Redirect
from msgspec import Struct

from server.access.emergency import unseen_count
from server.access.rights import may
from server.console import words
from server.console.holding import held_count
from server.console.icons import icon
from server.console.toast import Toast, toast_for
from server.intake.tending import unopened_count
from server.kinds.roles import Role
from server.refusals import Refusal, SetUpFactor, SignIn, SignInAgain
from server.store.database import Tx, reading
from server.store.me import Me
from server.store.moments import now

HERE = Path(__file__).parent
STATIC = HERE / "static"
THEMES = ("light", "dark")
LOOK_COOKIE = "lanyard-look"
TOLD_COOKIE = "lanyard-told"  # what somebody should know as they come in; gone once a page has shown it


class Tab(Struct, frozen=True):
    path: str
    label: str
    count: int = 0


class Look(Struct, frozen=True):
    """What the switch says: empty leaves it to the system."""

    theme: str = ""
    contrast: str = ""


class Frame(Struct, frozen=True):
    me: Me
    name: str
    role: str
    school: str
    is_demo: bool
    ribbon: str
    thread: str
    tabs: list[Tab]


def page(frame: Frame, request: Request[Any, Any, Any], template: str, status: int = 200, **context: Any) -> Response[str]:
    told = unquote(request.cookies.get(TOLD_COOKIE, ""))
    drawn = DRAWING.get_template(template).render(
        frame=frame,
        look=look_of(request),
        here=request.url.path,
        whole=whole_path(request),
        as_at=now(),
        posted=request.method == "POST",
        may=may,
        toast=Toast(told) if told else toast_for(request),
        **context,
    )
    answer = Response(drawn, status_code=status, media_type=MediaType.HTML)
    if told:
        answer.delete_cookie(TOLD_COOKIE, path="/console")
    return answer


def plain_page(request: Request[Any, Any, Any], template: str, status: int = 200, **context: Any) -> Response[str]:
    """A page for somebody we may not know yet."""
    drawn = DRAWING.get_template(template).render(frame=None, look=look_of(request), here=request.url.path, as_at=now(), **context)
    return Response(drawn, status_code=status, media_type=MediaType.HTML)


def refused(request: Request[Any, Any, Any], refusal: Refusal | None) -> Response[Any]:
    """A refusal as a page; None is our own fault. Whoever only has to sign in is sent to the door, and back afterwards."""
    if isinstance(refusal, SignIn) and request.method in ("GET", "HEAD"):
        return Redirect("/console/sign-in?" + urlencode({"next": whole_path(request)}), status_code=303)
    if isinstance(refusal, SetUpFactor):
        return Redirect("/console/own", status_code=303)
    status = refusal.status if refusal else 500
    said = refusal.said if refusal else "Something went wrong here; it has been noted."
    answer = plain_page(
        request,
        "refused.html",
        status,
        said=said,
        code=status,
        signs_in=isinstance(refusal, SignIn),
        again=isinstance(refusal, SignInAgain),
    )
    answer.headers.update(refusal.headers if refusal else {})
    return answer


def whole_path(request: Request[Any, Any, Any]) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def frame_for(me: Me) -> Frame:
    return await reading(frame_of, me)


async def frame_of(tx: Tx, me: Me) -> Frame:
    row = await tx.row(
        "select s.name, c.name, c.is_demo, c.ribbon, c.thread from staff s join school c on c.id = s.school"
        " where s.school = $1 and s.id = $2",
        me.school,
        me.staff,
    )
    if row is None:
        raise SignIn
    name, school, is_demo, ribbon, thread = row
    return Frame(me, name, Role(me.role).label, school, bool(is_demo), ribbon, thread, await tabs_of(tx, me))


async def tabs_of(tx: Tx, me: Me) -> list[Tab]:
    held = await held_count(tx, me) + (await unopened_count(tx, me.school) if may(me, "sealed") else 0)
    tabs = [Tab("/console/review", "Review"), Tab("/console/pupils", "Pupils"), Tab("/console/held", "Held", held)]
    for right, path, label in (
        ("calls", "/console/oncall", "On call"),
        ("visits", "/console/visits", "Visits"),
        ("morning", "/console/morning", "Calls"),
        ("sweeps", "/console/sweeps", "Sweeps"),
        ("patterns", "/console/patterns", "Patterns"),
        ("lists", "/console/lists", "Lists"),
        ("phones", "/console/people", "People and phones"),
    ):
        if may(me, right):
            tabs.append(Tab(path, label))
    if may(me, "rota") and not may(me, "calls"):
        tabs.append(Tab("/console/oncall/rota", "Rota"))
    if may(me, "openings"):
        tabs.append(Tab("/console/openings", "Opened", await unseen_count(tx, me.school)))
    return tabs


def look_of(request: Request[Any, Any, Any]) -> Look:
    theme, _, contrast = request.cookies.get(LOOK_COOKIE, "").partition(".")
    return Look(theme if theme in THEMES else "", contrast if contrast == "more" else "")


def static(name: str) -> str:
    """The address of one of our own files. It changes when any of them does, so a browser may keep it for good."""
    return f"{STATIC_PATH}/{name}"


STATIC_PATH = "/console/static/" + hashlib.sha256(b"".join(file.read_bytes() for file in sorted(STATIC.iterdir()))).hexdigest()[:12]

DRAWING = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
DRAWING.globals.update(icon=icon, words=words, static=static)
