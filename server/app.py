"""Joins everything up: the phone's own files at /, JSON at /api, the desk at /console, and one place where a refusal becomes an answer."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException, MethodNotAllowedException

from server import api, console
from server.access.answers import Squeezed
from server.access.bodies import BoundedBodies, StrictRequest
from server.access.chain import link_every_school
from server.access.doors import FrontDoor, on_the_way_out, request_id
from server.access.keys import unlock
from server.api.description import describe_api
from server.api.live import Hub
from server.api.shell import phone_app
from server.intake import tending
from server.logs import places_of
from server.morning import evening
from server.oncall import forgetting, steps
from server.push import delivery
from server.push.alerts import forget_old_alerts
from server.refusals import OUR_FAULT, NotAllowed, NotFound, NotJson, NotThatWay, Refusal, SignIn, TooLarge, Unreadable
from server.settings import Settings
from server.store.database import close_database, open_database

EVERY_S = 900  # what looks after itself

log = logging.getLogger("lanyard.app")


def create_app(settings: Settings) -> Litestar:
    """The whole server. Its lifespan opens and closes the database; whoever runs it without one has opened it already."""
    unlock(settings)
    routes: list[Any] = [*api.routes, *console.routes, *([describe_api] if settings.show_schema else []), phone_app(settings)]
    return Litestar(
        route_handlers=routes,
        request_class=StrictRequest,
        middleware=[FrontDoor, BoundedBodies, Squeezed],
        before_send=[on_the_way_out(settings)],
        exception_handlers={Refusal: refuse, HTTPException: refuse_in_our_words, Exception: own_up},
        lifespan=[with_database],
        state=State({"settings": settings, "hub": Hub()}),
        openapi_config=None,  # api/description.py says it
        logging_config=None,
        request_max_body_size=None,  # BoundedBodies sees to it
    )


@contextlib.asynccontextmanager
async def with_database(app: Litestar) -> AsyncIterator[None]:
    await open_database(app.state.settings)
    tasks = [
        asyncio.create_task(again_and_again(*works))
        for works in (
            (tending.tend, tending.begin),
            (link_every_school,),
            (steps.forget_taken,),
            (forgetting.watch_nights,),
            (evening.watch_evenings,),
            (forget_old_alerts,),
        )
    ]
    tasks.append(asyncio.create_task(steps.run(delivery.look_soon)))
    tasks.append(asyncio.create_task(delivery.Delivery(app.state.settings).run()))
    try:
        yield
    finally:
        app.state.hub.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await close_database()


async def again_and_again(work: Callable[[], Awaitable[None]], first: Callable[[], Awaitable[None]] | None = None) -> None:
    """At the start (there may be more to do), and then every quarter of an hour. Whatever goes wrong is noted, and tried again."""
    due = first or work
    while True:
        try:
            await due()
            due = work
        except Exception as error:
            log.warning("%s did not end well (%s); trying again", work.__name__, type(error).__name__)
        await asyncio.sleep(EVERY_S)


# ── Saying no ──────────────────────────────────────────────────────────────────────────────


def refuse(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    if at_the_desk(request):
        answer = console.refused(request, refusal)
    else:
        answer = Response(refusal.as_json(), status_code=refusal.status, headers=dict(refusal.headers))
    if isinstance(refusal, TooLarge):
        answer.headers["Connection"] = "close"  # the rest of the body is not waited for
    return answer


def at_the_desk(request: Request[Any, Any, Any]) -> bool:
    return request.url.path.startswith("/console")


def refuse_in_our_words(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework noticed: nothing at this address, not by this method, a parameter that is not one."""
    if error.status_code >= 500:
        return own_up(request, error)
    answer = refuse(request, IN_OUR_WORDS.get(error.status_code, Unreadable()))
    if isinstance(error, MethodNotAllowedException):
        answer.headers.update(error.headers or {})
    return answer


IN_OUR_WORDS: dict[int, Refusal] = {401: SignIn(), 403: NotAllowed(), 404: NotFound(), 405: NotThatWay(), 415: NotJson()}


def own_up(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our fault."""
    log.error("%s %s%s", request_id(request.scope), type(error).__qualname__, places_of(error.__traceback__))
    return console.refused(request, None) if at_the_desk(request) else Response(OUR_FAULT, status_code=500)
