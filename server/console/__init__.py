"""The manager's door: pages for a desk, drawn on the server. One small file a page."""

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from server.console import (
    alerts,
    change,
    close,
    copies,
    decide,
    emergency,
    hand_off,
    held,
    lifting,
    lists,
    looking,
    lost,
    matching,
    morning,
    oncall,
    oncall_rota,
    openings,
    own,
    pairing,
    patterns,
    people,
    pupil,
    record,
    review,
    safety,
    sealed,
    sign_in,
    sweeps,
    undo,
    visits,
    week,
    year,
)
from server.console.pages import STATIC, STATIC_PATH, refused

KEPT_FOR_GOOD = CacheControlHeader(max_age=365 * 24 * 3600, public=True, immutable=True)  # their address changes with them

PAGES = (
    sign_in,
    review,
    record,
    change,
    close,
    decide,
    undo,
    held,
    sealed,
    copies,
    pupil,
    emergency,
    openings,
    looking,
    week,
    lifting,
    lists,
    year,
    own,
    people,
    lost,
    pairing,
    safety,
    alerts,
    patterns,
    oncall_rota,
    oncall,
    sweeps,
    hand_off,
    matching,
    visits,
    morning,
)

routes = [
    Router("/", route_handlers=[handler for page in PAGES for handler in page.routes], include_in_schema=False),
    create_static_files_router(STATIC_PATH, [STATIC], cache_control=KEPT_FOR_GOOD, include_in_schema=False),
]

__all__ = ["refused", "routes"]
