"""The phone's own files: for its own addresses only, kept for as long as their names allow, and old ones for old phones."""

import gzip
import os
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from server.api.shell import KEPT_FOR_S
from server.app import create_app
from server.settings import Settings
from tests.visitor import visitor

INDEX = "<!doctype html><title>Lanyard</title>" + "<p>A page.</p>" * 60
ASSET = "/assets/main-a1b2c3d4.js"


@pytest.fixture
def built(tmp_path: Path) -> Settings:
    settings = Settings(dist=tmp_path / "dist", kept=tmp_path / "kept")
    build(settings, ASSET, "console.log(1);" * 100)
    return settings


def build(settings: Settings, asset: str, script: str) -> None:
    files = {
        "index.html": INDEX,
        "service-worker.js": "// serves",
        "service-worker-off.js": "// undoes",
        "manifest.webmanifest": "{}",
        "icons/icon-192.png": "png",
        asset[1:]: script,
    }
    for name, content in files.items():
        path = settings.dist / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def browser(settings: Settings) -> httpx.AsyncClient:
    return visitor(create_app(settings))


OWN = [
    "/",
    "/new/incident",
    "/records",
    "/record/0193a7c2-0000",
    "/needs-you",
    "/people",
    "/pupil/zoe",
    "/this-phone",
    "/sign-in",
    "/records/",
]


@pytest.mark.parametrize("path", OWN)
async def test_each_of_the_phones_own_addresses_is_its_page(built: Settings, path: str) -> None:
    answer = await browser(built).get(path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/nowhere", "/new", "/new/a/b", "/record", "/api", "/index.php", "/assets", "/assets/", "/.env", "/service-worker.js/x"]
)
async def test_any_other_address_is_not_found(built: Settings, path: str) -> None:
    assert (await browser(built).get(path)).status_code == 404


async def test_a_hashed_file_is_kept_for_ever_and_the_worker_asks_first(built: Settings) -> None:
    phone = browser(built)
    assert "immutable" in (await phone.get(ASSET)).headers["cache-control"]
    for path in ("/service-worker.js", "/manifest.webmanifest", "/icons/icon-192.png", "/index.html"):
        assert (await phone.get(path)).headers["cache-control"] == "no-cache"
    assert (await phone.get("/service-worker.js")).headers["content-type"] == "text/javascript; charset=utf-8"
    assert (await phone.get("/manifest.webmanifest")).headers["content-type"].startswith("application/manifest+json")


async def test_files_are_squeezed_for_who_takes_it_and_known_by_their_tags(built: Settings) -> None:
    phone = browser(built)
    squeezed, plain = await phone.get("/"), await phone.get("/", headers={"Accept-Encoding": "identity"})
    assert squeezed.headers["content-encoding"] == "gzip"
    assert plain.text == squeezed.text == INDEX
    assert int(squeezed.headers["content-length"]) == len(gzip.compress(INDEX.encode(), 9, mtime=0))
    for tag in (squeezed.headers["etag"], plain.headers["etag"]):
        again = await phone.get("/", headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_head_request_has_no_body(built: Settings) -> None:
    answer = await browser(built).head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_the_files_cannot_be_written_to(built: Settings) -> None:
    assert (await browser(built).post("/")).status_code == 405


async def test_a_phone_on_an_old_build_still_finds_its_files_for_90_days(built: Settings) -> None:
    create_app(built)
    (built.dist / ASSET[1:]).unlink()
    build(built, "/assets/main-e5f6a7b8.js", "console.log(2);" * 100)
    phone = browser(built)
    assert (await phone.get(ASSET)).text.startswith("console.log(1)")
    assert (await phone.get("/assets/main-e5f6a7b8.js")).text.startswith("console.log(2)")
    long_ago = time.time() - KEPT_FOR_S - 3600
    os.utime(built.kept / ASSET[1:], (long_ago, long_ago))
    create_app(built)
    assert (await browser(built).get(ASSET)).status_code == 404


async def test_an_old_page_is_never_served_for_the_new_one(built: Settings) -> None:
    create_app(built)
    assert not (built.kept / "index.html").exists()


async def test_a_worker_that_must_be_got_rid_of_is_undone(built: Settings) -> None:
    assert (await browser(built).get("/service-worker.js")).text == "// serves"
    assert (await browser(msgspec.structs.replace(built, worker=False)).get("/service-worker.js")).text == "// undoes"


async def test_where_nothing_is_built_it_says_so_in_words(tmp_path: Path) -> None:
    answer = await browser(Settings(dist=tmp_path / "none", kept=tmp_path / "none-kept")).get("/")
    assert answer.status_code == 503
    assert "make demo" in answer.text
