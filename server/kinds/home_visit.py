"""A home visit: planned and authorised, who went, who was seen, whether the child was, and what was said and agreed."""

from msgspec.structs import replace

from server.kinds.concern import CONCERN, REFERENCE
from server.kinds.kind import Field, Kind, Merge, Watched, under
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Duration, Line, Moment, Note, Pupils, Staff, Tags, YesNo

COMPANY = {"pair": "With a colleague", "agency": "With somebody from another agency", "alone": "Alone"}

RISK = {
    "low": "Nothing known",
    "some": "Something to be careful of",
    "high": "Nobody goes alone",
    "too_high": "Nobody goes: meet somewhere else",
}

DOOR = {
    "let_in": "Let in",
    "doorstep": "Spoken to on the doorstep",
    "refused": "Would not speak to us",
    "no_answer": "Nobody answered",
    "moved": "They do not live there",
}

CHILD_SEEN = {
    "alone": "Yes, and spoken to alone",
    "with_others": "Yes, with somebody else there",
    "not_spoken_to": "Yes, but not spoken to",
    "not_seen": "No, the child was not seen",
}

home_visit = Kind(
    name="home_visit",
    label="Home visit",
    plural="Home visits",
    icon="visit",
    moment="leaves_at",
    title=("pupils", "purpose"),
    written_by=(Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER),
    held_by=(Role.OFFICER, Role.MANAGER, Role.DSL, Role.LEADER),
    scoped_to=(Role.HEAD_OF_YEAR,),
    stirs="visit.moved",
    watched=Watched(
        goes="going", buddy="expects_call", leaves="leaves_at", due_back="back_by", left="left_school_at", safe="safe_at",
        word="closing_word", marks=("left_school_at", "arrived_at", "checked_in_at", "left_at"),
        help=("reached_on", "vehicle", "others_going"), where="where", address="address",
    ),
    fields=(
        *under(
            "Plan",
            Field("pupils", "Whom is the visit about?", Pupils(), Merge.GATHER, needed=True, quick=True),
            Field("purpose", "What is it for?", Choice(list="visit_purposes"), needed=True, quick=True),
            Field("to_find_out", "What do you need to find out?", Note()),
            Field("authorised_by", "Who authorised it?", Staff(), Merge.GATHER, needed=True),
            Field("authorised_at", "When was it authorised?", Moment()),
            Field("company", "Are you going alone?", Choice(COMPANY), Merge.GRAVEST, needed=True, quick=True),
            Field("going", "Who is going?", Staff({"leads": "Leads", "goes": "Goes too"}), Merge.GATHER, needed=True, quick=True),
            Field("others_going", "Who is going from elsewhere?", Line(), hint="Name, and where from."),
            Field(
                "where", "Where to?", Choice({"home": "The address the school holds", "other": "Another address"}),
                hint="Addresses are kept at the school, not on a phone.",
            ),
            Field(
                "address", "Which other address?", Line(), apart=True,
                only=(Role.OFFICER, Role.MANAGER, Role.HEAD_OF_YEAR, Role.DSL, Role.LEADER),
            ),
            Field("leaves_at", "When do you leave school?", Moment(), needed=True, quick=True),
            Field("back_by", "When will you be back?", Moment(), needed=True, quick=True),
        ),
        *under(
            "Safety",
            Field("reached_on", "On which number can you be reached?", Line()),
            Field("expects_call", "Who expects your call?", Staff(), Merge.GATHER),
            Field("vehicle", "Which car?", Line()),
            Field("risk", "How risky is it?", Choice(RISK), Merge.GRAVEST),
            Field("hazards", "What is to be careful of?", Tags(list="hazards"), Merge.GATHER),
            Field("hazards_note", "What happened on earlier visits, and who may be there?", Note()),
        ),
        *under(
            "Visit",
            Field("left_school_at", "Left school", Moment()),
            Field("arrived_at", "Arrived", Moment()),
            Field("checked_in_at", "Said that all is well", Moment()),
            Field("door", "What happened at the door?", Choice(DOOR)),
            Field("who_seen", "Who was seen?", Note(), hint="Names, and how they are related to the child."),
            Field(
                "child_seen", "Was the child seen, and alone?", Choice(CHILD_SEEN), Merge.GRAVEST, needed=True,
                presses={"not_seen": "Child not seen"},
            ),
            Field("child_not_seen", "If the child was not seen, why not, and who has been told?", Note()),
            Field("child_said", "What did the child say?", Note(), Merge.OWN, hint="Word for word."),
            Field("family_said", "What did the family say?", Note(), Merge.OWN, hint="Word for word, and who said it."),
            Field(
                "conditions", "What did you notice about the home?", Note(), Merge.OWN,
                hint="What you saw, heard and smelt, not what you take it to mean.",
            ),
            Field("account", "Your account", Note(), Merge.OWN, hint="In your own words. Only you can change them."),
            Field("letter_left", "Was a letter left?", YesNo()),
            Field("left_at", "Left the address", Moment()),
            Field("safe_at", "Back, or safe on the way", Moment()),
            Field("closing_word", "Your closing word", Line(), hushed=True),
            Field("took", "How long were you there?", Duration()),
            Field("miles", "How many miles?", Line()),
        ),
        *under(
            "Afterwards",
            Field("agreed", "What was agreed, with whom, by when?", Note()),
            Field("next_step", "What happens next?", Note()),
            Field("next_at", "By when?", Moment()),
            Field("for_next_visitor", "What should the next visitor know?", Line()),
            replace(CONCERN, needed=True),
            Field("concern_told_at", "When was the safeguarding lead told?", Moment()),
            REFERENCE,
        ),
    ),
)  # fmt: skip
