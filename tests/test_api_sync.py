"""The exchange over HTTP: under a sign-in it sends and receives; under a grant it only sends, whoever is signed in."""

import gzip
import json
from typing import Any

import httpx
import jwt
import msgspec
import pytest
from litestar import Litestar

from server.access import grants
from server.access.grants import LASTS_S, PURPOSE
from server.access.keys import new_key, signing_key
from server.api.history import written
from server.kinds import KINDS
from server.settings import Settings
from server.store import moments
from server.store.database import reading, writing
from server.sync.letter import MENDED
from tests.letters import edit, letter
from tests.visitor import signed_in, the_app, try_signing_in, visitor
from tests.world import AMIRA, BEN, CAROL, DAN

NOTE = "He would not leave the stairwell."


@pytest.fixture
def app(world: Settings) -> Litestar:
    return the_app()


async def amiras_grant(app: Litestar) -> str:
    grant: str = (await try_signing_in(visitor(app), "amira", phone="amira-phone")).json()["grant"]
    return grant


async def send_under(app: Litestar, grant: str, said: dict[str, Any], browser: httpx.AsyncClient | None = None) -> httpx.Response:
    return await (browser or visitor(app)).post("/api/sync", json=said, headers={"Authorization": f"Bearer {grant}"})


def an_edit(number: int) -> dict[str, Any]:
    return edit("amira-phone", number, "incident", {"category": "defiance", "account": NOTE})


async def test_an_edit_goes_up_and_its_record_comes_down_on_another_phone(app: Litestar) -> None:
    told = an_edit(1)
    answer = await (await signed_in(app, AMIRA)).post("/api/sync", json=letter("amira-phone", told))
    assert [receipt["outcome"] for receipt in answer.json()["receipts"]] == ["taken"]
    held = (await (await signed_in(app, CAROL)).post("/api/sync", json=letter("carol-phone"))).json()
    assert [(record["id"], record["author"]) for record in held["records"]] == [(told["record"], "amira")]


