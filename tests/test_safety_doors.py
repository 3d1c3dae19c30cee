"""Every answer carries our headers, and nothing that changes anything can be asked for by somebody else's page."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler

from server.app import create_app
from server.settings import Settings
from server.store.database import reading
from tests.routes import Door, doors
from tests.visitor import HERE, no_phone_app, signed_in, visitor
from tests.world import ADA, CAROL

PROMISED = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
    " font-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types ",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "lanyard-protocol": "1",
}


@get("/api/broken", sync_to_thread=False)
def broken() -> None:
    raise RuntimeError("a secret of Zoë’s")


def app_of(settings: Settings, *more: HTTPRouteHandler) -> Litestar:
    app = create_app(msgspec.structs.replace(no_phone_app(settings), show_schema=True))
    for handler in more:
        app.register(handler)
    return app


@pytest.fixture
def app(world: Settings) -> Litestar:
    return app_of(world, broken)


async def asked_everywhere(app: Litestar, browser: httpx.AsyncClient) -> AsyncIterator[tuple[Door, httpx.Response]]:
    for door in doors(app):
        if door.template not in ("/api/live", "/console/live"):  # they do not end
            yield door, await browser.request(door.method, door.path())


def dressed(answer: httpx.Response) -> dict[str, str]:
    """Its promised headers. The phone's own pages may have one policy more than others."""
    ours = answer.request.url.path.startswith(("/api", "/console", "/schema"))
    found = {name: value for name, value in answer.headers.items() if name in PROMISED}
    policy = "'none'" if ours else "lanyard"
    assert found["content-security-policy"].endswith(f"trusted-types {policy}")
    return found | {"content-security-policy": found["content-security-policy"].removesuffix(policy)}


async def test_every_route_answers_with_our_headers_to_strangers_and_to_staff(app: Litestar) -> None:
    seen = 0
    for browser in (visitor(app), await signed_in(app, CAROL), await signed_in(app, ADA)):
        async for door, answer in asked_everywhere(app, browser):
            assert dressed(answer) == PROMISED, door
            assert answer.headers["x-request-id"], door
            assert answer.status_code != 500 or door.template == "/api/broken", door
            seen += 1
    assert seen > 20


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/", 503),  # nothing built
        ("GET", "/no-such-page", 404),
        ("GET", "/api/no-such-thing", 404),
        ("POST", "/api/no-such-thing", 404),
        ("GET", "/console/no-such-page", 404),
        ("GET", "/assets/no-such-file.js", 404),
        ("PUT", "/api/here", 405),
        ("DELETE", "/api/school", 405),
        ("GET", "/api/school", 401),
        ("POST", "/api/session", 400),
        ("GET", "/api/broken", 500),
        ("GET", "/api/people?cursor=%00", 404),
        ("GET", "/record/%00", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/pyproject.toml", 404),
    ],
)
async def test_a_refusal_has_our_headers_too(app: Litestar, method: str, path: str, status: int) -> None:
    answer = await visitor(app).request(method, path)
    assert answer.status_code == status
    assert dressed(answer) == PROMISED
    assert answer.headers["cache-control"] == "no-store"


async def test_a_body_that_is_too_large_is_refused_with_our_headers(app: Litestar) -> None:
    answer = await visitor(app).post("/api/session", content=b"[" * 1_000_001, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["limit"], answer.json()["of"]) == (413, 1_000_000, "bytes")
    assert dressed(answer) == PROMISED


async def test_our_own_fault_is_owned_up_to_and_says_nothing(app: Litestar) -> None:
    answer = await visitor(app).get("/api/broken")
    assert answer.json() == {"refusal": "our_fault", "words": "Something went wrong here; it has been noted."}


