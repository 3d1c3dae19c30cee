"""The exchange: a phone's edits in, what it has not seen out. What it says and answers stands in sync/PROTOCOL.md."""

from typing import Any

from litestar import Request, Response, post

from server.access.audit import looked
from server.access.bodies import json_bytes
from server.access.grants import grant_in, sender
from server.access.rights import require_sign_in
from server.oncall.steps import look_soon
from server.store.database import Tx, writing, writing_together
from server.store.me import Me
from server.store.moments import now
from server.sync.exchange import answer, exchange
from server.sync.letter import Letter, read_letter
from server.sync.wire import Answer, encode


@post("/api/sync", status_code=200)
async def take_letter(request: Request[Any, Any, Any]) -> Response[bytes]:
    received_at = now()
    me, sending_only = await who_writes(request)
    letter = read_letter(await json_bytes(request))
    if letter.edits or letter.nameless:
        said = await writing_together(me.school, exchange_and_note, letter, me, received_at, sending_only)
        request.app.state.hub.look_soon()
        look_soon()  # a call for help may have come
    else:
        said = await answer(letter, me, received_at, sending_only=sending_only)
        if said.records:
            await writing(note_what_was_sent, me, said)
    return Response(encode(said), media_type="application/json")


async def exchange_and_note(tx: Tx, letter: Letter, me: Me, received_at: int, sending_only: bool) -> Answer:
    said = await exchange(tx, letter, me, received_at, sending_only=sending_only)
    await note_what_was_sent(tx, me, said)
    return said


async def note_what_was_sent(tx: Tx, me: Me, said: Answer) -> None:
    """What a phone holds is as good as read: if it is lost, this says whose records were on it. One's own words alone are no news."""
    others = [record.id for record in said.records if record.author != me.staff or record.edits > 1]
    if others:
        await looked(tx, me, "records to phone", detail={"records": others})


async def who_writes(request: Request[Any, Any, Any]) -> tuple[Me, bool]:
    """Whoever is signed in; or whose grant it comes under, and then they are only sending."""
    grant = grant_in(request)
    if grant is None:
        return require_sign_in(request), False
    return await sender(grant), True
