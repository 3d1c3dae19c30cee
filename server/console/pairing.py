"""Pairing a phone: a square to point it at, letters to type where it has no camera, and whether they were used."""

from typing import Any

import segno
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from markupsafe import Markup

from server.access.pairing import Code, address, code_of, needs_a_factor, new_code, page_of
from server.access.rights import needs, require_fresh
from server.console.pages import frame_for, page
from server.store.database import Tx, reading, writing
from server.store.me import Me


@post("/console/people/{staff:str}/pair", guards=[needs("people")], status_code=303)
async def make_code(request: Request[Any, Any, Any], staff: FromPath[str]) -> Redirect:
    """For whoever needs a second factor, only by whoever has just shown theirs: it lets a phone in without."""
    me: Me = request.state.me
    if await reading(needs_a_factor, me, staff):
        require_fresh(request)
    return Redirect(f"/console/people/{staff}/pair/{await writing(new_code, me, staff)}", status_code=303)


@get("/console/people/{staff:str}/pair/{code:str}", guards=[needs("people")])
async def show_code(request: Request[Any, Any, Any], staff: FromPath[str], code: FromPath[str]) -> Response[str]:
    me: Me = request.state.me
    found = await reading(code_of, me, staff, code)
    said = await writing(told, request, me, found) if found.waits else None
    typed_at = page_of(request.app.state.settings, request.headers.get("host", "")).partition("://")[2]
    return page(await frame_for(me), request, "pairing.html", code=found, square=square(said) if said else None, typed_at=typed_at)


async def told(tx: Tx, request: Request[Any, Any, Any], me: Me, code: Code) -> str:
    return await address(tx, me, code, request.app.state.settings, request.headers.get("host", ""))


def square(said: str, title: str = "The code for the phone") -> Markup:
    """Drawn here, without a style or a script in it: our browsers are told to refuse both."""
    drawn = segno.make(said, error="l", micro=False)
    return Markup(drawn.svg_inline(svgclass="qr", lineclass=None, omitsize=True, light="#fff", title=title))


routes = [make_code, show_code]
