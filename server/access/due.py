"""By when somebody must have a second factor: what a school has decided for each role."""

from typing import Any

import msgspec

from server.access.settings_of import within
from server.kinds.roles import Role

DAY = 24 * 3600 * 1_000_000  # µs
GRACE_DAYS = (7, 0, 60)  # where nothing is said, at least, at most


class Rules(msgspec.Struct, frozen=True):
    """Which roles must have one, and how many days they were given to set it up: each from when it was first asked."""

    roles: tuple[str, ...]
    grace_days: int
    since: dict[str, int]

    def due_at(self, role: str) -> int | None:
        """None where they need not."""
        return self.since[role] + self.grace_days * DAY if role in self.roles else None


def rules_in(says: dict[str, Any]) -> Rules:
    named, since = says.get("roles"), says.get("since")
    roles = tuple(role.value for role in Role if isinstance(named, list) and role.value in named)
    begun = since if isinstance(since, dict) else dict.fromkeys(roles, since)  # one moment for all, as it was kept once
    return Rules(roles, within(says.get("grace_days"), *GRACE_DAYS), {role: _moment(begun.get(role)) for role in roles})


def due_in(settings: str, role: str) -> int | None:
    """As `Rules.due_at`, out of a school's whole settings: asked at every request."""
    if '"second_factor"' not in settings:
        return None
    says = msgspec.json.decode(settings).get("second_factor")
    return rules_in(says).due_at(role) if isinstance(says, dict) else None


def _moment(said: Any) -> int:
    return said if type(said) is int else 0
