"""Reference data on attendance, dated and with its sources: the codes a register may hold, and how often each is met."""

import tomllib
from importlib.resources import files
from typing import Any


def attendance_codes() -> list[dict[str, Any]]:
    """Every code by the days on which it held, a dict for each row of the table `attendance_code`."""
    return [
        {"to_on": None} | {name: value for name, value in codes.items() if name != "codes"} | code
        for codes in data("attendance_codes")["set"]
        for code in codes["codes"]
    ]


def session_shares() -> dict[str, float]:
    """Of every 100 possible sessions, how many were marked with each code."""
    return dict(data("session_shares")["shares"])


def data(name: str) -> dict[str, Any]:
    return tomllib.loads((files("server.kinds") / f"{name}.toml").read_text("utf-8"))
