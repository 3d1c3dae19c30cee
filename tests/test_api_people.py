"""Who is sent to whom: all at first, then only who changed, and nobody whom my role has no need of."""

from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from server.api import people
from server.console import lifting
from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.me import Me
from tests.visitor import signed_in, the_app
from tests.world import AMIRA, CAROL, DAN, DEE, HANA, OLU


@pytest.fixture
def app(world: Settings) -> Litestar:
    return the_app()


class Held:
    """What a phone holds after following the cursor to its end."""

    def __init__(self, browser: httpx.AsyncClient) -> None:
        self.browser, self.cursor = browser, ""
        self.people: dict[str, dict[str, Any]] = {}
        self.pages = self.sent = 0

    async def follow(self) -> "Held":
        more, self.pages, self.sent = True, 0, 0
        while more:
            answer = await self.browser.get("/api/people", params={"cursor": self.cursor} if self.cursor else {})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            if page["fresh"]:
                self.people = {}
            for name in ("pupils", "contacts", "staff"):
                self.people |= {person["id"]: person for person in page[name]}
                self.sent += len(page[name])
            for id in page["gone"]:
                self.people.pop(id, None)
            self.cursor, more = page["cursor"], page["more"]
            self.pages += 1
        return self


async def held_by(app: Litestar, me: Me) -> Held:
    return await Held(await signed_in(app, me)).follow()


async def change(sql: str, school: str = "northgate") -> None:
    async def work(tx: Tx) -> None:
        [place] = await numbers.draw(tx, school, [numbers.NewStep("people")])
        await tx.run(sql, place.seq)

    await writing(work)


async def test_everybody_of_my_own_school_is_sent_at_first(app: Litestar) -> None:
    held = await held_by(app, CAROL)
    assert {"zoe", "conor", "amira", "carol", "zoe-karin"} <= held.people.keys()
    assert not {"tom", "dan", "tom-jo"} & held.people.keys()
    assert "nina" not in held.people  # has left
    elsewhere = await held_by(app, DAN)
    assert elsewhere.people.keys() == {"tom", "dan"}


async def test_whoever_does_not_ring_families_holds_no_contacts(app: Litestar) -> None:
    assert "zoe-karin" in (await held_by(app, OLU)).people  # the premise
    assert not [id for id, person in (await held_by(app, AMIRA)).people.items() if "pupil" in person]


async def test_a_head_of_year_holds_the_families_of_their_own_year(app: Litestar) -> None:
    held = await held_by(app, HANA)
    assert {person["pupil"] for person in held.people.values() if "pupil" in person} == {"zoe", "siobhan"}


async def test_a_pupil_who_moves_into_a_year_brings_their_family_and_takes_it_along(app: Litestar) -> None:
    held = await held_by(app, HANA)
    await change("update pupil set year = '9', seq = $1 where id = 'marcus'")
    assert "marcus-ray" in (await held.follow()).people
    await change("update pupil set year = '10', seq = $1 where id = 'marcus'")
    assert "marcus-ray" not in (await held.follow()).people
    assert "marcus" in held.people


async def test_a_contact_who_must_not_be_contacted_comes_without_anything_to_ring(app: Litestar) -> None:
    for me in (CAROL, DEE, OLU):
        erik = (await held_by(app, me)).people["zoe-erik"]
        assert erik["do_not_contact"] is True
        assert (erik["phone"], erik["other_phone"], erik["email"]) == (None, None, None)


async def test_nor_does_a_number_of_theirs_under_another_name_in_the_family_and_it_comes_back_when_the_warning_is_lifted(
    app: Litestar,
) -> None:
    await change("update contact set other_phone = '+44 7700 900103', seq = $1 where id = 'conor-pat'")
    held = await held_by(app, OLU)
    assert held.people["conor-pat"]["other_phone"] == "+44 7700 900103"
    await change("update contact set do_not_contact = true, seq = $1 where id = 'siobhan-maeve'")  # at his sister's
    await held.follow()
    assert (held.people["conor-pat"]["phone"], held.people["conor-pat"]["other_phone"]) == ("07700 900104", None)
    await writing(lifting.changed, DEE, "siobhan", "siobhan-maeve.do_not_contact", False, "Back at home")
    await held.follow()
    assert held.people["conor-pat"]["other_phone"] == "+44 7700 900103"


async def test_no_address_is_ever_sent(app: Litestar) -> None:
    for me in (CAROL, DEE, OLU, HANA, AMIRA):
        held = await held_by(app, me)
        assert not [
            person for person in held.people.values() if "Hidden Row" in str(person) or "Kiln Lane" in str(person) or "address" in person
        ]
    assert (await held_by(app, DEE)).people["jose-ana"]["address_withheld"] is True


