"""Many pretend phones and one real school, with everything going wrong that can: one seed replays one history, exactly.

    python -m tests.simulator --seed 17 [--engine postgres]      one history, told step by step
    python -m tests.simulator --seeds 1-300                      as many as that

Every exchange goes over HTTP through the real app. An oracle, which knows who had seen what as they wrote, holds what the
school makes of it against that.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import json
import logging
import random
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from unittest import mock

from server.refusals import Busy
from server.store import sqlite
from server.store.database import Tx, reading, writing
from server.sync import desk, finding, keeping, phones, unseen
from tests.databases import PostgresDatabases, SQLiteFiles, prepare
from tests.locked_phones import Hand, LockedPhones
from tests.oracle import Oracle
from tests.phone import Edit, Phone, Revoked
from tests.school import DAY, SECOND, School, by_grant, signed_in
from tests.world import PUPILS

STEPS = 80
AHEAD = 30  # how far a number may run ahead here
TOLD = 300  # characters of a step, when it is told
AWAY = (1, 3, 6)  # days; all of them together stay under the thirty that a phone keeps what it sent
YEARS = 3650 * DAY  # how wrong a clock may be

STAFF = ("amira", "ben", "carol", "hana", "dee", "olu")
ROLES = ("teacher", "officer", "manager", "head_of_year", "dsl")
HERE_NOW = [pupil[0] for pupil in PUPILS]
WORDS = ("He ran.", "She said “stop” 😀", "\u202eright to left", "half a \ud83d", "NUL \0 inside", None)
WRONG = {"category": "no such", "pupils": {"put": {"tom": {}}}, "__proto__": {}, "severity": ["low"]}


class Simulation(LockedPhones):
    def __init__(self, seed: int, school: School, tell: Callable[[str], None] = lambda line: None) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.school, self.tell = school, lambda line: tell(line[:TOLD])
        self.oracle = Oracle("northgate")
        self.phones: dict[Phone, str] = {}  # and whose each is
        self.late: list[tuple[Hand, bytes]] = []  # letters that the network will deliver a second time
        self.records: list[str] = []  # somebody began them somewhere
        self.away = 0

    async def run(self) -> None:
        await self.list_keys()
        for staff in self.chance.sample(STAFF, self.chance.randint(2, 5)):
            for _ in range(self.chance.choice((1, 1, 2))):
                await self.add_phone(staff)
        for _ in range(STEPS):
            step: Callable[[], Awaitable[None]] = self.chance.choices(*zip(*self.steps(), strict=True))[0]
            self.school.now += self.chance.choice((1, 5, 60, 3600)) * SECOND
            await step()
            await reading(self.oracle.observe)
        await self.calm_down()
        await reading(self.oracle.observe)  # what was opened last, where every phone is switched off and none asks any more
        await reading(self.oracle.check_all, self.phones, {phone for phone, hand in self.hands.items() if hand.off})

    def steps(self) -> list[tuple[Callable[[], Awaitable[None]], int]]:
        return [
            (self.write, 40),
            (self.sync, 40),
            (self.write_at_desk, 4),
            (self.settle_at_desk, 3),
            (self.deliver_again, 3),
            (self.set_clock, 3),
            (self.be_away, 1),
            (self.copy_phone, 1),
            (self.change_rights, 2),
            (self.move_pupil, 1),
            (self.back_up, 1),
            (self.restore, 1 if self.school.backup else 0),
            (self.hand_over, 10),
            (self.lock, 3),
            (self.choose_pin, 3),
            (self.lose_what_can_be_read, 2),
            (self.rotate_keys, 2),
            (self.tamper, 5),
            (self.deliver_crate_again, 2),
            (self.take_copy, 1),
            (self.tend, 1),
        ]

    async def calm_down(self) -> None:
        """Every phone reaches the school again, until nobody has anything left to say or to hear."""
        self.tell("everybody is in reach")
        for _ in range(3):  # one may learn in the first that it is switched off, hand over in the second, and be heard of in the third
            await self.tend()
            for phone in self.phones:
                for _ in range(100):
                    await self.come_to_rest(phone)
                    if self.hands[phone].off:
                        break
                    answer = await self.exchange(phone)
                    if answer is not None and not phone.unfinished(answer):
                        break
                else:
                    raise AssertionError("a phone and the school never came to an end")

    # ── Phones ─────────────────────────────────────────────────────────────────────────────

    async def add_phone(self, staff: str) -> None:
        wrong_by = self.chance.choice((0, 0, self.chance.randint(-YEARS, YEARS)))
        phone = Phone(
            lambda letter: self.deliver(self.hands[phone], letter), lambda: self.school.now, lambda: self.chance.getrandbits(74), wrong_by
        )
        await self.pair(phone, staff)
        await self.set_pin(phone)

    def any_phone(self) -> Phone:
        return self.chance.choice(list(self.phones))

    async def write(self) -> None:
        phone = self.any_phone()
        if not await self.is_open(phone):
            return
        for _ in range(self.chance.choice((1, 1, 1, 3))):
            edit = self.draft(phone)
            self.tell(f"{self.phones[phone]} writes {edit['id'][-4:]} of {edit['record'][-4:]}: {edit['values']}")

    def draft(self, phone: Phone) -> Edit:
        chance, more = self.chance, {}
        begun_here = [edit["record"] for edit in phone.kept.outbox]
        record = chance.choice([None, *phone.records, *begun_here, *phone.records])
        if record is None and self.records and chance.random() < 0.05:
            record = chance.choice(self.records)  # of whose id, somehow, they know
        kind = phone.records[record]["kind"] if record in phone.records else chance.choice(("incident",) * 5 + ("contact", "no_such_kind"))
        if phone.needs_me and chance.random() < 0.3:
            held = phone.kept.store.held[chance.choice(phone.needs_me)]
            record, kind, more = held["record"] or None, held["kind"], {"amends": held["edit"]}
            if chance.random() < 0.3:
                more["set_aside"] = "I was wrong"
        body = phone.records[record]["body"] if record in phone.records else {}
        edit = phone.write(self.values(kind, body), record, kind, **more)
        if chance.random() < 0.01:
            phone.kept.number += chance.choice((3, AHEAD + 10))  # as where a backup of the browser was put back
            edit["number"] = phone.kept.number
        if chance.random() < 0.02:
            edit["made_at"] = "yesterday, about noon"
        self.records.append(edit["record"])
        self.oracle.wrote(self.phones[phone], edit, phone)
        return edit

    def values(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        chance = self.chance
        some = {
            "category": lambda: chance.choice(("fight", "defiance", "truancy", "uniform", None)),
            "place": lambda: chance.choice(("yard", "b12", None)),
            "injury": lambda: chance.choice(("none", "mark", "doctor", None)),
            "hurt": lambda: chance.choice(("no", "unknown", "yes")),
            "pupils": lambda: self.gathered(HERE_NOW[:4], ("harmed", "responsible", "witness"), body.get("pupils")),
            "staff": lambda: self.gathered(STAFF, ("present", "led"), body.get("staff")),
            "account": lambda: chance.choice(WORDS),
            "state": lambda: chance.choice(("open", "closed", "void")),
            "concern_reference": lambda: "S-1",
            "follow_up": lambda: chance.choice(("Ring home", "é and e\u0301", "x" * 60_001)),
        }
        chosen = (
            chance.sample(list(some), chance.choice((1, 1, 2, 3))) if kind == "incident" else ["gist", "agreed"][: chance.randint(1, 2)]
        )
        values = {name: some[name]() if name in some else chance.choice(("He will ring.", None)) for name in chosen}
        if chance.random() < 0.06:
            name = chance.choice(list(WRONG))
            values[name] = WRONG[name]
        return values

    def gathered(self, keys: Any, parts: Any, there: dict[str, Any] | None) -> dict[str, Any]:
        """Some put, and some dropped: more often than not, of those who are there."""
        put = {key: {"part": self.chance.choice(parts)} for key in self.chance.sample(keys, self.chance.choice((0, 1, 1, 2)))}
        drop = self.chance.sample(sorted(there) if there else keys, self.chance.choice((0, 1, 1)))
        return {"put": put, "drop": drop}

    # ── The network ────────────────────────────────────────────────────────────────────────

    async def sync(self) -> None:
        phone, trouble = self.any_phone(), self.chance.choices(list(TROUBLE), list(TROUBLE.values()))[0]
        phone.batch = self.chance.choice((1, 2, 100))
        if not await self.is_open(phone):
            return
        self.tell(f"{self.phones[phone]}’s phone {phone.kept.id[-4:]} syncs{f', but {trouble}' if trouble else ''}")
        await self.exchange(phone, trouble)

    async def exchange(self, phone: Phone, trouble: str = "") -> Any:
        """Nothing, where the phone heard nothing."""
        self.trouble = trouble
        try:
            answer = await phone.sync(lose_answer=trouble == "the answer is lost", sending_only=trouble == SIGNED_OUT)
            if answer is not None and trouble != SIGNED_OUT:
                self.hear_of_keys(phone)
            return answer
        except Revoked:
            await self.is_off(phone)
        finally:
            self.trouble = ""

    async def deliver(self, hand: Hand, letter: bytes) -> tuple[int, Any]:
        match self.trouble:
            case "the letter is lost":
                return 502, None
            case "a captive portal answers":
                return 200, None
            case "the letter is cut short":
                letter = letter[: self.chance.randrange(len(letter))]
            case "the letter will come twice":
                self.late.append((hand, letter))
        with self.failing() if self.trouble == "the server fails half-way" else contextlib.nullcontext():
            by = by_grant(hand.grant) if self.trouble == SIGNED_OUT else signed_in(hand.session)
            answer = await self.school.hear("/api/sync", letter, by)
        assert answer.status_code in (200, 400, 503) or (answer.status_code == 403 and hand.id in self.revoked), answer.text
        said = answer.json()
        if answer.status_code == 200:
            await reading(self.oracle.check_answer, hand.staff, said)
        return answer.status_code, said

    def failing(self) -> Any:
        """Rolled back after some of it was written, as when the process dies or the disk is full."""
        room, broken = self.chance.choice(((keeping, "keep_edits"), (keeping, "keep_records"), (finding, "amended")))
        return mock.patch.object(room, broken, side_effect=Busy)

    async def deliver_again(self) -> None:
        if self.late:
            hand, letter = self.late.pop(self.chance.randrange(len(self.late)))
            self.tell(f"a letter of {hand.staff}’s comes a second time")
            await self.deliver(hand, letter)

    # ── Time, and what becomes of phones ───────────────────────────────────────────────────

    async def set_clock(self) -> None:
        phone = self.any_phone()
        phone.wrong_by = self.chance.choice((0, self.chance.randint(-YEARS, YEARS), self.chance.randint(-3600, 3600) * SECOND))
        self.tell(f"{self.phones[phone]}’s clock is {phone.wrong_by // SECOND} s wrong now")

    async def be_away(self) -> None:
        days = self.chance.choice(AWAY)
        if self.away + days < 25:
            self.away += days
            self.school.now += days * DAY
            self.tell(f"{days} days pass")

    async def copy_phone(self) -> None:
        """A handset is restored from a copy; the one it was copied from may live on, or be lost with all that only it had."""
        phone = self.any_phone()
        copy = phone.copied()
        copy.send = lambda letter: self.deliver(self.hands[copy], letter)
        self.oracle.was_copied(phone, copy)
        self.hands[phone].copied = True
        self.phones[copy], self.hands[copy] = self.phones[phone], dataclasses.replace(self.hands[phone])
        self.tell(f"{self.phones[phone]}’s phone {phone.kept.id[-4:]} is copied to another handset")

    # ── The desk ───────────────────────────────────────────────────────────────────────────

    async def write_at_desk(self) -> None:
        await writing(self.write_as_carol)

    async def write_as_carol(self, tx: Tx) -> None:
        me = await finding.member(tx, "northgate", "carol")
        row = await tx.rows("select id, kind, seq, mark, body from record where school = 'northgate' order by id")
        if not row or me.role != "manager":
            return
        id, kind, seq, mark, body = self.chance.choice(row)
        values, version = self.values(kind, json.loads(body)), f"{seq}.{mark % 2**64:016x}"
        receipt = await desk.write(tx, me, id, kind, values, version)
        self.tell(f"carol writes of {id[-4:]} at the desk: {values}: {receipt.outcome}")
        if receipt.outcome == "taken":
            original = await tx.row("select original from edit where id = $1", receipt.id)
            assert original is not None
            self.oracle.wrote("carol", json.loads(original[0]), None)

    async def settle_at_desk(self) -> None:
        await writing(self.settle_one)

    async def settle_one(self, tx: Tx) -> None:
        rows = await tx.rows("select id from edit where school = 'northgate' and outcome = 'held' order by id")
        me = await finding.member(tx, "northgate", "carol")
        if rows and me.role == "manager":
            id, how = self.chance.choice(rows)[0], self.chance.choice(("taken", "set aside"))
            settled = await desk.settle(tx, me, id, how, "as we agreed")
            self.tell(f"carol settles {id[-4:]} as {how}: {settled}")

    async def change_rights(self) -> None:
        staff, role = self.chance.choice(STAFF), self.chance.choice(ROLES)
        years = json.dumps(self.chance.sample(["8", "9", "11"], self.chance.randint(0, 2)))

        async def change(tx: Tx) -> None:
            await tx.run("update staff set role = $2, years = $3 where id = $1", staff, role, years)
            await desk.rights_changed(tx, "northgate", staff)

        await writing(change)
        self.tell(f"{staff} is {role} now, of years {years}")

    async def move_pupil(self) -> None:
        """As an import does it: whoever looks after years fills a new store."""
        pupil, year = self.chance.choice(HERE_NOW), self.chance.choice(("8", "9", "11"))

        async def move(tx: Tx) -> None:
            await tx.run("update pupil set year = $2 where id = $1", pupil, year)
            await tx.run("update staff set rights = rights + 1 where school = 'northgate' and role in ('head_of_year', 'officer')")

        await writing(move)
        self.tell(f"{pupil} moves to year {year}")

    async def back_up(self) -> None:
        await self.school.back_up()
        self.tell("the school is backed up")

    async def restore(self) -> None:
        if self.chance.random() < 0.5:
            keys = await self.lost_keys()
            await self.school.restore()
            await self.came_back(keys)
            await reading(self.oracle.was_restored, list(self.phones))
            self.tell("the school is restored from its backup")


SIGNED_OUT = "its person has signed out"

TROUBLE = {
    "": 60,
    "the answer is lost": 12,
    "the letter is lost": 4,
    "the letter is cut short": 3,
    "a captive portal answers": 3,
    "the letter will come twice": 6,
    "the server fails half-way": 6,
    SIGNED_OUT: 6,
}


async def simulate(seed: int, databases: Any, tell: Callable[[str], None] = lambda line: None) -> None:
    small = mock.patch.object(unseen, "PAGE_LIMIT", random.Random(f"pages {seed}").choice((1, 3, 500)))
    near = mock.patch.object(phones, "AHEAD_LIMIT", AHEAD)
    quick = mock.patch.object(sqlite, "PRAGMAS", ("synchronous = off", *(said for said in sqlite.PRAGMAS if "sync" not in said)))
    with small, near, quick:  # what the power takes is not simulated
        async with School(databases, f"simulated_{seed}", seed) as school:
            await Simulation(seed, school, tell).run()


# ── From the command line ──────────────────────────────────────────────────────────────────


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seed", type=int)
    asked.add_argument("--seeds", help="first-last")
    asked.add_argument("--engine", choices=("sqlite", "postgres"), default="sqlite")
    said = asked.parse_args()
    logging.getLogger("lanyard").setLevel(logging.ERROR)  # that the school is busy is no news here
    first, last = (int(number) for number in said.seeds.split("-")) if said.seeds else (said.seed, said.seed)
    with databases_of(said.engine) as databases:
        for seed in range(first, last + 1):
            try:
                asyncio.run(simulate(seed, databases, print if said.seed is not None else lambda line: None))
            except BaseException:
                print(f"seed {seed} on {said.engine}", file=sys.stderr)
                raise
    print(f"{last - first + 1} histories, and nothing lost")
    return 0


@contextlib.contextmanager
def databases_of(engine: str) -> Any:
    from tests.cluster import cluster

    with contextlib.ExitStack() as stack:
        made: Any
        if engine == "sqlite":
            made = SQLiteFiles(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        else:
            made = PostgresDatabases(stack.enter_context(cluster()))
        asyncio.run(prepare(made))
        yield made


if __name__ == "__main__":
    sys.exit(main())
