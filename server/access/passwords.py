"""Passwords: Argon2id, off the event loop, and as much work for nobody as for somebody."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST = 1_000  # characters; a password is hashed whole, so somebody must bound it
SHORTEST = 10

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's first choice: about 50 ms
_nobody = _hasher.hash(secrets.token_urlsafe())
# Two at a time: a flood of guesses queues here, and cannot take every thread and 19 MiB each.
_hands = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


async def hashed(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_hands, _hasher.hash, password)


async def matches(password: str, kept: str | None) -> bool:
    """`kept` is None where there is no such person, or they cannot sign in: the same work is done, and the answer is no."""
    right = await asyncio.get_running_loop().run_in_executor(_hands, _verify, kept or _nobody, password[:LONGEST])
    return right and kept is not None


def problem_with(password: str) -> str | None:
    """Why this may not be somebody's password, in words, or None."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters; three or four words together are best."
    if len(password) > LONGEST:
        return "That password is too long."
    return None


def _verify(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
