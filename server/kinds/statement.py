"""A statement: one person's own words about one event, and how they came to be written down. Never merged with anybody's."""

from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Line, Link, Moment, Note, Place, Pupils, Staff, YesNo

HOW = {
    "own_hand": "They wrote it themselves",
    "typed": "They typed it themselves",
    "scribed": "Somebody wrote down what they said",
    "recorded": "Written from a recording",
}

AGREED = {
    "signed": "Yes, and signed it",
    "agreed": "Yes",
    "in_part": "In part",
    "not_agreed": "No",
    "not_asked": "Not asked yet",
}

statement = Kind(
    name="statement",
    label="Statement",
    plural="Statements",
    icon="voice",
    moment="taken_at",
    title=("pupils", "speaker", "taken_at"),
    held_by=(Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR,),
    fields=(
        *under(
            "Who",
            Field("incident", "About which incident?", Link("incident"), needed=True, quick=True),
            Field(
                "pupils", "Whose statement is it?", Pupils(), Merge.GATHER, needed=True, instead="speaker", quick=True,
                hint="One person, one statement.",
            ),
            Field("speaker", "Whose, if not a pupil’s?", Line(), hint="A member of staff, a parent, a visitor."),
        ),
        *under(
            "Their words",
            Field("questions", "What were they asked?", Note(), Merge.OWN, hint="The questions, as you put them."),
            Field(
                "words", "Their words", Note(), Merge.OWN, needed=True, quick=True,
                hint="Word for word, with nothing put right.",
            ),
            Field("read_back", "Was it read back to them?", YesNo()),
            Field("agreed", "Did they say it is right?", Choice(AGREED)),
            Field("agreed_at", "When did they say so?", Moment()),
        ),
        *under(
            "How it was taken",
            Field("taken_at", "When was it taken?", Moment(), needed=True, quick=True),
            Field("place", "Where?", Place()),
            Field("how", "How was it written down?", Choice(HOW), needed=True, quick=True),
            Field("scribe", "Who wrote it down?", Staff(), Merge.GATHER, needed=True),
            Field("adults", "Which member of staff was there?", Staff(), Merge.GATHER, needed=True, instead="other_adult"),
            Field("other_adult", "Which other adult was there?", Line(), hint="A parent, a social worker, an interpreter."),
            Field("help", "What help did they have to say it?", Line(), hint="Interpreter, signing, pictures, a break."),
        ),
        *under(
            "For a panel",
            Field(
                "redacted", "The same, with other people’s names taken out", Note(), Merge.OWN,
                only=(Role.MANAGER, Role.DSL, Role.LEADER),
            ),
        ),
    ),
)  # fmt: skip
