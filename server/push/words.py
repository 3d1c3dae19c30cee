"""What an alert may say: these words, a place of the school's list, a number. Nobody's name, for anybody may read a locked screen."""

from typing import NamedTuple

LONGEST = 80  # characters of a place that are said
NOWHERE = "place not given"


class Words(NamedTuple):
    title: str
    body: str


WORDS = {
    "test": Words("Lanyard can ring this phone", "This is a test. Nobody needs you."),
    # A call for help
    "call": Words("On-call: {place}", "Somebody asks for help. Open to answer."),
    "call.urgent": Words("On-call: {place}, urgent", "Somebody asks for help. Open to answer."),
    "call.again": Words("Nobody has answered yet: {place}", "Somebody asks for help. Open to answer."),
    "call.everybody": Words("Still nobody: {place}", "Everybody on duty is asked. Open to answer."),
    "call.more": Words("More help needed: {place}", "Open to answer."),
    "call.late": Words("A call for help came late: {place}", "Open to see whether it is still needed."),
    "call.coming": Words("Somebody is coming", "Open to see who."),
    "call.unanswered": Words("Nobody has answered", "Ring the school, or send somebody. Open for the number."),
    "call.taken": Words("Somebody is going: {place}", "You need not go."),
    "call.over": Words("It is over: {place}", "You need not go."),
    # Duties
    "duty.thin": Words("Too few phones can ring", "Open to see who is on duty."),
    "duty.asked": Words("You are asked to take a duty", "Open to say yes or no."),
    "duty.answered": Words("Your duty has been answered for", "Open to see."),
    # Visits
    "visit.overdue": Words("Are you safe?", "Your visit is past its time. Open to say."),
    "visit.buddy": Words("A visit is past its time", "You are the buddy. Open to see whom to ring."),
    "visit.alarm": Words("A visit needs you now", "Open to see where and whom."),
    "visit.open": Words("A visit was never closed", "Open to see whose, and to close it."),
    "visit.off": Words("A visit was called off", "Nobody waits for you. Open to see which."),
    "visit.later": Words("A visit takes longer", "Open to see until when."),
    "visit.safe": Words("A visit is safely over", "You need do nothing."),
    # The morning's calls
    "morning.ready": Words("Your call list is ready: {count} families", "Open to begin."),
    "morning.ready.one": Words("Your call list is ready: one family", "Open to begin."),
    "morning.overlap": Words("Somebody else rang the same family", "Both calls are kept. Open to see."),
}


def said(words: str, place: str | None, count: int | None) -> Words:
    """As it stands on a locked screen. `place`: as the school's list says it."""
    title, body = WORDS[words]
    where = " ".join((place or NOWHERE).split())[:LONGEST]
    return Words(title.format(place=where, count=count or 0), body)
