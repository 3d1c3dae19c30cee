"""What goes into a school's spreadsheets: records of a kind as somebody may see them, patterns, and contacts who may be rung."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from server.kinds.kind import Field, Kind, Merge
from server.kinds.roles import Role
from server.kinds.shapes import Choice, Choices, Gathered, Moment, Pupils, Staff
from server.reports.csv import Column, Sheet
from server.reports.patterns import Line, Patterns
from server.reports.timetable import WALL_CLOCK
from server.store.database import Tx
from server.store.withheld import APART, IS_APART

COMBINED = {
    Merge.LATEST: "The newest answer.",
    Merge.GATHER: "Everything that anybody added.",
    Merge.OWN: "What each person wrote, under their name.",
    Merge.GRAVEST: "The most serious answer, until somebody who has seen it lowers it.",
}

ENVELOPE = (
    Column("Record", "Its number in Lanyard."),
    Column("When", "When it happened, by the clock in London; when it was begun, if it does not say."),
    Column("Begun by", "Who wrote it first."),
    Column("Begun", "When they wrote it."),
    Column("Sent", "When the school had it."),
    Column("Edits", "How many times anybody wrote in it."),
    Column("Undecided", "Questions to which two people gave different answers that nobody has decided between. The newest is shown."),
)


class Names(Struct, frozen=True):
    """What ids and codes are called."""

    pupils: Mapping[str, str]
    staff: Mapping[str, str]
    words: Mapping[str, Mapping[str, str]]  # list, code: label


def records_sheet(kind: Kind, records: Iterable[Mapping[str, Any]], names: Names, role: Role | str, about: Sequence[str]) -> Sheet:
    """`records` are rows of the table `record`, their body and disputes read. What the role may not see is not in it."""
    fields = [field for field in kind.fields if kind.visible(field, role) and not field.apart]
    columns = [*ENVELOPE, *(Column(field.question, meaning(field)) for field in fields)]
    return Sheet(kind.plural, about, columns, ([*envelope(record, fields, names), *answers(record, fields, names)] for record in records))


def meaning(field: Field) -> str:
    words = getattr(field.shape, "list", "")
    options = getattr(field.shape, "options", {})
    choices = f"One of the school’s {words}." if words else f"One of: {', '.join(options.values())}." if options else ""
    return " ".join(filter(None, [choices, COMBINED[field.merge], field.hint, "No longer asked." if field.retired else ""]))


def envelope(record: Mapping[str, Any], fields: Sequence[Field], names: Names) -> list[Any]:
    questions = {field.name: field.question for field in fields}
    undecided = [questions[field] for name in record["disputes"] or () if (field := name.split("/")[0]) in questions]
    times = [wall_clock(record[name]) for name in ("happened_at", "made_at", "received_at")]
    author = names.staff.get(record["author"], record["author"])
    return [record["id"], times[0], author, times[1], times[2], record["edits"], "; ".join(dict.fromkeys(undecided))]


def answers(record: Mapping[str, Any], fields: Sequence[Field], names: Names) -> list[Any]:
    return [said(field, record["body"].get(field.name), names) for field in fields]


def said(field: Field, value: Any, names: Names) -> Any:
    """A value of a body in words, for a cell. None where nobody has answered."""
    if value is None or value == {} or value == []:
        return None
    if field.merge is Merge.OWN:
        spoken = [f"{names.staff.get(author, author)}: {spoken_by(field, one['value'])}" for author, one in value.items() if one["value"]]
        return "\n\n".join(spoken) or None
    match field.shape:
        case Gathered():
            return "; ".join(entry_in_words(field, key, entry, names) for key, entry in value.items())
        case Choices():
            return "; ".join(label(field, code, names) for code in value)
        case Moment():
            return moment_in_words(value)
        case Choice():
            return label(field, value, names)
        case _:
            return value


def spoken_by(field: Field, value: Any) -> Any:
    return moment_in_words(value) if isinstance(field.shape, Moment) else value


def entry_in_words(field: Field, key: str, entry: Mapping[str, str], names: Names) -> str:
    shape = field.shape
    assert isinstance(shape, Gathered)
    who = names.pupils if isinstance(shape, Pupils) else names.staff if isinstance(shape, Staff) else {key: label(field, key, names)}
    part, outcome = entry.get("part"), entry.get("outcome")
    more = [shape.parts.get(part, part) if part else None, names.words.get(shape.outcomes, {}).get(outcome, outcome) if outcome else None]
    known = ", ".join(filter(None, more))
    return f"{who.get(key, key)} ({known})" if known else who.get(key, key)


def label(field: Field, code: str, names: Names) -> str:
    words = names.words.get(getattr(field.shape, "list", ""), {})
    return words.get(code) or getattr(field.shape, "options", {}).get(code, code)


def moment_in_words(moment: Mapping[str, str]) -> str:
    when = on_the_wall(datetime.fromisoformat(moment["at"]))
    return {"about": f"about {when}", "lesson": f"{when} ({moment.get('lesson', 'in that lesson')})"}.get(moment["precision"], when)


def wall_clock(microseconds: int) -> str:
    return on_the_wall(EPOCH + timedelta(microseconds=microseconds))


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def on_the_wall(at: datetime) -> str:
    """By the clock in London; at the calendar's own ends, beyond which London may be already, as it is."""
    with suppress(OverflowError):
        at = at.astimezone(ZoneInfo(WALL_CLOCK))
    return at.replace(tzinfo=None).isoformat(" ", "minutes")


