"""What the school says of itself, and asking again for what has not changed."""

import pytest
from litestar import Litestar

from server.kinds import KINDS
from server.settings import Settings
from server.store.database import writing
from tests.visitor import signed_in, the_app
from tests.world import ADA, AMIRA, CAROL, DAN, DEE, EVERYBODY


@pytest.fixture
def app(world: Settings) -> Litestar:
    return the_app()


async def test_it_says_who_i_am_and_what_my_school_is(app: Litestar) -> None:
    await writing(
        lambda tx: tx.run("""update school set settings = '{"phone": "01632 960140", "radio": "channel 3"}' where id = 'northgate'""")
    )
    said = (await (await signed_in(app, AMIRA)).get("/api/school")).json()
    assert said["school"] == {
        "id": "northgate", "name": "Northgate", "is_demo": False, "ribbon": "#0d6166", "thread": "#f0c24b",
        "phone": "01632 960140", "radio": "channel 3",
    }  # fmt: skip
    assert (said["me"]["id"], said["me"]["name"], said["me"]["role"]) == ("amira", "Amira Haddad", "teacher")
    assert [period["code"] for period in said["periods"]] == ["reg", "p1", "p2", "break", "p3", "lunch", "p4", "p5"]
    assert {"code": "uniform", "label": "Uniform", "retired": True} in said["lists"]["categories"]
    assert [kind["name"] for kind in said["kinds"]] == [kind.name for kind in KINDS.values() if not kind.at_desk]


async def test_attendance_codes_are_those_of_today(app: Litestar) -> None:
    rows = [("X1", "2020-01-01", "2021-01-01", "long ago"), ("X2", "2020-01-01", None, "now"), ("X3", "2999-01-01", None, "not yet")]
    add = (
        "insert into attendance_code (code, from_on, to_on, meaning, category, is_possible, is_physical, source)"
        " values ($1, $2, $3, $4, 'absent', true, false, 'here')"
    )
    await writing(lambda tx: tx.run_many(add, rows))
    codes = {code["code"] for code in (await (await signed_in(app, AMIRA)).get("/api/school")).json()["codes"]}
    assert "X2" in codes
    assert not {"X1", "X3"} & codes


async def test_a_field_that_my_role_may_not_see_is_not_asked_of_me(app: Litestar) -> None:
    for me in EVERYBODY:
        said = (await (await signed_in(app, me)).get("/api/school")).json()
        for kind in said["kinds"]:
            names = {field["name"] for field in kind["fields"]}
            assert names == {
                field.name for field in KINDS[kind["name"]].fields if KINDS[kind["name"]].visible(field, me.role) and not field.apart
            }


async def test_what_i_may_do_is_my_roles(app: Litestar) -> None:
    async def may(me: object) -> set[str]:
        return set((await (await signed_in(app, me)).get("/api/school")).json()["me"]["may"])  # type: ignore[arg-type]

    assert "people" in await may(ADA)
    assert "access_log" in await may(DEE)
    assert not {"people", "access_log", "contacts", "settle", "export"} & await may(AMIRA)
    assert "amend:incident" in await may(AMIRA)


async def test_what_has_not_changed_is_not_sent_again(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    tag = (await browser.get("/api/school")).headers["etag"]
    assert not tag.startswith("W/")
    again = await browser.get("/api/school", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["lanyard-protocol"] == "1"
    await writing(lambda tx: tx.run("update list_entry set label = 'The yard' where code = 'yard'"))
    changed = await browser.get("/api/school", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


async def test_squeezed_and_plain_have_tags_of_their_own_and_either_is_known(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    squeezed = await browser.get("/api/school", headers={"Accept-Encoding": "gzip"})
    plain = await browser.get("/api/school", headers={"Accept-Encoding": "identity"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert squeezed.json() == plain.json()
    assert squeezed.headers["etag"] != plain.headers["etag"]
    assert squeezed.headers["vary"] == "Accept-Encoding"
    for tag in (squeezed.headers["etag"], plain.headers["etag"], f'"other", {plain.headers["etag"]}'):
        assert (await browser.get("/api/school", headers={"If-None-Match": tag})).status_code == 304


ACCEPTED = {"gzip": True, "br, gzip;q=0.5": True, "gzip;q=0": False, "br": False, "": False, "x-gzip2": False}


async def test_an_answer_is_squeezed_only_for_who_takes_it(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    for accepted, squeezed in ACCEPTED.items():
        answer = await browser.get("/api/school", headers={"Accept-Encoding": accepted})
        assert ("content-encoding" in answer.headers) is squeezed, accepted
        small = await browser.get("/api/here", headers={"Accept-Encoding": accepted})
        assert "content-encoding" not in small.headers, accepted


async def test_every_school_hears_only_of_itself(app: Litestar) -> None:
    said = (await (await signed_in(app, DAN)).get("/api/school")).text
    assert "Southfield" in said
    assert "Northgate" not in said
