"""Lists: the school's own words. Added, renamed, put in order, retired; never removed; and undone."""

import pytest
from litestar import Litestar

from server.console.lists import Word, Wrong, changed_words, new_code
from server.store.database import reading
from tests.desk import Desk, at_desk, phone_sends
from tests.world import ADA, AMIRA, CAROL, OLU


async def words(name: str = "places") -> list[tuple[str, bool]]:
    rows = await reading(
        lambda tx: tx.rows(
            "select label, retired from list_entry where school = 'northgate' and list = $1 order by retired, position, label", name
        )
    )
    return [(row["label"], bool(row["retired"])) for row in rows]


async def do(desk: Desk, do: str, code: str = "", label: str = "", name: str = "places") -> int:
    return (await desk.send(f"/console/lists/{name}", {"do": do, "code": code, "label": label})).status


async def test_a_word_is_added_renamed_moved_retired_and_brought_back(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, ADA)
    assert await do(desk, "add", label="  Bike   shed ") == 303
    assert (await words())[-1] == ("Bike shed", False)
    assert await do(desk, "rename", "bike_shed", "Cycle store") == 303
    assert await do(desk, "up", "bike_shed") == 303
    assert [label for label, _ in await words()][-2:] == ["Cycle store", "Bus stop"]
    assert await do(desk, "down", "bike_shed") == 303
    assert await do(desk, "retire", "yard") == 303
    assert (await words())[-1] == ("Yard", True)
    assert await do(desk, "bring back", "yard") == 303
    assert (await words())[-1] == ("Yard", False)


async def test_phones_hear_of_it_and_it_is_noted_who_did_it(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, CAROL)
    before = await reading(lambda tx: tx.row("select seq from counter where school = 'northgate'"))
    await do(desk, "rename", "yard", "Playground")
    after = await reading(lambda tx: tx.row("select seq from counter where school = 'northgate'"))
    assert before is not None
    assert after is not None
    assert after["seq"] == before["seq"] + 1
    rows = await reading(lambda tx: tx.rows("select staff from audit where what = 'change list'"))
    assert [row["staff"] for row in rows] == ["carol"]


async def test_what_was_written_keeps_a_word_that_is_retired(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"place": "yard"})
    desk = await at_desk(desk_app, CAROL)
    await do(desk, "retire", "yard")
    assert "Where? Yard" in await desk.open(f"/console/record/{record}")
    assert '<option value="yard" selected>Yard</option>' in (await desk.open(f"/console/record/{record}/change")).html
    assert '"yard"' not in (await desk.open("/console/new/incident")).html
    await phone_sends(AMIRA, "incident", {"place": "yard"})
    assert "Nothing is held" in await desk.open("/console/held")


@pytest.mark.parametrize(
    ("label", "why"),
    [("", "Enter the words"), ("x" * 61, "Keep it under 60 characters"), ("YÁRD", "That is in the list already"), ("Uniform", "")],
)
async def test_what_is_wrong_is_said_with_what_was_typed(desk_app: Litestar, label: str, why: str) -> None:
    desk = await at_desk(desk_app, CAROL)
    answer = await desk.send("/console/lists/places", {"do": "add", "label": label})
    assert answer.status == (400 if why else 303)
    if why:
        assert why in answer
        assert f'id="new" name="label" value="{label}"' in answer.html


async def test_the_last_change_is_undone_unless_somebody_changed_it_since(desk_app: Litestar) -> None:
    carol, ada = await at_desk(desk_app, CAROL), await at_desk(desk_app, ADA)
    at_first = await words()
    await do(carol, "retire", "yard")
    assert (await carol.send("/console/lists/undo", {})).goes_to == "/console/lists/places?done=lists"
    assert await words() == at_first
    assert (await carol.send("/console/lists/undo", {})).goes_to == "/console/lists"  # once only
    await do(carol, "add", label="Pond")
    await do(ada, "add", label="Orchard")
    await carol.send("/console/lists/undo", {})
    assert [label for label, _ in await words()][-2:] == ["Pond", "Orchard"]
    await ada.send("/console/lists/undo", {})
    assert (await words())[-1] == ("Orchard", True)  # what was added is never removed


async def test_only_some_roles_change_lists(desk_app: Litestar) -> None:
    for me in (AMIRA, OLU):
        desk = await at_desk(desk_app, me)
        assert (await desk.open("/console/lists")).status == 403
        assert await do(desk, "add", label="Pond") == 403
    assert ("Pond", False) not in await words()
    assert (await (await at_desk(desk_app, CAROL)).open("/console/lists/no-such-list")).status == 404


def test_a_code_is_made_once_and_never_twice() -> None:
    assert new_code("Bike shed", ["bike_shed"]) == "bike_shed_2"
    assert new_code("Écolé / 2", []) == "ecole_2"
    assert new_code("場所", []) == "word"


def test_nothing_else_can_be_done_to_a_list() -> None:
    yard = [Word("yard", "Yard", False)]
    for what, code in (("delete", "yard"), ("up", "nowhere"), ("", "")):
        with pytest.raises(Wrong):
            changed_words(yard, what, code, "")
    assert changed_words(yard, "up", "yard", "") == yard == changed_words(yard, "down", "yard", "")