async def test_only_who_changed_is_sent_again(app: Litestar) -> None:
    held = await held_by(app, CAROL)
    assert (await held.follow()).sent == 0
    await change("update pupil set form = '9 TUR', seq = $1 where id = 'zoe'")
    await held.follow()
    assert held.people["zoe"]["form"] == "9 TUR"
    assert held.sent == 1 + 2  # herself and her two contacts, who change with her


async def test_who_leaves_is_gone(app: Litestar) -> None:
    held = await held_by(app, CAROL)
    await change("update pupil set left_at = 1, seq = $1 where id = 'zoe'")
    await change("update staff set left_at = 1, seq = $1 where id = 'amira'")
    await change("update contact set gone = true, seq = $1 where id = 'conor-pat'")
    await held.follow()
    assert not {"zoe", "zoe-karin", "zoe-erik", "amira", "conor-pat"} & held.people.keys()
    assert "conor-maeve" in held.people


async def test_pages_add_up_to_everybody_whatever_changes_between_them(app: Litestar, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await held_by(app, CAROL)
    assert whole.pages == 1
    monkeypatch.setattr(people, "PAGE", 4)
    paged = await held_by(app, CAROL)
    assert paged.pages > 4
    assert paged.people == whole.people

    held = Held(await signed_in(app, CAROL))
    first = (await held.browser.get("/api/people")).json()
    sent = [person["id"] for name in ("pupils", "contacts", "staff") for person in first[name]]
    held.people, held.cursor = {id: {} for id in sent}, first["cursor"]
    await change(f"update staff set left_at = 1, seq = $1 where id = '{sent[0]}'")
    await held.follow()
    assert sent[0] not in held.people
    assert held.people.keys() == whole.people.keys() - {sent[0]}


async def test_a_page_is_under_a_megabyte(app: Litestar) -> None:
    note = "long " * 40_000
    await change(f"update contact set note = '{note}', seq = $1 where school = 'northgate'")
    browser = await signed_in(app, CAROL)
    held, cursor, more = set[str](), None, True
    while more:
        answer = await browser.get("/api/people", params={"cursor": cursor} if cursor else {}, headers={"Accept-Encoding": "identity"})
        assert len(answer.content) <= 1_000_000
        held |= {contact["id"] for contact in answer.json()["contacts"]}
        cursor, more = answer.json()["cursor"], answer.json()["more"]
    assert len(held) == 8


async def test_everybody_is_sent_afresh_when_my_rights_change(app: Litestar) -> None:
    held = await held_by(app, OLU)
    await writing(lambda tx: tx.run("update staff set role = 'teacher', rights = rights + 1 where id = 'olu'"))
    await held.follow()
    assert "zoe" in held.people
    assert "zoe-karin" not in held.people


async def test_everybody_is_sent_afresh_after_a_backup_was_put_back(app: Litestar) -> None:
    held = await held_by(app, CAROL)
    await change("update pupil set form = '9 TUR', seq = $1 where id = 'zoe'")
    await held.follow()
    await writing(lambda tx: tx.run("update pupil set form = '9 OLD' where id = 'zoe'"))
    assert (await held.follow()).sent == 0  # the premise: by its number alone, this would never be noticed
    cursor = people.read_cursor(held.cursor)
    assert cursor is not None
    other_mark = numbers.Place(numbers.read_place(cursor.place).seq, 1)  # type: ignore[union-attr]
    held.cursor = people.write_cursor(msgspec.structs.replace(cursor, place=str(other_mark)))
    assert (await held.follow()).people["zoe"]["form"] == "9 OLD"


async def test_another_persons_cursor_is_worth_nothing(app: Litestar) -> None:
    carol, amira = await held_by(app, CAROL), Held(await signed_in(app, AMIRA))
    amira.cursor = carol.cursor
    await amira.follow()
    assert "zoe" in amira.people
    assert "zoe-karin" not in amira.people


async def test_holding_people_is_written_down(app: Litestar) -> None:
    await held_by(app, CAROL)
    rows = await reading(lambda tx: tx.rows("select staff, what, detail from audit where what = 'people to phone'"))
    assert [(row["staff"], row["detail"]) for row in rows] == [("carol", '{"pupils":7,"contacts":8}')]


@pytest.mark.parametrize("meddling", [{"seq": 2**70}, {"rank": 2**40}, {"seq": -1}, {"id": "\0"}])
async def test_a_cursor_that_no_database_could_read_is_none_of_ours(app: Litestar, meddling: dict[str, Any]) -> None:
    held = await held_by(app, CAROL)
    ours = people.read_cursor(held.cursor)
    assert ours is not None
    meddled = people.write_cursor(msgspec.structs.replace(ours, **meddling))
    answer = await held.browser.get("/api/people", params={"cursor": meddled})
    assert (answer.status_code, answer.json()["fresh"]) == (200, True)
