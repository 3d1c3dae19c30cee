"""The API described as OpenAPI, from the very types that are read and written; a test compares it with the routes.

Written out rather than left to the framework, which describes lax reading, its own errors, and bytes where we answer JSON.
"""

from typing import Any, NamedTuple

import msgspec
from litestar import get

from server.api.alerts import AlertNews
from server.api.here import Here
from server.api.history import HistoryAnswer
from server.api.intake import Kept
from server.api.oncall import CallAnswer, CallAsked, DutyCard
from server.api.passkeys import Asked, NewPasskey, Nothing, OldPasskey, Passkey, Password
from server.api.people import PeopleAnswer
from server.api.phone import PhoneKey
from server.api.push import PushCard, SubscriptionCard
from server.api.school import SchoolAnswer
from server.api.session import SignedIn, SignIn
from server.api.taken_along import TakenAlong, Wanted
from server.api.vault import NewShare, OpenShare, ShareAnswer
from server.api.visits import ClosingWordsCard, NewClosingWords, VisitAnswer
from server.intake.crate import BLOBS_LIMIT, CrateSent, Sealed
from server.intake.drafts import Recovered
from server.oncall.standing import CallCard
from server.oncall.whereabouts import VisitCard
from server.sync.letter import EDITS_LIMIT, ID_LIMIT
from server.sync.wire import SPEAKS, Answer, Edit, Letter


class Call(NamedTuple):
    method: str
    path: str
    id: str
    says: str
    reads: type | None = None
    answers: Any = None  # JSON; None: nothing
    status: int = 200
    refuses: tuple[int, ...] = ()
    takes: tuple[dict[str, Any], ...] = ()  # parameters
    streams: bool = False
    for_anybody: bool = False


class Refused(msgspec.Struct):
    """Why not: a name for the app, words for a person, and what else there is to say."""

    refusal: str
    words: str


CURSOR = {
    "name": "cursor",
    "in": "query",
    "required": False,
    "schema": {"type": "string"},
    "description": "as answered last; none: everybody",
}
KNOWN = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "the ETag of the answer held",
}
RECORD = {"name": "record", "in": "path", "required": True, "schema": {"type": "string"}, "description": "a record's id"}
DRAFT = {"name": "draft", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}, "description": "a draft's id"}
ALERT = {"name": "alert", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}, "description": "an alert's id"}
OURS = {
    "name": "X-Lanyard",
    "in": "header",
    "required": True,
    "schema": {"const": "1"},
    "description": "no form of another page can send it",
}

