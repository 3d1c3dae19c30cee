"""Is it the school that answers? A word to know it by, for anybody."""

from litestar import get


@get("/api/here", operation_id="here", sync_to_thread=False)
def say_here() -> dict[str, bool]:
    return {"here": True}
