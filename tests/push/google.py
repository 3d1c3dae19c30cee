"""Google's push service as Chromium knows it: a phone checks in and registers over HTTP, and is spoken to over a socket of its own (MCS).

The few messages of it that a push needs, in protocol buffers written and read by hand.
"""

import asyncio
import contextlib
import datetime
import ipaddress
import secrets
import ssl
import struct
import tempfile
import time
import uuid
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tests.push.service import GOOGLE, Push, PushService, Subscription

HEARTBEAT, HEARD, LOGIN, LOGGED_IN, MESSAGE = 0, 1, 2, 3, 8  # tags of what goes over the socket


class GoogleToo(PushService):
    """Mozilla's and Google's at one address. `switches`: by which Chromium finds it."""

    def __init__(self) -> None:
        super().__init__()
        self.phones: list[asyncio.StreamWriter] = []
        self.undelivered: list[bytes] = []
        self.registered: dict[str, str] = {}  # by the name under which a worker registers: the path

    def more_routes(self, app: web.Application) -> None:
        app.router.add_post("/checkin", self.check_in)
        app.router.add_post("/register3", self.register)

    async def _open(self) -> None:
        await super()._open()
        context, self.pin = certified()
        self.door = await asyncio.start_server(self.speak, "127.0.0.1", 0, ssl=context)

    async def _close(self) -> None:
        self.door.close()
        for phone in self.phones:
            phone.close()
        await super()._close()

    @property
    def switches(self) -> list[str]:
        port = self.door.sockets[0].getsockname()[1]
        return [
            f"--gcm-checkin-url={self.address}/checkin",
            f"--gcm-registration-url={self.address}/register3",
            f"--gcm-mcs-endpoint=https://127.0.0.1:{port}",
            f"--ignore-certificate-errors-spki-list={self.pin}",
        ]

    async def check_in(self, request: web.Request) -> web.Response:
        id, token = (secrets.randbits(62) | 1 for _ in range(2))
        said = number(1, 1) + number(3, int(time.time() * 1000)) + fixed(7, id) + fixed(8, token)
        return web.Response(body=said, content_type="application/x-protobuffer")

    async def register(self, request: web.Request) -> web.Response:
        asked = dict(parse_qsl((await request.read()).decode()))
        name = asked.get("X-subtype", "")
        if asked.get("delete") == "true":
            if name in self.registered:
                self.subscriptions[self.registered[name]].gone = True
            return web.Response(text=f"token={asked.get('app', '')}")
        token = f"{secrets.token_urlsafe(8)}:APA91b{secrets.token_urlsafe(60)}"
        path = f"/fcm/send/{token}"
        subscription = Subscription(GOOGLE + path, asked.get("sender"))

        async def deliver(push: Push) -> None:
            await self.say(message(asked, push))

        subscription.deliver = deliver
        self.subscriptions[path] = subscription
        self.registered[name] = path
        return web.Response(text=f"token={token}")

    async def say(self, said: bytes) -> None:
        if not self.phones:
            self.undelivered.append(said)
            return
        self.phones[-1].write(framed(MESSAGE, said))
        await self.phones[-1].drain()

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            version = (await reader.readexactly(1))[0]
            heard = 0
            while True:
                tag = (await reader.readexactly(1))[0]
                await reader.readexactly(await length(reader))
                heard += 1
                if tag == LOGIN:
                    here = text(1, "here") + number(5, 1) + number(6, heard) + number(8, int(time.time() * 1000))
                    writer.write(bytes([version]) + framed(LOGGED_IN, here))
                    self.phones.append(writer)
                    while self.undelivered:
                        writer.write(framed(MESSAGE, self.undelivered.pop(0)))
                elif tag == HEARTBEAT:
                    writer.write(framed(HEARD, number(2, heard)))
                await writer.drain()
        if writer in self.phones:
            self.phones.remove(writer)
        writer.close()


def message(asked: dict[str, str], push: Push) -> bytes:
    said = text(3, asked.get("sender", "")) + text(5, asked["app"])
    for name, value in (("subtype", asked.get("X-subtype", "")), ("content-encoding", "aes128gcm")):
        said += text(7, text(1, name) + text(2, value))
    sent_at = int(time.time() * 1000)
    return said + text(9, uuid.uuid4().hex) + number(17, int(push.headers["TTL"])) + number(18, sent_at) + text(21, push.body)


# ── Protocol buffers ───────────────────────────────────────────────────────────────────────


def varint(value: int) -> bytes:
    parts = list(sevens(value))
    return bytes([part | 128 for part in parts[:-1]] + parts[-1:])


def sevens(value: int) -> Iterator[int]:
    yield value & 127
    while value := value >> 7:
        yield value & 127


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def fixed(field: int, value: int) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<Q", value)


def text(field: int, value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(raw)) + raw


def framed(tag: int, said: bytes) -> bytes:
    return bytes([tag]) + varint(len(said)) + said


async def length(reader: asyncio.StreamReader) -> int:
    value = shift = 0
    while True:
        part = (await reader.readexactly(1))[0]
        value |= (part & 127) << shift
        shift += 7
        if part < 128:
            return value


# ── A certificate that Chromium is told to take ────────────────────────────────────────────


def certified() -> tuple[ssl.SSLContext, str]:
    """And the hash of its key, as the switch wants it."""
    key, name = generate_private_key(SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(today - day).not_valid_after(today + 30 * day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )  # fmt: skip
    context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return context, b64encode(sha256(public).digest()).decode()
