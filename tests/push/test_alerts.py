"""From what happens at the school to a phone's locked screen: closed, signed, once, and never with a name."""

import random
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from server.access import base64url
from server.push import alerts
from server.push.alerts import alert, forget_old_alerts, phones_that_ring, retire_alerts, told_of
from server.push.posting import LONGEST_BODY, Parcel, closed, payload
from server.push.words import WORDS
from server.settings import Settings
from server.store.database import Tx, reading, writing
from tests.push.reading import Browser
from tests.push.ringing import Handset, deliver
from tests.push.service import PushService
from tests.school import SECOND, School

New = Callable[..., Awaitable[Handset]]


def read(text: str) -> bytes:
    return base64url.read(text) or b""


def test_the_example_of_the_standard_opens() -> None:
    """RFC 8291, section 5 and appendix A."""
    private = derive_private_key(int.from_bytes(read("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")), SECP256R1())
    browser = Browser(private, read("BTBZMqHH6r4Tts7J_aSIgg"))
    assert browser.public == "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    body = read(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert browser.open(body) == b"When I grow up, I want to be a watermelon"
    with pytest.raises(InvalidTag):
        Browser(private).open(body)


async def ring(school: School, staff: str = "ben", **more: Any) -> str:
    said = {"words": "call.urgent", "place": "b12", "opens": "/call/1", "topic": "call/1", "ttl_s": 600} | more
    return await writing(lambda tx: alert(tx, "northgate", staff, said.pop("words"), **said))


async def test_what_is_rung_says_a_place_and_opens_its_screen_and_only_that_phone_can_read_it(
    school: School, handset: New, service: PushService
) -> None:
    ben, amira = await handset("ben"), await handset("amira")
    id = await ring(school)
    await deliver(school, service)
    (push,), (said,) = ben.pushes(), ben.shown()
    assert said["title"] == "On-call: B12, urgent"
    assert said["navigate"] == "http://localhost:8000/call/1"
    assert said["data"]["alert"] == id
    assert said["data"]["opens"] == "/call/1"
    assert ben.browser.read(push.body)["web_push"] == 8030
    assert (push.headers["Urgency"], push.headers["TTL"], push.headers["Topic"]) == ("high", "600", said["tag"])
    assert b"B12" not in push.body
    assert amira.pushes() == []
    with pytest.raises(InvalidTag):
        amira.browser.open(push.body)


