"""The floor under the exchange: what keeping, numbering and sending edits costs with nothing around it.

Plain Python and sqlite3 (WAL, synchronous=FULL). No HTTP, no sign-in, no judging, no merging, no audit: the least that
could be called storing edits and handing records back. The product is measured beside it, in the same command.
"""

import gzip
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PAGE = 500
TABLES = """
    create table edit (id text primary key, phone text, number integer, record text, seq integer, body text, unique (phone, number));
    create index edit_record on edit (record);
    create table record (id text primary key, school text, kind text, seq integer, body text);
    create index record_seq on record (school, seq);
    create table counter (school text primary key, seq integer);
    insert into counter values ('s', 0);
"""


def floor(letters: list[bytes]) -> dict[str, float]:
    """CPU seconds and bytes of taking in these gzipped letters one by one, and of handing every record back."""
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "floor.db", isolation_level=None)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        db.executescript(TABLES)
        began = time.process_time()
        for letter in letters:
            take_in(db, letter)
        pushed = time.process_time()
        down = sum(len(page) for page in pages(db))
        return {"push_cpu_s": pushed - began, "pull_cpu_s": time.process_time() - pushed, "down_bytes": down}


def take_in(db: sqlite3.Connection, letter: bytes) -> bytes:
    edits = json.loads(gzip.decompress(letter))["edits"]
    db.execute("begin immediate")
    ids = json.dumps([edit["id"] for edit in edits])
    known = {row[0] for row in db.execute("select id from edit where id in (select value from json_each(?))", (ids,))}
    new = [edit for edit in edits if edit["id"] not in known]
    (last,) = db.execute("update counter set seq = seq + ? where school = 's' returning seq", (len(new),)).fetchone()
    numbered = list(enumerate(new, last - len(new) + 1))
    db.executemany(
        "insert into edit values (?, ?, ?, ?, ?, ?)",
        [(edit["id"], edit["phone"], edit["number"], edit["record"], seq, json.dumps(edit["values"])) for seq, edit in numbered],
    )
    db.executemany(
        "insert into record values (?, 's', ?, ?, ?) on conflict (id) do update set seq = excluded.seq, body = excluded.body",
        [(edit["record"], edit["kind"], seq, json.dumps(edit["values"])) for seq, edit in numbered],
    )
    db.execute("commit")
    return gzip.compress(json.dumps([{"id": edit["id"], "outcome": "taken"} for edit in edits]).encode(), 1)


def pages(db: sqlite3.Connection) -> Iterator[bytes]:
    seq = 0
    while rows := db.execute(
        "select seq, id, kind, body from record where school = 's' and seq > ? order by seq limit ?", (seq, PAGE)
    ).fetchall():
        seq = rows[-1][0]
        yield gzip.compress(("[" + ",".join(f'{{"id":"{i}","kind":"{k}","seq":{s},"body":{b}}}' for s, i, k, b in rows) + "]").encode(), 6)
