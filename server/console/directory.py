"""Fetches what codes and ids stand for: the school's lists, its staff, its timetable, and the pupils one page names."""

from collections.abc import Iterable
from typing import Any

from server.console.showing import Directory, PupilLine
from server.store.database import Tx

WORDS = "select list, code, label, retired from list_entry where school = $1 order by list, position, label"
PUPIL = "id, forename, surname, preferred, form, year"


async def directory_for(tx: Tx, school: str, pupils: Iterable[str] = ()) -> Directory:
    directory = Directory()
    for list_name, code, label, retired in await tx.rows(WORDS, school):
        directory.lists.setdefault(list_name, {})[code] = label
        if retired:
            directory.retired.setdefault(list_name, set()).add(code)
    for id, name, left_at in await tx.rows("select id, name, left_at from staff where school = $1", school):
        directory.staff[id] = name
        if left_at is not None:
            directory.left.add(id)
    periods = await tx.rows("select code, label from period where school = $1 order by starts", school)
    codes = await tx.rows("select code, meaning from attendance_code order by from_on")
    directory.periods = {row["code"]: row["label"] for row in periods}
    directory.codes = {row["code"]: row["meaning"] for row in codes}
    directory.pupils = await pupils_by_id(tx, school, pupils)
    return directory


async def pupils_by_id(tx: Tx, school: str, ids: Iterable[str]) -> dict[str, PupilLine]:
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = await tx.rows(f"select {PUPIL} from pupil where school = $1 and id = any($2)", school, wanted)
    return {row["id"]: pupil_line(row) for row in rows}


def pupil_line(row: Any) -> PupilLine:
    return PupilLine(row["id"], f"{row['preferred'] or row['forename']} {row['surname']}", row["form"], row["year"])