async def test_over_https_only_browsers_are_told_to_keep_to_it_and_cookies_too(world: Settings) -> None:
    app = create_app(msgspec.structs.replace(no_phone_app(world), origins=("https://duty.example.school",)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://duty.example.school") as browser:
        browser.headers["X-Lanyard"] = "1"
        said = {"username": "carol", "password": "three wet umbrellas", "phone": {"id": "p", "name": ""}}
        answer = await browser.post("/api/session", json=said)
        assert answer.headers["strict-transport-security"].startswith("max-age=63072000")
        cookies = answer.headers.get_list("set-cookie")
        assert {cookie.split("=")[0] for cookie in cookies} == {"__Host-lanyard", "__Host-lanyard-known"}
        for cookie in cookies:
            assert {"HttpOnly", "Secure", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
            assert "domain" not in cookie.lower()
        assert (await browser.get("/api/school")).status_code == 200


async def test_what_the_api_and_the_desk_say_is_kept_by_no_cache(app: Litestar) -> None:
    async for door, answer in asked_everywhere(app, await signed_in(app, CAROL)):
        if door.template.startswith(("/api", "/console")) and "/static/" not in door.template:
            assert answer.headers["cache-control"] == "no-store", door


async def test_the_description_of_the_api_is_not_shown_unless_asked_for(world: Settings) -> None:
    answer = await visitor(create_app(no_phone_app(world))).get("/schema/openapi.json")
    assert answer.status_code == 404


# ── Whose page asks ────────────────────────────────────────────────────────────────────────

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://other.localhost:8000"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": HERE},  # one word of ours does not outweigh the browser's
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://["},
    {"Origin": "http://localhost:8001"},
    {"Origin": "http://localhost:8000.evil.example"},
]


async def test_no_unsafe_route_can_be_reached_from_somebody_elses_page(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    seen = 0
    for door in doors(app):
        if door.is_safe:
            continue
        for foreign in FOREIGN:
            answer = await browser.request(door.method, door.path(), headers=foreign, json={})
            assert (answer.status_code, "foreign" in answer.text or "own pages" in answer.text) == (403, True), (door, foreign)
            seen += 1
    assert seen >= 2 * len(FOREIGN)
    assert (await browser.get("/api/school")).status_code == 200  # nothing was signed out


async def test_no_unsafe_api_route_takes_what_a_form_can_send(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    for door in doors(app):
        if door.is_safe or not door.template.startswith("/api/"):
            continue
        bare = httpx.Request(
            door.method, HERE + door.path(), headers={"Cookie": f"lanyard={browser.cookies['lanyard']}", "Sec-Fetch-Site": "same-origin"}
        )
        assert (await visitor(app).send(bare)).status_code == 403, door  # no X-Lanyard
        if door.method == "POST":
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
                answer = await browser.post(door.path(), content=b"{}", headers={"Content-Type": kind})
                assert answer.status_code == 415, (door, kind)


async def test_no_unsafe_desk_route_is_taken_from_who_does_not_say_where_from(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    del browser.headers["X-Lanyard"]
    for door in doors(app):
        if not door.is_safe and door.template.startswith("/console"):
            assert (await browser.request(door.method, door.path())).status_code == 403, door


@pytest.mark.parametrize(
    "ours", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": HERE}, {}]
)
async def test_our_own_pages_are_let_through(app: Litestar, ours: dict[str, str]) -> None:
    browser = await signed_in(app, CAROL)
    assert (await browser.delete("/api/session", headers=ours)).status_code == 204


async def test_another_page_cannot_read_either(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)
    answer = await browser.get("/api/school", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_no_safe_route_changes_who_is_signed_in_or_writes_a_record(app: Litestar) -> None:
    browser = await signed_in(app, CAROL)

    async def counts() -> list[int]:
        tables = ("session", "edit", "record", "step", "staff", "phone", "list_entry")
        return [(await reading(lambda tx, table=table: tx.rows(f"select count(*) from {table}")))[0][0] for table in tables]

    before = await counts()
    async for door, _ in asked_everywhere(app, browser):
        assert not door.is_safe or await counts() == before, door
        if not door.is_safe:
            browser = await signed_in(app, CAROL)
            before = await counts()
