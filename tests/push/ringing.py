"""Phones that can ring, without a browser: subscribed through the phone's own door, and read as their browser would."""

from typing import Any

import httpx
import msgspec

from server.push.delivery import deliver_all
from server.settings import Settings
from tests.push.reading import Browser
from tests.push.service import MOZILLA, Push, PushService
from tests.school import School, signed_in


class Handset:
    def __init__(self, school: School, service: PushService, staff: str) -> None:
        self.school, self.service, self.staff = school, service, staff
        self.browser = Browser()
        self.endpoint = ""

    async def ask(self, method: str, path: str = "/api/push", json: Any = None) -> httpx.Response:
        return await self.school.door.request(method, path, json=json, headers=signed_in(self.school.sessions[self.staff]))

    async def card(self) -> Any:
        return (await self.ask("GET")).json()

    async def subscribe(self, at: str = MOZILLA) -> "Handset":
        key = (await self.card())["key"]
        self.endpoint = self.service.new(key, at)
        answer = await self.tell(key=key)
        assert answer.status_code == 200, answer.text
        assert answer.json()["endpoint"] == self.endpoint
        return self

    async def tell(self, **other: str) -> httpx.Response:
        """What it says at every open."""
        said = {"endpoint": self.endpoint, "public": self.browser.public, "secret": self.browser.secret}
        return await self.ask("PUT", json=said | {"key": (await self.card())["key"]} | other)

    @property
    def path(self) -> str:
        return "/" + self.endpoint.split("/", 3)[3]

    def pushes(self) -> list[Push]:
        return [push for push in self.service.pushes if push.subscription == self.path]

    def shown(self) -> list[Any]:
        return [self.browser.read(push.body)["notification"] for push in self.pushes()]


def standing_in(settings: Settings, service: PushService) -> Settings:
    return msgspec.structs.replace(settings, push_stand_in=service.address)


async def deliver(school: School, service: PushService) -> None:
    """One look of the loop, and all that it sends seen through."""
    await deliver_all(standing_in(school.settings, service))
