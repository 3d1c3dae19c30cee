"""A push service that has gone, asks for patience, is slow or lures; an address that was never one. Said in words; nobody else waits."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from server.push import delivery, posting, second
from server.push.alerts import alert, told_of
from server.push.delivery import Delivery
from server.push.endpoints import LONGEST, NotPublic, PublicOnly, is_public, origin_of
from server.push.keys import new_push_key
from server.push.posting import Post, stand_in_of, understood
from server.settings import Settings
from server.store.database import reading, writing
from tests.push.ringing import Handset, deliver, standing_in
from tests.push.service import MOZILLA, PushService, Trick
from tests.school import SECOND, School

New = Callable[..., Awaitable[Handset]]


async def ring(staff: str = "ben", topic: str = "call/1", ttl_s: int = 7200) -> str:
    return await writing(lambda tx: alert(tx, "northgate", staff, "call", opens="/call/1", topic=topic, ttl_s=ttl_s))


async def told(topic: str = "call/1") -> Any:
    return (await reading(told_of, "northgate", topic))[-1]


# ── What a push service answers ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_has_gone_is_retired_and_why_is_said(
    school: School, handset: New, service: PushService, status: int
) -> None:
    ben = await handset("ben")
    service.tricks.append(Trick(status))
    await ring()
    await deliver(school, service)
    card = await ben.card()
    assert card["endpoint"] is None
    assert card["why"] == "its browser has ended the subscription"
    assert (await told()).failed == card["why"]
    await ring(topic="call/2")
    await deliver(school, service)
    assert len(service.asked) == 1
    assert (await told("call/2")).phone is None


async def test_a_phone_that_comes_back_by_an_address_that_has_gone_is_told_to_make_another_and_gets_what_waited(
    school: School, handset: New, service: PushService
) -> None:
    ben = await handset("ben")
    service.of(ben.endpoint).gone = True
    await ring()
    await deliver(school, service)
    assert (await ben.tell()).json()["endpoint"] is None
    await ben.subscribe()
    await ring(topic="call/2")
    await deliver(school, service)
    await deliver(school, service)  # one at a time
    assert [said["data"]["alert"] for said in ben.shown()] == [(await told()).alert, (await told("call/2")).alert]
    assert (await told()).failed is None


async def test_a_phone_that_came_back_while_its_old_address_was_still_asked_gets_what_was_on_its_way(
    school: School, handset: New, service: PushService
) -> None:
    ben = await handset("ben")
    service.of(ben.endpoint).gone = True
    loop = Delivery(standing_in(school.settings, service))
    await ring()
    await loop.turn()
    await ben.subscribe()
    await loop.finish()
    await loop.post.close()
    assert (await ben.card())["endpoint"] == ben.endpoint  # it was the old one that has gone
    await deliver(school, service)
    assert len(ben.pushes()) == 1


async def test_what_waits_for_a_phone_that_has_gone_and_does_not_come_back_is_over_in_its_time(
    school: School, handset: New, service: PushService
) -> None:
    ben = await handset("ben")
    service.of(ben.endpoint).gone = True
    await ring(ttl_s=60)
    await deliver(school, service)
    assert await school.rows("select waiting from delivery") == [{"waiting": True}]
    school.now += 61 * SECOND
    await deliver(school, service)
    assert await school.rows("select waiting from delivery") == [{"waiting": False}]
    assert "ended" in (await told()).failed
    await ben.subscribe()
    await deliver(school, service)
    assert ben.pushes() == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_signature_that_is_not_taken_is_said_and_tried_again_and_costs_nobody_their_subscription(
    school: School, handset: New, service: PushService, status: int
) -> None:
    ben = await handset("ben")
    service.tricks.append(Trick(status))
    await ring()
    await deliver(school, service)
    assert (await ben.card())["endpoint"] == ben.endpoint
    assert "signature" in (await told()).failed
    await deliver(school, service)
    assert len(service.asked) == 1
    school.now += delivery.BACK_OFF_S[0] * SECOND
    await deliver(school, service)
    assert len(ben.pushes()) == 1


@pytest.mark.parametrize("taken_between", [True, False])
async def test_a_subscription_that_took_no_signature_for_a_day_is_retired(
    school: School, handset: New, service: PushService, taken_between: bool
) -> None:
    ben = await handset("ben")
    service.tricks.append(Trick(403))
    await ring(ttl_s=60)
    await deliver(school, service)
    school.now += delivery.REFUSED_FOR - SECOND
    service.tricks.append(Trick(201 if taken_between else 403))
    await ring(topic="call/2", ttl_s=60)
    await deliver(school, service)
    assert (await ben.card())["endpoint"] == ben.endpoint
    school.now += 61 * SECOND
    service.tricks.append(Trick(403))
    await ring(topic="call/3")
    await deliver(school, service)
    assert (await ben.card())["endpoint"] == (ben.endpoint if taken_between else None)
    assert taken_between or "signature" in (await ben.card())["why"]


async def test_a_subscription_under_an_old_key_that_is_not_taken_is_retired_at_once_and_a_new_one_gets_what_waited(
    school: School, handset: New, service: PushService
) -> None:
    ben = await handset("ben")
    await writing(new_push_key)
    service.tricks.append(Trick(403))
    await ring()
    await deliver(school, service)
    assert (await ben.card())["endpoint"] is None
    await ben.subscribe()
    await deliver(school, service)
    assert len(ben.pushes()) == 1


@pytest.mark.parametrize(("status", "after"), [(429, "600"), (503, "600"), (500, None), (502, "nonsense")])
async def test_what_is_told_to_wait_waits_as_long_and_is_kept(
    school: School, handset: New, service: PushService, status: int, after: str | None
) -> None:
    ben = await handset("ben")
    wait_s = int(after) if after == "600" else delivery.BACK_OFF_S[0]
    service.tricks.append(Trick(status, {"Retry-After": after} if after else {}))
    await ring()
    await deliver(school, service)
    assert (await told()).handed_at is None
    assert str(status) in (await told()).failed or "trouble" in (await told()).failed
    school.now += (wait_s - 1) * SECOND
    await deliver(school, service)
    assert len(service.asked) == 1  # it has not been asked again
    school.now += 2 * SECOND
    await deliver(school, service)
    assert len(ben.pushes()) == 1
    assert ((await told()).handed_at, (await told()).failed) == (school.now, None)


async def test_each_failure_in_a_row_waits_longer_and_a_good_one_forgets_them(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    await ring()
    for pause_s in delivery.BACK_OFF_S:
        service.tricks.append(Trick(500))
        await deliver(school, service)
        assert await school.rows("select rests_until from subscription") == [{"rests_until": school.now + pause_s * SECOND}]
        school.now += pause_s * SECOND
    await deliver(school, service)
    assert len(ben.pushes()) == 1
    assert await school.rows("select rests_until, failures from subscription") == [{"rests_until": 0, "failures": 0}]


async def test_what_is_over_is_said_and_rings_nobody(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    service.tricks += [Trick(500), Trick(413)]
    await ring(ttl_s=60)
    await deliver(school, service)
    school.now += 61 * SECOND
    await deliver(school, service)
    assert "trouble" in (await told()).failed
    await ring(topic="call/2")
    await deliver(school, service)
    assert (await told("call/2")).failed == "its push service finds it too long"
    school.now += 600 * SECOND
    await deliver(school, service)
    assert ben.pushes() == []


def test_an_answer_that_no_push_service_gives_is_understood_all_the_same() -> None:
    assert all(
        understood(status, after) for status in range(100, 600) for after in (None, "", "-5", "1e9", "Wed, 21 Oct 2026 07:28:00 GMT")
    )
    assert understood(429, "999999").wait_s == posting.LONGEST_WAIT_S
    assert understood(429, "-5").wait_s is None


# ── Slow, endless, luring ──────────────────────────────────────────────────────────────────


@pytest.fixture
def impatient() -> Iterator[None]:
    with mock.patch.object(posting, "PATIENCE_S", 1.0):
        yield


@pytest.mark.usefixtures("impatient")
async def test_one_that_never_answers_holds_up_no_other(school: School, handset: New, service: PushService) -> None:
    slow, quick = await handset("ben"), await handset("olu")
    service.tricks += [Trick(after_s=30, subscription=slow.path)]
    loop = Delivery(standing_in(school.settings, service))
    await ring()
    await ring("olu", "call/2")
    await loop.turn()
    await asyncio.wait(loop.out, return_when=asyncio.FIRST_COMPLETED)
    assert len(quick.pushes()) == 1
    assert [parcel.phone for task, parcel in loop.out.items() if not task.done()] == ["ben-phone"]
    await ring("olu", "call/3")
    await loop.turn()
    await asyncio.wait(loop.out, return_when=asyncio.FIRST_COMPLETED)
    assert len(quick.pushes()) == 2
    assert "ben-phone" in {parcel.phone for task, parcel in loop.out.items() if not task.done()}
    await loop.finish()
    await loop.post.close()
    assert "did not answer within" in (await told()).failed


@pytest.mark.usefixtures("impatient")
async def test_an_answer_without_end_is_not_read(school: School, handset: New, service: PushService) -> None:
    await handset("ben")
    service.tricks.append(Trick(endless=True))
    await ring()
    await deliver(school, service)
    assert (await told()).handed_at == school.now  # its status was enough


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_followed_anywhere(school: School, handset: New, service: PushService, status: int) -> None:
    await handset("ben")
    canary = service.new(None)
    service.tricks.append(Trick(status, {"Location": service.address + canary.removeprefix(MOZILLA)}))
    await ring()
    await deliver(school, service)
    assert [answered for _, answered in service.asked] == [status]
    assert f"points somewhere else ({status})" in (await told()).failed


# ── The address itself ─────────────────────────────────────────────────────────────────────

GOOD = [
    "https://fcm.googleapis.com/fcm/send/dE7:APA91b-x_y",
    "https://jmt17.google.com/fcm/send/abc",
    "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
    "https://web.push.apple.com/QGuQyavXutnMH",
    "https://wns2-par02p.notify.windows.com/w/?token=BQYAAABh%2fs%3d",
]
HOSTILE = [
    "", "https://", "fcm.googleapis.com/x", "http://fcm.googleapis.com/x", "ftp://fcm.googleapis.com/x", "file:///etc/passwd",
    "https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://2130706433/x", "https://0x7f.1/x", "https://169.254.169.254/latest",
    "https://10.0.0.1/x", "https://[::ffff:127.0.0.1]/x", "https://example.org/x", "https://fcm.googleapis.com.evil.org/x",
    "https://evil-fcm.googleapis.com.org/x", "https://push.apple.com.evil/x", "https://evilpush.apple.com/x", "https://push.apple.com/x",
    "https://evil.org/https://fcm.googleapis.com/x", "https://user@fcm.googleapis.com/x", "https://fcm.googleapis.com@evil.org/x",
    "https://fcm.googleapis.com:8080/x", "https://fcm.googleapis.com:443/x", "https://fcm.googleapis.com./x", "https://FCM.googleapis.com/x",
    "https://fcm.googleapis.com\\@evil.org/x", "https://fcm.googleapis.com#@evil.org/x", "https://fcm.googleapis.com?@evil.org/x",
    "https://fcm.googleapis.com/x#y", "https://fcm.googleapis.com/x y", "https://fcm.googleapis.com/x\r\nHost: evil.org", "https://fcm.googleapis.com",
    "https://fcm.googleapis.com/é", "https://ﬁcm.googleapis.com/x", "https://xn--fcm-evil.googleapis.com/x", "https://fcm。googleapis。com/x",
    "https://fcm.googleapis.com%2eevil.org/x", "https://..notify.windows.com/x", "https://.notify.windows.com/x", " https://fcm.googleapis.com/x",
    "https://fcm.googleapis.com/x\0", "https://fcm.googleapis.com/" + "x" * LONGEST, "//fcm.googleapis.com/x", "https:fcm.googleapis.com/x",
    "https:///fcm.googleapis.com/x", "https://fcm.googleapis.com\t/x", "javascript:alert(1)", "https://metadata.google.internal/x",
]  # fmt: skip


def test_only_the_push_services_that_we_know_are_asked() -> None:
    assert all(origin_of(address) for address in GOOD)
    assert [address for address in HOSTILE if origin_of(address)] == []
    assert len(HOSTILE) > 45


async def test_a_hostile_address_is_refused_in_words_and_never_asked(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    for address in HOSTILE:
        answer = await ben.tell(endpoint=address)
        assert answer.status_code in (400, 403), address
        assert answer.json()["words"].startswith(("The school does not know the service", "The school could not read")), address
    assert (await ben.card())["endpoint"] == ben.endpoint
    for address in HOSTILE[:8]:  # nor where one came to lie in the database by another way
        await school.do("update subscription set endpoint = $1, retired_at = null", address)
        await ring(topic=f"call/{address[-3:]}")
        await deliver(school, service)
    assert service.asked == []


PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1",
    "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1",
    "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe", "nonsense",
]  # fmt: skip


def test_every_private_and_special_address_is_told_from_a_public_one() -> None:
    assert [address for address in PRIVATE if is_public(address)] == []
    assert all(map(is_public, ("142.250.187.202", "2a00:1450:4009:81f::200a", "64:ff9b::8efa:bbca", "::ffff:142.250.187.202")))


class Names:
    """What names of push services lead to: something else each time. Those of the test's own database are none of its business."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0
        self.others = asyncio.get_running_loop().getaddrinfo

    async def getaddrinfo(self, host: str, port: int, **how: Any) -> list[Any]:
        if "." not in host or host == "127.0.0.1":
            return await self.others(host, port, **how)
        self.asked += 1
        found = self.answers.pop(0)
        return [(10 if ":" in address else 2, 1, 6, "", (address, port)) for address in found]


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.0.0.7"], ["142.250.187.202", "192.168.0.4"], ["::1"], []])
async def test_a_known_name_that_leads_into_a_private_network_is_not_asked(
    school: School, handset: New, service: PushService, addresses: list[str]
) -> None:
    """As a school's own names may, or somebody who has poisoned them. With no stand-in: the way that a school's alerts go."""
    ben = await handset("ben")
    await ring()
    loop, names = asyncio.get_running_loop(), Names(addresses)
    with mock.patch.object(loop, "getaddrinfo", names.getaddrinfo), mock.patch("aiohappyeyeballs.start_connection") as connected:
        await delivery.deliver_all(school.settings)
        assert connected.call_args_list == []
    assert names.asked == 1
    assert "private network: nothing was sent" in (await told()).failed
    assert (await ben.card())["endpoint"] == ben.endpoint  # kept: tomorrow the name may be right again