async def test_nothing_new_is_under_300_bytes(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    cursor = (await browser.post("/api/sync", json=letter("carol-phone"))).json()["cursor"]
    answer = await browser.post("/api/sync", json=letter("carol-phone", cursor=cursor))
    assert answer.json()["records"] == []
    assert len(answer.content) <= 300


async def test_a_letter_may_come_gzipped(app: Litestar) -> None:
    body = gzip.compress(json.dumps(letter("amira-phone", an_edit(1))).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = await (await signed_in(app, AMIRA)).post("/api/sync", content=body, headers=headers)
    assert answer.json()["receipts"][0]["outcome"] == "taken"


async def test_nobody_exchanges_without_a_sign_in_or_a_grant(app: Litestar) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer x.y.z"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
    ):
        answer = await visitor(app).post("/api/sync", json=letter("amira-phone", an_edit(1)), headers=headers)
        assert (answer.status_code, answer.json()["refusal"]) == (401, "sign_in"), headers
    assert (await reading(lambda tx: tx.rows("select count(*) from edit")))[0][0] == 0


async def test_an_outbox_goes_on_sending_when_somebody_else_has_signed_in(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    grant = (await try_signing_in(browser, "amira", phone="amira-phone")).json()["grant"]
    await try_signing_in(browser, "ben", phone="ben-phone")
    answer = await send_under(app, grant, letter("amira-phone", an_edit(1)), browser)
    assert [receipt["outcome"] for receipt in answer.json()["receipts"]] == ["taken"]
    author = await reading(lambda tx: tx.row("select author, phone from edit"))
    assert author is not None
    assert tuple(author) == ("amira", "amira-phone")


async def test_a_grant_outlives_signing_out_and_the_session(app: Litestar) -> None:
    browser = await signed_in(app, AMIRA)
    grant = (await try_signing_in(browser, "amira", phone="amira-phone")).json()["grant"]
    await browser.delete("/api/session")
    await writing(lambda tx: tx.run("delete from session"))
    assert (await send_under(app, grant, letter("amira-phone", an_edit(1)), browser)).status_code == 200


async def test_a_grant_reads_nothing(app: Litestar) -> None:
    grant = await amiras_grant(app)
    mine = edit("amira-phone", 2, "incident", {"place": "nowhere we know of"})
    answer = (await send_under(app, grant, letter("amira-phone", an_edit(1), mine))).json()
    assert [receipt["outcome"] for receipt in answer["receipts"]] == ["taken", "held"]  # the premise: there is something to read
    assert (answer["records"], answer["held"], answer["gone"], answer["cursor"], answer["more"]) == ([], [], [], None, False)
    again = (await send_under(app, grant, letter("amira-phone", cursor=None))).json()
    assert (again["records"], again["held"]) == ([], [])
    for path in ("/api/school", "/api/people", "/api/live"):
        assert (await visitor(app).get(path, headers={"Authorization": f"Bearer {grant}"})).status_code == 401


async def test_a_grant_ends_with_its_phone_and_with_its_person(app: Litestar) -> None:
    grant = await amiras_grant(app)
    await writing(lambda tx: tx.run("update phone set revoked_at = 1 where id = 'amira-phone'"))
    answer = await send_under(app, grant, letter("amira-phone", an_edit(1)))
    assert (answer.status_code, answer.json()["refusal"]) == (403, "phone_revoked")
    await writing(lambda tx: tx.run("update phone set revoked_at = null where id = 'amira-phone'"))
    assert (await send_under(app, grant, letter("amira-phone", an_edit(1)))).status_code == 200
    await writing(lambda tx: tx.run("update staff set left_at = 1 where id = 'amira'"))
    assert (await send_under(app, grant, letter("amira-phone", an_edit(2)))).status_code == 403


async def test_a_grant_is_not_for_somebody_elses_phone(app: Litestar) -> None:
    grant = await amiras_grant(app)
    answer = await send_under(app, grant, letter("ben-phone", edit("ben-phone", 1, "incident", {"account": NOTE})))
    assert answer.status_code == 401
    assert (await reading(lambda tx: tx.rows("select count(*) from edit")))[0][0] == 0


async def forged(**changes: Any) -> dict[str, str]:
    """Grants that are almost right, each wrong in one thing."""
    kid, private = await writing(signing_key, PURPOSE)
    other_kid, other = await writing(new_key, "something else")
    public = await reading(lambda tx: tx.row("select public from key where id = $1", kid))
    assert public is not None
    now = moments.now() // 1_000_000
    good = {"aud": PURPOSE, "iss": "northgate", "sub": "amira", "phone": "amira-phone", "jti": "1", "iat": now, "exp": now + 3600}

    def signed(claims: dict[str, Any], key: Any = private, algorithm: str = "ES256", id: str = kid) -> str:
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": id})

    head = jwt.utils.base64url_encode(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
    body = jwt.utils.base64url_encode(json.dumps(good).encode())
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    by_public = hmac.sign(head + b"." + body, public[0].encode())
    genuine = signed(good)
    return {
        "unsigned": jwt.encode(good, None, algorithm="none", headers={"kid": kid}),  # type: ignore[arg-type]
        "signed with the public key as a secret": b".".join((head, body, jwt.utils.base64url_encode(by_public))).decode(),
        "another key": signed(good, other),
        "another purpose's key": signed(good, other, id=other_kid),
        "a key no database could name": signed(good, id=f"{kid}\0"),
        "a key we do not know": signed(good, id="../../etc/passwd"),
        "no key named": jwt.encode(good, private, algorithm="ES256"),
        "for another use": signed(good | {"aud": "something else"}),
        "expired": signed(good | {"exp": now - 120}),
        "from the future": signed(good | {"iat": now + 120, "nbf": now + 120}),
        "no end": signed({name: value for name, value in good.items() if name != "exp"}),
        "no phone": signed({name: value for name, value in good.items() if name != "phone"}),
        "cut": genuine[:-4],
        "a flipped bit": genuine[:-10] + ("A" if genuine[-10] != "A" else "B") + genuine[-9:],
        "nonsense": "a.b.c",
        "very long": "a" * 5_000,
        "not a token": "\x7f",
    }


async def test_a_forged_grant_sends_nothing(app: Litestar) -> None:
    for why, grant in (await forged()).items():
        answer = await send_under(app, grant, letter("amira-phone", an_edit(1)))
        assert (answer.status_code, answer.json()["refusal"]) == (401, "sign_in"), why
    assert (await reading(lambda tx: tx.rows("select count(*) from edit")))[0][0] == 0


async def test_a_grant_for_a_phone_of_somebody_else_or_another_school_is_worth_nothing(app: Litestar) -> None:
    for me in (BEN, DAN):
        grant = await writing(lambda tx, me=me: grants.grant(tx, me))
        claims = jwt.decode(grant, options={"verify_signature": False})
        assert (claims["iss"], claims["sub"], claims["phone"]) == (me.school, me.staff, me.phone)
    crossed = await writing(lambda tx: grants.grant(tx, msgspec.structs.replace(AMIRA, phone="dan-phone")))
    assert (await send_under(app, crossed, letter("dan-phone", an_edit(1)))).status_code == 401


async def test_a_phone_that_was_paired_after_the_backup_is_asked_to_sign_in_and_not_told_to_forget(app: Litestar) -> None:
    grant = (await try_signing_in(visitor(app), "amira", phone="new-handset")).json()["grant"]
    assert (await send_under(app, grant, letter("new-handset"))).status_code == 200  # the premise: it is good
    await writing(lambda tx: tx.run("delete from session"))
    await writing(lambda tx: tx.run("delete from phone where id = 'new-handset'"))
    answer = await send_under(app, grant, letter("new-handset", an_edit(1)))
    assert (answer.status_code, answer.json()["refusal"]) == (401, "sign_in")


async def test_two_hosts_whose_clocks_differ_by_a_minute_agree_on_a_grant(app: Litestar) -> None:
    real = moments.now()
    moments.set_clock(lambda: real + 45_000_000)
    try:
        grant = await amiras_grant(app)
    finally:
        moments.set_clock(None)
    assert (await send_under(app, grant, letter("amira-phone", an_edit(1)))).status_code == 200


async def test_a_grant_lasts_400_days_and_a_retired_key_ends_it(app: Litestar) -> None:
    grant = await amiras_grant(app)
    claims = jwt.decode(grant, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == LASTS_S == 400 * 24 * 3600
    await writing(lambda tx: tx.run("update key set retired_at = 1"))
    assert (await send_under(app, grant, letter("amira-phone", an_edit(1)))).status_code == 401
    assert (await send_under(app, await amiras_grant(app), letter("amira-phone", an_edit(1)))).status_code == 200


# ── What was written in it ─────────────────────────────────────────────────────────────────


async def history(browser: httpx.AsyncClient, record: str) -> httpx.Response:
    return await browser.get(f"/api/records/{record}/history")


async def test_the_history_of_a_record_names_everybody_who_wrote_in_it(app: Litestar) -> None:
    amira, carol = await signed_in(app, AMIRA), await signed_in(app, CAROL)
    first = edit("amira-phone", 1, "incident", {"category": "defiance", "account": NOTE})
    await amira.post("/api/sync", json=letter("amira-phone", first))
    second = edit("carol-phone", 1, "incident", {"category": "fight"}, record=first["record"])
    await carol.post("/api/sync", json=letter("carol-phone", second))
    told = (await history(amira, first["record"])).json()
    assert [(one["id"], one["author"], one["values"]) for one in told["edits"]] == [
        (first["id"], "amira", first["values"]),
        (second["id"], "carol", {"category": "fight"}),
    ]
    assert told["edits"][0]["made_at"] == first["made_at"]


async def test_the_history_of_a_record_that_is_not_mine_is_not_there(app: Litestar) -> None:
    told = an_edit(1)
    await (await signed_in(app, AMIRA)).post("/api/sync", json=letter("amira-phone", told))
    for me in (BEN, DAN):
        assert (await history(await signed_in(app, me), told["record"])).status_code == 404


async def test_what_my_role_may_not_see_or_stays_at_the_desk_is_not_in_the_history(app: Litestar) -> None:
    for kind in KINDS.values():
        secret = {name: {"put": {}, "drop": []} if field.shape.gathers else None for field in kind.fields for name in [field.name]}
        remarks = [f"{name}: characters that cannot be kept were replaced" for name in secret]
        row = {"id": "e", "kind": kind.name, "author": "a", "made_at": 1, "ordered_at": 1, "received_at": 1}
        shown = written(row | {"values": json.dumps(secret), "remarks": json.dumps([*remarks, MENDED])}, BEN)  # type: ignore[arg-type]
        mine = [field.name for field in kind.fields if kind.visible(field, BEN.role) and field.name not in kind.apart]
        assert list(shown.values) == mine
        assert shown.remarks == [remark for remark in remarks if remark.partition(":")[0] in mine] + [MENDED]
