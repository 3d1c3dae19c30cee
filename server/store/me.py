"""Who is asking: a member of staff, as every room that serves them needs to know them."""

import msgspec


class Me(msgspec.Struct, frozen=True, kw_only=True):
    staff: str
    school: str
    role: str  # see server/kinds/roles.py
    years: tuple[str, ...] = ()  # the year groups they look after
    rights: int = 1
    phone: str = ""  # the one they signed in on
    opened: tuple[str, ...] = ()  # pupils opened in an emergency: set for a page that is read at the desk, and nowhere else
