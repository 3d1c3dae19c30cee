"""Changing or adding to a record at the desk: a form made from its kind, and an ordinary edit of what was touched. And beginning one."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import signed_in
from server.console import words
from server.console.asking import Typed, boxes, of_field, touched
from server.console.finding import find_pupils
from server.console.pages import frame_for, page
from server.console.record import note_writing
from server.console.records import directory_of, record_for, records_where
from server.console.showing import Directory, PupilLine, in_words, key_in_words, label_of, pupils_named, title_of
from server.kinds import KINDS
from server.kinds.kind import Field, Kind
from server.kinds.shapes import Link, Pupils, Retired, Staff, Tags
from server.refusals import NotAllowed, NotFound
from server.store.database import Tx, reading, writing
from server.store.ids import new_id
from server.store.me import Me
from server.sync import desk
from server.sync.audience import may_begin

MATCHES = 12  # pupils offered for a name that more than one answers to
SHOWN_OF_LINKS = 100
BOXES_AT_MOST = 2_000  # in one form; each question is looked for among all of them


Options = list[tuple[str, str]]


class Form(Struct):
    """One form of a kind, with what stands or was typed in it."""

    kind: Kind
    groups: list[tuple[str, list[Field]]]
    typed: Typed
    was: Typed
    seen: str  # the version its reader was looking at; empty: none
    record: str  # empty: one that is to begin
    title: str
    directory: Directory
    body: dict[str, Any] = {}
    problems: dict[str, str] = {}
    matches: dict[str, list[PupilLine]] = {}  # by field: whom a typed name might mean
    others: dict[str, Options] = {}  # by link field: records to choose from
    meanwhile: set[str] = set()  # fields that somebody else wrote after this form was drawn

    def first(self, box: str) -> str:
        return (self.typed.get(box) or [""])[0]

    def all(self, box: str) -> list[str]:
        return self.typed.get(box) or []

    # What the template asks, by the shape of a field.

    def words_in(self, name: str, chosen: str) -> Options:
        """The words of a list; a retired one only where it stands already."""
        retired = self.directory.retired.get(name, set())
        return [(code, label) for code, label in self.directory.lists.get(name, {}).items() if code not in retired or code == chosen]

    def choices(self, shape: Any, chosen: str) -> Options:
        if shape.list:
            return self.words_in(shape.list, chosen)
        return [(code, str(label)) for code, label in shape.options.items() if code == chosen or not isinstance(label, Retired)]

    def codes(self) -> Options:
        return [(code, f"{code}: {meaning}") for code, meaning in self.directory.codes.items()]

    def periods(self) -> Options:
        return list(self.directory.periods.items())

    def links(self, name: str) -> Options:
        found = self.others.get(name, [])
        standing = self.first(name)
        if standing and standing not in dict(found):
            return [(standing, self.directory.records.get(standing, "The one named now")), *found]
        return found

    def keys(self, field: Field) -> Options:
        """Those gathered that there is a box for: all that may be ticked; of people, those who are named now."""
        shape, named = field.shape, {*self.all(f"{field.name}.keep"), *self.was.get(f"{field.name}.keep", [])}
        if isinstance(shape, Tags):
            return self.choices(shape, "") + [
                (key, label_of(shape, key, self.directory)) for key in sorted(named - {code for code, _ in self.choices(shape, "")})
            ]
        return [(key, key_in_words(field, key, self.directory)) for key in sorted(named)]

    def staff(self, field: Field) -> Options:
        named = self.all(f"{field.name}.keep")
        return sorted(
            ((id, name) for id, name in self.directory.staff.items() if id not in named and id not in self.directory.left),
            key=lambda one: one[1],
        )

    def stands(self, field: Field) -> str:
        """What it says now, in words."""
        return in_words(field.shape, self.body.get(field.name), self.directory)

    def answered(self, field: Field) -> bool:
        return any(box == field.name or box.startswith(f"{field.name}.") for box in self.was)

    def is_open(self, fields: list[Field]) -> bool:
        return any(field.quick or field.name in self.problems or self.answered(field) for field in fields)

    def told_of(self, fields: list[Field]) -> str:
        how_many = sum(self.answered(field) for field in fields)
        return f"{words.count(how_many, 'answer')} of {len(fields)}" if how_many else words.count(len(fields), "question")

    @property
    def was_text(self) -> str:
        return msgspec.json.encode(self.was).decode()


# ── Pages ──────────────────────────────────────────────────────────────────────────────────


@get("/console/record/{record:str}/change", guards=[signed_in])
async def change(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[str]:
    form = await writing(form_of, request.state.me, record)
    return await drawn(request, form)


@get("/console/new/{kind:str}", guards=[signed_in])
async def new(request: Request[Any, Any, Any], kind: FromPath[str]) -> Response[str]:
    me = request.state.me
    if kind not in KINDS:
        raise NotFound
    if not may_begin(me, KINDS[kind]):
        raise NotAllowed
    return await drawn(request, await reading(blank_form, me, KINDS[kind], *map(request.query_params.get, ("from", "pupil"))))


@post("/console/record/{record:str}/change", guards=[signed_in], status_code=303)
async def write_change(request: Request[Any, Any, Any], record: FromPath[str]) -> Response[Any]:
    return await write(request, await reading(form_of, request.state.me, record, is_read=False))


@post("/console/new/{kind:str}", guards=[signed_in], status_code=303)
async def write_new(request: Request[Any, Any, Any], kind: FromPath[str]) -> Response[Any]:
    me = request.state.me
    if kind not in KINDS:
        raise NotFound
    if not may_begin(me, KINDS[kind]):
        raise NotAllowed
    return await write(request, await reading(blank_form, me, KINDS[kind]))


async def drawn(request: Request[Any, Any, Any], form: Form, status: int = 200) -> Response[str]:
    only = request.query_params.get("only", "")
    return page(await frame_for(request.state.me), request, "change.html", status, form=form, only=only if form.kind.field(only) else "")


async def write(request: Request[Any, Any, Any], form: Form) -> Response[Any]:
    """Writes what was touched, as one edit that had seen what the form was drawn from. What is wrong comes back with all that was typed."""
    me = request.state.me
    posted = await request.form()
    form.typed = {box: [str(text) for text in posted.getall(box)] for box in posted if box not in ("was", "seen", "record")}
    form.was, form.seen = was_from(str(posted.get("was", ""))), str(posted.get("seen", ""))
    added = await reading(whom_to_add, me, form)
    values, problems = touched(form.kind, [field.name for _, fields in form.groups for field in fields], form.was, form.typed, added)
    form.problems = {**problems, **{name: f"Which {form.first(f'{name}.add')}? Choose below" for name in form.matches if name not in added}}
    if not form.problems and not values:
        form.problems = {"": "Nothing was changed"}
    record = form.record or id_from(str(posted.get("record", "")))
    if not form.problems:
        answer = await writing(written, me, record, form.kind, values, form.seen or None)
        if isinstance(answer, str):
            return Redirect(f"/console/record/{record}?done={f'wrote.{answer}' if form.record else 'begun'}", status_code=303)
        form.problems = answer
    if form.record:
        begin_again(form, await reading(form_of, me, record, is_read=False))
    form.typed["record"] = [record]
    return await drawn(request, form, 400)


async def written(tx: Tx, me: Me, record: str, kind: Kind, values: dict[str, Any], seen: str | None) -> str | dict[str, str]:
    """The edit's id; or what is wrong with it, by field, and then nothing is kept: it can still be put right in the form."""
    receipt = await desk.write(tx, me, record, kind.name, values, seen)
    if receipt.because:
        return {name.partition("/")[0]: why for name, why in receipt.because.items()}
    await note_writing(tx, me, record)
    return receipt.id


