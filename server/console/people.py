"""People and phones: who works here, as what, on which phones, when they were last heard of; and switching a lost phone off."""

import secrets
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect
from msgspec import Struct

from server.access import factors, passwords, sessions, throttle
from server.access.audit import looked
from server.access.rights import may, needs, require_fresh
from server.access.shares import drop_all_shares, drop_shares
from server.console.pages import frame_for, page
from server.console.records import from_json
from server.kinds.roles import LABELS, Role
from server.push.subscriptions import SWITCHED_OFF, retire
from server.refusals import NotFound
from server.store.database import Tx, reading, writing
from server.store.engines import Row
from server.store.ids import new_id
from server.store.me import Me
from server.store.moments import now
from server.store.numbers import NewStep, draw
from server.sync import desk

NAME_LIMIT = 100  # characters
YEARS_LIMIT = 20
CONSONANTS, VOWELS = "bdfghjklmnprstvz", "aeiou"  # nothing that reads like something else
SYLLABLES = 9  # 57 bits

PEOPLE = """
    select s.id, s.username, s.name, s.role, s.years, s.left_at, s.password is not null as signs_in,
           (select max(p.seen_at) from phone p where p.school = s.school and p.staff = s.id) as seen_at,
           (select count(*) from phone p where p.school = s.school and p.staff = s.id and not p.is_desk and p.revoked_at is null) as phones,
           (select coalesce(sum(p.waiting), 0) from phone p where p.school = s.school and p.staff = s.id) as waiting
    from staff s where s.school = $1 and s.username not like 'lanyard/%'"""  # which is nobody: see sync/by_itself.py

TAKEN = {"username": "Somebody has that username already"}


class Person(Struct, frozen=True):
    id: str
    username: str
    name: str
    role: str
    years: list[str]
    left: bool
    signs_in: bool
    seen_at: int | None
    phones: int
    waiting: int

    @property
    def does(self) -> str:
        return Role(self.role).label


class PhoneLine(Struct, frozen=True):
    id: str
    name: str
    is_desk: bool
    seen_at: int | None
    waiting: int
    lost: int
    drift_s: int
    build: str
    revoked_at: int | None


class Filled(Struct):
    """The form of one person, as it was filled in."""

    name: str
    username: str
    role: str
    years: str


# ── Pages ──────────────────────────────────────────────────────────────────────────────────


@get("/console/people", guards=[needs("phones")])
async def people(request: Request[Any, Any, Any]) -> Response[str]:
    me, asked = request.state.me, request.query_params.get("role", "")
    everybody = await reading(people_of, me)
    shown = [person for person in everybody if not asked or person.role == asked]
    return page(
        await frame_for(me), request, "people.html", people=shown, asked=asked, roles=LABELS, new=Filled("", "", "teacher", ""), problems={}
    )


@get("/console/people/{staff:str}", guards=[needs("phones")])
async def person(request: Request[Any, Any, Any], staff: FromPath[str]) -> Response[str]:
    return await shown(request, staff)


@post("/console/people", guards=[needs("people")], status_code=303)
async def add_person(request: Request[Any, Any, Any]) -> Response[Any]:
    me, filled = request.state.me, filled_from(await request.form())
    problems = problems_with(filled) or await reading(taken, filled.username, "")
    added_as = "" if problems else await writing(added, me, filled)
    if not added_as:
        problems = problems or TAKEN
        everybody = await reading(people_of, me)
        return page(
            await frame_for(me), request, "people.html", 400, people=everybody, asked="", roles=LABELS, new=filled, problems=problems
        )
    return Redirect(f"/console/people/{added_as}", status_code=303)


@post("/console/people/{staff:str}", guards=[needs("people")], status_code=303)
async def change_person(request: Request[Any, Any, Any], staff: FromPath[str]) -> Response[Any]:
    me, filled = request.state.me, filled_from(await request.form())
    problems = problems_with(filled) or await reading(taken, filled.username, staff)
    if staff == me.staff and filled.role != me.role:
        problems["role"] = "Ask another administrator to change your own role"
    if problems:
        return await shown(request, staff, 400, filled, problems)
    if not await writing(changed, me, staff, filled):
        return await shown(request, staff, 400, filled, TAKEN)
    return Redirect(f"/console/people/{staff}?done=saved", status_code=303)