async def test_one_alert_goes_out_once_however_often_the_loop_looks(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    await ring(school)
    for _ in range(3):
        await deliver(school, service)
        school.now += 30 * SECOND
    assert len(ben.pushes()) == 1


async def test_nothing_rings_for_what_was_rolled_back(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")

    async def change_ones_mind(tx: Tx) -> None:
        await alert(tx, "northgate", "ben", "call", opens="/call/1", topic="call/1", ttl_s=60)
        raise LookupError

    with pytest.raises(LookupError):
        await writing(change_ones_mind)
    await deliver(school, service)
    assert ben.pushes() == []


async def test_what_was_answered_before_it_went_out_rings_nobody(school: School, handset: New, service: PushService) -> None:
    ben, olu = await handset("ben"), await handset("olu")
    await ring(school)
    await ring(school, "olu", topic="call/2")
    await writing(retire_alerts, "northgate", "call/1")
    await deliver(school, service)
    assert ben.pushes() == []
    assert len(olu.pushes()) == 1  # another call


async def test_a_later_alert_of_the_same_topic_takes_the_place_of_one_that_has_not_gone_out(
    school: School, handset: New, service: PushService
) -> None:
    ben = await handset("ben")
    await ring(school)
    await ring(school, words="call.again")
    await deliver(school, service)
    assert [one["title"] for one in ben.shown()] == ["Nobody has answered yet: B12"]


async def test_how_far_it_came_is_told_phone_by_phone(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    id = await ring(school)
    await ring(school, "carol")  # has no phone that can ring
    told = {one.staff: one for one in await reading(told_of, "northgate", "call/1")}
    assert told["carol"].phone is None
    assert (told["ben"].phone, told["ben"].handed_at) == ("ben-phone", None)
    await deliver(school, service)
    handed_at, token = school.now, ben.shown()[0]["data"]["token"]
    for what, after_s in (("shown", 1), ("opened", 5), ("shown", 9)):
        school.now = handed_at + after_s * SECOND
        answer = await school.door.post(f"/api/alerts/{id}", json={"token": token, "what": what})
        assert answer.status_code == 204  # nobody is signed in: the phone may be locked
    (one,) = (one for one in await reading(told_of, "northgate", "call/1") if one.staff == "ben")
    assert (one.handed_at, one.shown_at, one.opened_at) == (handed_at, handed_at + SECOND, handed_at + 5 * SECOND)


async def test_news_of_an_alert_is_taken_from_nobody_else(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    id = await ring(school)
    other = await ring(school, topic="call/2")
    await deliver(school, service)
    school.now += 60 * SECOND
    await deliver(school, service)
    tokens = {one["data"]["alert"]: one["data"]["token"] for one in ben.shown()}
    for address, token in ((id, tokens[other]), ("nothing", tokens[id]), (id, "made-up-token")):
        answer = await school.door.post(f"/api/alerts/{address}", json={"token": token, "what": "opened"})
        assert (answer.status_code, answer.json()["words"]) == (404, "There is nothing here.")
    for said in ({"token": tokens[id], "what": "answered"}, {"what": "shown"}, {"token": "x" * 5_000, "what": "shown"}, []):
        assert (await school.door.post(f"/api/alerts/{id}", json=said)).status_code == 400
    assert {one.opened_at for one in await reading(told_of, "northgate", "call/1")} == {None}


async def test_the_board_knows_which_phones_were_tested_and_seen(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    began = school.now
    assert [(one.phone, one.tested_at, one.seen_at) for one in await reading(phones_that_ring, "northgate")] == [("ben-phone", None, began)]
    assert (await ben.ask("POST", "/api/push/test", {})).status_code == 200
    await deliver(school, service)
    (said,) = ben.shown()
    school.now += SECOND
    await school.door.post(f"/api/alerts/{said['data']['alert']}", json={"token": said["data"]["token"], "what": "shown"})
    assert [one.tested_at for one in await reading(phones_that_ring, "northgate")] == [began + SECOND]
    assert await reading(phones_that_ring, "southfield") == []


# ── Never a name ───────────────────────────────────────────────────────────────────────────

PUPILS = 10_000
AT_ONCE = 500  # alerts in one transaction


def parcel(title: str, body: str, opens: str = "/call/0190f3f2-0000-7000-8000-000000000000") -> Parcel:
    browser = Browser()
    return Parcel(
        alert="a", school="northgate", phone="p", token="t" * 22, title=title, body=body, opens=opens, topic="call/1", urgent=True,
        ends_at=0, endpoint="https://fcm.googleapis.com/fcm/send/x", public=browser.public, secret=browser.secret, private="", failures=0,
    )  # fmt: skip


def word(chance: random.Random) -> str:
    return "".join(chance.choices("abcdefghijklmnopqrstuvwxyzéöşñ", k=chance.randint(6, 11))).capitalize()


def pupil(chance: random.Random) -> tuple[str, str, str, str, str]:
    """Forename, surname, birthday, UPN, address."""
    born_on = f"{chance.randint(2007, 2015)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    upn = f"{chance.choice('ABCDEFGH')}{chance.randint(10**11, 10**12 - 1)}"
    return word(chance), word(chance), born_on, upn, f"{chance.randint(1, 300)} {word(chance)} {chance.choice(('Row', 'Lane', 'Road'))}"


async def test_ten_thousand_pupils_and_places_and_never_a_name_a_birthday_a_number_or_an_address(school: School) -> None:
    """Each alert is about a pupil, and asked for with whatever a careless caller may pass on as its place."""
    chance = random.Random(8291)
    pupils = [pupil(chance) for _ in range(PUPILS)]
    places = {f"place-{n}": f"{word(chance)} {chance.randint(1, 99)}" for n in range(500)}

    async def fill(tx: Tx) -> None:
        await tx.run_many(
            "insert into pupil (school, id, forename, surname, born_on, upn, address, year, form)"
            " values ('northgate', $1, $2, $3, $4, $5, $6, '9', '9 KEL')",
            [(f"random-{n}", *one) for n, one in enumerate(pupils)],
        )
        await tx.run_many(
            "insert into list_entry (school, list, code, label, position) values ('northgate', 'places', $1, $2, 1)", list(places.items())
        )

    async def call(tx: Tx, first: int) -> None:
        for n in range(first, first + AT_ONCE):
            place = chance.choice([*places, "no such place", *pupils[n], None])
            words = chance.choice(list(WORDS))
            await alert(tx, "northgate", "ben", words, place=place, count=n, opens=f"/call/{n}", topic=f"call/{n}", ttl_s=60)

    await writing(fill)
    for first in range(0, PUPILS, AT_ONCE):
        await writing(call, first)
    said = {int(row["opens"].rpartition("/")[2]): row for row in await school.rows("select * from alert")}
    assert said.keys() == set(range(PUPILS))
    secrets = {part for one in pupils for part in (*one[:4], one[4].split()[1])} - {label.split()[0] for label in places.values()}
    assert len(secrets) > 4 * PUPILS  # the premise: there is something to find
    for n, row in said.items():
        text = payload(parcel(row["title"], row["body"], row["opens"]), Settings()).decode()
        assert not set(re.findall(r"[\w-]+", text)) & secrets, text
        assert not any(whole in text for whole in pupils[n]), text


async def test_a_place_however_long_never_makes_an_alert_too_long(school: School, handset: New, service: PushService) -> None:
    ben = await handset("ben")
    await school.do(
        "update list_entry set label = $1 where school = 'northgate' and list = 'places' and code = 'b12'", "Block “Ü” " * 1_000
    )
    await ring(school)
    await deliver(school, service)
    assert len(ben.shown()[0]["title"]) < 120
    assert all(len(closed(parcel(words.title, words.body), Settings())) < LONGEST_BODY / 2 for words in WORDS.values())


def test_no_words_ask_for_anything_but_a_place_and_a_number() -> None:
    assert all(words.title.format(place="", count=0) and "{" not in words.body for words in WORDS.values())


# ── Forgotten ──────────────────────────────────────────────────────────────────────────────


async def test_an_alert_is_forgotten_after_a_month_but_for_a_calls_and_the_last_test_that_a_phone_showed(
    school: School, handset: New, service: PushService
) -> None:
    ben = await handset("ben")

    async def a_test(shown: bool) -> str:
        id: str = (await ben.ask("POST", "/api/push/test", {})).json()["test"]["id"]
        await deliver(school, service)
        school.now += SECOND
        if shown:
            said = ben.shown()[-1]["data"]
            assert (await school.door.post(f"/api/alerts/{id}", json={"token": said["token"], "what": "shown"})).is_success
        return id

    async def kept() -> list[set[str]]:
        await forget_old_alerts()
        rows = await school.rows("select id from alert"), await school.rows("select alert as id from delivery")
        return [{row["id"] for row in each} for each in rows]

    call, duty = await ring(school), await ring(school, words="duty.thin", place=None, topic="duty")
    for _ in range(2):  # one at a time
        await deliver(school, service)
    early, last, unseen = await a_test(True), await a_test(True), await a_test(False)
    proved = (await reading(phones_that_ring, "northgate"))[0].tested_at
    school.now += alerts.KEPT_FOR - 10 * SECOND
    assert await kept() == [{call, duty, early, last, unseen}] * 2
    school.now += 11 * SECOND
    assert await kept() == [{call, last}] * 2
    assert proved is not None
    assert (await reading(phones_that_ring, "northgate"))[0].tested_at == proved
    assert len(await reading(told_of, "northgate", "call/1")) == 1
