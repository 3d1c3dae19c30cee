"""A phone that is lost, lent or put away: locked, it shows no name and holds none that can be read; and what waits is sent all the same."""

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from os import kill
from pathlib import Path
from signal import SIGKILL

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from server.access.pairing import address, code_of, new_code
from server.settings import Settings
from server.store.database import Tx, close_database, open_database, writing
from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.handset import PIN, Handset
from tests.journeys.school import HELP_NUMBER, School, apart
from tests.journeys.test_nothing_is_lost import browser_of, wait_for_the_end_of
from tests.journeys.test_without_signal import authors_at, ready, wait_until, write_an_incident
from tests.world import ADA

WRONG_PIN = "271828"
MARKED = 50
LOOKS_AT_MOST = 5
MARK = "Quillfeather"  # a surname that nothing else in a browser's profile says


# ── What a locked phone shows and holds ──────────────────────────────────────────────────────


@pytest.fixture
def lost_phone(driver: Playwright, school: School, tmp_path: Path) -> Iterator[Callable[[], Handset]]:
    """A browser with a profile of its own, which can be searched once it is killed."""
    contexts: list[BrowserContext] = []

    def opened() -> Handset:
        contexts.append(driver.chromium.launch_persistent_context(str(tmp_path / "profile"), executable_path=CHROMIUM, args=QUIET, **PHONE))
        return Handset(contexts[-1], school.address)

    yield opened
    for context in contexts:
        with contextlib.suppress(Error):  # it was killed
            context.close()


