"""The doors by which every request comes in and every answer goes out: who is there, whose page asked, what browsers must not do."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from server.access.cookies import session_cookie
from server.access.sessions import NOBODY, find, opens_the_desk
from server.refusals import ForeignPage, NotFound, SetUpFactor
from server.settings import Settings

PROTOCOL = "1"
LIVE = "/api/live"
OWN = ("/console/own", "/console/sign-", "/console/look", "/console/static/", "/api/passkeys", "/api/session", "/api/here", LIVE)
LONGEST_PATH = 250  # none of ours is longer
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CONTENT_SECURITY = "; ".join((
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob:", "connect-src 'self'", "font-src 'self'",
    "manifest-src 'self'", "worker-src 'self'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
    "require-trusted-types-for 'script'", "trusted-types ",
))  # fmt: skip
NO_POLICY, ONE_POLICY = CONTENT_SECURITY + "'none'", CONTENT_SECURITY + "lanyard"  # the phone's own, for the address of its worker
EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Lanyard-Protocol": PROTOCOL,
}
HTTPS_ONLY = "max-age=63072000; includeSubDomains"

log = logging.getLogger("lanyard.doors")


class FrontDoor:
    """Middleware: turns foreign pages away, and says in `request.state` who is there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["state"]["began"] = time.perf_counter()
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        settings: Settings = scope["litestar_app"].state.settings
        path = scope["path"]
        if "\0" in path or b"%00" in scope["query_string"] or len(path) > LONGEST_PATH:
            raise NotFound  # no database takes a NUL, no file system a name without end
        if path.startswith("/api/") or scope["method"] not in SAFE:
            turn_foreign_pages_away(connection, settings)
        token = connection.cookies.get(session_cookie(settings))
        at_desk = path.startswith("/console")
        by_itself = path == LIVE or connection.headers.get("x-lanyard-live") == "1"  # a page that keeps itself up to date
        found = await find(token, in_use=not by_itself) if token and (at_desk or path.startswith("/api/")) else NOBODY
        if at_desk and not opens_the_desk(found):
            found = NOBODY
        if found.me is not None and connection.headers.get("lanyard-phone", found.me.phone) != found.me.phone:
            found = NOBODY  # a tab that was left open for somebody else
        scope["state"].update(me=found.me, off=found.off, signed_in_at=found.signed_in_at, token=token, opens=found.opens)
        if found.opens == "own" and not path.startswith(OWN):
            raise SetUpFactor
        await self.app(scope, receive, send)


def turn_foreign_pages_away(connection: ASGIConnection[Any, Any, Any, Any], settings: Settings) -> None:
    """A browser says where a request comes from. Whoever says nothing is no browser, or sends a header no form can send.

    The desk's plain forms cannot send a header of their own, so from them the browser's word is wanted.
    """
    headers = connection.headers
    scope: Any = connection.scope
    safe, is_api = scope["method"] in SAFE, scope["path"].startswith("/api/")
    marked = headers.get("x-lanyard") == "1"
    match headers.get("sec-fetch-site"), headers.get("origin"):
        case None, None:
            ours = marked or safe
        case None, str(origin):
            ours = origin in settings.origins or origin.partition("://")[2] == headers.get("host")
        case "none", _:
            ours = safe  # typed into the address bar
        case site, _:
            ours = site == "same-origin"
    if not ours or (is_api and not safe and not marked):
        raise ForeignPage


# ── On the way out ─────────────────────────────────────────────────────────────────────────


def on_the_way_out(settings: Settings) -> Callable[[Message, Scope], Awaitable[None]]:
    """Every answer, whoever made it, gets our headers and one line in the log: ids and counts, never what was asked or said."""

    async def dress(message: Message, scope: Any) -> None:
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders(message)
        for name, value in EVERYWHERE.items():
            headers[name] = value
        ours = scope["path"].startswith(("/api", "/console", "/schema"))
        headers["Content-Security-Policy"] = NO_POLICY if ours else ONE_POLICY
        if settings.secure:
            headers["Strict-Transport-Security"] = HTTPS_ONLY
        if ours or message["status"] >= 400:
            headers.setdefault("Cache-Control", "no-store")
        headers["X-Request-Id"] = request_id(scope)
        write_down(scope, message["status"], headers.get("content-length", "-"))

    return dress


def request_id(scope: Any) -> str:
    id: str = scope["state"].setdefault("id", secrets.token_hex(8))
    return id


def write_down(scope: Any, status: int, size: str) -> None:
    me = scope["state"].get("me")
    took_ms = (time.perf_counter() - scope["state"].get("began", time.perf_counter())) * 1000
    log.info(
        "%s %s %s %s %s bytes %.0f ms %s",
        request_id(scope), scope["method"], scope.get("path_template", "-"), status, size, took_ms, me.staff if me else "-",
    )  # fmt: skip
