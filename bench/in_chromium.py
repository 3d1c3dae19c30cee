"""The phone's own targets in real Chromium, its processor slowed four and six times, with 1,500 pupils held; and what sealing costs it."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import BrowserContext, CDPSession, Page, expect, sync_playwright

from bench.school import PASSWORD
from bench.server import Server, serving
from server.settings import CHECKOUT
from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.journeys.handset import PIN, Handset

SLOWER = (4, 6)
STARTS, LETTERS, SAVES, WAITING = 7, "rah kha mck o'b zow", 20, 100
SEALED, SEALED_BEFORE, SEALED_SLOWER = 200, 20, 4
SLOW_LINK = {"offline": False, "latency": 100, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}

# Milliseconds from the page's birth until the locked screen can be used, and from then on until everybody can be found by name.
FIRST_SCREENS = """
    new MutationObserver(() => {
        if (!window.lockedAt && document.querySelector('#pin') && document.querySelector('.lede')) window.lockedAt = performance.now();
        if (!window.usableAt && document.querySelector('a[href="/new/incident"]')) {
            requestAnimationFrame(() => { window.usableAt = performance.now(); });
        }
    }).observe(document, { childList: true, subtree: true });
"""
UNLOCK = """(pin) => {
    document.querySelector('#pin').value = pin;
    window.unlockedAt = performance.now();
    document.querySelector('form').requestSubmit();
}"""
# Milliseconds from a keystroke until its answer is painted.
KEYSTROKE = """async (letters) => {
    const box = document.querySelector('input[placeholder^="Two or three letters"]');
    const began = performance.now();
    box.value = letters;
    box.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
    return performance.now() - began;
}"""
# Milliseconds from the tap on Save until the screen says that it is saved.
SAVE = """() => new Promise((resolve) => {
    const save = [...document.querySelectorAll('.dock button')].find((button) => button.textContent === 'Save');
    const began = performance.now();
    new MutationObserver((_, watch) => {
        if (!document.querySelector('.toast')?.textContent.includes('Saved on this phone')) return;
        watch.disconnect();
        resolve(performance.now() - began);
    }).observe(document, { childList: true, subtree: true, characterData: true });
    save.click();
})"""

Figures = dict[str, float]


def measure(database: str) -> Figures:
    with serving(database) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        figures: Figures = {}
        with unpacked(browser.new_context(**PHONE), server) as phone:
            figures |= first_fetch(phone, server)
            for slower in SLOWER:
                figures |= {f"{name}, {slower}×": figure for name, figure in in_the_hand(phone, slower).items()}
            figures |= sealing(phone.new_tab(), server)
            figures |= hundred_edits(phone, server)
        browser.close()
        return figures


@contextmanager
def unpacked(context: BrowserContext, server: Server) -> Iterator[Handset]:
    yield Handset(context, server.address)
    context.close()


def first_fetch(phone: Handset, server: Server) -> Figures:
    """From *Set PIN* until every name is on the phone, over a slow link."""
    phone.open()
    developer(phone.page).send("Network.emulateNetworkConditions", SLOW_LINK)
    with phone.page.expect_response(lambda answer: "/api/people" in answer.url) as heard:
        phone.page.get_by_label("Your name at school").fill("teacher0")
        phone.page.get_by_label("Password").fill(PASSWORD)
        phone.tap("Sign in")
        expect(phone.title).to_have_text("Choose a PIN")
        began = time.perf_counter()
        phone.choose_pin()
    heard.value.finished()
    fetched = time.perf_counter() - began
    phone.tap("Begin")
    phone.wait_until_kept()
    return {"first_fetch_s": fetched}


def in_the_hand(phone: Handset, slower: int) -> Figures:
    """Offline from here on."""
    phone.context.set_offline(True)
    starts = [cold_start(phone, slower) for _ in range(STARTS)]
    page = slowed(phone.new_tab(), slower)
    saves = []
    keystrokes: list[float] = []
    for number in range(SAVES):
        open_incident(page, phone.address)
        if number == 0:
            keystrokes = [page.evaluate(KEYSTROKE, word[: upto + 1]) for word in LETTERS.split() for upto in range(len(word))]
        saves.append(save_incident(page))
    page.close()
    phone.context.set_offline(False)
    return {
        "cold_start_s": median(locked for locked, _ in starts) / 1000,
        "unlock_s": median(opened for _, opened in starts) / 1000,
        "keystroke_s": max(keystrokes) / 1000,
        "save_p95_s": sorted(saves)[int(SAVES * 0.95) - 1] / 1000,
    }


def cold_start(phone: Handset, slower: int) -> tuple[float, float]:
    """Until the locked screen says what waits, and from *Unlock* until the first screen can be used."""
    page = phone.context.new_page()
    page.add_init_script(FIRST_SCREENS)
    slowed(page, slower).goto(phone.address + "/", wait_until="commit")
    page.wait_for_function("() => window.lockedAt")
    page.evaluate(UNLOCK, PIN)
    page.wait_for_function("() => window.usableAt")
    took: tuple[float, float] = tuple(page.evaluate("[window.lockedAt, window.usableAt - window.unlockedAt]"))
    page.close()
    return took


def open_incident(page: Page, address: str) -> None:
    page.goto(f"{address}/new/incident")
    page.locator("#pin").fill(PIN)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_placeholder("Two or three letters of a name")).to_be_visible()


def save_incident(page: Page) -> float:
    """Filled, and how many milliseconds it then took until it was called saved."""
    page.get_by_placeholder("Two or three letters of a name").fill("kha")
    page.locator("ul.rows button.row").first.click()
    page.get_by_role("group", name="What happened?").locator(".chip").first.click()
    page.get_by_role("group", name="Where?").locator(".chip").first.click()
    return float(page.evaluate(SAVE))


def sealing(page: Page, server: Server) -> Figures:
    """One edit at a time. Only the page's own thread is slowed: the browser reckons its cryptography on others."""
    page.goto(server.address)
    page.evaluate(bundled(CHECKOUT / "bench" / "sealing.ts"))
    slowed(page, SEALED_SLOWER)
    took = page.evaluate("(times) => measureSealing(times)", SEALED_BEFORE + SEALED)
    page.close()
    return {
        f"{name}_{how}_s": figure(took[name][SEALED_BEFORE:]) / 1000
        for name in ("seal", "floor")
        for how, figure in (("p50", median), ("p95", lambda each: sorted(each)[int(SEALED * 0.95) - 1]))
    }


def bundled(source: Path) -> str:
    with tempfile.NamedTemporaryFile(suffix=".js") as script:
        bundler = CHECKOUT / "pwa" / "node_modules" / ".bin" / "rolldown"
        command = ["sh", CHECKOUT / "pwa" / "node.sh", bundler, source, "--format", "iife", "--file", script.name, "--log-level", "warn"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return Path(script.name).read_text()


def hundred_edits(phone: Handset, server: Server) -> Figures:
    """As many as one letter holds, written with no signal; then the signal is there, but poor."""
    page = phone.new_tab()
    phone.send_now()
    server.stop()  # the browser's own *offline* does not hold back what its worker sends in the background
    for _ in range(WAITING):
        open_incident(page, phone.address)
        save_incident(page)
    phone.open("/this-phone")
    expect(phone.strip).to_contain_text(f"{WAITING} saved on this phone, not sent")
    server.start()
    developer(page).send("Network.emulateNetworkConditions", SLOW_LINK)
    began = time.perf_counter()
    phone.tap("Try now")
    expect(page.get_by_text("Nothing is waiting.")).to_be_visible()
    return {"hundred_edits_s": time.perf_counter() - began}


def slowed(page: Page, slower: int) -> Page:
    developer(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    return page


def developer(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)