@post("/console/people/{staff:str}/leave", guards=[needs("people")], status_code=303)
async def leave(request: Request[Any, Any, Any], staff: FromPath[str]) -> Response[Any]:
    """They have left, or come back. Whoever has left is signed out everywhere; what they wrote stays."""
    me, form = request.state.me, await request.form()
    if staff == me.staff:
        return await shown(request, staff, 400, None, {"leave": "Ask another administrator: nobody can shut themselves out"})
    await writing(left, me, staff, form.get("back") != "yes")
    return Redirect(f"/console/people/{staff}", status_code=303)


@post("/console/people/{staff:str}/password", guards=[needs("people")])
async def new_password(request: Request[Any, Any, Any], staff: FromPath[str]) -> Response[Any]:
    """A password of our making, shown this once to be handed over on paper. The old one, and every session, end."""
    me, password = request.state.me, made_up()
    kept = await passwords.hashed(password)
    row = await writing(password_set, me, staff, kept)
    return page(await frame_for(me), request, "password.html", name=row["name"], username=row["username"], staff=staff, password=password)


@post("/console/people/{staff:str}/factor", guards=[needs("people")], status_code=303)
async def drop_factor(request: Request[Any, Any, Any], staff: FromPath[str]) -> Redirect:
    """They have lost what they showed beside their password, and begin again. Not from a desk that was left open."""
    await writing(factor_dropped, require_fresh(request), staff)
    return Redirect(f"/console/people/{staff}?done=removed", status_code=303)


@post("/console/people/{staff:str}/phone", guards=[needs("phones")], status_code=303)
async def switch_phone(request: Request[Any, Any, Any], staff: FromPath[str]) -> Response[Any]:
    form = await request.form()
    off = form.get("do") == "off"
    await writing(switched, request.state.me, staff, str(form.get("phone", "")), off)
    return Redirect(f"/console/people/{staff}?done={'off' if off else 'back'}", status_code=303)


async def shown(
    request: Request[Any, Any, Any], staff: str, status: int = 200, filled: Filled | None = None, problems: dict[str, str] | None = None
) -> Response[str]:
    me = request.state.me
    found, phones = await reading(person_and_phones, me, staff)
    ways = await reading(factors.ways_of, me.school, staff) if may(me, "people") else []
    filled = filled or Filled(found.name, found.username, found.role, ", ".join(found.years))
    return page(
        await frame_for(me), request, "person.html", status,
        person=found, phones=phones, filled=filled, problems=problems or {}, roles=LABELS,
        is_me=staff == me.staff, may_change=may(me, "people"), ways=ways,
    )  # fmt: skip


# ── Reading ────────────────────────────────────────────────────────────────────────────────


async def people_of(tx: Tx, me: Me) -> list[Person]:
    rows = await tx.rows(f"{PEOPLE} order by s.left_at is not null, s.name", me.school)
    return [person_from(row) for row in rows]


async def person_and_phones(tx: Tx, me: Me, staff: str) -> tuple[Person, list[PhoneLine]]:
    row = await tx.row(f"{PEOPLE} and s.id = $2", me.school, staff)
    if row is None:
        raise NotFound
    rows = await tx.rows(
        "select * from phone where school = $1 and staff = $2 order by revoked_at is not null, seen_at desc, id", me.school, staff
    )
    return person_from(row), [phone_from(phone) for phone in rows]


def person_from(row: Row) -> Person:
    return Person(
        row["id"], row["username"], row["name"], row["role"],
        sorted(from_json(row["years"]) or [], key=lambda year: (len(year), year)), row["left_at"] is not None,
        bool(row["signs_in"]), row["seen_at"], int(row["phones"]), int(row["waiting"]),
    )  # fmt: skip


def phone_from(row: Row) -> PhoneLine:
    lost = sum(last - first + 1 for first, last in from_json(row["lost"]) or [])
    return PhoneLine(
        row["id"], row["name"] or ("Desk" if row["is_desk"] else "A phone"), bool(row["is_desk"]), row["seen_at"], row["waiting"], lost,
        row["drift_s"], row["build"], row["revoked_at"],
    )  # fmt: skip


# ── Changing ───────────────────────────────────────────────────────────────────────────────


def filled_from(form: Any) -> Filled:
    return Filled(**{name: " ".join(str(form.get(name, "")).split()) for name in Filled.__struct_fields__})


def problems_with(filled: Filled) -> dict[str, str]:
    problems = {}
    if not 0 < len(filled.name) <= NAME_LIMIT:
        problems["name"] = f"Enter their name, {NAME_LIMIT} characters at most"
    if not 0 < len(filled.username) <= NAME_LIMIT or " " in filled.username:
        problems["username"] = "Enter a username, without spaces"
    if filled.role not in LABELS:
        problems["role"] = "Choose a role"
    if len(years_of(filled)) > YEARS_LIMIT:
        problems["years"] = f"{YEARS_LIMIT} years at most"
    return problems


