"""A plan in words, for the person who has to say yes to it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from server.imports.headings import Table
from server.imports.plan import Change, Plan

SHOWN = 25  # changes and additions listed by name
NAMES = {
    "mis_id": "MIS id", "upn": "UPN", "admission_no": "admission number", "born_on": "date of birth", "left_at": "left",
    "address_withheld": "address withheld", "do_not_contact": "do not contact", "parental_responsibility": "parental responsibility",
    "position": "place in the order", "other_phone": "other phone", "preferred": "known as", "person": "shared with a sibling",
    "gone": "taken off", "left_on": "date of leaving", "whole_name": "name", "contact_name": "name", "contact_surname": "surname",
    "contact_forename": "forename", "on_day": "date", "place": "room", "words": "class",
}  # fmt: skip


def told(table: Table, plan: Plan, *, applied: bool) -> Iterator[str]:
    yield from _headings(table)
    was = _was if applied else _would
    yield f"{was(len(plan.added))} added" + _named([one.who for one in plan.added])
    yield f"{was(len(plan.changed))} changed" + ("" if not plan.changed else ":")
    for change in plan.changed[:SHOWN]:
        yield f"   {change.who}: {field_by_field(change)}"
    if len(plan.changed) > SHOWN:
        yield f"   and {len(plan.changed) - SHOWN:,} more"
    if plan.removed:
        yield f"{was(len(plan.removed))} taken out: no longer in the file" + _named([one.who for one in plan.removed])
    yield from _leavers(plan)
    if plan.families:
        yield f"{was(len(plan.families))} put with brothers and sisters"
    yield f"{plan.unchanged:,} stay as they are"
    if plan.absent:
        yield f"{len(plan.absent):,} the school has are not in this file: nothing is done about them{_named(plan.absent)}"
    left_out = len({problem.row for problem in plan.problems if problem.left_out})
    if left_out:
        yield f"{left_out:,} rows {'were' if applied else 'would be'} left out, and need somebody to look at them"
    if warned := len(plan.problems) - sum(problem.left_out for problem in plan.problems):
        yield f"{warned:,} {'thing' if warned == 1 else 'things'} to check, taken in all the same"


def _leavers(plan: Plan) -> Iterator[str]:
    """Whoever leaves goes from every phone, and whoever comes back is on them again: not to be lost among other changes."""
    moved = [change for change in plan.changed if "left_at" in change.after]
    back = [change.who for change in moved if change.after["left_at"] is None]
    gone = [change.who for change in moved if change.before.get("left_at") is None]
    if gone:
        yield f"{len(gone):,} of them {'leaves' if len(gone) == 1 else 'leave'} the school{_named(gone)}"
    if back:
        comes = "had left and comes" if len(back) == 1 else "had left and come"
        yield f"{len(back):,} of them {comes} back: the file has them, without a date of leaving{_named(back)}"


def _headings(table: Table) -> Iterator[str]:
    taken = ", ".join(f"{heading} as {NAMES.get(one, one.replace('_', ' '))}" for one, heading in table.headings.items())
    yield f"{len(table.rows):,} rows under the headings in row {table.header_row}: {taken}"
    if table.unused:
        yield f"Not used: {', '.join(table.unused)}"
    if table.skipped:
        yield f"Passed over: {', '.join(table.skipped)}"


def field_by_field(change: Change) -> str:
    before = dict(change.before)
    if change.after.get("address_withheld"):
        before["address"] = "no longer kept"  # what is withheld from now on is not told once more
    return "; ".join(_one(column, before.get(column), value) for column, value in change.after.items())


def _one(column: str, before: object, after: object) -> str:
    name = NAMES.get(column, column.replace("_", " "))
    if column in ("person", "seq"):
        return name
    return f"{name} {_shown(column, before)} → {_shown(column, after)}"


def _shown(column: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "none"
    if column == "left_at" and isinstance(value, int):
        return f"{datetime.fromtimestamp(value / 1e6, UTC):%d/%m/%Y}"
    return str(value)


def _would(count: int) -> str:
    return f"{count:,} would be"


def _was(count: int) -> str:
    return f"{count:,} {'was' if count == 1 else 'were'}"


def _named(names: Sequence[str]) -> str:
    if not names:
        return ""
    return ": " + ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