def begin_again(form: Form, fresh: Form) -> None:
    """Goes on from the record as it stands now: what was typed stays, and what was not touched shows what others wrote meanwhile."""
    for _, fields in form.groups:
        for field in fields:
            if of_field(field.name, form.typed) == of_field(field.name, form.was):
                form.typed = {box: texts for box, texts in form.typed.items() if box != field.name and not box.startswith(f"{field.name}.")}
                form.typed |= of_field(field.name, fresh.was)
            elif of_field(field.name, form.was) != of_field(field.name, fresh.was):
                form.meanwhile.add(field.name)
    form.was, form.seen, form.body = fresh.was, fresh.seen, fresh.body


# ── The form ───────────────────────────────────────────────────────────────────────────────


async def form_of(tx: Tx, me: Me, record: str, is_read: bool = True) -> Form:
    kept = await record_for(tx, me, record)
    if kept is None:
        raise NotFound
    if is_read:
        await looked(tx, me, "read record", record=record)
    directory = await directory_of(tx, me, [kept])
    groups = asked(kept.kind, kept.hidden, kept.body)
    was: Typed = {}
    for _, fields in groups:
        for field in fields:
            was |= boxes(field, kept.body, me.staff)
    title = title_of(kept.kind, kept.body, kept.disputes, directory)
    return Form(
        kept.kind, groups, was, was, kept.version, record, title, directory, kept.body, others=await links_for(tx, me, kept.kind, directory)
    )