# ── Patterns ───────────────────────────────────────────────────────────────────────────────

LINES = {
    "places": "Place",
    "periods": "Period",
    "weekdays": "Weekday",
    "weeks": "Week beginning",
    "categories": "What happened",
    "years": "Year",
}
GRIDS = {"place_by_period": "Place and period", "weekday_by_period": "Weekday and period"}


def patterns_sheet(patterns: Patterns, about: Sequence[str]) -> Sheet:
    """Every number of the page, a row each."""
    columns = (
        Column("Counted by", "Along what the incidents are counted."),
        Column("Of", "The place, the period, the day, …"),
        Column("In", "The period, where two are counted at once."),
        Column("Incidents", f"{patterns.counted} {HIDDEN}: too small to show, or it would give away a number that is."),
        Column("Rate", "The same number, made comparable."),
        Column("Rate of", "What the rate is."),
    )
    asked = patterns.question
    window = f"{asked.first:%-d %B %Y} to {asked.last:%-d %B %Y}, {patterns.days} school days; {patterns.pupils} pupils on roll."
    return Sheet("Where and when", [*about, window, patterns.counted], columns, list(numbers(patterns)))


HIDDEN = "hidden"


def numbers(patterns: Patterns) -> Iterator[list[Any]]:
    yield ["All", None, None, or_hidden(patterns.total), None, None]
    for name, title in LINES.items():
        line: Line = getattr(patterns, name)
        for heading, count, rate in zip(line.headings, line.counts, line.rates, strict=True):
            yield [title, heading.label, None, or_hidden(count), rate, line.rate_of]
    for name, title in GRIDS.items():
        if grid := getattr(patterns, name):
            for row, counts, rates in zip(grid.rows.headings, grid.counts, grid.rates, strict=True):
                for column, count, rate in zip(grid.columns.headings, counts, rates, strict=True):
                    yield [title, row.label, column.label, or_hidden(count), rate, grid.rate_of]


def or_hidden(count: int | None) -> int | str:
    return HIDDEN if count is None else count


# ── Contacts ───────────────────────────────────────────────────────────────────────────────

CONTACT_COLUMNS = (
    Column("Pupil", "Whom it is about."),
    Column("Form", "The pupil’s form group."),
    Column("Order", "1 is rung first. Nobody is listed who must not be contacted."),
    Column("Name", "Whom to ring."),
    Column("Relationship", "To the pupil."),
    Column("Parental responsibility", "As the school holds it."),
    Column("Phone", "Rung first."),
    Column("Other phone", "Rung next."),
    Column("Email", "Where the school writes."),
    Column("Address", "Empty where one is withheld in the family: it may stand under another name."),
)

CONTACTS = f"""
    with {APART}
    select coalesce(p.preferred, p.forename), p.surname, p.form, c.position, c.name, c.relationship, c.parental_responsibility,
           c.phone, c.other_phone, c.email, case when {IS_APART} then null else c.address end
    from contact c join pupil p on p.school = c.school and p.id = c.pupil
    where c.school = $1 and c.pupil = any($2) and not p.canary and not c.gone and not c.do_not_contact
    order by p.surname, p.forename, p.id, c.position"""


async def contacts_sheet(tx: Tx, school: str, pupils: Sequence[str], about: Sequence[str]) -> Sheet:
    rows = await tx.rows(CONTACTS, school, list(pupils))
    return Sheet("Contacts", about, CONTACT_COLUMNS, [[f"{row[0]} {row[1]}", *row[2:6], "Yes" if row[6] else "", *row[7:]] for row in rows])
