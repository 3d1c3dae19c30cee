"""A push service of this machine's own, and phones of the school that it rings."""

from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.push.ringing import Handset
from tests.push.service import PushService
from tests.school import School


@pytest.fixture
def service() -> Iterator[PushService]:
    with PushService() as opened:
        yield opened


@pytest.fixture
def handset(school: School, service: PushService) -> Callable[..., Awaitable[Handset]]:
    async def subscribed(staff: str) -> Handset:
        return await Handset(school, service, staff).subscribe()

    return subscribed