def years_of(filled: Filled) -> list[str]:
    return sorted({year for part in filled.years.replace(",", " ").split() if (year := part[:10])})


async def taken(tx: Tx, username: str, by: str) -> dict[str, str]:
    """Usernames are one list for all schools of this server."""
    row = await tx.row("select id from staff where username = $1", username.lower())
    return TAKEN if row is not None and row["id"] != by else {}


async def added(tx: Tx, me: Me, filled: Filled) -> str:
    """Their id; or nothing, where somebody took the username a moment before."""
    place = (await draw(tx, me.school, [NewStep("people")]))[0]
    id = new_id()
    kept = await tx.row(
        "insert into staff (id, school, username, name, role, years, seq) values ($1, $2, $3, $4, $5, $6, $7)"
        " on conflict (username) do nothing returning id",
        id, me.school, filled.username.lower(), filled.name, filled.role, msgspec.json.encode(years_of(filled)).decode(), place.seq,
    )  # fmt: skip
    if kept is None:
        return ""
    await looked(tx, me, "add staff", detail={"staff": id, "role": filled.role})
    return id


async def changed(tx: Tx, me: Me, staff: str, filled: Filled) -> bool:
    """Whether it was: somebody may have taken the username a moment before."""
    place = (await draw(tx, me.school, [NewStep("people")]))[0]
    row = await tx.row("select role, years from staff where school = $1 and id = $2", me.school, staff)
    if row is None:
        raise NotFound
    if await taken(tx, filled.username, staff):
        return False
    years = msgspec.json.encode(years_of(filled)).decode()
    await tx.run(
        "update staff set name = $3, username = $4, role = $5, years = $6, seq = $7 where school = $1 and id = $2",
        me.school, staff, filled.name, filled.username.lower(), filled.role, years, place.seq,
    )  # fmt: skip
    if (row["role"], from_json(row["years"])) != (filled.role, years_of(filled)):
        await desk.rights_changed(tx, me.school, staff)
    await looked(tx, me, "change staff", detail={"staff": staff, "role": filled.role})
    return True


async def left(tx: Tx, me: Me, staff: str, gone: bool) -> None:
    place = (await draw(tx, me.school, [NewStep("people")]))[0]
    row = await tx.row(
        "update staff set left_at = $3, seq = $4 where school = $1 and id = $2 returning id",
        me.school, staff, now() if gone else None, place.seq,
    )  # fmt: skip
    if row is None:
        raise NotFound
    if gone:  # their sessions are dead already, and tell their phones to forget
        await drop_all_shares(tx, me.school, staff)
    else:
        await sessions.end_all(tx, staff)
    await looked(tx, me, "staff left" if gone else "staff back", detail={"staff": staff})


async def password_set(tx: Tx, me: Me, staff: str, kept: str) -> Row:
    row = await tx.row("update staff set password = $3 where school = $1 and id = $2 returning name, username", me.school, staff, kept)
    if row is None:
        raise NotFound
    await sessions.end_all(tx, staff)
    await throttle.forget(tx, row["username"])
    await looked(tx, me, "set password", detail={"staff": staff})
    return row


async def factor_dropped(tx: Tx, me: Me, staff: str) -> None:
    if await tx.row("select 1 from staff where school = $1 and id = $2", me.school, staff) is None:
        raise NotFound
    await factors.drop_all(tx, me.school, staff)
    await sessions.end_all(tx, staff)
    await looked(tx, me, "drop second factor", detail={"staff": staff})


async def switched(tx: Tx, me: Me, staff: str, phone: str, off: bool) -> None:
    row = await tx.row(
        "update phone set revoked_at = $4 where school = $1 and id = $2 and staff = $3 and not is_desk returning id",
        me.school, phone, staff, now() if off else None,
    )  # fmt: skip
    if row is None:
        raise NotFound
    if off:
        await drop_shares(tx, me.school, phone)
        await retire(tx, me.school, phone, SWITCHED_OFF)
    await looked(tx, me, "revoke phone" if off else "unrevoke phone", detail={"phone": phone, "staff": staff})


def made_up() -> str:
    """Three words that mean nothing and can be read over a counter: 57 bits."""
    syllables = [secrets.choice(CONSONANTS) + secrets.choice(VOWELS) for _ in range(SYLLABLES)]
    return " ".join("".join(syllables[n : n + 3]) for n in range(0, SYLLABLES, 3))


routes = [people, person, add_person, change_person, leave, new_password, drop_factor, switch_phone]
