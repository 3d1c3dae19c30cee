"""Which records a member of staff may hold: one predicate, for every query that reads records."""

import hashlib
from collections.abc import Collection
from typing import Any

from server.kinds import KINDS
from server.kinds.kind import Kind
from server.store.database import Tx
from server.store.me import Me

Clause = tuple[str, list[Any]]


def holds(me: Me, *, first: int = 1, but: Collection[str] = ()) -> Clause:
    """SQL that is true for the rows of `record r` that this person may hold, and what fills its `$first`, `$first+1`, …

    All of the school's, where their role holds the kind; those about pupils in their years or caseload, where it is scoped to
    the kind; always those they wrote in, or are named in as staff; and for a page of the desk, those about whom they opened
    in an emergency. `but`: kinds of which only those they wrote in, or are named in.
    """
    school, staff = f"${first}", f"${first + 1}"
    args: list[Any] = [me.school, me.staff]
    ways = [
        "exists (select 1 from record_staff mine where mine.school = r.school and mine.record = r.id"
        f" and mine.staff = {staff} and mine.dropped_seq is null)"
    ]
    if whole := [name for name in kinds_held(me) if name not in but]:
        ways.insert(0, f"r.kind = any(${first + len(args)})")
        args.append(whole)
    if scoped := [name for name in kinds_scoped(me) if name not in but]:
        about = in_scope(me, staff, first + len(args) + 1)
        ways.append(
            f"(r.kind = any(${first + len(args)}) and exists (select 1 from record_pupil about"
            " join pupil on pupil.school = about.school and pupil.id = about.pupil"
            f" where about.school = r.school and about.record = r.id and about.dropped_seq is null and {about[0]}))"
        )
        args += [scoped, *about[1]]
    if me.opened:
        ways.append(
            "exists (select 1 from record_pupil opened where opened.school = r.school and opened.record = r.id"
            f" and opened.dropped_seq is null and opened.pupil = any(${first + len(args)}))"
        )
        args.append(list(me.opened))
    return f"r.school = {school} and ({' or '.join(ways)})", args


def sent(me: Me, *, first: int = 1) -> Clause:
    """As `holds`, for what is sent to a phone: nothing that is kept at the desk, whoever wrote it."""
    sql, args = holds(me, first=first, but=me.kept_back)
    return f"({sql} and r.kind = any(${first + len(args)}))", [*args, on_phones()]


def let_go(me: Me, after: int, *, first: int = 1) -> Clause:
    """SQL of (record, seq): where, since then, they ceased to be named, or it ceased to be about a pupil in their scope."""
    school, staff, since = f"${first}", f"${first + 1}", f"${first + 2}"
    args: list[Any] = [me.school, me.staff, after]
    sql = (
        "select mine.record, mine.dropped_seq as seq from record_staff mine"
        f" where mine.school = {school} and mine.staff = {staff} and mine.dropped_seq > {since}"
    )
    if scoped := kinds_scoped(me):
        about = in_scope(me, staff, first + len(args) + 1)
        sql += (
            " union select about.record, about.dropped_seq as seq from record_pupil about"
            " join pupil on pupil.school = about.school and pupil.id = about.pupil"
            " join record was on was.school = about.school and was.id = about.record"
            f" where about.school = {school} and about.dropped_seq > {since} and was.kind = any(${first + len(args)}) and {about[0]}"
        )
        args += [scoped, *about[1]]
    return sql, args


def in_scope(me: Me, staff: str, first: int) -> Clause:
    """Of a row of record_pupil `about` with its `pupil`: a pupil in their years or caseload."""
    caseload = (
        "exists (select 1 from caseload where caseload.school = about.school"
        f" and caseload.staff = {staff} and caseload.pupil = about.pupil)"
    )
    return f"(pupil.year = any(${first}) or {caseload})", [list(me.years)]


def fingerprint() -> str:
    """Of what the kinds let whom hold: where it changes, phones hold what they should not, or lack what they should."""
    rules = [
        (
            kind.name,
            sorted(kind.held_by),
            sorted(kind.scoped_to),
            [(field.name, sorted(field.only), field.apart) for field in kind.fields if field.only or field.apart],
        )
        for kind in KINDS.values()
        if not kind.at_desk and (kind.held_by or kind.scoped_to or any(field.only or field.apart for field in kind.fields))
    ]
    return hashlib.blake2b(repr(sorted(rules)).encode(), digest_size=8).hexdigest()


def on_phones() -> list[str]:
    return [kind.name for kind in KINDS.values() if not kind.at_desk]


def kept_at_desk() -> list[str]:
    return [kind.name for kind in KINDS.values() if kind.at_desk]


def kinds_held(me: Me) -> list[str]:
    return [kind.name for kind in KINDS.values() if me.role in kind.held_by]


def kinds_scoped(me: Me) -> list[str]:
    return [kind.name for kind in KINDS.values() if me.role in kind.scoped_to and me.role not in kind.held_by]


def may_begin(me: Me, kind: Kind) -> bool:
    return not kind.written_by or me.role in kind.written_by


async def may_hold(tx: Tx, me: Me, record: str) -> bool:
    sql, args = holds(me, first=2)
    return await tx.row(f"select 1 from record r where r.id = $1 and {sql}", record, *args) is not None


async def may_be_sent(tx: Tx, me: Me, record: str) -> bool:
    sql, args = sent(me, first=2)
    return await tx.row(f"select 1 from record r where r.id = $1 and {sql}", record, *args) is not None
