"""A sighting: one young person spoken to out of school, on a sweep or by chance, ours or not, with no more written than is needed.

School staff have no power to hold anybody: every young person here was spoken to, and no word says otherwise.
"""

from server.kinds.concern import CONCERN
from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Line, Link, Moment, Note, Pupils, Staff

WHOSE = {"ours": "Ours", "other_school": "Another school’s", "not_known": "Not known"}

# What could tell who somebody is whom nobody knew. It is forgotten after the school's days; where, when and what came of it stay.
TELLS_WHO = ("description", "said_name", "said_born", "said_school", "where_exactly", "companions", "said", "account")
FORGOTTEN = "Forgotten"  # what the description says from then on

COMPANY = {
    "alone": "Alone",
    "young_people": "With other young people",
    "adult": "With an adult",
    "not_known": "Not known",
}

sighting = Kind(
    name="sighting",
    label="Sighting",
    plural="Sightings",
    icon="eye",
    moment="spoken_to_at",
    title=("where", "pupils", "description"),
    held_by=(Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR,),
    fields=(
        *under(
            "Who",
            Field("sweep", "Which sweep?", Link("sweep"), hint="Leave empty if it was by chance."),
            Field("whose", "Whose pupil?", Choice(WHOSE), needed=True, quick=True),
            Field("pupils", "Who?", Pupils(), Merge.GATHER, needed=True, instead="description", quick=True),
            Field(
                "description", "What do they look like?", Line(), quick=True,
                hint="Only if you do not know them, and no more than is needed to know them again: boy, about 13, grey hood.",
            ),
            Field("said_name", "What name did they give?", Line()),
            Field("said_born", "What age or date of birth did they give?", Line()),
            Field("said_school", "Which school did they say they go to?", Line()),
        ),
        *under(
            "Where and when",
            Field("where", "Where were they spoken to?", Choice(list="spots"), needed=True, quick=True),
            Field("where_exactly", "Where exactly?", Line()),
            Field("spoken_to_at", "When were they spoken to?", Moment(), needed=True, quick=True),
            Field("spoken_to_by", "Who spoke to them?", Staff(), Merge.GATHER),
        ),
        *under(
            "What was said",
            Field("company", "Was anybody with them?", Choice(COMPANY), needed=True, quick=True),
            Field("companions", "Who was with them?", Line(), hint="An adult: name, and how they are related."),
            Field("reason", "What reason did they give?", Choice(list="absence_reasons")),
            Field("said", "What did they say?", Note(), Merge.OWN, hint="Word for word."),
            Field("account", "Your account", Note(), Merge.OWN, hint="In your own words. Only you can change them."),
        ),
        *under(
            "What came of it",
            Field("outcome", "What came of it?", Choice(list="sighting_outcomes"), needed=True, quick=True),
            Field("handed_to", "Handed to whom?", Line(), hint="Name, and number of an officer."),
            Field("handed_at", "When?", Moment()),
            Field("school_told", "Who at their school was told?", Line()),
            Field("school_told_at", "When was their school told?", Moment()),
            CONCERN,
        ),
    ),
)  # fmt: skip
