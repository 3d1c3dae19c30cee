"""The second factor: what somebody shows beside their password. A passkey; or codes of an authenticator app, and ten to fall back on."""

import hashlib
import secrets
from typing import Any

from server.access import keys, passkeys, sessions, totp
from server.access.audit import looked
from server.access.due import Rules, rules_in
from server.access.settings_of import said
from server.access.tickets import Ticket, use
from server.refusals import NotFound
from server.settings import Settings
from server.store.database import Tx
from server.store.engines import Row
from server.store.me import Me
from server.store.moments import now

PURPOSE = "lanyard:factor"
WAITS = 10 * 60 * 1_000_000  # µs: a secret whose app has shown no code by then is begun anew
RECOVERY_CODES = 10
RECOVERY_LETTERS, RECOVERY_LENGTH = "abcdefghjkmnpqrstvwxyz23456789", 10  # 49 bits, nothing that reads like something else


async def rules_of(tx: Tx, school: str) -> Rules:
    return rules_in(await said(tx, school, "second_factor"))


async def due_at(tx: Tx, school: str, role: str) -> int | None:
    """By when somebody of this role must have one; None where they need not."""
    return (await rules_of(tx, school)).due_at(role)


async def asked_of(tx: Tx, school: str, staff: str, role: str) -> bool:
    """Whether this person shows one beside their password: they have set it up, or their role is to."""
    return bool(await ways_of(tx, school, staff)) or await due_at(tx, school, role) is not None


async def ways_of(tx: Tx, school: str, staff: str) -> list[str]:
    """What they can show. None at all: they have no second factor."""
    has = await tx.row(
        "select (select count(*) from passkey where school = $1 and staff = $2) as passkeys,"
        " (select count(*) from generator where school = $1 and staff = $2 and confirmed_at is not null) as codes,"
        " (select count(*) from recovery where school = $1 and staff = $2 and used_at is null) as recovery",
        school, staff,
    )  # fmt: skip
    assert has is not None
    ways = [way for way, column in (("passkey", "passkeys"), ("code", "codes")) if has[column]]
    return [*ways, "recovery"] if ways and has["recovery"] else ways


async def shown(tx: Tx, row: Row, ticket: Ticket, code: str | None, passkey: Any, settings: Settings) -> bool:
    """Whether this person, a row of staff, has shown it. Wants a transaction that is kept either way: tries are counted in it."""
    if not await use(tx, ticket, up=code is None):
        return False
    if code is not None:
        return await _code_shown(tx, row, code)
    kept = await tx.row("select * from passkey where id = $1 and staff = $2", passkeys.id_in(passkey), row["id"])
    return await passkeys.shown(tx, kept, passkey, ticket, settings)


async def _code_shown(tx: Tx, row: Row, said: str) -> bool:
    typed = "".join(said.split()).replace("-", "").lower()
    generator = await tx.row("select secret, step from generator where staff = $1 and confirmed_at is not null", row["id"])
    if generator and typed.isascii() and typed.isdigit():
        step = totp.step_of(keys.opened_text(generator["secret"], row["id"]), typed, now() // 1_000_000, generator["step"])
        if step is None:
            return False
        taken = await tx.row("update generator set step = $2 where staff = $1 and step < $2 returning step", row["id"], step)
        return taken is not None
    used = await tx.row(
        "update recovery set used_at = $3 where staff = $1 and hash = $2 and used_at is null returning hash",
        row["id"], _kept_as(typed), now(),
    )  # fmt: skip
    if used is not None:
        me = Me(staff=row["id"], school=row["school"], role=row["role"])
        await looked(tx, me, "use recovery code")
    return used is not None


async def was_used(tx: Tx, staff: str, said: str) -> bool:
    """Whether this is a recovery code that has let them in already."""
    typed = "".join(said.split()).replace("-", "").lower()
    return await tx.row("select 1 from recovery where staff = $1 and hash = $2 and used_at is not null", staff, _kept_as(typed)) is not None


# ── Setting codes up ───────────────────────────────────────────────────────────────────────


async def new_generator(tx: Tx, me: Me) -> str:
    """A secret for the app; it counts only once a code of it was typed. One that is in use stays in use until then."""
    secret = totp.new_secret()
    await tx.run("delete from generator where staff = $1 and confirmed_at is null", me.staff)
    row = await tx.row(
        "insert into generator (staff, school, secret, made_at) values ($1, $2, $3, $4) on conflict (staff) do nothing returning staff",
        me.staff, me.school, keys.closed_text(secret, me.staff), now(),
    )  # fmt: skip
    if row is None:
        raise NotFound("Codes are set up already. Remove them first.")
    return secret


async def waiting_secret(tx: Tx, me: Me) -> str | None:
    row = await tx.row(
        "select secret from generator where school = $1 and staff = $2 and confirmed_at is null and made_at > $3",
        me.school, me.staff, now() - WAITS,
    )  # fmt: skip
    return keys.opened_text(row["secret"], me.staff) if row else None


async def confirm_generator(tx: Tx, me: Me, opens: sessions.Opens, code: str) -> list[str] | None:
    """The ten recovery codes, told this once; None where the code is not one of the app's. Raises SignInAgain."""
    secret = await waiting_secret(tx, me)
    step = totp.step_of(secret, "".join(code.split()), now() // 1_000_000, 0) if secret else None
    if step is None:
        return None
    await sessions.before_a_factor(tx, me, opens)
    await tx.run("update generator set confirmed_at = $2, step = $3 where staff = $1", me.staff, now(), step)
    await looked(tx, me, "set up codes")
    return await new_recovery(tx, me)


async def new_recovery(tx: Tx, me: Me) -> list[str]:
    """The ones before are good for nothing any more."""
    codes = ["".join(secrets.choice(RECOVERY_LETTERS) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    await tx.run("delete from recovery where staff = $1", me.staff)
    await tx.run_many(
        "insert into recovery (school, staff, hash) values ($1, $2, $3)", [(me.school, me.staff, _kept_as(code)) for code in codes]
    )
    await looked(tx, me, "new recovery codes")
    return [f"{code[:5]}-{code[5:]}" for code in codes]


async def remove_generator(tx: Tx, me: Me) -> None:
    await drop_codes(tx, me.school, me.staff)
    await looked(tx, me, "remove codes")


async def drop_codes(tx: Tx, school: str, staff: str) -> None:
    await tx.run("delete from generator where school = $1 and staff = $2", school, staff)
    await tx.run("delete from recovery where school = $1 and staff = $2", school, staff)


async def drop_all(tx: Tx, school: str, staff: str) -> None:
    """Somebody who may has let them begin again: the phone with all of it is gone."""
    await drop_codes(tx, school, staff)
    await tx.run("delete from passkey where school = $1 and staff = $2", school, staff)


def _kept_as(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
