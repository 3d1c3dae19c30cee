"""What an operator can say: serve · demo · migrate · new-school · new-keys · new-push-keys · put-back-keys · import · check · backup …"""

import argparse
import asyncio
import gc
import getpass
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import msgspec
import uvicorn

from server.access import chain, keys, passwords
from server.access.founding import found_school
from server.access.sign_in import set_password
from server.app import create_app
from server.intake.keys import Lost, all_keys, new_intake_key, put_back
from server.intake.tending import not_opened, open_all
from server.logs import start_logging
from server.push.keys import new_push_key
from server.reports.views import make_views
from server.settings import Settings, from_environment
from server.store.backup import NotBackedUp, back_up
from server.store.database import Unreachable, close_database, is_missing, open_database, reading, writing
from server.store.migrations import due, migrate
from server.sync.desk import judge_all_again

T = TypeVar("T")

GOING_DOWN_S = 10  # for answers that are being written


def main(words: list[str] | None = None) -> int:
    said = sys.argv[1:] if words is None else words
    start_logging()
    try:
        return _do(said)
    except (Unreachable, NotBackedUp) as why:
        print(why, file=sys.stderr)
        return 1


def _do(said: list[str]) -> int:
    match said:
        case ["import", *rest]:
            from server.imports.command import main as take_in

            return take_in(rest)
        case ["demo", *rest]:
            from server.demo.command import main as show

            return show(rest, serve)
    asked, settings = _parser().parse_args(said), from_environment()
    if asked.do not in (_migrate, _backup) and (missing := asyncio.run(due(settings))):
        print(f"The database {shown(settings)} is not up to date ({len(missing)} to do). Run `lanyard migrate` first.", file=sys.stderr)
        return 1
    return int(asked.do(asked, settings) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lanyard", description="The school duty record that never loses a note.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, do: Callable[[argparse.Namespace, Settings], int | None], help: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(do=do)
        return made

    serving = command("serve", _serve, "Serve phones and desks until told to stop.")
    serving.add_argument("--port", type=int, default=8000)
    serving.add_argument("--host", default="127.0.0.1", help="where to listen: 0.0.0.0 for everywhere, behind something that speaks https")
    command("migrate", _migrate, "Bring the database up to date. Safe to repeat.")
    founding = command("new-school", _new_school, "Begin a school, with an administrator who lets everybody else in.")
    founding.add_argument("name", help="as people say it: Northgate Academy")
    founding.add_argument("--admin", metavar="USERNAME", required=True, help="by which the administrator signs in")
    founding.add_argument("--full-name", metavar="NAME", required=True, help="the administrator's own")
    renewing = command("new-keys", _new_keys, "Make a new key for phones to seal to. The old ones go on opening.")
    renewing.add_argument("--school", metavar="NAME", help="its name or id; all schools, if left out")
    command("new-push-keys", _new_push_keys, "Make a new key for ringing phones. Each takes it up when it next opens the app.")
    putting_back = command(
        "put-back-keys", _put_back_keys, "Fetch the keys that phones sealed to out of a backup, and open what waits for them."
    )
    putting_back.add_argument("backup", metavar="BACKUP", help="a copy of this database: a file, or a postgresql:// address")
    checking = command(
        "check", _check, "Build every record again from its edits, prove the access log, look at the keys; say what differs."
    )
    checking.add_argument("--anchor", metavar="FILE", type=Path, help="where the access log’s end stood: compared, then written again")
    command("backup", _backup, "Copy the whole database to a file, while it is in use.").add_argument("file", type=Path)
    command("set-password", _set_password, "Give a member of staff a new password, and sign them out everywhere.").add_argument("username")
    commands.add_parser("demo", help="Make a believable school and serve it.", add_help=False)
    commands.add_parser("import", help="Take in pupils or contacts from what the school's system exports.", add_help=False)
    return parser


# ── serve ──────────────────────────────────────────────────────────────────────────────────


def _serve(asked: argparse.Namespace, settings: Settings) -> int:
    _, locked = asyncio.run(with_database(settings, reading(keys.problems)))
    if locked:
        print(NOT_UNLOCKED.format(locked), file=sys.stderr)
        return 1
    return serve(settings, asked.port, asked.host)


NOT_UNLOCKED = "{} of the school’s keys cannot be opened: LANYARD_KEYS_PASSPHRASE is missing, or is another than they were closed with."


def serve(settings: Settings, port: int, host: str = "127.0.0.1") -> int:
    if port != 8000 and settings.origins == Settings().origins:
        here = tuple(origin.replace("8000", str(port)) for origin in settings.origins)
        settings = msgspec.structs.replace(settings, origins=here)
    app = create_app(settings)
    # What stands by now stays, and what a letter makes is gone with it: looking through all of it for circles costs a tenth of a push.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=GOING_DOWN_S,
    )
    print(f"Lanyard is at http://localhost:{port} – the desk at http://localhost:{port}/console", flush=True)
    Server(config, when_told_to_stop=app.state.hub.close).run()
    return 0


