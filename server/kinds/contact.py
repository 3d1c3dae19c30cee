"""A contact: one conversation or letter with a parent, a pupil or somebody who works with them."""

from server.kinds.concern import CONCERN
from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Duration, Line, Link, Moment, Note, Pupils, YesNo

PARTY = {"parent": "A parent or carer", "pupil": "A pupil", "agency": "Somebody who works with them"}

DIRECTION = {"out": "We contacted them", "in": "They contacted us", "met": "We met"}

REACHED = {"yes": "Yes", "message": "Left a message", "no": "No"}

TONE = {"calm": "Calm", "upset": "Upset", "angry": "Angry", "threatening": "Threatening"}

contact = Kind(
    name="contact",
    label="Contact",
    plural="Contacts",
    icon="people",
    moment="spoke_at",
    title=("pupils", "with_whom", "channel"),
    held_by=(Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR,),
    fields=(
        *under(
            "Contact",
            Field("party", "Who was it with?", Choice(PARTY), needed=True, quick=True),
            Field(
                "with_whom", "Their name", Line(), quick=True,
                hint="And how they are related, or where they work. Leave empty for the pupil.",
            ),
            Field("pupils", "About whom?", Pupils(), Merge.GATHER, needed=True, quick=True),
            Field("responsibility", "Do they have parental responsibility?", YesNo()),
            Field("channel", "How?", Choice(list="channels"), needed=True, quick=True),
            Field("direction", "Who began it?", Choice(DIRECTION), needed=True, quick=True),
            Field("spoke_at", "When?", Moment(), needed=True, quick=True),
            Field("reached", "Did you reach them?", Choice(REACHED)),
            Field("took", "How long did it take?", Duration()),
            Field("letter", "Which letter was it?", Line()),
            Field("interpreter", "Interpreter or translation?", Line(), hint="Which language, and who."),
        ),
        *under(
            "What was said",
            Field("gist", "What was said?", Note(), Merge.OWN, quick=True, hint="In your own words. Only you can change them."),
            Field("tone", "How was it?", Choice(TONE), Merge.GRAVEST, presses={"threatening": "Threatening"}),
        ),
        *under(
            "Next",
            Field("agreed", "What was agreed?", Note()),
            Field("next_step", "What happens next, and who does it?", Note()),
            Field("next_at", "By when?", Moment()),
            Field("about", "Which record is it about?", Link()),
            CONCERN,
        ),
    ),
)  # fmt: skip
