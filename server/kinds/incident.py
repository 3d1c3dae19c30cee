"""An incident: something happened that the school must be able to tell again, fairly, to a parent, a panel or a court."""

from server.kinds.kind import Field, Kind, Merge
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
        Field(
            "pupils", "Who?", Pupils(PARTS, outcomes="outcomes"), Merge.GATHER,
            needed=True, instead="others", group="What happened", quick=True,
        ),
        Field(
            "others", "Who else?", Line(), group="What happened",
            hint="Somebody whose name you do not know, or who is not a pupil here: two boys, about Year 8.",
        ),
        Field("category", "What happened?", Choice(list="categories"), needed=True, group="What happened", quick=True),
        Field("place", "Where?", Place(), needed=True, group="What happened", quick=True),
        Field("happened_at", "When?", Moment(), needed=True, group="What happened", quick=True),
        Field("lesson", "Which class or activity?", Line(), group="What happened", hint="9X/Ma2, or the Year 8 bus queue."),
        Field("severity", "How serious was it?", Choice(SEVERITY), Merge.GRAVEST, group="What happened"),
        Field("hurt", "Was anybody hurt?", YesNo(), Merge.GRAVEST, group="What happened", quick=True),
        Field(
            "force", "Was force used, or was the pupil stopped from leaving?", YesNo(), Merge.GRAVEST,
            group="What happened", quick=True, hint="Any holding, moving or blocking beyond ordinary contact.",
        ),
        Field(
            "concern", "Is there a safeguarding concern?", YesNo(), Merge.GRAVEST, group="What happened", quick=True,
            hint="If there is, tell the safeguarding lead yourself, now. Write the concern in the safeguarding system, not here.",
        ),
        Field(
            "account", "Your account", Note(), Merge.OWN, group="Accounts", quick=True,
            hint="What you saw, heard and did, in your own words. Only you can change them.",
        ),
        Field(
            "said", "What did the pupil say?", Note(), Merge.OWN, group="Accounts",
            hint="Word for word, and who said it.",
        ),
        Field("before", "What was happening before?", Note(), Merge.OWN, group="Accounts"),
        Field("during", "What happened, step by step?", Note(), Merge.OWN, group="Accounts"),
        Field("after", "What happened afterwards?", Note(), Merge.OWN, group="Accounts"),
        Field(
            "staff", "Which staff were there?",
            Staff({"present": "Was there", "called": "Was called to it", "led": "Took charge"}), Merge.GATHER, group="Response",
        ),
        Field("actions", "What was done?", Tags(list="actions"), Merge.GATHER, group="Response"),
        Field("calming", "What was tried to calm things?", Tags(list="calming"), Merge.GATHER, group="Response"),
        Field("called_at", "When was help called?", Moment(), group="Response"),
        Field("arrived_at", "When did help arrive?", Moment(), group="Response"),
        Field("settled_at", "When was it over?", Moment(), group="Response"),
        Field(
            "services", "Which services came or were rung?",
            Tags(options={"police": "Police", "ambulance": "Ambulance", "fire": "Fire service"}), Merge.GATHER, group="Response",
        ),
        Field("services_reference", "What reference did they give?", Line(), group="Response"),
        Field(
            "debriefed", "Who has talked it through since?",
            Tags(options={"pupils": "The pupils", "staff": "The staff"}), Merge.GATHER, group="Response",
        ),
        Field("injury", "What was the worst injury?", Choice(INJURY), Merge.GRAVEST, group="Injury"),
        Field(
            "first_aid", "Who was hurt, how, and what first aid was given?", Note(), Merge.OWN, group="Injury",
            hint="Who gave it, and when.",
        ),
        Field(
            "motives", "Was it because of who somebody is, or bullying?", Tags(options=MOTIVES, parts=FINDINGS), Merge.GATHER, group="Motive",
            hint="Alleged until somebody has looked into it.",
        ),
        Field(
            "targets_view", "How does the pupil who was harmed see it?", Note(), Merge.OWN, group="Motive",
            hint="As they put it.",
        ),
        Field("support", "What is being done for the pupil who was harmed?", Note(), group="Motive"),
        Field("support_at", "When will somebody ask them again?", Moment(), group="Motive"),
        Field("parents", "Have parents been told?", Choice(PARENTS), group="Afterwards"),
        Field("parents_note", "Who told whom, how and when?", Line(), group="Afterwards"),
        Field("cctv", "Is there CCTV?", Line(), group="Afterwards", hint="Which camera, from when to when, and who has kept it."),
        Field("follow_up", "What still has to happen?", Note(), group="Afterwards"),
        Field("follow_up_at", "By when?", Moment(), group="Afterwards"),
        Field(
            "staff_only", "Anything for colleagues only?", Note(), Merge.OWN, group="Afterwards",
            hint="Left out of what is shared with parents. A request for records may still reach it.",
        ),
        Field("call_out", "Which call for help was it?", Link("call_out"), group="Afterwards"),
        Field("follows", "Which incident does it follow from?", Link("incident"), group="Afterwards"),
        Field("concern_reference", "Reference in the safeguarding system", Line(), group="Afterwards", only=(Role.DSL,)),
    ),
)  # fmt: skip