async def blank_form(tx: Tx, me: Me, kind: Kind, origin: str | None = None, pupil: str | None = None) -> Form:
    """`origin`: the record it is begun from, which it then names; or the pupil whom it is about."""
    kept = await record_for(tx, me, origin) if origin else None
    directory = await directory_of(tx, me, [kept] if kept else [], [pupil] if pupil else [])
    others = await links_for(tx, me, kind, directory)
    typed: Typed = {"record": [new_id()]}
    if kept:
        for field in links_to(kind, kept.kind):
            typed[field.name] = [kept.id]
            others[field.name] = [(kept.id, title_of(kept.kind, kept.body, kept.disputes, directory)), *others.get(field.name, [])]
        if kind.about_fields:
            typed |= {f"{kind.about_fields[0]}.keep": sorted(people) for people in [pupils_named(kept.kind, kept.body)] if people}
    if pupil in directory.pupils and kind.about_fields:
        typed[f"{kind.about_fields[0]}.keep"] = [str(pupil)]
    return Form(kind, asked(kind, kind.hidden_from(me.role), {}), typed, {}, "", "", kind.label, directory, others=others)


def asked(kind: Kind, hidden: frozenset[str], body: Mapping[str, Any]) -> list[tuple[str, list[Field]]]:
    """The questions under their headings. A retired one only where it was once answered."""
    groups: dict[str, list[Field]] = {}
    for field in kind.fields:
        if field.name not in hidden and field.group != "State" and (not field.retired or body.get(field.name)):
            groups.setdefault(field.group or kind.label, []).append(field)
    return list(groups.items())


def links_to(kind: Kind, other: Kind) -> list[Field]:
    return [
        field
        for name in kind.link_fields
        if (field := kind.field(name)) and isinstance(field.shape, Link) and field.shape.kind == other.name
    ]


async def links_for(tx: Tx, me: Me, kind: Kind, directory: Directory) -> dict[str, list[tuple[str, str]]]:
    """The newest records that each link may name, to choose from."""
    others: dict[str, list[tuple[str, str]]] = {}
    for name in kind.link_fields:
        field = kind.field(name)
        if field is None or not isinstance(field.shape, Link):
            continue
        found = await records_where(
            tx, me, "(r.kind = $1 or $1 = '') and r.state <> 'void'", field.shape.kind, after=f"order by r.seq desc limit {SHOWN_OF_LINKS}"
        )
        others[name] = [
            (one.id, f"{words.full_day(one.happened_at)}, {title_of(one.kind, one.body, one.disputes, directory)}") for one, _ in found
        ]
    return others


async def whom_to_add(tx: Tx, me: Me, form: Form) -> dict[str, str]:
    """For each field of pupils in which a name was typed: the one it means. More than one, or none, goes back to be chosen from."""
    added = {}
    for _, fields in form.groups:
        for field in fields:
            typed = form.first(f"{field.name}.add").strip()
            chosen = form.first(f"{field.name}.chosen")
            if isinstance(field.shape, (Pupils, Staff)) and chosen:
                added[field.name] = chosen
            if chosen or not typed or not isinstance(field.shape, Pupils):
                continue
            found = [match.pupil for match in await find_pupils(tx, me.school, typed, MATCHES)]
            if len(found) == 1:
                added[field.name] = found[0].id
            else:
                form.matches[field.name] = found
    return added


def was_from(text: str) -> Typed:
    """What the form was drawn with. It comes back from a browser, so it may be anything: then all that is typed counts as touched."""
    try:
        was = msgspec.json.decode(text, type=Typed)
        return was if len(was) <= BOXES_AT_MOST else {}
    except msgspec.MsgspecError:
        return {}


def id_from(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound from None


routes = [change, new, write_change, write_new]
