"""Lists: the school's own words, for the school to change. Added, renamed, put in order, retired; never removed: old records say them."""

import re
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access.audit import looked
from server.access.rights import needs
from server.console.finding import plain
from server.console.pages import frame_for, page
from server.console.records import from_json
from server.kinds.lists import LISTS
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.me import Me
from server.store.moments import now
from server.store.numbers import NewStep, draw

LABEL_LIMIT = 60  # characters
WORDS_LIMIT = 200  # in one list
UNDO_WHILE = 15 * 60 * 1_000_000  # µs
CHANGED, UNDONE = "change list", "undo list"

KEEP = """
    insert into list_entry (school, list, code, label, position, retired) values ($1, $2, $3, $4, $5, $6)
    on conflict (school, list, code) do update set label = excluded.label, position = excluded.position, retired = excluded.retired"""


class Word(Struct, frozen=True):
    code: str
    label: str
    retired: bool


class Wrong(ValueError):
    """Why a list cannot be changed so, in words."""


# ── Pages ──────────────────────────────────────────────────────────────────────────────────


@get("/console/lists", guards=[needs("lists")])
async def lists(request: Request[Any, Any, Any]) -> Response[str]:
    me = request.state.me
    counts = await reading(counts_of, me)
    return page(await frame_for(me), request, "lists.html", lists=list(LISTS.values()), counts=counts)


@get("/console/lists/{name:str}", guards=[needs("lists")])
async def one_list(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[str]:
    return await shown(request, name)


@post("/console/lists/{name:str}", guards=[needs("lists")], status_code=303)
async def change_list(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[Any]:
    """`do` says what: add, rename, up, down, retire, bring back; `code` of which word; `label` the new words of it."""
    if name not in LISTS:
        raise NotFound
    form = await request.form()
    do, code, label = str(form.get("do", "")), str(form.get("code", "")), " ".join(str(form.get("label", "")).split())
    try:
        await writing(changed, request.state.me, name, do, code, label)
    except Wrong as wrong:
        return await shown(request, name, 400, str(wrong), code, label)
    return Redirect(f"/console/lists/{name}?done=listed", status_code=303)


@post("/console/lists/undo", guards=[needs("lists")], status_code=303)
async def undo_list(request: Request[Any, Any, Any]) -> Response[Any]:
    name = await writing(undone, request.state.me)
    return Redirect(f"/console/lists/{name}?done=lists" if name else "/console/lists", status_code=303)


async def shown(
    request: Request[Any, Any, Any], name: str, status: int = 200, problem: str = "", code: str = "", typed: str = ""
) -> Response[str]:
    if name not in LISTS:
        raise NotFound
    me = request.state.me
    words = await reading(words_of, me.school, name)
    return page(
        await frame_for(me), request, "list.html", status,
        list=LISTS[name], words_in=words, problem=problem, wrong_code=code, typed=typed, limit=LABEL_LIMIT,
    )  # fmt: skip


# ── Changing one ───────────────────────────────────────────────────────────────────────────


async def counts_of(tx: Tx, me: Me) -> dict[str, int]:
    rows = await tx.rows("select list, count(*) as n from list_entry where school = $1 and not retired group by list", me.school)
    return {row["list"]: row["n"] for row in rows}


async def words_of(tx: Tx, school: str, name: str) -> list[Word]:
    rows = await tx.rows(
        "select code, label, retired from list_entry where school = $1 and list = $2 order by retired, position, label", school, name
    )
    return [Word(row["code"], row["label"], bool(row["retired"])) for row in rows]


async def changed(tx: Tx, me: Me, name: str, do: str, code: str, label: str) -> None:
    """Draws a number first: who changes the same list waits, and phones hear of it."""
    await draw(tx, me.school, [NewStep("lists")])
    before = await words_of(tx, me.school, name)
    after = changed_words(before, do, code, label)
    await keep(tx, me, name, before, after, CHANGED)


async def keep(tx: Tx, me: Me, name: str, before: list[Word], after: list[Word], what: str) -> None:
    await tx.run_many(KEEP, [(me.school, name, word.code, word.label, n, word.retired) for n, word in enumerate(after)])
    await looked(tx, me, what, detail={"list": name, "before": msgspec.to_builtins(before), "after": msgspec.to_builtins(after)})


def changed_words(words: list[Word], do: str, code: str, label: str) -> list[Word]:
    """The list as it is to be. Pure."""
    if do in ("add", "rename"):
        check(label, [word for word in words if word.code != code or do == "add"])
    if do == "add":
        return [
            *(word for word in words if not word.retired),
            Word(new_code(label, [word.code for word in words]), label, False),
            *(word for word in words if word.retired),
        ]
    at = next((n for n, word in enumerate(words) if word.code == code), None)
    if at is None:
        raise Wrong("That word is not in the list")
    word, others = words[at], words[:at] + words[at + 1 :]
    match do:
        case "rename":
            return [*words[:at], Word(code, label, word.retired), *words[at + 1 :]]
        case "up":
            return [*others[: max(at - 1, 0)], word, *others[max(at - 1, 0) :]]
        case "down":
            return [*others[: at + 1], word, *others[at + 1 :]]
        case "retire":
            return [*others, Word(code, word.label, True)]
        case "bring back":
            return [
                *(other for other in others if not other.retired),
                Word(code, word.label, False),
                *(other for other in others if other.retired),
            ]
    raise Wrong("That cannot be done to a list")


def check(label: str, others: list[Word]) -> None:
    if not label:
        raise Wrong("Enter the words")
    if len(label) > LABEL_LIMIT:
        raise Wrong(f"Keep it under {LABEL_LIMIT} characters")
    if any(plain(word.label) == plain(label) for word in others):
        raise Wrong("That is in the list already, perhaps among the retired")
    if len(others) >= WORDS_LIMIT:
        raise Wrong(f"A list holds {WORDS_LIMIT} at most")


def new_code(label: str, taken: list[str]) -> str:
    """A name that never changes, whatever the words become: made from the first of them."""
    stem = re.sub(r"[^a-z0-9]+", "_", plain(label)).strip("_")[:40] or "word"
    return next(code for n in range(len(taken) + 2) if (code := stem if n == 0 else f"{stem}_{n + 1}") not in taken)


async def undone(tx: Tx, me: Me) -> str | None:
    """Puts back what I changed last, if nothing was changed since. The list's name; or None."""
    await draw(tx, me.school, [NewStep("lists")])
    row = await tx.row(
        "select what, at, detail from audit where school = $1 and staff = $2 and what in ($3, $4) order by at desc, id desc limit 1",
        me.school,
        me.staff,
        CHANGED,
        UNDONE,
    )
    if row is None or row["what"] == UNDONE or now() - row["at"] > UNDO_WHILE:
        return None
    detail = from_json(row["detail"])
    before, after = (msgspec.convert(detail[which], list[Word]) for which in ("before", "after"))
    name, current = str(detail["list"]), await words_of(tx, me.school, str(detail["list"]))
    if current != after:
        return None
    came = [Word(word.code, word.label, True) for word in after if word.code not in {old.code for old in before}]
    await keep(tx, me, name, after, [*before, *came], UNDONE)
    return name


routes = [lists, one_list, change_list, undo_list]
