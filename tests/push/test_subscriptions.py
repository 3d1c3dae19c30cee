"""Which phones can ring: subscribed by their own person, renewed under a new key, and retired when they sign out or are switched off."""

from collections.abc import Awaitable, Callable

import pytest

from server.access import base64url, keys
from server.push.alerts import alert
from server.push.delivery import deliver_all
from server.push.keys import PUSH, contact_of, new_push_key
from server.settings import Settings
from server.store.database import writing
from tests.push.reading import Browser
from tests.push.ringing import Handset, deliver, standing_in
from tests.push.service import GOOGLE, PushService
from tests.school import SECOND, School, signed_in

New = Callable[..., Awaitable[Handset]]


async def ring(staff: str = "ben", topic: str = "call/1") -> str:
    return await writing(lambda tx: alert(tx, "northgate", staff, "call", opens="/call/1", topic=topic, ttl_s=600))


async def test_saying_it_again_at_every_open_changes_nothing_but_when_it_was_said(school: School, handset: New) -> None:
    ben = await handset("ben")
    began, before = school.now, await school.rows("select * from subscription")
    school.now += 60 * SECOND
    assert (await ben.tell()).json()["endpoint"] == ben.endpoint
    assert await school.rows("select * from subscription") == [before[0] | {"checked_at": began + 60 * SECOND}]


async def test_a_phone_that_is_set_up_while_a_call_is_open_rings_for_it_and_for_nothing_that_is_over(
    school: School, handset: New, service: PushService
) -> None:
    await ring(topic="call/over")
    await school.do("update alert set retired_at = 1")
    await ring("carol", topic="call/hers")
    await ring()
    ben = await handset("ben")
    await ben.tell()  # said again, it adds nothing
    await deliver(school, service)
    assert len(ben.shown()) == 1
    assert await school.rows("select count(*) as n from delivery") == [{"n": 1}]


