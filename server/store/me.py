"""Who is asking: a member of staff, as every room that serves them needs to know them."""

import msgspec


class Me(msgspec.Struct, frozen=True, kw_only=True):
    staff: str
    school: str
    role: str  # see server/kinds/roles.py
    years: tuple[str, ...] = ()  # the year groups they look after
    rights: int = 1
    phone: str = ""  # the one they signed in on
    kept_back: frozenset[str] = frozenset()  # what the school sends to no phone of their role: kinds by name, and contacts
    opened: tuple[str, ...] = ()  # pupils opened in an emergency: set for a page that is read at the desk, and nowhere else
    session: str = ""  # the hash under which the one they ask by is kept


def kept_back_in(settings: str, role: str) -> frozenset[str]:
    """What a school, whose settings these are, sends to no phone of this role; what its owner wrote, or is named in, comes all the same."""
    if '"offline"' not in settings:
        return frozenset()
    offline = msgspec.json.decode(settings).get("offline")
    names = offline.get(role) if isinstance(offline, dict) else None
    kept = frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()
    return kept | {"listed_family"} if "attendance_call" in kept else kept  # whom to ring says as much as that they were rung
