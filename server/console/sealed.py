"""What came sealed and could not be opened: trying again, once a key has been put back or a phone has said its own."""

from typing import Any

from litestar import Request, post
from litestar.response import Redirect

from server.access.audit import looked
from server.access.rights import needs
from server.intake.tending import open_all, unopened_count
from server.store.database import reading, writing
from server.store.me import Me


@post("/console/held/sealed", guards=[needs("sealed")], status_code=303)
async def try_again(request: Request[Any, Any, Any]) -> Redirect:
    me: Me = request.state.me
    before = await reading(unopened_count, me.school)
    await open_all(me.school, again=True)
    opened = before - await reading(unopened_count, me.school)
    await writing(lambda tx: looked(tx, me, "try to open what is sealed", detail={"opened": opened, "of": before}))
    return Redirect(f"/console/held?done={'opened' if opened > 0 else 'still-sealed'}", status_code=303)


routes = [try_again]
