"""A plan: on one page, what whoever comes to a pupil has to know. Kept at the desk; a responder reads it with the call they go to."""

from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Line, Moment, Pupils, Staff

WRITERS = (Role.MANAGER, Role.DSL, Role.LEADER)

pupil_plan = Kind(
    name="pupil_plan",
    label="Plan",
    plural="Plans",
    icon="list",
    title=("pupils",),
    written_by=(*WRITERS, Role.HEAD_OF_YEAR),
    held_by=WRITERS,
    scoped_to=(Role.HEAD_OF_YEAR,),
    at_desk=True,
    fields=(
        *under(
            "Be careful",
            Field("pupils", "Whose plan is it?", Pupils(), Merge.GATHER, needed=True, quick=True, hint="One pupil: each has their own."),
            Field("risk_to_others", "Risk to others", Line(), quick=True, hint="Short, in all of these: it is read in five seconds."),
            Field("risk_to_self", "Risk to themselves", Line(), quick=True),
            Field("medical", "Medical", Line(), quick=True),
            Field("keep_apart", "Keep apart from", Pupils(beside=True), Merge.GATHER, quick=True),
        ),
        *under(
            "What to do",
            Field("not_to_do", "What not to do", Line(), quick=True),
            Field("helps", "What helps", Line(), quick=True),
            Field("sets_off", "What may set it off", Line(), quick=True),
            Field("fetch", "Who to fetch", Staff(), Merge.GATHER, quick=True, hint="They may read the plan, too, and not change it."),
        ),
        *under(
            "Afterwards",
            Field(
                "ring_if_absent", "Ring home if absent?", Choice({"yes": "Yes", "no": "No"}), quick=True,
                hint="If they were away, the family is on the next morning’s list of calls.",
            ),
            Field("review_by", "Review by", Moment(whole_day=True), quick=True),
        ),
    ),
)  # fmt: skip

CAREFUL = ("risk_to_others", "risk_to_self", "medical", "keep_apart")
ON_A_CARD = (*CAREFUL, "not_to_do", "helps", "sets_off", "fetch")  # in the order in which somebody in a hurry reads them
