"""Kinds only grow: what a phone was told to ask must still be taken when it comes back after weeks."""

from typing import Any

from server.kinds.kind import Field
from server.kinds.shapes import Retired, YesNo
from tests.kinds_lock import breaks, broken_promises, promise_of, promised_before, promised_now


def test_nothing_that_was_promised_is_withdrawn() -> None:
    assert broken_promises(promised_before(), promised_now()) == []


def test_everything_new_is_promised() -> None:
    assert promised_before() == promised_now(), "run: python -m tests.kinds_lock"


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
