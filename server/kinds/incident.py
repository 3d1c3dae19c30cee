"""An incident: something happened that the school must be able to tell again, fairly, to a parent, a panel or a court."""

from server.kinds.concern import CONCERN, REFERENCE
from server.kinds.kind import Field, Kind, Merge, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Line, Link, Moment, Note, Place, Pupils, Staff, Tags, YesNo

PARTS = {"responsible": "Responsible", "harmed": "Harmed", "involved": "Involved", "witness": "Witness"}

SEVERITY = {
    "low": "Dealt with there and then",
    "medium": "Needs following up",
    "high": "Serious",
    "danger": "Somebody was in danger",
}

INJURY = {
    "none": "Nobody was hurt",
    "mark": "Sore or marked, no treatment",
    "first_aid": "First aid given",
    "doctor": "Doctor or hospital",
    "ambulance": "Ambulance called",
}

# The protected characteristics of Part 6 of the Equality Act 2010, and bullying, which needs none of them.
MOTIVES = {
    "bullying": "Bullying",
    "disability": "Disability",
    "gender_reassignment": "Gender reassignment",
    "pregnancy": "Pregnancy or maternity",
    "race": "Race",
    "religion": "Religion or belief",
    "sex": "Sex",
    "sexual_orientation": "Sexual orientation",
}

FINDINGS = {"alleged": "Alleged", "substantiated": "Substantiated", "not_substantiated": "Not substantiated"}

PARENTS = {
    "told": "Told",
    "tried": "Tried, not reached",
    "not_yet": "Not yet",
    "withheld": "Not told: it could put the pupil at risk",
}

incident = Kind(
    name="incident",
    label="Incident",
    plural="Incidents",
    icon="note",
    moment="happened_at",
    title=("category", "place", "pupils"),
    held_by=(Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR, Role.OFFICER),
    fields=(
        *under(
            "What happened",
            Field(
                "pupils", "Who?", Pupils(PARTS, outcomes="outcomes"), Merge.GATHER,
                needed=True, instead="others", quick=True,
            ),
            Field(
                "others", "Who else?", Line(),
                hint="Somebody whose name you do not know, or who is not a pupil here: two boys, about Year 8.",
            ),
            Field("category", "What happened?", Choice(list="categories"), needed=True, quick=True),
            Field("place", "Where?", Place(), needed=True, quick=True),
            Field("happened_at", "When?", Moment(), needed=True, quick=True),
            Field("lesson", "Which class or activity?", Line(), hint="9X/Ma2, or the Year 8 bus queue."),
            Field(
                "severity", "How serious was it?", Choice(SEVERITY), Merge.GRAVEST,
                presses={"high": "Serious", "danger": "Somebody in danger"},
            ),
            Field("hurt", "Was anybody hurt?", YesNo(), Merge.GRAVEST, quick=True, presses={"yes": "Somebody hurt"}),
            Field(
                "force", "Was force used, or was the pupil stopped from leaving?", YesNo(), Merge.GRAVEST,
                quick=True, hint="Any holding, moving or blocking beyond ordinary contact.", presses={"yes": "Force used"},
            ),
            CONCERN,
        ),
        *under(
            "Accounts",
            Field(
                "account", "Your account", Note(), Merge.OWN, quick=True,
                hint="What you saw, heard and did, in your own words. Only you can change them.",
            ),
            Field(
                "said", "What did the pupil say?", Note(), Merge.OWN,
                hint="Word for word, and who said it.",
            ),
            Field("before", "What was happening before?", Note(), Merge.OWN),
            Field("during", "What happened, step by step?", Note(), Merge.OWN),
            Field("after", "What happened afterwards?", Note(), Merge.OWN),
        ),
        *under(
            "Response",
            Field(
                "staff", "Which staff were there?",
                Staff({"present": "Was there", "called": "Was called to it", "led": "Took charge"}), Merge.GATHER,
            ),
            Field("actions", "What was done?", Tags(list="actions"), Merge.GATHER),
            Field("calming", "What was tried to calm things?", Tags(list="calming"), Merge.GATHER),
            Field("called_at", "When was help called?", Moment()),
            Field("arrived_at", "When did help arrive?", Moment()),
            Field("settled_at", "When was it over?", Moment()),
            Field(
                "services", "Which services came or were rung?",
                Tags(options={"police": "Police", "ambulance": "Ambulance", "fire": "Fire service"}), Merge.GATHER,
            ),
            Field("services_reference", "What reference did they give?", Line()),
            Field(
                "debriefed", "Who has talked it through since?",
                Tags(options={"pupils": "The pupils", "staff": "The staff"}), Merge.GATHER,
            ),
        ),
        *under(
            "Injury",
            Field(
                "injury", "What was the worst injury?", Choice(INJURY), Merge.GRAVEST,
                presses={"doctor": "Doctor or hospital", "ambulance": "Ambulance"},
            ),
            Field(
                "first_aid", "Who was hurt, how, and what first aid was given?", Note(), Merge.OWN,
                hint="Who gave it, and when.",
            ),
        ),
        *under(
            "Motive",
            Field(
                "motives", "Was it because of who somebody is, or bullying?", Tags(options=MOTIVES, parts=FINDINGS), Merge.GATHER,
                hint="Alleged until somebody has looked into it.",
            ),
            Field(
                "targets_view", "How does the pupil who was harmed see it?", Note(), Merge.OWN,
                hint="As they put it.",
            ),
            Field("support", "What is being done for the pupil who was harmed?", Note()),
            Field("support_at", "When will somebody ask them again?", Moment()),
        ),
        *under(
            "Afterwards",
            Field("parents", "Have parents been told?", Choice(PARENTS)),
            Field("parents_note", "Who told whom, how and when?", Line()),
            Field("cctv", "Is there CCTV?", Line(), hint="Which camera, from when to when, and who has kept it."),
            Field("follow_up", "What still has to happen?", Note()),
            Field("follow_up_at", "By when?", Moment()),
            Field(
                "staff_only", "Anything for colleagues only?", Note(), Merge.OWN,
                hint="Left out of what is shared with parents. A request for records may still reach it.",
            ),
            Field("call_out", "Which call for help was it?", Link("call_out")),
            Field("follows", "Which incident does it follow from?", Link("incident")),
            REFERENCE,
        ),
    ),
)  # fmt: skip
