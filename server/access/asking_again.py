"""Asking somebody who is signed in for their password once more, before what only they themselves may do."""

from typing import Any

from litestar.connection import ASGIConnection

from server.access import factors
from server.access.cookies import device_cookie
from server.access.sign_in import confirm
from server.refusals import SignInAgain, WrongPair
from server.store.database import reading
from server.store.me import Me


async def be_sure(connection: ASGIConnection[Any, Any, Any, Any], password: str) -> None:
    """That it is they; and that whoever has a second factor has shown it. Raises SignInAgain, WrongPair, TooMany."""
    me: Me = connection.state.me
    if connection.state.opens != "all" and await reading(factors.ways_of, me.school, me.staff):
        raise SignInAgain
    try:
        await confirm(me, password, connection.cookies.get(device_cookie(connection.app.state.settings)))
    except WrongPair:
        raise WrongPair("That is not your password.") from None  # they are signed in: no name was asked for
