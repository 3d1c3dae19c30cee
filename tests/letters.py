"""Letters as a phone writes them, for tests that care about what comes of one and not about phones."""

from typing import Any

from server.store.ids import new_id

SENT_AT = "2026-11-16T08:30:00.000Z"


def letter(phone: str | None, *edits: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    return {
        "protocol": 1, "build": "test", "phone": phone, "sent_at": SENT_AT, "cursor": cursor,
        "receipted": 0, "waiting": len(edits), "lost": [], "edits": list(edits),
    }  # fmt: skip


def edit(phone: str | None, number: int, kind: str, values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": new_id(), "phone": phone, "number": number, "record": new_id(), "kind": kind, "made_at": SENT_AT, "seen": None,
        "values": values,
    } | more  # fmt: skip


def about(kind: str, pupil: str, words: str) -> dict[str, Any]:
    """Values for any kind that name the pupil where it asks for pupils, and say the words where it asks for words."""
    from server.kinds import KINDS
    from server.kinds.shapes import Note

    asked = KINDS[kind]
    said: dict[str, Any] = {field.name: words for field in asked.of_shape(Note) if not field.only and not field.apart}
    return said | {name: {"put": {pupil: {}}, "drop": []} for name in asked.pupil_fields[:1]}
