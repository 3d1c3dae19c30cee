"""A push service on this machine: Mozilla's and Google's, as their browsers and a sender know them. It can be told to misbehave.

It checks what theirs check: who signed (VAPID, RFC 8292) and for whom, the headers, the length, and that the subscription is there.
"""

import asyncio
import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from server.access import base64url

MOZILLA, GOOGLE = "https://updates.push.services.mozilla.com", "https://fcm.googleapis.com"
SAME = {GOOGLE: (GOOGLE, "https://jmt17.google.com")}
LONGEST = 4096
DAY_S = 24 * 3600


@dataclass
class Subscription:
    endpoint: str  # a browser of Google's may give the same by another name of theirs
    key: str | None  # the sender's, under which it was made
    gone: bool = False
    deliver: Callable[["Push"], Coroutine[Any, Any, None]] | None = None


@dataclass
class Push:
    """As it came."""

    subscription: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


@dataclass
class Trick:
    """What is answered instead, once: to one subscription, or to whoever comes next."""

    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    after_s: float = 0
    endless: bool = False
    subscription: str | None = None


class Refused(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class PushService:
    def __init__(self) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.pushes: list[Push] = []  # those it took
        self.asked: list[tuple[str, int]] = []  # every request: the path, and how it was answered
        self.tricks: list[Trick] = []
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.waiting: dict[str, list[Any]] = {}
        self.channels: dict[str, str] = {}  # of Firefox: to the path

    def __enter__(self) -> "PushService":
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_get("/", self.speak_with_firefox)
        app.router.add_post("/wpush/v2/{token}", self.take)
        app.router.add_post("/fcm/send/{token}", self.take)
        self.more_routes(app)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]

    async def _close(self) -> None:
        for socket in list(self.sockets.values()):
            await socket.close()
        await self.runner.cleanup()

    def more_routes(self, app: web.Application) -> None:
        """For Chromium: see `google.py`."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def new(self, key: str | None, at: str = MOZILLA) -> str:
        """An endpoint, as a browser gets it."""
        path = f"{'/wpush/v2' if at == MOZILLA else '/fcm/send'}/{uuid.uuid4().hex}"
        self.subscriptions[path] = Subscription(at + path, key)
        return at + path

    def of(self, endpoint: str) -> Subscription:
        return next(one for one in self.subscriptions.values() if one.endpoint == endpoint)

    # ── From a sender ──────────────────────────────────────────────────────────────────────

    async def take(self, request: web.Request) -> web.StreamResponse:
        body, status = await request.read(), 201
        trick = next((one for one in self.tricks if one.subscription in (None, request.path)), None)
        try:
            if trick:
                self.tricks.remove(trick)
                if trick.after_s:
                    await asyncio.sleep(trick.after_s)
                if trick.status != 201 or trick.endless:
                    status = trick.status
                    return await self.trick(request, trick)
            await self.deliver(request, body)
        except Refused as refused:
            status = refused.status
            return web.Response(status=status, text=str(refused))
        finally:
            self.asked.append((request.path, status))
        return web.Response(status=201, headers={"Location": f"{self.address}/m/{uuid.uuid4().hex}"})

    async def trick(self, request: web.Request, trick: Trick) -> web.StreamResponse:
        if not trick.endless:
            return web.Response(status=trick.status, headers=trick.headers)
        answer = web.StreamResponse(status=trick.status, headers=trick.headers)
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await answer.write(b"x" * 65_536)
        return answer

    async def deliver(self, request: web.Request, body: bytes) -> None:
        subscription = self.subscriptions.get(request.path)
        if subscription is None:
            raise Refused(404, "no such subscription")
        if subscription.gone:
            raise Refused(410, "the subscription has ended")
        check_sender(request.headers.get("Authorization", ""), subscription)
        check_shape(request.headers, body)
        push = Push(request.path, dict(request.headers), body)
        self.pushes.append(push)
        if subscription.deliver:
            await subscription.deliver(push)

    # ── Firefox ────────────────────────────────────────────────────────────────────────────

    async def speak_with_firefox(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        name = ""
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                break
            said = json.loads(message.data)
            match said.get("messageType", "ping"):
                case "hello":
                    name = said.get("uaid") or uuid.uuid4().hex
                    self.sockets[name] = socket
                    await socket.send_json({"messageType": "hello", "uaid": name, "status": 200, "use_webpush": True, "broadcasts": {}})
                    for waiting in self.waiting.pop(name, []):
                        await socket.send_json(waiting)
                case "register":
                    channel = said["channelID"]
                    endpoint = self.new(said.get("key"))
                    self.channels[channel] = endpoint
                    self.of(endpoint).deliver = self.to_firefox(name, channel)
                    await socket.send_json({"messageType": "register", "channelID": channel, "status": 200, "pushEndpoint": endpoint})
                case "unregister":
                    if said["channelID"] in self.channels:
                        self.of(self.channels[said["channelID"]]).gone = True
                    await socket.send_json({"messageType": "unregister", "channelID": said["channelID"], "status": 200})
                case "ping":
                    await socket.send_str("{}")
        return socket

    def to_firefox(self, name: str, channel: str) -> Callable[[Push], Coroutine[Any, Any, None]]:
        async def deliver(push: Push) -> None:
            said = {
                "messageType": "notification", "channelID": channel, "version": uuid.uuid4().hex,
                "data": base64url.write(push.body), "headers": {"encoding": "aes128gcm"},
            }  # fmt: skip
            socket = self.sockets.get(name)
            if socket is None or socket.closed:
                self.waiting.setdefault(name, []).append(said)
            else:
                await socket.send_json(said)

        return deliver


# ── What theirs check ──────────────────────────────────────────────────────────────────────


def check_sender(authorization: str, subscription: Subscription) -> None:
    scheme, _, said = authorization.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in said.split(",") if "=" in part)
    if scheme.lower() != "vapid" or not {"t", "k"} <= parts.keys():
        raise Refused(401, "nobody has signed")
    try:
        public = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), base64url.read(parts["k"]) or b"")
        claims = jwt.decode(parts["t"], public, algorithms=["ES256"], options={"verify_aud": False, "require": ["aud", "exp", "sub"]})
    except (jwt.PyJWTError, ValueError) as error:
        raise Refused(403, f"the signature does not hold: {error}") from error
    if claims["aud"] not in SAME.get(origin := "/".join(subscription.endpoint.split("/")[:3]), (origin,)):
        raise Refused(403, "signed for somebody else")
    if claims["exp"] > time.time() + DAY_S:
        raise Refused(403, "signed for more than a day")
    if not str(claims["sub"]).startswith(("mailto:", "https://")):
        raise Refused(403, "nobody to write to")
    if subscription.key is not None and base64url.read(subscription.key.rstrip("=")) != base64url.read(parts["k"]):
        raise Refused(403, "another key than it was made under")


def check_shape(headers: Any, body: bytes) -> None:
    if not str(headers.get("TTL", "")).isdigit():
        raise Refused(400, "no TTL")
    if headers.get("Content-Encoding") != "aes128gcm":
        raise Refused(415, "closed in a way that nobody opens")
    if len(body) > LONGEST:
        raise Refused(413, "too long")
    if len(headers.get("Topic", "")) > 32:
        raise Refused(400, "a topic is 32 letters at most")
