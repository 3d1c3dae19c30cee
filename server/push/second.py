"""A second way to reach somebody whose phone shows nothing: a text message, a voice. What comes with Lanyard writes a line in the log."""

import logging
from typing import Protocol

log = logging.getLogger("lanyard.push")

HONESTLY = "Alerts reach phones only if they are on, online and allowed to notify."


class SecondChannel(Protocol):
    is_real: bool  # it can reach a person

    async def tell(self, school: str, staff: str, alert: str, title: str, body: str) -> None:
        """Once for each urgent alert that no phone has shown in time. What it raises is noted in the log, and not tried again."""


class OnlyTheLog:
    is_real = False

    async def tell(self, school: str, staff: str, alert: str, title: str, body: str) -> None:
        log.warning("alert %s for %s of %s: no phone has shown it, and there is no second channel", alert, staff, school)


SECOND_CHANNEL: SecondChannel = OnlyTheLog()
