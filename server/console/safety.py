"""What a school decides for its safety: what phones may hold, who opens in an emergency, who needs a second factor."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect
from msgspec import Struct

from server.access import due, emergency, factors, shares
from server.access.audit import looked
from server.access.rights import RIGHTS, needs, require_fresh
from server.access.settings_of import decide
from server.console.pages import frame_for, page
from server.kinds import KINDS
from server.kinds.roles import LABELS, Role
from server.refusals import NotFound
from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.me import Me, kept_back_in
from server.store.moments import now

Bounds = tuple[int, int, int]  # where nothing is said, at least, at most

PHONES: dict[str, tuple[str, str, Bounds]] = {
    "lease_hours": ("Opened without signal for", "hours; 0: never", shares.LEASE_HOURS),
    "hidden_s": ("Locks itself when hidden for", "seconds", shares.HIDDEN_S),
    "idle_s": ("Locks itself when not touched for", "seconds", shares.IDLE_S),
    "taken_along_hours": ("Keeps the address of a visit for", "hours", shares.TAKEN_ALONG_HOURS),
}
MINUTES = {"minutes": ("Stays open for", "minutes", emergency.MINUTES)}
GRACE = {"grace_days": ("Time to set it up", "days", due.GRACE_DAYS)}


class Decided(Struct):
    """As it stands."""

    rules: shares.Rules
    offline: dict[str, set[str]]  # by role: what its phones are not sent
    emergency: emergency.Rules
    factor: due.Rules
    without: dict[str, int]  # by role: how many people have no second factor


class Wrong(ValueError):
    """Why it cannot be so, in words; and which box."""

    def __init__(self, box: str, why: str) -> None:
        super().__init__(why)
        self.box = box


@get("/console/safety", guards=[needs("safety")])
async def safety(request: Request[Any, Any, Any]) -> Response[str]:
    return await shown(request)


@post("/console/safety", guards=[needs("safety")], status_code=303)
async def change_safety(request: Request[Any, Any, Any]) -> Response[Any]:
    """`do`: phones, offline, emergency or second_factor; the rest as that part's boxes say."""
    me, form = require_fresh(request), await request.form()
    try:
        await writing(changed, me, str(form.get("do", "")), form)
    except Wrong as wrong:
        return await shown(request, 400, wrong)
    return Redirect("/console/safety?done=saved", status_code=303)


async def shown(request: Request[Any, Any, Any], status: int = 200, wrong: Wrong | None = None) -> Response[str]:
    me = request.state.me
    return page(
        await frame_for(me), request, "safety.html", status,
        decided=await reading(decided, me), wrong=wrong, phones=PHONES, minutes=MINUTES, grace=GRACE, roles=LABELS,
        held=held_by_roles(), plurals={kind.name: kind.plural for kind in KINDS.values()} | {shares.CONTACTS: "Families to ring"},
    )  # fmt: skip


def held_by_roles() -> dict[Role, list[str]]:
    """What each role's phones would be sent, by name, where the school keeps nothing back."""
    return {
        role: [kind.name for kind in KINDS.values() if role in (*kind.held_by, *kind.scoped_to) and not kind.at_desk]
        + [shares.CONTACTS for _ in (1,) if role in RIGHTS["contacts"]]
        for role in Role
    }


async def decided(tx: Tx, me: Me) -> Decided:
    school = await tx.row("select settings from school where id = $1", me.school)
    assert school is not None
    people = await tx.rows(
        "select role, count(*) as n from staff where school = $1 and left_at is null and password is not null"
        " and not exists (select 1 from passkey where passkey.staff = staff.id)"
        " and not exists (select 1 from generator where generator.staff = staff.id and confirmed_at is not null) group by role",
        me.school,
    )
    return Decided(
        await shares.rules_of(tx, me.school),
        {role: set(kept_back_in(school["settings"], role)) for role in Role},
        await emergency.rules_of(tx, me.school),
        await factors.rules_of(tx, me.school),
        {row["role"]: row["n"] for row in people},
    )


# ── Changing ───────────────────────────────────────────────────────────────────────────────


async def changed(tx: Tx, me: Me, do: str, form: Any) -> None:
    match do:
        case "phones":
            says = figures_in(form, PHONES)
            await decide(tx, me.school, "vault", says)
        case "offline":
            says = {role.value: [name for name in names if f"{role.value}.{name}" not in form] for role, names in held_by_roles().items()}
            await shares.keep_back(tx, me.school, says)
        case "emergency":
            says = roles_in(form) | figures_in(form, MINUTES)
            await decide(tx, me.school, "emergency", says)
        case "second_factor":
            says = await with_its_beginning(tx, me, roles_in(form) | figures_in(form, GRACE))
            await decide(tx, me.school, "second_factor", says)
        case _:
            raise NotFound
    await looked(tx, me, "change safety", detail={"of": do, "says": says})


async def with_its_beginning(tx: Tx, me: Me, says: dict[str, Any]) -> dict[str, Any]:
    """The days run from when each role was first asked; whoever changes the days, or another role, begins nothing anew."""
    await numbers.lock(tx, me.school)  # before it is read: whoever decides at the same time waits
    before = await factors.rules_of(tx, me.school)
    return says | {"since": {role: before.since.get(role) or now() for role in says["roles"]}}


def figures_in(form: Any, asked: dict[str, tuple[str, str, Bounds]]) -> dict[str, Any]:
    says = {}
    for name, (label, unit, (_, least, most)) in asked.items():
        typed = str(form.get(name, "")).strip()
        if not (typed.isascii() and typed.isdigit() and least <= int(typed[:9]) <= most and len(typed) < 9):
            raise Wrong(name, f"{label}: from {least} to {most} {unit.partition(';')[0]}")
        says[name] = int(typed)
    return says


def roles_in(form: Any) -> dict[str, Any]:
    chosen = form.getall("role", [])
    return {"roles": [role.value for role in Role if role.value in chosen]}


routes = [safety, change_safety]
