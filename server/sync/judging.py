"""Whether an edit may be taken into its record, and if not, why not: in words for whoever wrote it."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from server.kinds import KINDS
from server.kinds.kind import NOT_ASKED, Judged, Kind, asked_about
from server.kinds.shapes import Code, Known
from server.store.database import Tx
from server.store.me import Me
from server.sync.audience import may_begin
from server.sync.letter import Sent
from server.sync.merge import Edit, fold
from server.sync.wire import Because

# The same words whether there is no such record or one that this person may not see: nothing is revealed.
NOT_YOURS = {"record": "this is not yours to write in"}
NO_SUCH_KIND = {"kind": "not something that this school records"}
SET_ASIDE = {"edit": "this lets another edit rest, and says nothing of its own"}
OUR_FAULT = {"edit": "something went wrong at the school’s end; it has been noted, and what you wrote is kept"}


class Story(msgspec.Struct):
    """A record while edits of it come in."""

    kind: str | None = None  # None: the school does not know it yet
    mine: bool = True  # may the author of what comes in hold it?
    edits: list[Edit] = []  # those taken
    waiting: list[str] = []  # the ids of those held
    begun: bool = False  # by what comes in


def judge(me: Me, sent: Sent, story: Story, known: Known, *, at_desk: bool) -> Judged:
    """How its values are kept, and every reason why it cannot be taken, as far as it can be told without its history."""
    kind, values = KINDS.get(sent.kind), sent.values
    if sent.set_aside is not None:
        return Judged(values, SET_ASIDE, sent.remarks)
    if sent.because or kind is None:
        return Judged(values, sent.because or NO_SUCH_KIND, sent.remarks)
    if refused := may_write(me, kind, story):
        return Judged(values, refused, sent.remarks)
    unseen = out_of_sight(kind, me.role, values, at_desk=at_desk)
    judged = kind.judge({name: value for name, value in values.items() if name not in unseen} if unseen else values, known)
    if unseen:
        judged.values |= unseen
        judged.problems |= dict.fromkeys(unseen, NOT_ASKED)
    judged.remarks += sent.remarks
    return judged


def judge_as_it_is(sent: Sent, story: Story, known: Known) -> Judged:
    """Somebody at the desk answers for it. What the fold could not combine, nobody can answer for."""
    kind = KINDS.get(sent.kind)
    if sent.because or kind is None:
        return Judged(sent.values, sent.because or NO_SUCH_KIND, sent.remarks)
    if another := of_another_kind(kind, story):
        return Judged(sent.values, another, sent.remarks)
    judged = kind.judge(sent.values, known)
    judged.remarks += sent.remarks
    return judged


def may_write(me: Me, kind: Kind, story: Story) -> Because:
    if story.kind is None:
        return {} if may_begin(me, kind) else NOT_YOURS
    if kind.at_desk and not may_begin(me, kind):  # whoever is only named in it reads it
        return NOT_YOURS
    return of_another_kind(kind, story) if story.mine else NOT_YOURS


def of_another_kind(kind: Kind, story: Story) -> Because:
    if story.kind in (None, kind.name):
        return {}
    return {"kind": "this record was begun as one of another kind"}


def out_of_sight(kind: Kind, role: str, values: Any, *, at_desk: bool) -> dict[str, Any]:
    """Nobody writes a field that they may not see: for them, the kind does not ask it, nor looks at what they say there."""
    hidden = kind.kept_from(role) if at_desk else kind.kept_from(role) | kind.apart
    return {name: values[name] for name in hidden.intersection(values)} if type(values) is dict else {}


def writes_apart(sent: Sent) -> bool:
    kind = KINDS.get(sent.kind)
    return kind is not None and type(sent.values) is dict and not kind.apart.isdisjoint(sent.values)


def closing(kind: Kind, taken: list[Edit], edit: Edit) -> Because:
    """A record cannot be closed while people disagree in it: judged as it would be with this edit, which may decide and close."""
    if edit.values.get("state") != "closed":
        return {}
    disputed = {name.partition("/")[0] for name in fold(kind, [*taken, edit]).disputes} - {"state"}
    if not disputed:
        return {}
    asked = [field.question for field in kind.fields if field.name in disputed - kind.hidden_from(edit.role)]
    return {"state": " ".join(["it cannot be closed while people disagree in it.", *asked])}


# ── What the school knows ──────────────────────────────────────────────────────────────────


class Anything(frozenset[str]):
    def __contains__(self, code: object) -> bool:
        return True


class AnyList(dict[str, AbstractSet[str]]):
    def get(self, name: str, default: Any = None) -> Any:
        return Anything()


async def what_is_known(tx: Tx, school: str, edits: Iterable[Sent], *, any_words: bool = False) -> Known:
    """As far as these edits may name it. With `any_words`, whatever the school's lists say; but people are always its own."""
    kinds, pupils, staff = dict[str, Kind](), set[str](), set[str]()
    for sent in edits:
        if kind := KINDS.get(sent.kind):
            kinds[kind.name] = kind
            named = asked_about(kind, sent.values)
            pupils |= named[0]
            staff |= named[1]
    lists = dict[str, set[str]]() if any_words else lists_named_by(kinds.values())
    rows = await tx.rows(KNOWN, school, list(lists), sorted(pupils), sorted(staff))
    for what, name, code in rows:
        if what == "list":
            lists[name].add(code)
    return Known(
        lists=AnyList() if any_words else lists,
        codes=Anything() if any_words else await codes_of(tx, kinds.values()),
        pupils={id for what, _, id in rows if what == "pupil"},
        staff={id for what, _, id in rows if what == "staff"},
    )


KNOWN = (
    "select 'list', list, code from list_entry where school = $1 and list = any($2)"
    " union all select 'pupil', '', id from pupil where school = $1 and id = any($3) and not canary"
    " union all select 'staff', '', id from staff where school = $1 and id = any($4)"
)


def lists_named_by(kinds: Iterable[Kind]) -> dict[str, set[str]]:
    shapes = [field.shape for kind in kinds for field in kind.fields]
    return {getattr(shape, where, ""): set() for shape in shapes for where in ("list", "outcomes")}


async def codes_of(tx: Tx, kinds: Iterable[Kind]) -> AbstractSet[str]:
    if any(kind.of_shape(Code) for kind in kinds):
        return {row[0] for row in await tx.rows("select distinct code from attendance_code")}
    return frozenset()
