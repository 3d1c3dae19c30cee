"""The phone's own files, as built: read once at the start, squeezed once, and answered from memory."""

import gzip
import hashlib
import mimetypes
import re
import shutil
import time
from pathlib import Path
from typing import Any

import msgspec
from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive

from server.access.answers import is_known, takes_gzip
from server.refusals import NotFound, NotThatWay
from server.settings import Settings

HASHED = re.compile(r"^/assets/.+-[\w-]{8,}\.\w+$")  # the name changes with the content
FOR_EVER, ASK_FIRST = "public, max-age=31536000, immutable", "no-cache"
KEPT_FOR_S = 90 * 24 * 3600  # a phone may run an old build for weeks
SCREENS = re.compile(r"^/(new/[^/]+|records|record/[^/]+|needs-you|people|pupil/[^/]+|this-phone|sign-in)?$")
WORKER, OFF = "/service-worker.js", "/service-worker-off.js"  # the second undoes the first, where it must be got rid of

mimetypes.add_type("application/manifest+json", ".webmanifest")


class File(msgspec.Struct, frozen=True):
    body: bytes
    squeezed: bytes | None
    kind: str
    tag: str
    keep: str
    status: int = 200


NOT_BUILT = File(
    b"The phone app has not been built yet. `make demo` builds it; or, in the folder pwa: npm ci, then npm run build.\n"
    b"The desk works without it: /console\n",
    None, "text/plain; charset=utf-8", '"not-built"', "no-store", 503,
)  # fmt: skip


def phone_app(settings: Settings) -> ASGIRouteHandler:
    """Everything that is neither the API nor the desk."""
    files = read_all(settings.kept) | read_all(settings.dist)
    if not settings.worker and OFF in files:
        files[WORKER] = files[OFF]
    keep_for_old_phones(settings.dist, settings.kept)

    @asgi("/", is_mount=True, copy_scope=True)
    async def shell(scope: Any, receive: Receive, send: Any) -> None:
        path = "/" + scope["path"].strip("/")  # a mount is given what comes after its own
        file = files.get("/index.html" if SCREENS.match(path) else path)
        if file is None:
            if SCREENS.match(path):
                file = NOT_BUILT
            else:
                raise NotFound
        if scope["method"] not in ("GET", "HEAD"):
            raise NotThatWay
        await _answer(file, scope, send)

    return shell


def read_all(folder: Path) -> dict[str, File]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {f"/{path.relative_to(folder).as_posix()}": read(path, folder) for path in paths}


def read(path: Path, folder: Path) -> File:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    is_text = kind.startswith("text/") or kind.endswith(("javascript", "json", "xml"))
    squeezed = gzip.compress(body, 9, mtime=0) if is_text and len(body) > 500 else None
    keep = FOR_EVER if HASHED.match(f"/{path.relative_to(folder).as_posix()}") else ASK_FIRST
    return File(body, squeezed, f"{kind}; charset=utf-8" if is_text else kind, f'"{hashlib.sha256(body).hexdigest()[:32]}"', keep)


def keep_for_old_phones(dist: Path, kept: Path) -> None:
    """Copies this build's hashed files beside those of earlier ones, and lets go of what no build has had for 90 days."""
    for path in dist.glob("assets/*"):
        target = kept / "assets" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)  # its time is now: it is still in use
    for path in kept.glob("assets/*"):
        if path.stat().st_mtime < time.time() - KEPT_FOR_S:
            path.unlink()


async def _answer(file: File, scope: Any, send: Any) -> None:
    asked: dict[bytes, bytes] = dict(scope["headers"])
    squeezed = file.squeezed if takes_gzip(asked.get(b"accept-encoding", b"").decode("latin-1")) else None
    body, tag = (file.body, file.tag) if squeezed is None else (squeezed, file.tag[:-1] + '-gzip"')
    headers = {"ETag": tag, "Cache-Control": file.keep, "Vary": "Accept-Encoding"}
    status = 304 if is_known(file.tag, asked.get(b"if-none-match", b"").decode("latin-1")) else file.status
    if status != 304:
        headers |= {"Content-Type": file.kind, "Content-Length": str(len(body))}
        if squeezed is not None:
            headers["Content-Encoding"] = "gzip"
    pairs: list[Any] = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body if status != 304 and scope["method"] == "GET" else b"", "more_body": False})
