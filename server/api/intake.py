"""The sealed intake: it only ever takes in, and what it says it kept is stored. See sync/PROTOCOL.md."""

import logging
from typing import Any, Literal

import msgspec
from litestar import Request, post

from server.access.bodies import json_bytes
from server.access.grants import bearer_of, grant_in
from server.access.rights import require_sign_in
from server.intake import storing
from server.intake.crate import BYTES_LIMIT, read_crate
from server.intake.opening import open_sealed
from server.oncall.steps import look_soon
from server.store.database import writing
from server.store.moments import now, to_wire

log = logging.getLogger("lanyard.intake")


class Kept(msgspec.Struct):
    """`kept`: the ids of what is stored; not of what came of it. `unreadable`: which had no id to name; they are stored too.

    `revoked`: only where the phone was switched off, or its person has left: what it holds is to be forgotten.
    """

    kept: list[str]
    unreadable: list[int]
    now: str
    revoked: Literal[True] | msgspec.UnsetType = msgspec.UNSET


@post("/api/intake", status_code=200, opt={"largest": BYTES_LIMIT})
async def take_crate(request: Request[Any, Any, Any]) -> Kept:
    received_at, grant = now(), grant_in(request)
    if grant is None:
        require_sign_in(request)
    body = await json_bytes(request)
    bearer, crate = await bearer_of(grant or ""), read_crate(body)  # a session is no grant: what comes in must not hang on it
    kept = await writing(storing.keep, bearer, crate, received_at)
    hashes = kept.hashes(bearer.me.staff)
    try:
        await open_sealed(bearer.me.school, hashes)
    except Exception as error:  # it is stored, so it is said to be kept; what waits is opened later
        log.warning("%s sealed wait to be opened (%s)", len(hashes), type(error).__name__)
    request.app.state.hub.look_soon()
    look_soon()  # a call for help may have come
    return Kept(kept.ids, kept.nameless, to_wire(received_at), True if bearer.left or bearer.revoked else msgspec.UNSET)