CALLS = (
    Call("get", "/api/here", "here", "Whether it is the school that answers", answers=Here, for_anybody=True),
    Call(
        "post", "/api/session", "sign_in", "Sign in", SignIn, SignedIn, refuses=(400, 401, 413, 415, 429), takes=(OURS,), for_anybody=True
    ),
    Call("delete", "/api/session", "sign_out", "Sign out; safe to repeat", status=204, takes=(OURS,), for_anybody=True),
    Call("get", "/api/school", "school", "The school, its words and its kinds", answers=SchoolAnswer, refuses=(401,), takes=(KNOWN,)),
    Call("get", "/api/people", "people", "Everybody, then whoever changed", answers=PeopleAnswer, refuses=(401, 404), takes=(CURSOR,)),
    Call("post", "/api/sync", "sync", "One exchange: see PROTOCOL.md", Letter, Answer, refuses=(400, 401, 413, 415, 429), takes=(OURS,)),
    Call(
        "put",
        "/api/phone",
        "phone_key",
        "This phone's own signing key",
        PhoneKey,
        status=204,
        refuses=(400, 401, 404, 409, 413, 415),
        takes=(OURS,),
    ),
    Call("put", "/api/vault", "new_share", "A new share", NewShare, ShareAnswer, refuses=(400, 401, 404, 413, 415), takes=(OURS,)),
    Call(
        "post",
        "/api/vault",
        "share",
        "The share, for the right PIN",
        OpenShare,
        ShareAnswer,
        refuses=(400, 401, 404, 413, 415, 429),
        takes=(OURS,),
    ),
    Call(
        "post",
        "/api/intake",
        "intake",
        "What is sealed: see PROTOCOL.md",
        CrateSent,
        Kept,
        refuses=(400, 401, 413, 415, 429),
        takes=(OURS,),
    ),
    Call(
        "post",
        "/api/passkeys/sign-in",
        "ask_for_passkey",
        "What to ask the browser for, to sign in by passkey",
        Nothing,
        Asked,
        refuses=(400, 413, 415),
        takes=(OURS,),
        for_anybody=True,
    ),
    Call("get", "/api/passkeys", "passkeys", "One's own passkeys", answers=list[Passkey], refuses=(401,)),
    Call(
        "post",
        "/api/passkeys/new",
        "ask_for_new_passkey",
        "What to ask the browser for, to make a passkey",
        Password,
        Asked,
        refuses=(400, 401, 413, 415, 429),
        takes=(OURS,),
    ),
    Call(
        "post",
        "/api/passkeys",
        "new_passkey",
        "Keep a new passkey",
        NewPasskey,
        Passkey,
        201,
        refuses=(400, 401, 413, 415),
        takes=(OURS,),
    ),
    Call(
        "post",
        "/api/passkeys/remove",
        "remove_passkey",
        "Remove one of one's own passkeys",
        OldPasskey,
        status=204,
        refuses=(400, 401, 413, 415, 429),
        takes=(OURS,),
    ),
    Call(
        "post",
        "/api/taken-along",
        "take_along",
        "The address and the plan of a visit of one's own",
        Wanted,
        TakenAlong,
        refuses=(400, 401, 404, 413, 415),
        takes=(OURS,),
    ),
    Call("get", "/api/push", "push", "Whether the school can ring this phone", answers=PushCard, refuses=(401,)),
    Call(
        "put",
        "/api/push",
        "subscribe",
        "Where this phone's browser takes alerts",
        SubscriptionCard,
        PushCard,
        refuses=(400, 401, 403, 404, 413, 415),
        takes=(OURS,),
    ),
    Call("delete", "/api/push", "turn_alerts_off", "Ring this phone no more; safe to repeat", status=204, refuses=(401,), takes=(OURS,)),
    Call(
        "post",
        "/api/push/test",
        "test_alert",
        "A real alert for this phone",
        Nothing,
        PushCard,
        refuses=(400, 401, 409, 413, 415, 429),
        takes=(OURS,),
    ),
    Call(
        "post",
        "/api/alerts/{alert}",
        "alert_news",
        "An alert was shown, or opened",
        AlertNews,
        status=204,
        refuses=(400, 404, 413, 415),
        takes=(OURS, ALERT),
        for_anybody=True,
    ),
    Call("get", "/api/drafts", "drafts", "Recovered drafts", answers=list[Recovered], refuses=(401,)),
    Call("delete", "/api/drafts/{draft}", "forget_draft", "Let a draft go", status=204, refuses=(401, 404), takes=(OURS, DRAFT)),
    Call(
        "get",
        "/api/records/{record}/history",
        "history",
        "Everything written in one record",
        answers=HistoryAnswer,
        refuses=(401, 404),
        takes=(RECORD,),
    ),
    Call("get", "/api/duty", "duty", "My duties of today, and who is on duty", answers=DutyCard, refuses=(401,)),
    Call(
        "post",
        "/api/duty",
        "go_on_duty",
        "Go on duty: a test is sent to this phone; safe to repeat",
        Nothing,
        DutyCard,
        refuses=(400, 401, 413, 415),
        takes=(OURS,),
    ),
    Call("delete", "/api/duty", "go_off_duty", "Go off duty; safe to repeat", status=204, refuses=(401,), takes=(OURS,)),
    Call("get", "/api/calls", "calls", "Calls for help that are not over and are mine to see", answers=list[CallCard], refuses=(401,)),
    Call(
        "post",
        "/api/calls",
        "call",
        "Call for help; safe to repeat with the same record",
        CallAsked,
        CallCard,
        status=201,
        refuses=(400, 401, 404, 413, 415),
        takes=(OURS,),
    ),
    Call("get", "/api/calls/{record}", "follow_call", "How a call stands", answers=CallCard, refuses=(401, 404), takes=(RECORD,)),
    Call(
        "post",
        "/api/calls/{record}",
        "answer_call",
        "Answer a call, or say something of it",
        CallAnswer,
        CallCard,
        refuses=(400, 401, 404, 409, 413, 415),
        takes=(OURS, RECORD),
    ),
    Call("get", "/api/visits", "visits", "Visits that are not over and are mine to watch", answers=list[VisitCard], refuses=(401,)),
    Call("get", "/api/visits/{record}", "follow_visit", "How a visit stands", answers=VisitCard, refuses=(401, 404), takes=(RECORD,)),
    Call(
        "post",
        "/api/visits/{record}",
        "answer_visit",
        "Say something of somebody else's visit",
        VisitAnswer,
        VisitCard,
        refuses=(400, 401, 404, 409, 413, 415),
        takes=(OURS, RECORD),
    ),
    Call("get", "/api/closing-words", "closing_words", "Whether I close a visit with a word", answers=ClosingWordsCard, refuses=(401,)),
    Call(
        "put",
        "/api/closing-words",
        "new_closing_words",
        "Set my two closing words; both empty: none",
        NewClosingWords,
        status=204,
        refuses=(400, 401, 413, 415, 429),
        takes=(OURS,),
    ),
    Call("get", "/api/live", "live", "Hints that something moved, as server-sent events", refuses=(401,), streams=True),
)


