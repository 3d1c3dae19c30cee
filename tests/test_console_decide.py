"""Deciding a dispute at the desk. Of two who decide one dispute at once, one decides, and the other is told; both stay in the history."""

import asyncio

import pytest
from litestar import Litestar

from server.store.database import reading
from tests.desk import Desk, Page, at_desk, phone_sends, put
from tests.world import AMIRA, BEN, CAROL, DEE, HANA

AT = "2026-11-18T09:00:00.000Z"


@pytest.fixture
async def disputed(desk_app: Litestar) -> str:
    """A record of which two people gave different answers, neither having seen the other's."""
    said = {"category": "fight", "place": "yard", "happened_at": AT, "pupils": put(zoe="harmed", marcus="responsible"), "hurt": "no"}
    record = await phone_sends(AMIRA, "incident", said | {"account": "I saw it begin."})
    await phone_sends(HANA, "incident", {"category": "damage", "pupils": put(marcus="witness"), "hurt": "yes"}, record=record)
    return record


def choice(page: Page, record: str, words: str) -> dict[str, str]:
    """The form behind the button that says this."""
    markup = next(part for part in page.html.split("<form")[1:] if f">{words}</button>" in part)
    return Page(page.answer).form("/decide", edit=markup.split('name="edit" value="')[1].split('"')[0], path=path_of(markup))


def path_of(markup: str) -> str:
    return markup.split('name="path" value="')[1].split('"')[0]


async def decide(desk: Desk, record: str, words: str) -> Page:
    return await desk.send(f"/console/record/{record}/decide", choice(await desk.open(f"/console/record/{record}"), record, words))


async def test_both_answers_stand_side_by_side_in_the_order_they_were_written(desk_app: Litestar, disputed: str) -> None:
    page = await (await at_desk(desk_app, CAROL)).open(f"/console/record/{disputed}")
    assert "Two answers: what happened? Neither had seen the other’s Fight Amira Haddad" in page
    assert page.text.index("It was Fight") < page.text.index("It was Damage")
    assert "Damage Hana Novák, 11:06 · shown for now, it is newer" in page
    assert "Yes Hana Novák, 11:06 · shown for now, it is the more serious" in page
    assert "Two answers: what was Marcus Bell’s part?" in page
    assert "What happened? Not decided: see the answers above" in page
    assert "Marcus Bell 10 CUR · not decided" in page


