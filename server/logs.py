"""What is written down about ourselves: ids and counts, and where an error was. Never its message, which may quote what somebody wrote."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any


class Discreet(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # as another handler may have put it
        return super().format(record)

    def formatException(self, ei: Any) -> str:
        kind, _, where = ei
        return f"  {kind.__qualname__}{places_of(where)}"


def places_of(where: TracebackType | None) -> str:
    return "".join(f"\n  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(where))


def start_logging() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("piccolo", "asyncio", "aiosqlite", "uvicorn.access", "fido2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