class Server(uvicorn.Server):
    """Uvicorn waits for open answers before it tells the app: a stream of hints would keep it waiting for ever."""

    def __init__(self, config: uvicorn.Config, when_told_to_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self.when_told_to_stop = when_told_to_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.when_told_to_stop()
        super().handle_exit(sig, frame)


# ── The rest ───────────────────────────────────────────────────────────────────────────────


def _migrate(asked: argparse.Namespace, settings: Settings) -> None:
    done = asyncio.run(migrate(settings))
    asyncio.run(with_database(settings, writing(make_views)))
    asyncio.run(with_database(settings, _judge_again()))
    print(f"{shown(settings)}: {', '.join(done) if done else 'nothing to do'}")


async def _judge_again() -> None:
    for (school,) in await reading(lambda tx: tx.rows("select id from school order by id")):
        await judge_all_again(school)


def _backup(asked: argparse.Namespace, settings: Settings) -> None:
    back_up(settings, asked.file)
    print(f"{shown(settings)} is copied to {asked.file}")


def _check(asked: argparse.Namespace, settings: Settings) -> int:
    from server.sync.check import rebuild_all

    async def check() -> int:
        differing, heads = 0, anchors_in(asked.anchor)
        for id, name in await reading(lambda tx: tx.rows("select id, name from school order by name")):
            found = await reading(rebuild_all, id)
            await chain.link_all(id)
            log, heads[id] = await reading(chain.problems_with, id, heads.get(id))
            found += log
            differing += len(found)
            print(f"{name}: {'every record is what its edits add up to' if not found else f'{len(found)} differences'}")
            for line in found:
                print(f"  {line}")
            unopened, waiting = await reading(not_opened, id)
            if unopened:
                print(f"  {unopened} that came sealed could not be opened: an administrator sees them under Held.")
            if waiting:
                print(f"  {waiting} that came sealed more than an hour ago wait to be opened: `lanyard serve` does it, and is it running?")
        if asked.anchor and not differing:
            asked.anchor.write_bytes(msgspec.json.encode(heads))
        clear, locked = await reading(keys.problems)
        if clear:
            print(
                f"Warning: {clear} private keys lie in the database in the clear. Set LANYARD_KEYS_PASSPHRASE, then say `lanyard new-keys`."
            )
        if locked:
            print(NOT_UNLOCKED.format(locked))
        return 1 if differing or locked else 0

    return asyncio.run(with_database(settings, check()))


def anchors_in(file: Path | None) -> dict[str, chain.Head]:
    return msgspec.json.decode(file.read_bytes(), type=dict[str, chain.Head]) if file and file.exists() else {}


def _new_keys(asked: argparse.Namespace, settings: Settings) -> int:
    async def renew() -> int:
        rows = await reading(lambda tx: tx.rows("select id, name from school order by name, id"))
        schools = [(id, name) for id, name in rows if asked.school in (None, id, name)]
        for id, name in schools:
            print(f"{name}: phones seal to {await writing(new_intake_key, id)} from when they next hear from the school.")
        if closed := await writing(keys.close_all):
            print(f"{closed} keys that lay in the clear are closed with the passphrase now.")
        for id, _ in schools:
            await open_all(id, again=True)
        return len(schools)

    try:
        if asyncio.run(with_database(settings, renew())):
            print("Back the database up now: without its keys, what phones have sealed can never be read.")
            return 0
    except keys.Locked:
        print("The keys of before cannot be opened with LANYARD_KEYS_PASSPHRASE. Nothing was changed.", file=sys.stderr)
        return 1
    print(f"There is no school {asked.school}." if asked.school else "There is no school yet.", file=sys.stderr)
    return 1


def _new_push_keys(asked: argparse.Namespace, settings: Settings) -> None:
    still = asyncio.run(with_database(settings, writing(new_push_key)))
    print("Phones are rung under a new key from when they next open the app.")
    if still:
        print(f"Until then {still} of them {'is' if still == 1 else 'are'} rung under the old one, which is kept as long.")


def _put_back_keys(asked: argparse.Namespace, settings: Settings) -> int:
    async def fetch() -> list[Lost]:
        return await reading(all_keys)

    async def keep(found: list[Lost]) -> set[str]:
        schools = await writing(put_back, found)
        for id in sorted(schools):
            await open_all(id, again=True)
        return schools

    backup = msgspec.structs.replace(settings, database=asked.backup)
    if is_missing(backup):
        print(f"There is no {asked.backup}.", file=sys.stderr)
        return 1
    if "0004" in asyncio.run(due(backup)):
        print(f"{shown(backup)} holds no keys that phones seal to.", file=sys.stderr)
        return 1
    found = asyncio.run(with_database(backup, fetch()))
    try:
        schools = asyncio.run(with_database(settings, keep(found)))
    except keys.Locked:
        print("The keys in the backup cannot be opened with LANYARD_KEYS_PASSPHRASE. Nothing was changed.", file=sys.stderr)
        return 1
    print(
        f"Keys are put back for {len(schools)} schools, and what waited for them is opened."
        if schools
        else "None of its keys is missing here."
    )
    return 0


def _new_school(asked: argparse.Namespace, settings: Settings) -> int:
    if (password := ask_password()) is None:
        return 1
    founded = with_database(settings, found_school(asked.name, asked.admin, asked.full_name, password))
    if asyncio.run(founded) is None:
        print(f"Somebody signs in as {asked.admin} already. Choose another username.", file=sys.stderr)
        return 1
    print(f"{asked.name} is begun. {asked.admin} signs in at /console and adds the staff under People.")
    return 0


def _set_password(asked: argparse.Namespace, settings: Settings) -> int:
    if (password := ask_password()) is None:
        return 1
    if not asyncio.run(with_database(settings, set_password(asked.username, password))):
        print(f"Nobody here signs in as {asked.username}.", file=sys.stderr)
        return 1
    print("Done. They are signed out everywhere.")
    return 0


def ask_password() -> str | None:
    """Without a terminal, the first line that comes in. None where it will not do, and why is said."""
    password = getpass.getpass("New password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if problem := passwords.problem_with(password):
        print(problem, file=sys.stderr)
        return None
    return password


async def with_database(settings: Settings, work: Coroutine[Any, Any, T]) -> T:
    keys.unlock(settings)
    await open_database(settings)
    try:
        return await work
    finally:
        await close_database()


def shown(settings: Settings) -> str:
    """The database, without its password."""
    return settings.database.rpartition("@")[2]


if __name__ == "__main__":
    sys.exit(main())
