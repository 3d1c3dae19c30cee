"""What each role may do beside reading and writing records, which the kinds decide."""

from collections.abc import Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from server.kinds.roles import Role
from server.refusals import NotAllowed, PhoneRevoked, SignIn, SignInAgain
from server.store.me import Me
from server.store.moments import now

RIGHTS: dict[str, frozenset[Role]] = {
    "contacts": frozenset({Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER}),  # whom to ring, and whom not
    "settle": frozenset({Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER}),  # decide what is held
    "patterns": frozenset({Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER}),
    "export": frozenset({Role.MANAGER, Role.DSL, Role.LEADER}),
    "lists": frozenset({Role.MANAGER, Role.ADMIN}),  # edit the school's own words
    "calls": frozenset({Role.RESPONDER, Role.MANAGER, Role.DSL, Role.LEADER}),  # see who is on duty, be called, see how calls went
    "visits": frozenset({Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER}),  # see who is out, and due back when
    "sweeps": frozenset(
        {Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER}
    ),  # which were, and whom they may see of them
    "hand_off": frozenset({Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER}),  # a sheet for another school, who somebody was
    "sweep_days": frozenset({Role.DSL, Role.LEADER}),  # say after how long whom nobody knew is forgotten
    "rota": frozenset({Role.MANAGER, Role.LEADER, Role.ADMIN}),  # say who is on call, and whom a call rings
    "morning": frozenset({Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER}),  # see and share out the families to ring
    "people": frozenset({Role.ADMIN}),  # staff, roles, passwords
    "phones": frozenset({Role.ADMIN, Role.MANAGER, Role.DSL}),  # switch a lost one off
    "warnings": frozenset({Role.DSL, Role.ADMIN}),  # lift “do not ring” and “address withheld”
    "access_log": frozenset({Role.DSL}),  # who looked at whom
    "openings": frozenset({Role.DSL, Role.ADMIN}),  # look into what was opened in an emergency
    "safety": frozenset({Role.ADMIN}),  # set what phones may hold, who may open in an emergency; make up a canary
    "sealed": frozenset({Role.ADMIN}),  # what came sealed and could not be opened
    "copies": frozenset({Role.ADMIN, Role.MANAGER}),  # take in what a phone had saved into a file
}


def may(me: Me, right: str) -> bool:
    return me.role in RIGHTS[right]


def rights_of(me: Me) -> list[str]:
    return [right for right in RIGHTS if may(me, right)]


Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def require_sign_in(connection: ASGIConnection[Any, Any, Any, Any]) -> Me:
    """Who asks. Raises SignIn, or PhoneRevoked where they were once."""
    if connection.state.off:
        raise PhoneRevoked
    me: Me | None = connection.state.me
    if me is None:
        raise SignIn
    return me


def signed_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """A guard for what anybody who is signed in may ask."""
    require_sign_in(connection)


FRESH_S = 15 * 60


def require_fresh(connection: ASGIConnection[Any, Any, Any, Any]) -> Me:
    """Who asks, if they have shown so lately. Raises SignInAgain."""
    me = require_sign_in(connection)
    if connection.state.signed_in_at < now() - FRESH_S * 1_000_000:
        raise SignInAgain
    return me


def needs(right: str) -> Guard:
    """A guard for what only some roles may ask."""
    RIGHTS[right]  # a right that is not in the table is a mistake to hear of at once

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if not may(require_sign_in(connection), right):
            raise NotAllowed

    return guard
