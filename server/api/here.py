"""Is it the school that answers? A word to know it by, for anybody."""

import msgspec
from litestar import get


class Here(msgspec.Struct):
    here: bool = True


@get("/api/here", sync_to_thread=False)
def say_here() -> Here:
    return Here()
