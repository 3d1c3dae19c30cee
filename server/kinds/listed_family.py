"""A family to ring on one morning: who was away and why they are on the list, who rings them, and why nobody does.

The school makes them the evening before (`server/morning`); what was said on the telephone is an attendance call, which names its row.
"""

from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Line, Moment, Pupils, Staff, Tags

OFF_LIST = {
    "known": "The reason is known by now",
    "in_school": "In school already",
    "spoken_to": "Spoken to already",
    "suspended": "Suspended",
    "nobody": "Nobody may be rung: ask the safeguarding lead",
    "other": "Another reason",
}

listed_family = Kind(
    name="listed_family",
    label="Family to ring",
    plural="Families to ring",
    icon="list",
    moment="for_day",
    title=("pupils", "reasons"),
    written_by=(Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER),
    held_by=(Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR,),
    fields=(
        *under(
            "List",
            Field("for_day", "Which morning’s list?", Moment(), needed=True, quick=True, hint="The hour at which calls begin."),
            Field(
                "pupils", "Who in the family?", Pupils(), Merge.GATHER, needed=True, quick=True,
                hint="Brothers and sisters together: one family, one call.",
            ),
            Field("reasons", "Why are they on the list?", Tags(list="call_reasons"), Merge.GATHER, quick=True),
            Field("because", "In a sentence?", Line()),
            Field("place_in_list", "Which place on the list?", Line(longest=4), hint="1 is rung first."),
        ),
        *under(
            "Ringing",
            Field("caller", "Who rings them?", Staff(), Merge.GATHER),
            Field("claimed", "When did you take this call?", Moment(), Merge.OWN),
            Field("off_list", "Why does nobody ring them?", Choice(OFF_LIST)),
        ),
    ),
)  # fmt: skip
