"""What the kinds have ever promised to ask and to take, kept in `kinds.lock`: a phone may be away for weeks.

`python -m tests.kinds_lock` adds what is new. Nothing is ever taken out: retire it instead
(`Field(…, retired=True)`, `Retired("label")`).
"""

import json
from pathlib import Path
from typing import Any

from server.kinds import KINDS
from server.kinds.kind import Field

LOCK = Path(__file__).parent / "kinds.lock"

Promises = dict[str, Any]


def promised_now() -> Promises:
    return {kind.name: {field.name: promise_of(field) for field in kind.fields} for kind in KINDS.values()}


def promise_of(field: Field) -> Promises:
    shape = field.shape.describe()
    coded = {name: [one["code"] for one in shape[name]] for name in ("options", "parts", "precisions") if name in shape}
    return {"merge": field.merge.value} | shape | coded


def broken_promises(before: Promises, now: Promises) -> list[str]:
    """What was promised before and does not hold now."""
    return [
        f"{kind}.{field}: {broken}"
        for kind, fields in before.items()
        for field, promise in fields.items()
        for broken in breaks(promise, now.get(kind, {}).get(field))
    ]


def breaks(before: Promises, now: Promises | None) -> list[str]:
    if now is None:
        return ["withdrawn"]
    return [f"{name} was {was}, is {now.get(name)}" for name, was in before.items() if not holds(name, was, now.get(name))]


def holds(name: str, was: Any, now: Any) -> bool:
    if isinstance(was, list):
        return isinstance(now, list) and [code for code in now if code in was] == was  # in the same order, too
    if name in ("longest", "longest_bytes", "most"):
        return isinstance(now, int) and now >= was
    return bool(now == was)


def promised_before() -> Promises:
    return dict(json.loads(LOCK.read_text())) if LOCK.exists() else {}


if __name__ == "__main__":
    broken = broken_promises(promised_before(), promised_now())
    if broken:
        raise SystemExit("\n".join(["Kinds only grow. Retire these instead:", *broken]))
    LOCK.write_text(json.dumps(promised_now(), indent=1, ensure_ascii=False) + "\n")
