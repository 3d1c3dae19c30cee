"""A phone's worker says that it has shown an alert, or that somebody tapped it: by the alert's own token, for it may be locked."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, post
from litestar.params import FromPath, JSONBody

from server.push.alerts import note
from server.refusals import NotFound
from server.store.database import writing


class AlertNews(msgspec.Struct):
    token: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{10,60}(?!\n)$")]
    what: Literal["shown", "opened"]


@post("/api/alerts/{alert:str}", status_code=204)
async def note_alert(alert: FromPath[str], data: JSONBody[AlertNews], request: Request[Any, Any, Any]) -> None:
    """Safe to repeat: the first time counts."""
    if not await writing(note, alert, data.token, data.what):
        raise NotFound
