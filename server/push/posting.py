"""Handing one alert to one push service: closed so that only the phone can read it (RFC 8291), signed, and asked once, for five seconds."""

import hashlib
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from pywebpush import WebPusher
from yarl import URL

from server.access import base64url
from server.access.keys import Locked
from server.push.endpoints import NotPublic, PublicOnly, origin_of
from server.push.keys import authorization, contact_of
from server.settings import Settings

PATIENCE_S = 5.0
LONGEST_BODY = 4096  # bytes, closed: no push service takes more
DECLARED = 8030  # Declarative Web Push: a browser that knows it shows the alert even where our own worker fails to
LONGEST_WAIT_S = 3600  # whatever a push service asks for
REFUSED = "its push service does not take the school’s signature (its key, its clock, or whom it may write to)"
HERE = frozenset({"127.0.0.1", "localhost", "::1"})


class Parcel(msgspec.Struct, frozen=True):
    """One alert for one phone, and what it takes to send it."""

    alert: str
    school: str
    phone: str
    token: str
    title: str
    body: str
    opens: str
    topic: str
    urgent: bool
    ends_at: int
    endpoint: str
    public: str
    secret: str
    private: str  # of the key that the phone subscribed under, as it is kept
    failures: int


class Answer(msgspec.Struct, frozen=True):
    """`taken`: the push service has it. `gone`: why nothing can be sent to this subscription any more. `over`: nor can this alert.

    `refused`: it does not believe who signed. That may pass: more often it is our clock that is wrong than the subscription.
    """

    taken: bool = False
    gone: str | None = None
    over: bool = False
    refused: bool = False
    failed: str | None = None
    wait_s: float | None = None  # as it asked


class Post:
    """Every push service there is, by one session. It follows nobody anywhere, and reads no more of an answer than its first lines."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.contact = settings, contact_of(settings)
        self.stand_in = stand_in_of(settings)
        resolver = None if self.stand_in else PublicOnly()
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, limit=0, limit_per_host=0)
        self.session = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
        )

    async def close(self) -> None:
        await self.session.close()

    async def send(self, parcel: Parcel, at: int) -> Answer:
        """`at`: µs. It never raises for anything that a push service or its address does."""
        origin = origin_of(parcel.endpoint)
        if origin is None:
            return Answer(gone="its address is none of a push service that the school knows")
        try:
            body = closed(parcel, self.settings)
            headers = headers_of(parcel, at) | {"Authorization": authorization(parcel.private, origin, self.contact)}
        except Locked:
            return Answer(failed="the school’s key for alerts cannot be opened: LANYARD_KEYS_PASSPHRASE is missing, or another")
        if len(body) > LONGEST_BODY:
            return Answer(over=True, failed="it is too long for a push service")
        address = URL((self.stand_in or origin) + parcel.endpoint.removeprefix(origin), encoded=True)
        try:
            async with self.session.post(address, data=body, headers=headers, allow_redirects=False) as heard:
                return understood(heard.status, heard.headers.get("Retry-After"))
        except NotPublic:
            return Answer(failed="its push service’s name leads into a private network: nothing was sent")
        except TimeoutError:
            return Answer(failed=f"its push service did not answer within {PATIENCE_S:.0f} seconds")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error.__cause__, NotPublic) or isinstance(getattr(error, "os_error", None), NotPublic):
                return Answer(failed="its push service’s name leads into a private network: nothing was sent")
            return Answer(failed="its push service could not be reached")


def stand_in_of(settings: Settings) -> str | None:
    """Raises ValueError where it is not on this machine: a school's alerts go nowhere else than where a phone said."""
    said = settings.push_stand_in
    if said is not None and (urlsplit(said).scheme != "http" or urlsplit(said).hostname not in HERE):
        raise ValueError("LANYARD_PUSH_STAND_IN: only http://127.0.0.1:PORT will do.")
    return said.rstrip("/") if said else None


# ── What is said ───────────────────────────────────────────────────────────────────────────


def payload(parcel: Parcel, settings: Settings) -> bytes:
    """No more than stands here ever goes through a push service: fixed words, a place, ids, and the alert's own token."""
    notification = {
        "title": parcel.title,
        "body": parcel.body,
        "navigate": settings.origins[0] + parcel.opens,
        "lang": "en-GB",
        "tag": grouped(parcel),
        "silent": False,
        "data": {"alert": parcel.alert, "token": parcel.token, "opens": parcel.opens, "urgent": parcel.urgent},
    }
    return json.dumps({"web_push": DECLARED, "mutable": True, "notification": notification}, ensure_ascii=False).encode()


def closed(parcel: Parcel, settings: Settings) -> bytes:
    keys = {"p256dh": parcel.public, "auth": parcel.secret}
    body: bytes = WebPusher({"endpoint": parcel.endpoint, "keys": keys}).encode(payload(parcel, settings))["body"]
    return body


def headers_of(parcel: Parcel, at: int) -> dict[str, str]:
    return {
        "TTL": str(max(1, (parcel.ends_at - at) // 1_000_000)),
        "Urgency": "high" if parcel.urgent else "normal",
        "Topic": grouped(parcel),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "User-Agent": "Lanyard",
    }


def grouped(parcel: Parcel) -> str:
    """A topic as a push service takes it: 32 letters that say nothing."""
    return base64url.write(hashlib.sha256(f"{parcel.school}/{parcel.topic}".encode()).digest()[:24])


# ── What is answered ───────────────────────────────────────────────────────────────────────


def understood(status: int, retry_after: str | None) -> Answer:
    wait_s = seconds(retry_after)
    match status:
        case 200 | 201 | 202:
            return Answer(taken=True)
        case 404 | 410:
            return Answer(gone="its browser has ended the subscription")
        case 401 | 403:
            return Answer(refused=True, failed=REFUSED)
        case 413:
            return Answer(over=True, failed="its push service finds it too long")
        case 429:
            return Answer(failed="its push service asks for patience (429)", wait_s=wait_s)
        case _ if 300 <= status < 400:
            return Answer(failed=f"its push service points somewhere else ({status}), where nothing is sent")
        case _ if status >= 500:
            return Answer(failed=f"its push service has a trouble of its own ({status})", wait_s=wait_s)
    return Answer(over=True, failed=f"its push service refuses it ({status})")


def seconds(retry_after: str | None) -> float | None:
    """Seconds, or a date; an hour at most."""
    if not retry_after:
        return None
    try:
        asked = float(retry_after) if retry_after.strip().isdigit() else _until(parsedate_to_datetime(retry_after))
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(asked, 0.0), LONGEST_WAIT_S)


def _until(date: Any) -> float:
    moment = date if date.tzinfo else date.replace(tzinfo=UTC)
    return float((moment - datetime.now(UTC)).total_seconds())
