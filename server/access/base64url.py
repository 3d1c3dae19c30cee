"""Bytes as text on the wire: base64url without padding, written in one way only."""

from base64 import b64decode, urlsafe_b64encode


def write(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def read(text: str) -> bytes | None:
    """None where it is not what `write` writes."""
    try:
        raw = b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return None
    return raw if write(raw) == text else None