def mark_pupils(school: School) -> list[str]:
    """Fifty pupils by whose names every copy of them is found again."""
    names = [f"{MARK}{number:02}" for number in range(MARKED)]
    with sqlite3.connect(school.database) as database:
        columns = [row[1] for row in database.execute("pragma table_info(pupil)")]
        model = dict(zip(columns, database.execute("select * from pupil where id = 'marcus'").fetchone(), strict=True))
        (last,) = database.execute("select max(seq) from pupil").fetchone() if "seq" in columns else (0,)
        for number, name in enumerate(names, 1):
            row = model | {"id": f"marked-{number}", "surname": name}
            row |= {"seq": last + number} if "seq" in columns else {}
            row |= {column: f"mark{number}" for column in ("upn", "admission_number") if row.get(column)}
            database.execute(f"insert into pupil ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))
    return names


def test_locked_and_killed_nothing_on_the_disk_says_a_name_or_a_word(
    lost_phone: Callable[[], Handset], school: School, tmp_path: Path
) -> None:
    marks = [*mark_pupils(school), *(f"saw{MARK}{number:02}" for number in range(3)), f"draft{MARK}"]
    phone = lost_phone().open().sign_in("amira")
    for number in range(3):
        phone.open().tap("Incident")
        phone.name_somebody(MARK.lower() + f"{number:02}", f"Marcus {MARK}{number:02}")
        phone.choose("What happened?", "Fight")
        phone.choose("Where?", "Yard")
        phone.write("Your account", f"I saw{MARK}{number:02} do it.")
        if number == 2:
            school.stop()  # this one waits
        phone.save()
        if number < 2:
            phone.send_now()
    phone.open(f"/pupil/marked-{MARKED}")
    expect(phone.title).to_contain_text(f"{MARK}{MARKED - 1}")
    phone.open("/new/incident")
    phone.page.get_by_label("Your account", exact=True).press_sequentially(f"not finished: draft{MARK}")
    phone.wait_for_draft()
    lock(phone)
    assert MARK not in phone.page.content()
    assert "Amira" not in phone.page.content()
    in_heap = heap_of(phone.page, marks)
    killed = browser_of(tmp_path / "profile")
    kill(killed, SIGKILL)
    wait_for_the_end_of(killed)
    files = [file for file in (tmp_path / "profile").rglob("*") if file.is_file()]
    assert any("IndexedDB" in str(file) and file.stat().st_size > 10_000 for file in files)  # what is looked for would be there
    assert [found for found in in_files(files, marks) if found[1]] == []
    print(f"{in_heap} of {len(marks)} marks stand in the heap of the locked page")
    assert in_heap == 0


def test_what_the_search_looks_for_it_would_find(tmp_path: Path) -> None:
    for number, encoding in enumerate(("utf-8", "utf-16-le")):
        (tmp_path / str(number)).write_bytes(b"\x00" + f"x{MARK}07y".encode(encoding))
    assert [count for _, count in in_files([tmp_path / "0", tmp_path / "1"], [f"{MARK}07"])] == [1, 1]


def in_files(files: list[Path], marks: list[str]) -> list[tuple[str, int]]:
    """Each file, and how many of the marks stand in it in the clear, in either way of writing text."""
    looked_for = [re.escape(mark.encode(encoding)) for mark in marks for encoding in ("utf-8", "utf-16-le")]
    pattern = re.compile(b"|".join(looked_for), re.IGNORECASE)
    return [(file.name, len(pattern.findall(file.read_bytes()))) for file in files if file.is_file()]


def heap_of(page: Page, marks: list[str]) -> int:
    """How many marks stay in the locked page's memory: looked at again where there are some, for a browser tidies up when it likes."""
    for _ in range(LOOKS_AT_MOST):
        if not (found := marks_in_heap(page, marks)):
            break
    return found


def marks_in_heap(page: Page, marks: list[str]) -> int:
    """As a snapshot of everything in it says."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    pieces: list[str] = []
    devtools.on("HeapProfiler.addHeapSnapshotChunk", lambda told: pieces.append(told["chunk"]))
    devtools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    strings = json.loads("".join(pieces))["strings"]
    assert len(strings) > 1_000
    return sum(any(mark in text for mark in marks) for text in strings)


def lock(phone: Handset) -> None:
    phone.page.get_by_role("button", name="Lock now").click()
    expect(phone.page.get_by_role("heading", name="Locked")).to_be_visible()


def test_unlocked_the_person_is_where_they_were_with_every_letter(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    phone.tap("Incident")
    phone.write("Your account", "He would not leave.")
    lock(phone)
    phone.give_pin()
    expect(phone.page.get_by_label("Your account", exact=True)).to_have_value("He would not leave.")


def test_what_is_typed_as_it_locks_is_there_afterwards_however_slow_the_storage(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    phone.tap("Incident")
    phone.write("Your account", "He would")
    phone.wait_for_draft()
    phone.page.evaluate("""() => {
        const [real, { crypto: { subtle } }] = [SubtleCrypto.prototype.encrypt, window];
        subtle.encrypt = async (...given) => (await new Promise((slow) => setTimeout(slow, 2500)), real.apply(subtle, given));
    }""")
    phone.page.get_by_label("Your account", exact=True).press_sequentially(" not leave.")
    phone.page.get_by_role("button", name="Lock now").click()
    expect(phone.title).to_have_text("Locked")
    phone.give_pin()
    expect(phone.page.get_by_label("Your account", exact=True)).to_have_value("He would not leave.")


def test_all_tabs_lock_together(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    other = phone.page
    phone.new_tab()
    phone.open("/records")
    lock(phone)
    expect(other.get_by_role("heading", name="Locked")).to_be_visible()


@pytest.mark.parametrize(("what", "minutes"), [("nobody touches it", 4), ("it is put away", 2)])
def test_it_locks_by_itself(phone: Handset, school: School, what: str, minutes: int) -> None:
    ready(phone, "amira")
    if what == "it is put away":
        phone.page.evaluate(
            "() => { Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
            " document.dispatchEvent(new Event('visibilitychange')) }"
        )
        expect(phone.page.locator("#app")).to_be_hidden()
    later(phone.page, minutes)
    expect(phone.page.get_by_role("heading", name="Locked")).to_be_visible()


def later(page: Page, minutes: float) -> None:
    """The clock of this page goes on so far at once."""
    page.evaluate("(ms) => { const now = Date.now.bind(Date); Date.now = () => now() + ms }", minutes * 60_000)


def test_it_does_not_lock_under_somebodys_thumbs(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    for _ in range(3):
        later(phone.page, 2)
        phone.page.locator("#title").click()
    phone.tap("Incident")
    expect(phone.title).to_have_text("Incident")


# ── What waits is sent all the same ──────────────────────────────────────────────────────────


def test_what_waits_is_told_and_sent_while_it_is_locked(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop()
    for _ in range(3):
        write_an_incident(phone)
    lock(phone)
    expect(phone.page.get_by_text("3 records are waiting.")).to_be_visible()
    expect(phone.strip).to_contain_text("3 saved on this phone, not sent")
    school.start()
    phone.page.locator("#title").click()
    expect(phone.page.get_by_text("Nothing is waiting to be sent.")).to_be_visible()
    assert authors_at(school) == ["amira"] * 3
    phone.give_pin()
    phone.open("/records")
    expect(phone.page.get_by_role("link", name="Fight, Yard")).to_have_count(3)
    phone.see_it_all_sent()


def test_a_forgotten_pin_loses_nothing(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop()
    for _ in range(3):
        write_an_incident(phone)
    phone.open().tap("Incident")
    phone.write("Your account", "Not finished yet.")
    phone.wait_for_draft()
    lock(phone)
    phone.context.route("**/api/intake", lambda route: route.abort())  # until there is another PIN
    school.start()
    phone.tap("I forgot my PIN")
    expect(phone.page.get_by_text("3 records are waiting.")).to_be_visible()
    phone.page.get_by_label("Your name at school").fill("amira")
    phone.page.get_by_label("Password").fill("three wet umbrellas")
    phone.tap("Sign in")
    phone.choose_pin("271828")
    expect(phone.page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
    assert authors_at(school) == []
    phone.context.unroute("**/api/intake")
    phone.page.locator("#title").click()
    wait_until(lambda: authors_at(school) == ["amira"] * 3, phone.page)
    expect(phone.page.get_by_role("region", name="Not finished").get_by_role("link")).to_have_count(1)
    phone.page.goto(school.address + "/records")
    phone.unlock("271828")
    expect(phone.page.get_by_role("link", name="Fight, Yard")).to_have_count(3)


def test_the_first_persons_outbox_goes_while_the_phone_is_locked_for_the_second(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    phone.context.route("**/api/intake", lambda route: route.abort())
    school.stop()
    write_an_incident(phone)
    phone.open("/this-phone").tap("Sign out")
    school.start()
    expect(phone.title).to_have_text("Sign in to Lanyard")
    phone.sign_in("ben")
    lock(phone)
    assert authors_at(school) == []
    phone.context.unroute("**/api/intake")
    phone.page.locator("#title").click()
    wait_until(lambda: authors_at(school) == ["amira"], phone.page)


def test_a_call_for_help_goes_from_a_locked_phone_and_says_when_nobody_knows(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    lock(phone)
    phone.tap("Call for help")
    phone.tap("Send the call for help")
    expect(phone.page.get_by_text("Say where you are.")).to_be_visible()
    phone.page.get_by_label("Where?").fill("Stairs by the gym")
    phone.tap("Send the call for help")
    expect(phone.page.locator("main")).to_contain_text("The school has it.")
    expect(phone.page.locator("main")).to_contain_text("Whether anybody’s phone rings is not known here: ring as well.")
    expect(phone.page.get_by_role("link", name=re.compile(HELP_NUMBER))).to_be_visible()
    assert authors_at(school) == ["amira"]
    phone.tap("Back to the locked phone")
    school.stop()
    phone.tap("Call for help")
    phone.page.get_by_label("Where?").fill("Back gate")
    phone.tap("Send the call for help")
    expect(phone.title).to_have_text("NOT SENT")
    expect(phone.page.get_by_role("link", name=re.compile(HELP_NUMBER))).to_be_visible()
    phone.tap("Leave this screen")
    waits = phone.page.get_by_text("A call for help, written here")
    expect(waits).to_be_visible()
    phone.tap("Somebody else")
    expect(waits).to_be_visible()
    phone.tap("Back to the locked phone")
    phone.tap("Call for help")
    phone.page.get_by_label("Where?").fill("Back gate")
    phone.tap("Send the call for help")
    expect(phone.title).to_have_text("NOT SENT")
    school.start()
    phone.tap("Try now")
    expect(phone.page.locator("main")).to_contain_text("The school has it.")
    phone.tap("Back to the locked phone")
    expect(phone.title).to_have_text("Locked")
    expect(waits).to_have_count(0)


# ── PINs ───────────────────────────────────────────────────────────────────────────────────


def test_ten_wrong_pins_remove_what_the_school_sent_and_nothing_that_was_written(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    phone.context.route("**/api/intake", lambda route: route.abort())
    school.stop()
    write_an_incident(phone)
    lock(phone)
    for tried in range(1, 11):
        phone.give_pin(WRONG_PIN)
        if tried < 5:
            expect(phone.page.locator("#pin-why")).to_contain_text(f"{10 - tried} tries are left")
        elif tried < 10:
            expect(phone.page.get_by_role("button", name=re.compile("^Wait"))).to_be_visible()
            phone.page.reload()
            expect(phone.title).to_have_text("Locked")
            later(phone.page, 9)  # longer than any of the pauses
    expect(phone.page.get_by_text("Ten wrong PINs")).to_be_visible()
    phone.tap("Call for help")
    expect(phone.page.get_by_label("Where?")).to_be_visible()
    phone.tap("Back")
    expect(phone.page.get_by_text("1 record is waiting.")).to_be_visible()
    phone.context.unroute("**/api/intake")
    school.start()
    phone.sign_in("amira")
    wait_until(lambda: authors_at(school) == ["amira"], phone.page)


def test_with_no_signal_it_opens_for_as_long_as_the_school_said(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop()
    lock(phone)
    later(phone.page, 11 * 60)
    phone.give_pin()
    expect(phone.title).to_have_text("Now")
    lock(phone)
    later(phone.page, 13 * 60)
    phone.give_pin()
    expect(phone.page.locator("#pin-why")).to_contain_text("too long since this phone was last in touch")
    school.start()
    phone.give_pin()
    expect(phone.title).to_have_text("Now")


def test_a_pin_that_anybody_would_try_first_is_not_taken(phone: Handset, school: School) -> None:
    phone.open().page.get_by_label("Your name at school").fill("amira")
    phone.page.get_by_label("Password").fill("three wet umbrellas")
    phone.tap("Sign in")
    phone.choose_pin("123456")
    expect(phone.page.get_by_role("alert").filter(has_text="Choose another")).to_be_focused()
    phone.choose_pin(PIN)
    expect(phone.page.get_by_role("button", name="Begin")).to_be_visible()


def test_another_pin_leaves_everything_where_it_is(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    phone.open("/this-phone").tap("Change PIN")
    phone.page.get_by_label("Your PIN now").fill(PIN)
    phone.page.get_by_label("Your new PIN, six digits or more").fill("271828")
    phone.page.get_by_label("The same again").fill("271828")
    phone.tap("Change PIN")
    expect(phone.title).to_have_text("This phone")
    lock(phone)
    phone.give_pin(PIN)
    expect(phone.page.locator("#pin-why")).to_contain_text("9 tries are left")
    phone.give_pin("271828")
    expect(phone.title).to_have_text("This phone")


# ── Several people's phones in one ──────────────────────────────────────────────────────────


def test_whoever_taps_somebody_else_comes_back_to_their_locked_phone_without_signal(phone: Handset, school: School) -> None:
    ready(phone, "amira")
    school.stop()
    lock(phone)
    phone.tap("Somebody else")
    expect(phone.title).to_have_text("Sign in to Lanyard")
    phone.tap("Back to the locked phone")
    expect(phone.title).to_have_text("Locked")
    phone.tap("Somebody else")
    phone.page.get_by_label("Your name at school").fill("amira")
    phone.page.get_by_label("Password").fill("not even right")
    phone.tap("Sign in")
    phone.tap("Open with your PIN")
    expect(phone.title).to_have_text("Locked")
    phone.give_pin()
    expect(phone.title).to_have_text("Now")


# ── Pairing ──────────────────────────────────────────────────────────────────────────────────


def test_a_phone_is_paired_by_a_code_from_the_desk_once_and_the_code_leaves_the_address(
    new_phone: Callable[..., Handset], school: School
) -> None:
    code = a_code(school, "amira")
    phone = new_phone()
    phone.open(code)
    expect(phone.title).to_have_text("Pair this phone")
    assert "#" not in phone.page.url
    phone.tap("Pair")
    expect(phone.title).to_have_text("Choose a PIN")
    expect(phone.page.locator(".bar")).to_contain_text("For Amira")
    phone.choose_pin()
    phone.tap("Begin")
    expect(phone.title).to_have_text("Now")
    write_an_incident(phone)
    phone.send_now()
    assert authors_at(school) == ["amira"]

    another = new_phone()
    another.open(code)
    another.tap("Pair")
    expect(another.page.locator("#problem")).to_contain_text("not good any more")


def a_code(school: School, staff: str) -> str:
    """What the square says that an administrator is shown."""
    said: list[str] = []

    async def make() -> None:
        settings = Settings(database=str(school.database), origins=(school.address,))
        await open_database(settings)
        try:
            made = await writing(new_code, ADA, staff)
            said.append(await writing(address_of, made, settings))
        finally:
            await close_database()

    async def address_of(tx: Tx, made: str, settings: Settings) -> str:
        return await address(tx, ADA, await code_of(tx, ADA, staff, made), settings, "")

    apart(make)
    return said[0].removeprefix(school.address)
