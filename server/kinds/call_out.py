"""A call for help: where, how urgent, about whom, who is going, and how it ended."""

from collections.abc import Mapping
from typing import Any

from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Line, Link, Moment, Note, Place, Pupils, Staff

URGENCY = {
    "when_free": "When somebody is free",
    "soon": "Soon",
    "now": "Now",
    "danger": "Somebody is in danger",
}

ANSWERS = {"going": "Going", "there": "There", "left": "Left", "cannot": "Cannot come"}

PROGRESS = {
    "asked": "Asked for",
    "answered": "Somebody is going",
    "there": "Somebody is there",
    "over": "Over",
    "not_needed": "No longer needed",
}

call_out = Kind(
    name="call_out",
    label="Call for help",
    plural="Calls for help",
    icon="hand",
    moment="asked_at",
    title=("place", "urgency", "pupils"),
    held_by=(Role.RESPONDER, Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR,),
    stirs="call.moved",
    fields=(
        *under(
            "Call",
            Field("place", "Where?", Place(), needed=True, quick=True),
            Field(
                "urgency", "How soon?", Choice(URGENCY), Merge.GRAVEST, needed=True, quick=True,
                presses={"danger": "Somebody in danger"},
            ),
            Field("pupils", "About whom?", Pupils(), Merge.GATHER, quick=True, hint="Leave empty if you do not know."),
            Field("note", "What is happening?", Line(), quick=True),
            Field("asked_at", "When?", Moment(), needed=True, quick=True),
            Field("lesson", "Which class or activity?", Line()),
        ),
        *under(
            "Answer",
            Field("responders", "Who is going?", Staff(ANSWERS), Merge.GATHER),
            Field("progress", "How far is it?", Choice(PROGRESS)),
            Field("answered_at", "When did somebody answer?", Moment()),
            Field("arrived_at", "When did they arrive?", Moment()),
            Field("over_at", "When was it over?", Moment()),
            Field("outcome", "What came of it?", Choice(list="call_out_outcomes")),
            Field("account", "Your account", Note(), Merge.OWN, hint="In your own words. Only you can change them."),
            Field("incident", "Which incident is it?", Link("incident")),
        ),
    ),
)  # fmt: skip


def is_unanswered(body: Mapping[str, Any]) -> bool:
    """Nobody has said that they are going, nor that nobody needs to."""
    coming = {entry.get("part") for entry in (body.get("responders") or {}).values()}
    return body.get("progress") in (None, "asked") and not coming & {"going", "there", "left"}
