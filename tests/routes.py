"""Every address the server answers at, read off the app itself: what is tested for one is tested for all, also for those to come."""

import re
from typing import NamedTuple

from litestar import Litestar
from litestar.routes import HTTPRoute

SAFE = {"GET", "HEAD", "OPTIONS"}


class Door(NamedTuple):
    method: str
    template: str  # /console/record/{record}

    def path(self, **ids: str) -> str:
        """The address with its parameters filled in; `something` where nothing is given."""
        return re.sub(r"{(\w+)(:\w+)?}", lambda found: ids.get(found[1], "something"), self.template)

    @property
    def is_safe(self) -> bool:
        return self.method in SAFE


def doors(app: Litestar) -> list[Door]:
    found = {
        Door(method, route.path)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.route_handler_map
        if method != "OPTIONS"
    }
    return sorted(found)
