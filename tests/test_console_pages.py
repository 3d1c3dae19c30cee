"""Every page of the desk: who may open it, what it may never contain, and what it says when it cannot be had."""

import re
from html.parser import HTMLParser

import pytest
from litestar import Litestar

from server.kinds import KINDS
from server.store.database import writing
from server.store.me import Me
from tests.desk import Desk, Page, at_desk, phone_sends, put
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, EVERYBODY, HANA, LENA, OLU

LISTS, PHONES = {CAROL, ADA}, {CAROL, ADA, DEE}
HELD_BY = {CAROL, DEE, LENA, AMIRA, HANA, OLU}  # who hold Amira's incident about Zoë, of year 9: Olu by none of it
OPEN_TO = {
    "/console/review": set(EVERYBODY),
    "/console/review?show=all&on={record}": set(EVERYBODY),
    "/console/record/{record}": HELD_BY - {OLU},
    "/console/record/{record}/change": HELD_BY - {OLU},
    "/console/record/{record}/close": HELD_BY - {OLU},
    "/console/pupils": set(EVERYBODY),
    "/console/pupils?q=zo": set(EVERYBODY),
    "/console/pupil/zoe": set(EVERYBODY) - {DAN},
    "/console/pupil/zoe/looked": {DEE},
    "/console/held": set(EVERYBODY),
    "/console/lists": LISTS,
    "/console/lists/places": LISTS,
    "/console/people": PHONES,
    "/console/people/ben": PHONES,
    "/console/alerts": PHONES,
    "/console/oncall": {BEN, CAROL, DEE, LENA},
    "/console/oncall/rota": {CAROL, LENA, ADA},
    "/console/visits": {OLU, CAROL, HANA, DEE, LENA},
    "/console/visits/{record}": set(),  # an incident
    "/console/morning": {OLU, CAROL, DEE, LENA},
    "/console/sweeps": {CAROL, OLU, HANA, DEE, LENA},
    "/console/new/incident": set(EVERYBODY),
    "/console/new/sweep": {CAROL, OLU, HANA, DEE, LENA},
}


async def a_record() -> str:
    said = {"category": "fight", "place": "yard", "happened_at": "2026-11-18T09:00:00Z", "pupils": put(zoe="harmed"), "account": "A\nB"}
    record = await phone_sends(AMIRA, "incident", said)
    await phone_sends(HANA, "incident", {"category": "damage"}, record=record)
    await phone_sends(AMIRA, "incident", {"place": "moon"})
    return record


@pytest.mark.parametrize("me", EVERYBODY, ids=lambda me: me.staff)
async def test_each_page_opens_for_those_who_may_and_nobody_else(desk_app: Litestar, me: Me) -> None:
    record, desk = await a_record(), await at_desk(desk_app, me)
    for path, who in OPEN_TO.items():
        page = await desk.open(path.format(record=record))
        assert (page.status == 200) == (me in who), (path, page.status)
        assert page.status in (200, 403, 404)
        nothing_inline(page)


async def test_without_a_sign_in_every_page_leads_to_the_door_and_back(desk_app: Litestar) -> None:
    record, desk = await a_record(), Desk(desk_app)
    for path in OPEN_TO:
        page = await desk.open(path.format(record=record))
        assert page.status == 303
        assert page.goes_to.startswith("/console/sign-in?next=%2Fconsole%2F")
    door = await desk.open("/console/sign-in?next=/console/held?edit=x")
    signed_in = await desk.send(
        "/console/sign-in", door.form("/console/sign-in") | {"username": "carol", "password": "three wet umbrellas"}
    )
    assert signed_in.goes_to == "/console/held?edit=x"


@pytest.mark.parametrize(
    "onward",
    ["https://evil.example/", "//evil.example", "/api/session", "/console/../x//y", "/console/\\evil", "javascript:1", "/console/a\nb"],
)
async def test_the_door_leads_nowhere_else(desk_app: Litestar, onward: str) -> None:
    desk = Desk(desk_app)
    answer = await desk.send("/console/sign-in", {"username": "carol", "password": "three wet umbrellas", "next": onward})
    assert answer.goes_to == "/console/review"


async def test_a_wrong_password_says_so_and_keeps_the_name(desk_app: Litestar) -> None:
    desk = Desk(desk_app)
    for username in ("carol", "nobody-at-all"):
        answer = await desk.send("/console/sign-in", {"username": username, "password": "wrong"})
        assert answer.status == 401
        assert "That username and password do not go together." in answer
        assert answer.form("/console/sign-in")["username"] == username
        assert "wrong" not in answer.html.replace('class="field wrong"', "")