@get("/schema/openapi.json", sync_to_thread=False)
def describe_api() -> dict[str, Any]:
    shapes = [call.reads for call in CALLS if call.reads] + [call.answers for call in CALLS if call.answers] + [Refused, Edit, Sealed]
    _, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    components["Letter"] = letter_as_read(components["Letter"])
    components["CrateSent"] = crate_as_read(components["CrateSent"])
    paths: dict[str, Any] = {}
    for call in CALLS:
        paths.setdefault(call.path, {})[call.method] = described(call)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lanyard", "version": "1", "description": "What a phone and its school say to each other."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "lanyard", "description": "`__Host-lanyard` over https"},
                "grant": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "may send what one person wrote, and read nothing: /api/sync and /api/intake only",
                },
            },
        },
    }


def described(call: Call) -> dict[str, Any]:
    answers: dict[str, Any] = {str(status): REFUSES for status in sorted({*call.refuses, 403, 500, 503})}
    answers[str(call.status)] = {"description": "done"} | ({"content": json_of(call.answers)} if call.answers else {})
    if call.streams:
        answers[str(call.status)]["content"] = {"text/event-stream": {"schema": {"type": "string"}}}
    if KNOWN in call.takes:
        answers["304"] = {"description": "not changed since"}
    operation: dict[str, Any] = {"operationId": call.id, "summary": call.says, "parameters": list(call.takes), "responses": answers}
    if call.reads:
        operation["requestBody"] = {"required": True, "content": json_of(call.reads)}
    if not call.for_anybody:
        operation["security"] = [{"session": []}] + ([{"grant": []}] if call.id in ("sync", "intake") else [])
    return operation


def json_of(shape: Any) -> dict[str, Any]:
    (schema,), _ = msgspec.json.schema_components([shape], ref_template="#/components/schemas/{name}")
    return {"application/json": {"schema": schema}}


REFUSES = {"description": "refused", "content": json_of(Refused)}


def letter_as_read(letter: dict[str, Any]) -> dict[str, Any]:
    """What a letter should say, and what it must: each edit is judged by itself, and none is ever a reason to refuse the letter."""
    should = letter["properties"]
    must = {
        "protocol": {"enum": list(SPEAKS)},
        "phone": {"type": "string", "minLength": 1, "maxLength": ID_LIMIT, "pattern": r"^[^\x00-\x1f\x7f\ufffd]*$"},
        "edits": {
            "type": "array",
            "items": {"anyOf": [{"$ref": "#/components/schemas/Edit"}, {}]},
            "description": f"{EDITS_LIMIT} at most: more is 413, send fewer at once",
        },
    }
    may = {name: {"anyOf": [shape, {}]} for name, shape in should.items() if name not in must}
    return letter | {"properties": must | may, "required": sorted(must)}


def crate_as_read(crate: dict[str, Any]) -> dict[str, Any]:
    """Likewise: each sealed thing is kept by itself, whatever it is."""
    should = crate["properties"]
    must = {
        "protocol": {"enum": list(SPEAKS)},
        "sealed": {
            "type": "array",
            "items": {"anyOf": [{"$ref": "#/components/schemas/Sealed"}, {}]},
            "description": f"{BLOBS_LIMIT} at most",
        },
    }
    return crate | {
        "properties": must | {name: {"anyOf": [shape, {}]} for name, shape in should.items() if name not in must},
        "required": sorted(must),
    }
