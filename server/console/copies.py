"""Taking in a copy: the file in which a phone saved what waits. First what is in it, in numbers; then, if that looks right, all of it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from server.access.rights import needs
from server.console.pages import frame_for, page
from server.intake.copies import BYTES_LIMIT, NO_COPY, bring, show, take
from server.refusals import Protocol, TooLarge, Unreadable

ROUND_IT = 10_000  # bytes that a form puts round the file it carries

CHOOSE = "Choose the file first"
TOO_LARGE = f"No phone saves a file of more than {BYTES_LIMIT // 1_000_000} MB. Nothing was taken in. Keep the file."
NEWER = "This copy was saved by a newer app than this server knows. Bring the server up to date first, and keep the file."


@get("/console/copies", guards=[needs("copies")])
async def choose_copy(request: Request[Any, Any, Any]) -> Response[str]:
    return await ask(request)


@post("/console/copies", guards=[needs("copies")], status_code=303, opt={"largest": BYTES_LIMIT + ROUND_IT})
async def bring_copy(request: Request[Any, Any, Any]) -> Response[Any]:
    body = await file_in(request)
    if not body:
        return await ask(request, CHOOSE)
    try:
        return Redirect(f"/console/copies/{await bring(request.state.me, body)}", status_code=303)
    except TooLarge as why:
        return await ask(request, TOO_LARGE if why.details["of"] == "bytes" else NO_COPY)
    except Protocol:
        return await ask(request, NEWER)
    except Unreadable as why:
        return await ask(request, why.said)


async def file_in(request: Request[Any, Any, Any]) -> bytes:
    if request.content_type[0] != "multipart/form-data":
        return b""
    try:
        form = await Request.form(request)  # our own reading of a form leaves files out: no other has one
    except (UnicodeError, LookupError):
        return b""
    file = form.get("copy")
    return await file.read() if isinstance(file, UploadFile) else b""


@get("/console/copies/{copy:str}", guards=[needs("copies")])
async def look_at_copy(request: Request[Any, Any, Any], copy: FromPath[str]) -> Response[str]:
    me = request.state.me
    return page(await frame_for(me), request, "copy.html", copy=await show(me, copy), problem="")


@post("/console/copies/{copy:str}", guards=[needs("copies")], status_code=303)
async def take_copy(request: Request[Any, Any, Any], copy: FromPath[str]) -> Redirect:
    await take(request.state.me, copy)
    request.app.state.hub.look_soon()
    return Redirect(f"/console/copies/{copy}", status_code=303)


async def ask(request: Request[Any, Any, Any], problem: str = "") -> Response[str]:
    return page(await frame_for(request.state.me), request, "copy.html", 400 if problem else 200, copy=None, problem=problem)


routes = [choose_copy, bring_copy, look_at_copy, take_copy]
