"""The desk's own door: signing in and out, and the switch for light, dark and high contrast."""

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from server.access import factors
from server.access.cookies import cookies_of, device_cookie, session_cookie, signed_out
from server.access.sign_in import Comer, sign_in, sign_in_second, sign_out
from server.access.tickets import is_good
from server.console.pages import LOOK_COOKIE, THEMES, TOLD_COOKIE, plain_page
from server.refusals import Refusal, SecondFactor
from server.settings import Settings

TOLD_WAITS_S = 300
LOOK_KEEPS_S = 400 * 24 * 3600


@get("/console")
async def desk() -> Redirect:
    return Redirect("/console/review", status_code=303)


@get("/console/sign-in")
async def door(request: Request[Any, Any, Any]) -> Response[Any]:
    onward = onward_from(request.query_params.get("next", ""))
    if request.state.me is not None and request.state.opens == "all" and request.query_params.get("again") != "yes":
        return Redirect(onward, status_code=303)
    return plain_page(request, "sign_in.html", onward=onward, problem="", typed="")


LONGEST_SHOWN = 20_000  # characters of what a passkey brings


@post("/console/sign-in", status_code=303)
async def come_in(request: Request[Any, Any, Any]) -> Response[Any]:
    settings: Settings = request.app.state.settings
    form = await request.form()
    ticket = str(form.get("ticket", ""))
    username, password, onward = (str(form.get(name, "")) for name in ("username", "password", "next"))
    try:
        comer = Comer(settings, None, request.cookies.get(device_cookie(settings)), request.cookies.get(session_cookie(settings)))
        if ticket:
            welcome = await sign_in_second(ticket, str(form["code"]) if "code" in form else None, passkey_in(form), comer)
        else:
            welcome = await sign_in(username, password, comer)
    except SecondFactor as more:
        return plain_page(request, "second_factor.html", 200, onward=onward_from(onward), asks=more.details, problem="")
    except Refusal as refusal:
        mistyped = "code" in form and await is_good(ticket, factors.PURPOSE)  # no need to give the password again
        answer = plain_page(
            request, "second_factor.html" if mistyped else "sign_in.html", refusal.status, onward=onward_from(onward),
            problem=refusal.said, typed=username[:200], asks={"ticket": ticket, "ways": ["code", "recovery"]},
        )  # fmt: skip
        answer.headers.update(refusal.headers)
        return answer
    told = Cookie(
        TOLD_COOKIE, value=quote(welcome.told or ""), max_age=TOLD_WAITS_S if welcome.told else 0, path="/console", httponly=True,
        secure=settings.secure, samesite="strict",
    )  # fmt: skip
    return Redirect(onward_from(onward), status_code=303, cookies=[*cookies_of(welcome, settings, on_phone=False), told])


@post("/console/sign-out", status_code=303)
async def go_out(request: Request[Any, Any, Any]) -> Redirect:
    if request.state.me is not None and request.state.token:
        await sign_out(request.state.me, request.state.token)
    return Redirect("/console/sign-in", status_code=303, cookies=signed_out(request.app.state.settings))


@post("/console/look", status_code=303)
async def look(request: Request[Any, Any, Any]) -> Redirect:
    form = await request.form()
    theme = form.get("theme", "") if form.get("theme") in THEMES else ""
    contrast = "more" if form.get("contrast") == "more" else ""
    chosen = Cookie(
        LOOK_COOKIE, value=f"{theme}.{contrast}", max_age=LOOK_KEEPS_S, path="/console", httponly=True,
        secure=request.app.state.settings.secure, samesite="strict",
    )  # fmt: skip
    return Redirect(onward_from(str(form.get("next", ""))), status_code=303, cookies=[chosen])


def passkey_in(form: Any) -> Any:
    """What the browser brought, as it lies in its box; anything else is no passkey."""
    try:
        return msgspec.json.decode(str(form.get("passkey", ""))[:LONGEST_SHOWN])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def onward_from(path: str) -> str:
    """Where to go next: only ever a page of the desk itself."""
    inside = path.startswith("/console/") and path.isprintable() and not any(odd in path for odd in ("\\", "//", "/sign-"))
    return path if inside else "/console/review"


routes = [desk, door, come_in, go_out, look]