async def test_a_real_test_tells_when_it_was_sent_and_shown(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    asked = (await ben.ask("POST", "/api/push/test", {})).json()["test"]
    assert (asked["sent_at"], asked["shown_at"]) == (None, None)
    await deliver(school, service)
    (said,) = ben.shown()
    assert (said["title"], said["data"]["opens"]) == ("Lanyard can ring this phone", "/this-phone")
    school.now += SECOND
    await school.door.post(f"/api/alerts/{said['data']['alert']}", json={"token": said["data"]["token"], "what": "shown"})
    test = (await ben.card())["test"]
    assert (test["id"], test["sent_at"] < test["shown_at"], test["failed"]) == (asked["id"], True, None)


async def test_a_test_of_a_phone_that_cannot_ring_or_too_many_of_them_are_refused_in_words(school: School, handset: New) -> None:
    answer = await school.door.post("/api/push/test", json={}, headers=signed_in(school.sessions["amira"]))
    assert (answer.status_code, answer.json()["words"]) == (409, "The school has no way to ring this phone yet. Turn alerts on first.")
    ben = await handset("ben")
    answers = [(await ben.ask("POST", "/api/push/test", {})).status_code for _ in range(8)]
    assert answers == [200] * 6 + [429] * 2


async def test_keys_that_are_none_are_refused(school: School, handset: New) -> None:
    ben = await handset("ben")
    other = Browser().public
    for wrong in (
        {"public": other[:-1]}, {"public": "B" + "A" * 86}, {"secret": "short"}, {"secret": "B" * 22}, {"endpoint": ""}, {"key": "x"},
    ):  # fmt: skip
        answer = await ben.tell(**wrong)
        assert answer.status_code in (400, 403), wrong
        assert answer.json()["words"]
    assert (await ben.ask("PUT", json={})).status_code == 400
    assert (await ben.card())["endpoint"] == ben.endpoint


async def test_nobody_subscribes_a_phone_that_is_not_theirs(school: School, service: PushService) -> None:
    """The phone is the one that the session was begun on; a request names none."""
    nobody = await school.door.put("/api/push", json={})
    assert nobody.status_code == 401
    dan, ben = Handset(school, service, "dan"), Handset(school, service, "ben")
    await dan.subscribe()
    await ben.subscribe()
    rows = await school.rows("select school, phone, staff from subscription order by staff")
    assert [(row["school"], row["phone"], row["staff"]) for row in rows] == [
        ("northgate", "ben-phone", "ben"),
        ("southfield", "dan-phone", "dan"),
    ]
    await ring()
    await deliver(school, service)
    assert dan.pushes() == []


async def test_whoever_takes_over_a_browser_is_rung_there_and_whoever_had_it_is_not(
    school: School, handset: New, service: PushService
) -> None:
    ben, olu = await handset("ben"), Handset(school, service, "olu")
    olu.endpoint, olu.browser = ben.endpoint, ben.browser
    await olu.tell()
    assert (await ben.card())["why"] == "somebody else uses this phone now"
    await ring()
    await ring("olu", "call/2")
    await deliver(school, service)
    assert [push["data"]["opens"] for push in olu.shown()] == ["/call/1"]


# ── Retired ────────────────────────────────────────────────────────────────────────────────


async def test_signing_out_or_turning_off_ends_it_and_coming_back_begins_it_again(
    school: School, handset: New, service: PushService
) -> None:
    ben, olu = await handset("ben"), await handset("olu")
    assert (await school.door.delete("/api/session", headers=signed_in(school.sessions["ben"]))).status_code == 204
    assert (await olu.ask("DELETE")).status_code == 204
    assert (await olu.ask("DELETE")).status_code == 204
    await ring()
    await ring("olu", "call/2")
    await deliver(school, service)
    assert service.asked == []
    assert (await olu.tell()).json()["endpoint"] == olu.endpoint
    await ring("olu", "call/3")
    await deliver(school, service)
    assert len(olu.pushes()) == 1
    assert ben.pushes() == []


async def test_a_phone_that_is_switched_off_and_somebody_who_has_left_are_rung_no_more_though_it_waits(
    school: School, handset: New, service: PushService
) -> None:
    await handset("ben")
    await handset("olu")
    await ring()
    await ring("olu", "call/2")
    await school.do("update phone set revoked_at = 1 where id = 'ben-phone'")
    await school.do("update staff set left_at = 1 where id = 'olu'")
    await deliver(school, service)
    await ring(topic="call/3")
    await deliver(school, service)
    assert service.asked == []


# ── Keys ───────────────────────────────────────────────────────────────────────────────────


async def test_a_new_key_is_taken_up_at_the_next_open_and_the_old_one_is_used_until_all_have(
    school: School, handset: New, service: PushService
) -> None:
    ben, olu = await handset("ben"), await handset("olu")
    old = (await ben.card())["key"]
    assert await writing(new_push_key) == 2
    new = (await ben.card())["key"]
    assert new != old
    await ring()
    await deliver(school, service)  # the service refuses any other key than that of the subscription
    assert len(ben.pushes()) == 1
    assert (await ben.tell(key=old)).json() == await ben.card()  # kept as it was, and told the new one
    assert (await ben.card())["endpoint"] == ben.endpoint

    async def keys_in_use() -> list[str]:
        return [row["id"] for row in await school.rows("select id from key where purpose = $1 and retired_at is null", PUSH)]

    await ben.subscribe()
    assert len(await keys_in_use()) == 2
    await olu.subscribe()
    assert len(await keys_in_use()) == 1
    for n, one in enumerate((ben, olu)):
        await ring(one.staff, f"call/new/{n}")
    await deliver(school, service)
    assert (len(ben.pushes()), len(olu.pushes())) == (1, 1)


async def test_the_key_lies_closed_and_without_the_passphrase_nothing_is_sent_and_all_is_kept(school: School, service: PushService) -> None:
    try:
        keys.unlock(Settings(keys_passphrase="five wet umbrellas"))
        ben = await Handset(school, service, "ben").subscribe(GOOGLE)
        assert "ENCRYPTED" in (await school.rows("select private from key where purpose = $1", PUSH))[0]["private"]
        await ring()
        keys.unlock(Settings(keys_passphrase="another"))
        await deliver(school, service)
        assert service.asked == []
        (row,) = await school.rows("select waiting, failed from delivery")
        assert row["waiting"]
        assert "LANYARD_KEYS_PASSPHRASE" in row["failed"]
        keys.unlock(Settings(keys_passphrase="five wet umbrellas"))
        school.now += 60 * SECOND
        await deliver(school, service)
        assert len(ben.pushes()) == 1
    finally:
        keys.unlock(Settings())


@pytest.mark.parametrize(
    ("settings", "whom"),
    [
        (Settings(origins=("https://duty.example.sch.uk:8443",)), "https://duty.example.sch.uk"),
        (Settings(push_contact="mailto:it@example.sch.uk"), "mailto:it@example.sch.uk"),
        (Settings(), "mailto:nobody@localhost"),
    ],
)
def test_a_push_service_is_told_whom_to_write_to(settings: Settings, whom: str) -> None:
    assert contact_of(settings) == whom


async def test_what_waited_goes_to_the_new_address_of_the_phone(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    await ring()
    await ben.subscribe()
    await deliver_all(standing_in(school.settings, service))
    assert len(ben.pushes()) == 1
    assert base64url.read(ben.browser.secret) == ben.browser.secret_bytes
