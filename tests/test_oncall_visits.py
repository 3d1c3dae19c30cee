"""Somebody goes out, and the server waits for them: told in time, told late, told with the other word, or not told at all."""

from typing import Any

from server.oncall.steps import take_due
from server.store.moments import to_wire
from tests.phone import Phone
from tests.school import SECOND, School
from tests.test_oncall_calls import ask
from tests.world import PASSWORD

MINUTE = 60 * SECOND


def at(moment: int) -> dict[str, str]:
    return {"at": to_wire(moment), "precision": "exact"}


def put(*keys: str, **parts: str) -> dict[str, Any]:
    return {"put": {key: {} for key in keys} | {key: {"part": part} for key, part in parts.items()}, "drop": []}


def plan(
    school: School, minutes: int = 60, *, going: dict[str, Any] | None = None, buddy: tuple[str, ...] = ("carol",), **more: Any
) -> Any:
    said = {
        "pupils": put("marcus"), "purpose": "welfare", "going": going or put(olu="leads"), "leaves_at": at(school.now),
        "back_by": at(school.now + minutes * MINUTE), "where": "home", "vehicle": "A white van", "reached_on": "07700 900321",
    }  # fmt: skip
    return said | ({"expects_call": put(*buddy)} if buddy else {}) | more


async def goes_out(school: School, minutes: int = 60, who: str = "olu", **more: Any) -> tuple[Phone, str]:
    """A visit is planned on a phone, and the school has it."""
    phone = school.phone(who)
    record = phone.write(plan(school, minutes, **more), kind="home_visit")["record"]
    await arrives(school, phone)
    return phone, record


async def arrives(school: School, phone: Phone) -> None:
    await phone.sync_all()
    await take_due(school.now)


async def says(school: School, phone: Phone, record: str, **values: Any) -> None:
    phone.write(values, record, kind="home_visit")
    await arrives(school, phone)


async def passes(school: School, minutes: int) -> None:
    for _ in range(minutes):
        school.now += MINUTE
        await take_due(school.now)


async def look(school: School, record: str, who: str = "olu") -> Any:
    status, card = await ask(school, who, f"/api/visits/{record}", method="GET")
    assert status == 200, card
    return card


async def act(school: School, who: str, record: str, what: str, why: str = "") -> tuple[int, Any]:
    return await ask(school, who, f"/api/visits/{record}", {"what": what, "why": why})


async def told(school: School) -> list[tuple[str, str]]:
    return [(row["staff"], row["words"]) for row in await school.rows("select staff, words from alert order by made_at, id")]


async def timeline(school: School, record: str, who: str = "dee") -> list[str]:
    return [line["words"] for line in (await look(school, record, who))["timeline"]]


async def rings(school: School, *people: str) -> None:
    """A phone of theirs can ring."""
    for who in people:
        await school.do(
            "insert into subscription (id, school, staff, phone, endpoint, public, secret, key, made_at, checked_at)"
            " values ($1, 'northgate', $2, $3, 'https://fcm.googleapis.com/x', 'p', 's', 'k', 0, 0)",
            f"sub-{who}", who, f"{who}-phone",
        )  # fmt: skip


async def sets_words(school: School, who: str = "olu", safe: str = "Marmalade", alarm: str = "Crumpet") -> None:
    status, said = await ask(school, who, "/api/closing-words", {"password": PASSWORD, "safe": safe, "alarm": alarm}, "PUT")
    assert status == 204, said


# ── In time ────────────────────────────────────────────────────────────────────────────────


async def test_a_plan_is_accepted_once_the_school_has_it_and_the_visit_goes_from_planned_to_safe(school: School) -> None:
    phone, record = await goes_out(school, leaves_at=at(school.now + 10 * MINUTE))
    card = await look(school, record)
    assert (card["state"], card["accepted_at"], card["goes"], card["buddy"]) == ("planned", to_wire(school.now), ["olu"], "carol")
    await passes(school, 5)
    await says(school, phone, record, left_school_at=at(school.now))
    assert ((await look(school, record))["state"], (await look(school, record))["left_at"]) == ("out", to_wire(school.now))
    await passes(school, 20)
    await says(school, phone, record, checked_in_at=at(school.now))
    assert (await look(school, record))["heard_at"] == to_wire(school.now)
    await says(school, phone, record, safe_at=at(school.now))
    card = await look(school, record)
    assert (card["state"], card["safe_at"], card["closed_by"], card["next"]) == ("safe", to_wire(school.now), "olu", None)
    await passes(school, 120)
    assert await told(school) == []
    assert (await ask(school, "olu", "/api/visits", method="GET"))[1] == []
    assert await timeline(school, record) == [
        "The school has the plan", "Olu Balogun: left school", "Olu Balogun: last said that all is well", "Olu Balogun says: safe",
    ]  # fmt: skip
