"""The few ways to say no. Raised where the reason is noticed; turned into JSON or a page in one place (`app.py`)."""

from typing import Any, ClassVar


class Refusal(Exception):
    """A request that is not done, and why: in words for a person, and in a name for a phone."""

    status: ClassVar[int]
    name: ClassVar[str]
    words: ClassVar[str]

    def __init__(self, words: str | None = None, *, retry_after: int | None = None, **details: Any) -> None:
        super().__init__(words or self.words)
        self.said = words or self.words
        self.retry_after = retry_after  # seconds
        self.details = details

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def as_json(self) -> dict[str, Any]:
        waiting = {} if self.retry_after is None else {"retry_after": self.retry_after}
        return {"refusal": self.name, "words": self.said, **waiting, **self.details}


class Unreadable(Refusal):
    status, name, words = 400, "unreadable", "The school could not read this request."


class Protocol(Refusal):
    """The app and the school do not speak the same protocol. `speaks`: the versions we do."""

    status, name, words = 400, "protocol", "This app needs an update before it can talk to the school."

    def __init__(self, speaks: tuple[int, ...]) -> None:
        super().__init__(speaks=list(speaks))


class SignIn(Refusal):
    status, name, words = 401, "sign_in", "Please sign in."


class WrongPair(Refusal):
    """The one answer to every sign-in that fails, whatever was wrong with it."""

    status, name, words = 401, "wrong_pair", "That username and password do not go together."


class SignInAgain(Refusal):
    """They are signed in, but gave their password too long ago for this."""

    status, name, words = 401, "sign_in_again", "Please give your password again."


class WrongCode(Refusal):
    """The one answer to every pairing code that will not do, whatever is wrong with it."""

    status, name, words = 401, "wrong_code", "This code does not work any more. Ask for a new one at the desk."


class WrongFactor(Refusal):
    """The one answer to every passkey and every code that will not do, whatever is wrong with it."""

    status, name, words = 401, "wrong_factor", "That did not work. Try again, or begin again with your password."


class SecondFactor(Refusal):
    """The pair is right, and not enough. `ticket`: under which the rest is shown; `ways`: passkey, code, recovery."""

    status, name, words = 401, "second_factor", "One more step: show that it is you."

    def __init__(self, ticket: str, ways: list[str], passkey: Any) -> None:
        super().__init__(ticket=ticket, ways=ways, publicKey=passkey)


class SetUpFactor(Refusal):
    status, name, words = (
        403,
        "set_up_factor",
        ("Your role needs a second way to show that it is you. Sign in at the desk once to set it up."),
    )


class WrongPin(Refusal):
    """`left`: how many more tries there are before what the phone holds is gone."""

    status, name, words = 403, "wrong_pin", "That is not the PIN."

    def __init__(self, left: int) -> None:
        super().__init__(left=left)


class NotAllowed(Refusal):
    status, name, words = 403, "not_allowed", "Your role does not allow this."


class ForeignPage(Refusal):
    """The request was made by a page that is not ours, or cannot show that it was made by ours."""

    status, name, words = 403, "foreign_page", "This request did not come from Lanyard’s own pages."


class PhoneRevoked(Refusal):
    status, name, words = 403, "phone_revoked", "The school has switched this phone off."


class NotFound(Refusal):
    status, name, words = 404, "not_found", "There is nothing here."


class NoVault(Refusal):
    status, name, words = 404, "no_vault", "The school keeps nothing that opens this phone. Sign in, and choose a new PIN."


class NotThatWay(Refusal):
    status, name, words = 405, "not_that_way", "That cannot be done here."


class AnotherKey(Refusal):
    status, name, words = 409, "another_key", "The school knows this phone by another key. Sign in on it again."


class NotAPushService(Refusal):
    """The address that a browser gave for its alerts leads to nobody whom we would send them to."""

    status, name = 403, "not_a_push_service"
    words = "The school does not know the service by which this browser would be rung. Use Chrome, Edge, Firefox or Safari."


class CannotRing(Refusal):
    status, name, words = 409, "cannot_ring", "The school has no way to ring this phone yet. Turn alerts on first."


class TooLate(Refusal):
    """It was decided, or is over, before this came. The words say how."""

    status, name, words = 409, "too_late", "It is over."


class TooLarge(Refusal):
    """Send less at once. `limit`: how much is taken; `of`: bytes, edits, depth."""

    status, name, words = 413, "too_large", "That is more than the school takes at once."

    def __init__(self, limit: int, of: str = "bytes") -> None:
        super().__init__(limit=limit, of=of)


class NotJson(Refusal):
    status, name, words = 415, "not_json", "The school takes JSON here."


class TooMany(Refusal):
    status, name, words = 429, "too_many", "Too many tries. Wait a little, then try again."

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)


class TooMuch(Refusal):
    status, name = 429, "too_much"
    words = "This phone has sent more than the school takes from one phone in a day. Nothing is lost: the rest stays on it, and goes later."

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)


class Busy(Refusal):
    status, name, words = 503, "busy", "The school is busy. Nothing was changed; try again in a moment."

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__(retry_after=retry_after)


OUR_FAULT = {"refusal": "our_fault", "words": "Something went wrong here; it has been noted."}  # 500, and logged