async def test_signing_out_ends_it(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, CAROL)
    assert (await desk.send("/console/sign-out", {})).goes_to == "/console/sign-in"
    assert (await desk.open("/console/review")).status == 303


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {}]
)
async def test_a_form_on_another_page_can_do_nothing(desk_app: Litestar, headers: dict[str, str]) -> None:
    record, desk = await a_record(), await at_desk(desk_app, CAROL)
    del desk.browser.headers["Origin"]
    for path in (
        f"/console/record/{record}/read",
        f"/console/record/{record}/change",
        "/console/lists/places",
        "/console/sign-out",
        "/console/look",
    ):
        answer = Page(await desk.browser.post(path, data={"seq": "1", "place": "gate", "do": "add", "label": "Pond"}, headers=headers))
        assert answer.status == 403
        assert "did not come from Lanyard’s own pages" in answer


async def test_a_refusal_is_a_page_in_words(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, CAROL)
    for path, status in (
        ("/console/record/none", 404),
        ("/console/nothing-here", 404),
        ("/console/pupil/zoe/looked", 403),
        ("/console/new/none", 404),
    ):
        page = await desk.open(path)
        assert page.status == status
        assert "Go to Review" in page
        nothing_inline(page)
    assert (await desk.send("/console/review", {})).status == 405


async def test_a_mistake_of_ours_is_owned_up_to_and_shows_nothing(desk_app: Litestar) -> None:
    record, desk = await a_record(), await at_desk(desk_app, CAROL)
    await writing(lambda tx: tx.run("update record set body = '[1]' where id = $1", record))
    page = await desk.open(f"/console/record/{record}")
    assert page.status == 500
    assert "Something went wrong here; it has been noted" in page
    assert "Traceback" not in page


async def test_a_demonstration_school_says_so_on_every_page(desk_app: Litestar) -> None:
    record, desk = await a_record(), await at_desk(desk_app, DEE)
    assert "A demonstration school." not in await desk.open("/console/review")
    await writing(lambda tx: tx.run("update school set is_demo = $1 where id = 'northgate'", True))
    for path, who in OPEN_TO.items():
        if DEE in who:
            assert "A demonstration school." in await desk.open(path.format(record=record))


async def test_a_printed_page_says_whose_it_is_and_as_at_when(desk_app: Litestar) -> None:
    record, desk = await a_record(), await at_desk(desk_app, DEE)
    for path in (f"/record/{record}", f"/review?on={record}", "/pupil/zoe", "/pupil/zoe/looked", "/people"):
        assert "Northgate · confidential, names" in await desk.open(f"/console{path}")
        assert "printed by Dee Marsh, Wed 18 Nov 2026, 11:0" in await desk.open(f"/console{path}")


async def test_light_dark_and_contrast_are_kept_by_the_switch(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, CAROL)
    assert "data-theme" not in (await desk.open("/console/review")).html
    answer = await desk.send("/console/look", {"theme": "dark", "contrast": "more", "next": "/console/held"})
    assert answer.goes_to == "/console/held"
    page = await desk.open("/console/held")
    assert '<html lang="en-GB" data-theme="dark">' in page.html
    assert 'contrast.css">' in page.html
    await desk.send("/console/look", {"theme": '"><script>', "contrast": "x"})
    assert "data-theme" not in (await desk.open("/console/review")).html


async def test_every_kind_can_be_asked_for_and_written_at_the_desk(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, DEE)
    for kind in KINDS.values():
        page = await desk.open(f"/console/new/{kind.name}")
        assert page.status == 200
        for field in kind.fields:
            assert (f'name="{field.name}' in page.html or field.group == "State" or field.retired) == (
                not kind.hidden_from("dsl") & {field.name}
            )
        nothing_inline(page)


async def test_our_own_files_are_kept_for_good_and_change_their_address(desk_app: Litestar) -> None:
    desk = Desk(desk_app)
    page = await desk.open("/console/sign-in")
    addresses = re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page.html)
    assert len(addresses) >= 4
    for address in addresses:
        answer = (await desk.open(address)).answer
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    for name in ("keys.js", "live.js", "pages.js", "panes.js", "typed.js"):
        assert (await desk.open(addresses[0].rsplit("/", 1)[0] + f"/{name}")).status == 200


# ── What the browser would refuse anyway ───────────────────────────────────────────────────


class Inline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]
        self.found += [f"{tag} {value}" for name, value in attrs if value and value.lower().startswith(("javascript:", "http:", "//"))]
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.found.append(tag)


def nothing_inline(page: Page) -> None:
    parser = Inline()
    parser.feed(page.html)
    assert parser.found == []
    ids = re.findall(r'\sid="([^"]+)"', page.html)
    assert len(ids) == len(set(ids)), [id for id in ids if ids.count(id) > 1]
    assert "{{" not in page.html


async def test_the_answer_to_a_form_is_not_drawn_again_by_itself(desk_app: Litestar) -> None:
    desk = await at_desk(desk_app, ADA)
    answer = await desk.send("/console/people", {"name": "", "username": "", "role": "", "years": ""})
    assert (answer.status, "<body data-posted>" in answer.html) == (400, True)
    assert "<body>" in (await desk.open("/console/people")).html
