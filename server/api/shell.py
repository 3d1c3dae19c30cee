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
from litestar import HttpMethod, Request, Response, route
from litestar.handlers import HTTPRouteHandler

from server.access.answers import is_known, takes_gzip
from server.refusals import NotFound, NotThatWay
from server.settings import Settings

HASHED = re.compile(r"^/assets/.+-[\w-]{8,}\.\w+$")  # the name changes with the content
FOR_EVER, ASK_FIRST = "public, max-age=31536000, immutable", "no-cache"
KEPT_FOR_S = 90 * 24 * 3600  # a phone may run an old build for weeks
SCREENS = re.compile(r"^/(new/[^/]+|records|record/[^/]+|needs-you|people|pupil/[^/]+|this-phone|sign-in|pair)?$")
METHODS = [HttpMethod.GET, HttpMethod.HEAD, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE]
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
    None, "text/plain", '"not-built"', "no-store", 503,
)  # fmt: skip


def phone_app(settings: Settings) -> HTTPRouteHandler:
    """Everything that is neither the API nor the desk."""
    files = read_all(settings.kept) | read_all(settings.dist)
    if not settings.worker and OFF in files:
        files[WORKER] = files[OFF]
    keep_for_old_phones(settings.dist, settings.kept)

    # Not a mount: one at / would swallow every other address that has a parameter in it.
    @route(["/", "/{file:path}"], http_method=METHODS, include_in_schema=False)
    async def shell(request: Request[Any, Any, Any]) -> Response[bytes]:
        path = "/" + request.scope["path"].strip("/")
        file = files.get("/index.html" if SCREENS.match(path) else path)
        if file is None:
            if not SCREENS.match(path):
                raise NotFound
            file = NOT_BUILT
        if request.method not in ("GET", "HEAD"):
            raise NotThatWay
        return answer(file, request)

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
    return File(body, squeezed, kind, f'"{hashlib.sha256(body).hexdigest()[:32]}"', keep)


def keep_for_old_phones(dist: Path, kept: Path) -> None:
    """Copies this build's hashed files beside those of earlier ones, and lets go of what no build has had for 90 days."""
    for path in dist.glob("assets/*"):
        target = kept / "assets" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)  # its time is now: it is still in use
    for path in kept.glob("assets/*"):
        if path.stat().st_mtime < time.time() - KEPT_FOR_S:
            path.unlink()


def answer(file: File, request: Request[Any, Any, Any]) -> Response[bytes]:
    squeezed = file.squeezed if takes_gzip(request.headers.get("accept-encoding", "")) else None
    body, tag = (file.body, file.tag) if squeezed is None else (squeezed, file.tag[:-1] + '-gzip"')
    headers = {"ETag": tag, "Cache-Control": file.keep, "Vary": "Accept-Encoding"}
    if is_known(file.tag, request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, headers=headers)
    if squeezed is not None:
        headers["Content-Encoding"] = "gzip"
    return Response(body, status_code=file.status, headers=headers, media_type=file.kind)
