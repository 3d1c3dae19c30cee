"""`lanyard import pupils|contacts|marks|timetable FILE`: says what it would do, and with --apply does it.

Leaves with 0 when every row was understood, 1 when some rows need a person (the others are taken in), 2 when the file as a
whole was refused and nothing was done.
"""

import argparse
import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from server.imports import aliases, contact_row, headings, keep, marks, problems, pupil_row, sheet, side_by_side, timetable, values
from server.imports.headings import Table
from server.imports.plan import Plan
from server.imports.sheet import MAX_BYTES, Unusable
from server.imports.told import told
from server.settings import Settings, from_environment
from server.store.database import Tx, close_database, open_database, reading, writing
from server.store.ids import new_id
from server.store.migrations import due

DAYS = {"born_on", "left_on", "pupil_born_on", "on_day"}
FINE, SOME_ROWS, REFUSED = 0, 1, 2
FIELDS = {"pupils": aliases.PUPIL, "contacts": aliases.CONTACT, "marks": aliases.MARK, "timetable": aliases.LESSON}
LACKING = {"pupils": pupil_row.lacking, "contacts": contact_row.lacking, "marks": marks.lacking, "timetable": timetable.lacking}
LONDON = ZoneInfo("Europe/London")


def main(argv: list[str]) -> int:
    asked = _asked(argv)
    out = Console(highlight=False, soft_wrap=True)
    try:
        return asyncio.run(_run(asked, from_environment(), out))
    except Unusable as refusal:
        out.print(f"{asked.file.name} was not taken in. {refusal}", style="red", markup=False)
        return REFUSED


def _asked(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "lanyard import", description="Take in pupils, contacts, a day’s marks or the timetable from what the school's system exports."
    )
    parser.add_argument("what", choices=list(FIELDS))
    parser.add_argument("file", type=Path, help="CSV or Excel (.xlsx)")
    parser.add_argument("--school", help="its name or id, where there are several")
    parser.add_argument("--map", metavar="PROFILE", help='what headings mean: a JSON file {"Reg": "form"}, or the name of one kept before')
    parser.add_argument("--week-a", type=a_day, metavar="DAY", help="of a timetable with weeks A and B: any day of a week A")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing (this is the default)")
    how.add_argument("--apply", action="store_true", help="do it")
    return parser.parse_args(argv)


async def _run(asked: argparse.Namespace, settings: Settings, out: Console) -> int:
    if await due(settings):
        raise Unusable("The database is not up to date. Run `lanyard migrate` first.")
    await open_database(settings)
    try:
        school, name = await reading(_school, asked.school)
        with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=out, transient=True) as bar:
            step = bar.add_task("Reading the file", total=3)
            says = await _profile(asked, school)
            table, read_as = read_table(asked.what, _content(asked.file), says)
            bar.update(step, advance=1, description=f"Comparing {len(table.rows):,} rows")
            before = await reading(keep.taken_before, school, table)
            made = await _do(asked, school, table)
            bar.update(step, advance=2)
        if asked.apply and asked.map:
            await writing(keep.keep_profile, school, Path(asked.map).stem, says)
    finally:
        await close_database()
    _tell(asked, f"{asked.file.name} ({read_as}), {asked.what} of {name}", table, made, before, out)
    return SOME_ROWS if any(problem.left_out for problem in made.problems) else FINE


async def _do(asked: argparse.Namespace, school: str, table: Table) -> Plan:
    today = datetime.now(LONDON).date()
    if asked.apply:
        return await writing(keep.apply, school, asked.what, table, new_id, today, asked.week_a or "")
    return await reading(keep.plan, school, asked.what, table, new_id, today, asked.week_a or "")


def a_day(text: str) -> str:
    try:
        if found := values.day(text):
            return found.isoformat()
    except values.MonthFirst:
        pass
    raise argparse.ArgumentTypeError(f"“{text}” is no day: write 07/09/2026")


def read_table(what: str, content: bytes, profile: Mapping[str, str]) -> tuple[Table, str]:
    """The rows of a file by field. Raises Unusable, in words."""
    found = sheet.read(content)
    rows = list(enumerate(found.rows, start=1))
    if what == "contacts":
        rows = side_by_side.unfold(rows)
    table = headings.table(rows, FIELDS[what], LACKING[what], profile)
    _refuse_month_first(table)
    return table, found.read_as


def _refuse_month_first(table: Table) -> None:
    for row in table.rows:
        for one in DAYS & row.values.keys():
            try:
                values.day(row.values[one])
            except values.MonthFirst:
                words = f"Row {row.number} has the date {row.values[one]}, which is month first. Then no date here can be trusted: "
                raise Unusable(words + "export the list again with English dates.") from None


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as trouble:
        raise Unusable(f"It cannot be opened: {trouble.strerror}.") from None


async def _school(tx: Tx, asked: str | None) -> tuple[str, str]:
    schools = await tx.rows("select id, name from school order by name")
    if not schools:
        raise Unusable("There is no school here yet.")
    called = [row for row in schools if asked is not None and asked.casefold() in (row[0].casefold(), str(row[1]).casefold())]
    fits = called or [row for row in schools if asked is None or asked.casefold() in str(row[1]).casefold()]
    if len(fits) != 1:
        names = ", ".join(str(row[1]) for row in fits or schools)
        raise Unusable(f"Which school? Say --school with one of: {names}.")
    return fits[0][0], fits[0][1]


async def _profile(asked: argparse.Namespace, school: str) -> Mapping[str, str]:
    if not asked.map:
        return {}
    if asked.map.endswith(".json"):
        return read_profile(asked.what, _content(Path(asked.map)))
    kept = await reading(keep.profile, school, asked.map)
    if kept is None:
        raise Unusable(f"The school has kept no profile “{asked.map}”. Give it once as a .json file, with --apply.")
    return kept


def read_profile(what: str, content: bytes) -> dict[str, str]:
    """`{"Reg grp": "form", "Known name": ""}`: a heading and the field it means, or nothing for a column to leave alone."""
    try:
        says = json.loads(content)
        if not isinstance(says, dict) or not all(isinstance(field, str) for field in says.values()):
            raise ValueError
    except (ValueError, RecursionError):
        raise Unusable('The profile must be JSON like {"Reg grp": "form"}.') from None
    if unknown := [field for field in says.values() if field and field not in FIELDS[what]]:
        raise Unusable(f"The profile names “{unknown[0]}”. It may name: {', '.join(FIELDS[what])}.")
    return {headings.plain(heading): field for heading, field in says.items()}


def _tell(
    asked: argparse.Namespace, title: str, table: Table, made: Plan, before: int | None, out: Console
) -> None:  # fmt: skip
    out.print(title, style="bold", markup=False)
    if before is not None:
        out.print(f"This very list was taken in before, on {datetime.fromtimestamp(before / 1e6, LONDON):%d/%m/%Y at %H:%M}.", markup=False)
    for line in told(table, made, applied=asked.apply):
        out.print(line, markup=False)
    _write_problems(problems.beside(asked.file), made, out)
    if not asked.apply:
        out.print("Nothing has been changed. To do it: the same again with --apply." if not made.is_empty else "There is nothing to do.")


def _write_problems(beside: Path, made: Plan, out: Console) -> None:
    try:
        if made.problems:
            problems.write(beside, made.problems)
            out.print(f"Row by row: {beside}", markup=False)
        else:
            beside.unlink(missing_ok=True)  # an earlier run's problems are over
    except OSError as trouble:  # what was done stands, and is told all the same
        out.print(f"The list of what needs somebody cannot be written to {beside}: {trouble.strerror}.", style="red", markup=False)
