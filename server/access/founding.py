"""A new school: its name, the words it starts with, who shows a second factor, and an administrator who lets everybody else in."""

from server.access import passwords
from server.access.rights import RIGHTS
from server.access.settings_of import decide
from server.access.sign_in import as_kept
from server.kinds.lists import LISTS
from server.kinds.roles import Role
from server.store import numbers
from server.store.database import Tx, writing
from server.store.ids import new_id
from server.store.moments import now

CALLED = "calls"  # a right of responders, who see calls for help and else no more than what they wrote themselves
SEE_MORE = [role.value for role in Role if any(role in roles for right, roles in RIGHTS.items() if right != CALLED)]


async def found_school(name: str, username: str, full_name: str, password: str) -> str | None:
    """The new school's id. None: somebody signs in by that username already, here or elsewhere."""
    return await writing(_found, name, as_kept(username), full_name, await passwords.hashed(password))


async def _found(tx: Tx, name: str, username: str, full_name: str, kept: str) -> str | None:
    if await tx.row("select 1 from staff where username = $1", username):
        return None
    school = new_id()
    await tx.run("insert into school (id, name, made_at) values ($1, $2, $3)", school, name, now())
    people, _ = await numbers.draw(tx, school, [numbers.NewStep("people"), numbers.NewStep("lists")])
    await tx.run(
        "insert into staff (id, school, username, name, role, password, seq) values ($1, $2, $3, $4, $5, $6, $7)",
        new_id(), school, username, full_name, Role.ADMIN.value, kept, people.seq,
    )  # fmt: skip
    await decide(tx, school, "second_factor", {"roles": SEE_MORE, "since": dict.fromkeys(SEE_MORE, now())})
    await tx.run_many(
        "insert into list_entry (school, list, code, label, position) values ($1, $2, $3, $4, $5)",
        [(school, each.name, code, label, at) for each in LISTS.values() for at, (code, label) in enumerate(each.words.items(), 1)],
    )
    return school
