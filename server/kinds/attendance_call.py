"""An attendance call: one family rung about who is away, what they said and promised, and what happens next."""

from server.kinds.concern import CONCERN
from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Code, Duration, Line, Link, Moment, Note, Pupils, Tags, YesNo

OUTCOME = {
    "answered": "Answered",
    "voicemail": "Voicemail",
    "no_answer": "No answer",
    "wrong_number": "Wrong number",
    "refused": "Would not speak",
    "blocked": "Number blocked or cut off",
}

PROMISE = {
    "in_today": "Coming in",
    "in_late": "In late",
    "ill": "Ill",
    "appointment": "Appointment",
    "other": "Something else",
    "none": "No promise",
}

SESSIONS = {"am": "Morning", "pm": "Afternoon", "day": "All day"}

KEPT = {"yes": "Yes", "no": "No", "unknown": "Not known yet"}

TOLD = {"social_worker": "Social worker", "youth_justice": "Youth justice worker", "virtual_school": "Virtual school"}

attendance_call = Kind(
    name="attendance_call",
    label="Attendance call",
    plural="Attendance calls",
    icon="ring",
    moment="rung_at",
    title=("pupils", "outcome", "promise"),
    held_by=(Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR,),
    stirs="morning.rung",
    fields=(
        *under(
            "Call",
            Field(
                "pupils", "Whom is the call about?", Pupils(), Merge.GATHER, needed=True, quick=True,
                hint="Every brother and sister it was about: one family, one call.",
            ),
            Field("listed", "Which family on the list?", Link("listed_family")),
            Field("listed_for", "Why were they on the list?", Tags(list="call_reasons"), Merge.GATHER),
            Field("rung", "Whom did you ring?", Line(), needed=True, quick=True, hint="Name, and how they are related."),
            Field("number", "On which number?", Line()),
            Field("rung_at", "When?", Moment(), needed=True, quick=True),
            Field("outcome", "How did it go?", Choice(OUTCOME), needed=True, quick=True),
            Field("spoke_to", "Who answered, if somebody else did?", Line()),
            Field("took", "How long did it take?", Duration()),
        ),
        *under(
            "What was said",
            Field("said", "What was said?", Note(), Merge.OWN, quick=True, hint="In their words where you can."),
            Field("reason", "What reason did they give?", Choice(list="absence_reasons")),
            Field("promise", "What did they promise?", Choice(PROMISE), quick=True),
            Field("promised_for", "In by when?", Moment()),
            Field("promise_kept", "Was the promise kept?", Choice(KEPT), hint="The school says so from its registers."),
            Field("child_seen", "Has an adult seen the child today?", YesNo()),
        ),
        *under(
            "Next",
            Field("next_step", "What happens next?", Choice(list="call_next_steps")),
            Field("next_note", "Anything to add?", Line()),
            Field("next_at", "By when?", Moment()),
            Field("code", "Which attendance code do you propose?", Code(), hint="The attendance team decides."),
            Field("sessions", "For which session?", Choice(SESSIONS)),
            Field("told", "Who else has been told?", Tags(options=TOLD), Merge.GATHER),
            CONCERN,
        ),
    ),
)  # fmt: skip