async def test_a_name_that_leads_elsewhere_the_second_time_is_asked_once_and_what_was_looked_at_is_connected_to(
    school: School, handset: New
) -> None:
    await handset("ben")
    await ring()
    names, tried = Names(["142.250.187.202"], ["127.0.0.1"]), []

    async def connect(*_: Any, addr_infos: list[Any], **__: Any) -> None:
        tried.extend(address[:2] for *_, address in addr_infos)
        raise OSError

    with (
        mock.patch.object(asyncio.get_running_loop(), "getaddrinfo", names.getaddrinfo),
        mock.patch("aiohappyeyeballs.start_connection", connect),
    ):
        await delivery.deliver_all(school.settings)
        assert (tried, names.asked) == ([("142.250.187.202", 443)], 1)
        assert (await told()).failed == "its push service could not be reached"
        with pytest.raises(NotPublic):
            await PublicOnly().resolve("fcm.googleapis.com", 443)


async def test_no_proxy_no_cookie_and_nothing_else_that_lies_about_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    post = Post(Settings())
    assert not post.session.trust_env
    assert isinstance(post.session.connector._resolver, PublicOnly)  # type: ignore[union-attr]
    await post.close()


@pytest.mark.parametrize("address", ["http://192.168.0.1:80", "https://127.0.0.1", "http://127.0.0.1.evil.org", "http://evil.org"])
def test_a_stand_in_is_on_this_machine_or_the_server_does_not_start(address: str) -> None:
    with pytest.raises(ValueError, match="LANYARD_PUSH_STAND_IN"):
        stand_in_of(Settings(push_stand_in=address))


# ── When no phone shows it ─────────────────────────────────────────────────────────────────


async def test_what_no_phone_has_shown_in_time_goes_to_the_second_channel_once(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    told_by_it: list[str] = []

    class Pager:
        is_real = True

        async def tell(self, school: str, staff: str, alert: str, title: str, body: str) -> None:
            told_by_it.append(f"{staff}: {title}")
            raise OSError  # noted, and no more

    await ring()
    await ring("amira", "call/2")  # has no phone that can ring
    await ben.ask("POST", "/api/push/test", {})
    await deliver(school, service)
    (said,) = (one["data"] for one in ben.shown())
    await deliver(school, service)
    said = next(one["data"] for one in ben.shown() if one["data"]["opens"] == "/call/1")
    await school.door.post(f"/api/alerts/{said['alert']}", json={"token": said["token"], "what": "shown"})
    with mock.patch.object(second, "SECOND_CHANNEL", Pager()):
        for _ in range(3):
            school.now += 15 * SECOND
            await deliver(school, service)
    assert told_by_it == ["amira: On-call: place not given"]
