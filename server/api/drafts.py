"""Recovered drafts: what I was still typing on a phone that I can no longer open."""

from typing import Any

from litestar import Request, Response, delete, get
from litestar.params import FromPath

from server.access.rights import signed_in
from server.intake import drafts
from server.intake.drafts import Recovered
from server.store.database import writing


@get("/api/drafts", guards=[signed_in])
async def list_drafts(request: Request[Any, Any, Any]) -> list[Recovered]:
    return await writing(drafts.recovered, request.state.me)


@delete("/api/drafts/{draft:str}", guards=[signed_in])
async def forget_draft(request: Request[Any, Any, Any], draft: FromPath[str]) -> Response[None]:
    """Safe to repeat."""
    await writing(drafts.forget, request.state.me, draft)
    return Response(None, status_code=204)
