"""A truancy sweep: where and when staff and police go out together, and on whose authority (Crime and Disorder Act 1998, section 16)."""

from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Line, Moment, Note, Staff, YesNo

sweep = Kind(
    name="sweep",
    label="Truancy sweep",
    plural="Truancy sweeps",
    icon="sweep",
    moment="starts_at",
    title=("area", "starts_at"),
    written_by=(Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER),
    held_by=(Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER),
    fields=(
        *under(
            "Plan",
            Field("area", "Which area?", Choice(list="areas"), needed=True, quick=True),
            Field("boundary", "Which streets and places?", Line()),
            Field("starts_at", "From when?", Moment(), needed=True, quick=True),
            Field("ends_at", "Until when?", Moment(), needed=True, quick=True),
            Field(
                "authority_reference", "What is the authority’s reference?", Line(), needed=True,
                hint="The area and the time are fixed by a police superintendent; the local authority holds the reference.",
            ),
            Field("police_lead", "Which officer leads?", Line(), needed=True, quick=True, hint="Name and number."),
            Field("taken_to", "Where may the police take a young person?", Line(), hint="Your school, or the place the authority named."),
            Field("team", "Who is on it?", Staff({"leads": "Leads", "goes": "On it"}), Merge.GATHER, needed=True, quick=True),
            Field("partners", "Who is on it from elsewhere?", Line()),
        ),
        *under(
            "Afterwards",
            Field("account", "Your account", Note(), Merge.OWN, hint="In your own words. Only you can change them."),
            Field("learned", "What should be done differently next time?", Note()),
            Field("return_sent", "Has the authority had its return?", YesNo()),
            Field("return_sent_at", "When?", Moment()),
        ),
    ),
)  # fmt: skip
