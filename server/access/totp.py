"""Codes from an authenticator app: RFC 6238 over RFC 4226, SHA-1, six figures, thirty seconds. What every such app takes."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

SECRET_BYTES = 20
FIGURES, STEP_S = 6, 30
SLACK = 1  # steps: a phone's clock may be half a minute out


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def code_at(secret: str, step: int, figures: int = FIGURES) -> str:
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1)
    at = mac[-1] & 0xF
    return str((int.from_bytes(mac[at : at + 4]) & 0x7FFF_FFFF) % 10**figures).zfill(figures)


def step_of(secret: str, code: str, at_s: int, after: int) -> int | None:
    """The step this code stands for, around now and later than `after`: no code is taken twice."""
    if not code.isascii():  # figures of another alphabet: no such app shows them
        return None
    now = at_s // STEP_S
    right = [step for step in range(now - SLACK, now + SLACK + 1) if step > after and hmac.compare_digest(code_at(secret, step), code)]
    return right[0] if right else None


def address(secret: str, school: str, username: str) -> str:
    """What the square says that an authenticator app reads."""
    said = urlencode({"secret": secret, "issuer": f"Lanyard, {school}"}, quote_via=quote)
    return f"otpauth://totp/{quote(f'Lanyard, {school}')}:{quote(username)}?{said}"
