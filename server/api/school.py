"""What the school is: its name and words, its kinds as I may see them, its day. Asked for often, changed seldom."""

import hashlib
from typing import Any

import msgspec
from litestar import Request, Response, get

from server.access.answers import is_known
from server.access.rights import rights_of, signed_in
from server.access.shares import Rules, rules_of
from server.intake.keys import published
from server.kinds import KINDS
from server.morning.days import school_days_of
from server.oncall.lessons import Lesson, lessons_of
from server.oncall.rota import local
from server.store.database import Tx, reading
from server.store.me import Me
from server.store.moments import now, to_wire


class SchoolCard(msgspec.Struct, omit_defaults=True):
    """`phone` and `radio`: how to call for help without us."""

    id: str
    name: str
    is_demo: bool
    ribbon: str
    thread: str
    phone: str | None = None
    radio: str | None = None


class MeCard(msgspec.Struct):
    id: str
    name: str
    role: str
    may: list[str]


class Entry(msgspec.Struct):
    code: str
    label: str
    retired: bool


class PeriodCard(msgspec.Struct):
    code: str
    label: str
    starts: str
    ends: str
    is_lesson: bool


class CodeCard(msgspec.Struct):
    code: str
    meaning: str
    category: str


class VaultCard(Rules):
    """`kept_back`: what phones of my role are not sent, beyond what I wrote or am named in: kinds by name, and contacts."""

    kept_back: list[str] = []


class SchoolAnswer(msgspec.Struct):
    """`intake`: the school's intake keys, newest first, signed by the key that a phone was told when it first signed in.

    `lessons`: mine, of the next days with school.
    """

    school: SchoolCard
    me: MeCard
    lists: dict[str, list[Entry]]
    kinds: list[dict[str, Any]]
    periods: list[PeriodCard]
    codes: list[CodeCard]
    vault: VaultCard
    intake: str = ""
    lessons: list[Lesson] = []


@get("/api/school", guards=[signed_in])
async def describe_school(request: Request[Any, Any, Any]) -> Response[bytes]:
    me: Me = request.state.me
    answer = await reading(answer_for, me)
    answer.intake = await published(me.school)
    body = msgspec.json.encode(answer)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if is_known(tag, request.headers.get("if-none-match", "")):
        return Response(b"", status_code=304, headers={"ETag": tag})
    return Response(body, media_type="application/json", headers={"ETag": tag})


async def answer_for(tx: Tx, me: Me) -> SchoolAnswer:
    name = await tx.row("select name from staff where id = $1", me.staff)
    assert name is not None
    lists: dict[str, list[Entry]] = {}
    for row in await tx.rows(
        "select list, code, label, retired from list_entry where school = $1 order by list, position, code", me.school
    ):
        lists.setdefault(row["list"], []).append(Entry(row["code"], row["label"], row["retired"]))
    periods = await tx.rows("select code, label, starts, ends, is_lesson from period where school = $1 order by starts, code", me.school)
    today = to_wire(now())[:10]
    codes = await tx.rows(
        "select code, meaning, category from attendance_code"
        " where from_on <= $1 and (to_on is null or to_on >= $1) order by code", today
    )  # fmt: skip
    kinds = [kind.describe(me.role) for kind in KINDS.values() if not kind.at_desk]
    return SchoolAnswer(
        school=await card_of(tx, me.school),
        me=MeCard(me.staff, name[0], me.role, [f"amend:{kind['name']}" for kind in kinds if kind["may_write"]] + rights_of(me)),
        lists=lists,
        kinds=kinds,
        periods=[PeriodCard(*row) for row in periods],
        codes=[CodeCard(*row) for row in codes],
        lessons=await lessons_of(tx, me.school, me.staff, local(now()).day, (await school_days_of(tx, me.school)).has_school),
        vault=VaultCard(**msgspec.structs.asdict(await rules_of(tx, me.school)), kept_back=sorted(me.kept_back)),
    )


async def school_card(school: str) -> SchoolCard:
    return await reading(card_of, school)


async def card_of(tx: Tx, school: str) -> SchoolCard:
    row = await tx.row("select id, name, is_demo, ribbon, thread, settings from school where id = $1", school)
    assert row is not None
    said: dict[str, Any] = msgspec.json.decode(row["settings"])
    return SchoolCard(row["id"], row["name"], row["is_demo"], row["ribbon"], row["thread"], said.get("phone"), said.get("radio"))
