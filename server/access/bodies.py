"""What is taken in: bodies bounded before they are held in memory, and JSON read strictly, in one pass, into the handler's own type."""

import re
import zlib
from functools import cache
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.types import ASGIApp, Send
from litestar.types.empty import Empty

from server.refusals import NotJson, TooLarge, Unreadable

LARGEST = 1_000_000  # bytes, as sent and as inflated; a route may say otherwise with `opt={"largest": …}`
DEEPEST = 100
BOXES = 2_000  # of one form; the longest of ours has some two hundred
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class BoundedBodies:
    """Middleware: the handler sees a plain, whole, bounded body, or is never called. Nothing is read before it asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in WITHOUT_BODY:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        largest = scope["route_handler"].opt.get("largest", LARGEST)
        if int(headers.get(b"content-length", b"0")) > largest:
            raise TooLarge(largest)
        inflated = _inflater(headers.get(b"content-encoding", b""))
        taken = False

        async def whole() -> Any:
            nonlocal taken
            if taken:
                return await receive()
            taken = True
            return {"type": "http.request", "body": await _whole_body(receive, inflated, largest), "more_body": False}

        await self.app(scope, whole, send)


async def _whole_body(receive: Any, inflated: "Plain | Gzipped", largest: int) -> bytes:
    parts, size, came = [], 0, 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Unreadable("The request ended early.")
        came += len(message["body"])
        part = inflated.more(message["body"], largest - size)
        size += len(part)
        if size > largest or came > largest:
            raise TooLarge(largest)
        parts.append(part)
        if not message["more_body"]:
            inflated.ended()
            return b"".join(parts)


class Plain:
    def more(self, part: bytes, room: int) -> bytes:
        return part

    def ended(self) -> None: ...


class Gzipped:
    """Inflates as it comes, one byte further than there is room at most: a bomb is noticed, never held."""

    def __init__(self) -> None:
        self.inflater = zlib.decompressobj(wbits=31)

    def more(self, part: bytes, room: int) -> bytes:
        try:
            inflated = self.inflater.decompress(part, room + 1)
        except zlib.error as broken:
            raise Unreadable("The request was squeezed in a way the school cannot undo.") from broken
        if self.inflater.unused_data:
            raise Unreadable("The request has something after its end.")
        return inflated

    def ended(self) -> None:
        if not self.inflater.eof:
            raise Unreadable("The request ended early.")


def _inflater(encoding: bytes) -> Plain | Gzipped:
    match encoding.strip().lower():
        case b"" | b"identity":
            return Plain()
        case b"gzip":
            return Gzipped()
        case _:
            raise NotJson("Bodies may come plain or gzipped.")


class StrictRequest(Request[Any, Any, Any]):
    """Reads JSON straight into the type the handler asks for: "3" is no number, 1 is no yes, and it must say that it is JSON."""

    async def json(self) -> Any:
        if self._json is Empty:
            field = self.route_handler.parsed_data_field
            body = await json_bytes(self)
            self._json = self._connection_state.json = read_json(body, Any if field is None else field.annotation)
        return self._json

    async def form(self) -> FormMultiDict:
        """Only text, and not more of it than a form of ours has boxes. A NUL, which not every database keeps, becomes U+FFFD."""
        if self._form is Empty:
            try:
                sent = (await super().form()).multi_items()
            except (UnicodeError, LookupError) as wrong:
                raise Unreadable("The form is in no alphabet that the school can read.") from wrong
            boxes = [(name.replace(NUL, UNSHOWN), text.replace(NUL, UNSHOWN)) for name, text in sent if isinstance(text, str)]
            if len(boxes) > BOXES:
                raise TooLarge(BOXES, "boxes")
            self._form = FormMultiDict(boxes)
        return self._form


NUL, UNSHOWN = "\0", "\ufffd"


async def json_bytes(request: Request[Any, Any, Any]) -> bytes:
    """The body as it came, from somebody who says that it is JSON."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise NotJson
    return await request.body()


_PLACE = re.compile(r" - at `\$\.?(.*)`$")


def read_json(body: bytes, shape: Any) -> Any:
    """Raises Unreadable, naming the place and never quoting what stood there."""
    try:
        return _decoder(shape).decode(body)
    except msgspec.ValidationError as wrong:
        place = _PLACE.search(str(wrong))
        raise Unreadable(where=place[1] if place else "") from wrong
    except RecursionError as deep:
        raise TooLarge(DEEPEST, "depth") from deep
    except (msgspec.DecodeError, UnicodeError) as wrong:
        raise Unreadable("The request is not JSON.") from wrong


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape, strict=True)