async def test_a_decision_is_one_more_edit_under_my_name(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    answer = await decide(desk, disputed, "It was Fight")
    assert answer.goes_to == f"/console/record/{disputed}?done=decided.{disputed}"
    page = await desk.open(answer.goes_to)
    assert "Decided. Every answer stays in the history." in page
    assert "Two answers: what happened?" not in page
    assert "What happened? Fight" in page
    assert page.text.count("Hana Novák wrote") == 1
    assert "Carol Whitlock wrote" in page


async def test_a_part_and_a_gravest_answer_are_decided_likewise(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    await decide(desk, disputed, "Responsible")
    await decide(desk, disputed, "It was No")
    await decide(desk, disputed, "It was Damage")
    page = await desk.open(f"/console/record/{disputed}")
    assert "answers:" not in page
    assert "Marcus Bell 10 CUR · responsible" in page
    assert "Was anybody hurt? No" in page


async def test_of_two_who_decide_at_once_one_decides_and_the_other_is_told(desk_app: Litestar, disputed: str) -> None:
    carol, dee = await at_desk(desk_app, CAROL), await at_desk(desk_app, DEE)
    pages = [await desk.open(f"/console/record/{disputed}") for desk in (carol, dee)]
    forms = [choice(page, disputed, words) for page, words in zip(pages, ("It was Fight", "It was Damage"), strict=True)]
    path = f"/console/record/{disputed}/decide"
    answers = await asyncio.gather(carol.send(path, forms[0]), dee.send(path, forms[1]))
    assert sorted(answer.status for answer in answers) == [303, 409]
    late = next(answer for answer in answers if answer.status == 409)
    first = "Carol Whitlock" if answers[0].status == 303 else "Dee Marsh"
    assert f"{first} decided this at 11:07" in late or f"{first} decided this at 11:06" in late
    assert "Nothing of yours was written" in late
    rows = await reading(lambda tx: tx.rows("select author from edit where record = $1 and author in ('carol', 'dee')", disputed))
    assert len(rows) == 1
    assert "Two answers: what happened?" not in await carol.open(f"/console/record/{disputed}")


async def test_a_third_answer_that_came_in_meanwhile_is_shown_before_anything_is_decided(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    form = choice(await desk.open(f"/console/record/{disputed}"), disputed, "It was Fight")
    await phone_sends(DEE, "incident", {"category": "bullying"}, record=disputed)
    answer = await desk.send(f"/console/record/{disputed}/decide", form)
    assert answer.status == 409
    assert "Another answer has come in" in answer
    assert "Three answers: what happened? Nobody had seen all of them Fight" in answer
    decided = await desk.send(f"/console/record/{disputed}/decide", choice(answer, disputed, "It was Bullying"))
    assert decided.status == 303


async def test_news_in_another_field_does_not_hinder_a_decision(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    form = choice(await desk.open(f"/console/record/{disputed}"), disputed, "It was Fight")
    await phone_sends(AMIRA, "incident", {"parents": "told"}, record=disputed)
    assert (await desk.send(f"/console/record/{disputed}/decide", form)).status == 303


async def test_pressing_the_button_twice_decides_once(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    form = choice(await desk.open(f"/console/record/{disputed}"), disputed, "It was Fight")
    assert (await desk.send(f"/console/record/{disputed}/decide", form)).status == 303
    again = await desk.send(f"/console/record/{disputed}/decide", form)
    assert again.status == 409
    assert "Carol Whitlock decided this at" in again


async def test_a_decision_may_be_changed_afterwards_by_another_edit(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    await decide(desk, disputed, "It was Fight")
    dee = await at_desk(desk_app, DEE)
    page = await dee.open(f"/console/record/{disputed}/change?only=category")
    answer = await dee.send(f"/console/record/{disputed}/change", page.form("/change") | {"category": "bullying"})
    assert answer.status == 303
    assert "What happened? Bullying" in await desk.open(f"/console/record/{disputed}")


async def test_neither_of_them_is_an_answer_too(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    assert f"/console/record/{disputed}/change?only=category#f-category" in (await desk.open(f"/console/record/{disputed}")).html
    page = await desk.open(f"/console/record/{disputed}/change?only=category")
    await desk.send(f"/console/record/{disputed}/change", page.form("/change") | {"category": "truancy"})
    shown = await desk.open(f"/console/record/{disputed}")
    assert "What happened? Truancy" in shown
    assert "Two answers: what happened?" not in shown


async def test_a_record_in_dispute_cannot_be_closed(desk_app: Litestar, disputed: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    assert "You can close it when “What happened?”" in await desk.open(f"/console/record/{disputed}")
    form = (await desk.open(f"/console/record/{disputed}/close")).form("/close")
    answer = await desk.send(f"/console/record/{disputed}/close", form)
    assert answer.status == 400
    assert "it cannot be closed while people disagree in it" in answer


@pytest.mark.parametrize("nonsense", [{"edit": "no-such-edit"}, {"path": "nothing"}, {"answers": ""}, {"path": "../x", "seen": "\x00"}, {}])
async def test_a_made_up_decision_writes_nothing(desk_app: Litestar, disputed: str, nonsense: dict[str, str]) -> None:
    desk = await at_desk(desk_app, CAROL)
    form = choice(await desk.open(f"/console/record/{disputed}"), disputed, "It was Fight") if nonsense else {}
    answer = await desk.send(f"/console/record/{disputed}/decide", form | nonsense)
    assert answer.status in (400, 409)
    assert "Two answers: what happened?" in await desk.open(f"/console/record/{disputed}")


async def test_nobody_decides_what_they_may_not_see(desk_app: Litestar, disputed: str) -> None:
    form = choice(await (await at_desk(desk_app, CAROL)).open(f"/console/record/{disputed}"), disputed, "It was Fight")
    ben = await at_desk(desk_app, BEN)
    assert (await ben.send(f"/console/record/{disputed}/decide", form)).status == 404
    assert (await ben.open(f"/console/record/{disputed}")).status == 404
