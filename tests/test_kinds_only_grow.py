"""Kinds only grow: a phone may be away for weeks, and what it was told to ask must still be taken when it comes back.

`kinds.lock` says what has ever been promised. Something new is added to it by `python -m tests.test_kinds_only_grow`;
nothing is ever taken out: retire it instead (`Field(..., retired=True)`, `Retired("label")`).
"""

import json
from pathlib import Path
from typing import Any

from server.kinds import KINDS
from server.kinds.kind import Field
from server.kinds.shapes import Retired, YesNo

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


def test_nothing_that_was_promised_is_withdrawn() -> None:
    assert broken_promises(json.loads(LOCK.read_text()), promised_now()) == []


def test_everything_new_is_promised() -> None:
    assert json.loads(LOCK.read_text()) == promised_now(), "run: python -m tests.test_kinds_only_grow"


def test_withdrawing_anything_is_noticed() -> None:
    before = promised_now()
    without_kind = {name: fields for name, fields in before.items() if name != "sweep"}
    assert broken_promises(before, without_kind)

    def altered(**changes: Any) -> list[str]:
        fields = before["incident"] | {"severity": before["incident"]["severity"] | changes}
        return broken_promises(before, before | {"incident": fields})

    assert altered() == []
    assert altered(options=["none", "low", "medium", "high", "danger"]) == []
    assert altered(options=["low", "medium", "high"])
    assert altered(options=["danger", "low", "medium", "high"])
    assert altered(merge="latest")
    assert altered(control="line")


def test_retiring_keeps_the_promise() -> None:
    option = YesNo(options={"no": "No", "unknown": Retired("Not known"), "yes": "Yes"})
    before, now = Field("hurt", "Hurt?", YesNo()), Field("hurt", "Hurt?", option, retired=True)
    assert breaks(promise_of(before), promise_of(now)) == []


if __name__ == "__main__":
    broken = broken_promises(json.loads(LOCK.read_text()) if LOCK.exists() else {}, promised_now())
    if broken:
        raise SystemExit("\n".join(["Kinds only grow. Retire these instead:", *broken]))
    LOCK.write_text(json.dumps(promised_now(), indent=1, ensure_ascii=False) + "\n")
