"""Whether the school can ring this phone: what its browser says at every open, a real test, and turning it off."""

from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import JSONBody

from server.access import base64url
from server.access.keys import point
from server.access.rights import signed_in
from server.api.passkeys import Nothing
from server.api.session import Point
from server.push import delivery, endpoints
from server.push.alerts import alert
from server.push.keys import key_in_use
from server.push.subscriptions import FORBIDDEN, Standing, Subscription, retire, standing_of, subscribe
from server.refusals import CannotRing, NotAPushService, TooMany, Unreadable
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now, to_wire

TEST_LASTS_S = 120
TESTS, TESTS_IN_S = 6, 60  # of one phone
SECRET_BYTES = 16


class TestCard(msgspec.Struct):
    """`sent_at`: its push service took it. `failed`: the last trouble with it, in words."""

    id: str
    asked_at: str
    sent_at: str | None
    shown_at: str | None
    opened_at: str | None
    failed: str | None


class PushCard(msgspec.Struct):
    """`key`: what a browser is to subscribe under. `endpoint`: where the school rings this phone; null: it cannot, and perhaps `why`."""

    key: str
    endpoint: str | None
    why: str | None
    test: TestCard | None


class SubscriptionCard(msgspec.Struct):
    """As the browser gives it. `key`: under which it was made."""

    endpoint: Annotated[str, msgspec.Meta(max_length=4000)]
    public: Point
    secret: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_-]{21}[AQgw](?!\n)$")]
    key: Point


@get("/api/push", guards=[signed_in])
async def tell_standing(request: Request[Any, Any, Any]) -> PushCard:
    return await card_for(request.state.me)


@put("/api/push", guards=[signed_in])
async def keep_subscription(data: JSONBody[SubscriptionCard], request: Request[Any, Any, Any]) -> PushCard:
    """Safe to repeat. Where `key` in the answer is another than was said, nothing was kept: subscribe under that one."""
    if endpoints.origin_of(data.endpoint) is None:
        raise NotAPushService
    if point(data.public) is None or len(base64url.read(data.secret) or b"") != SECRET_BYTES:
        raise Unreadable(where="keys")
    its = Subscription(data.endpoint, data.public, data.secret, data.key)
    if await writing(subscribe, request.state.me, its):
        delivery.look_soon()  # something may have waited for it
    return await card_for(request.state.me)


@delete("/api/push", status_code=204, guards=[signed_in])
async def turn_off(request: Request[Any, Any, Any]) -> None:
    """Safe to repeat."""
    me: Me = request.state.me
    await writing(retire, me.school, me.phone, FORBIDDEN)


@post("/api/push/test", status_code=200, guards=[signed_in])
async def ask_for_test(data: JSONBody[Nothing], request: Request[Any, Any, Any]) -> PushCard:
    """A real one, by the same way as any other."""
    await writing(make_test, request.state.me)
    delivery.look_soon()
    return await card_for(request.state.me)


async def make_test(tx: Tx, me: Me) -> None:
    if (await standing_of(tx, me)).endpoint is None:
        raise CannotRing
    topic, since = f"test/{me.phone}", now() - TESTS_IN_S * 1_000_000
    row = await tx.row("select count(*) from alert where school = $1 and topic = $2 and made_at > $3", me.school, topic, since)
    if row is not None and row[0] >= TESTS:
        raise TooMany(TESTS_IN_S)
    await alert(tx, me.school, me.staff, "test", opens="/this-phone", topic=topic, ttl_s=TEST_LASTS_S, phone=me.phone)


async def card_for(me: Me) -> PushCard:
    _, key = await key_in_use()
    standing = await reading(standing_of, me)
    return PushCard(key, standing.endpoint, standing.why, test_card(standing))


def test_card(standing: Standing) -> TestCard | None:
    if standing.test is None:
        return None
    sent, shown, opened = (None if at is None else to_wire(at) for at in (standing.sent_at, standing.shown_at, standing.opened_at))
    return TestCard(standing.test, to_wire(standing.asked_at or 0), sent, shown, opened, standing.failed)
