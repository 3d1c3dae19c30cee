"""What a browser keeps of ours: who is signed in, and that somebody once was."""

from litestar.datastructures import Cookie

from server.access.sign_in import Welcome
from server.settings import Settings

PHONE_KEEPS_S = 180 * 24 * 3600
DEVICE_KEEPS_S = 400 * 24 * 3600


def session_cookie(settings: Settings) -> str:
    """`__Host-`: no other host, path or plain-http page can set it."""
    return "__Host-lanyard" if settings.secure else "lanyard"


def device_cookie(settings: Settings) -> str:
    return session_cookie(settings) + "-known"


def cookies_of(welcome: Welcome, settings: Settings, *, on_phone: bool) -> list[Cookie]:
    """A phone stays signed in; a desk's browser forgets when it is closed."""
    return [
        _ours(settings, session_cookie(settings), welcome.token, PHONE_KEEPS_S if on_phone else None),
        _ours(settings, device_cookie(settings), welcome.device, DEVICE_KEEPS_S),
    ]


def signed_out(settings: Settings) -> list[Cookie]:
    return [_ours(settings, session_cookie(settings), "", 0)]


def _ours(settings: Settings, name: str, value: str, seconds: int | None) -> Cookie:
    return Cookie(name, value=value, max_age=seconds, path="/", httponly=True, secure=settings.secure, samesite="strict")
