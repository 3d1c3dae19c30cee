"""Windows of the three engines that phones have, each with a profile of its own: started, driven, killed with -9, started again."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from glob import glob
from pathlib import Path
from typing import Any, Protocol

import httpx
from playwright.sync_api import BrowserContext, Error, Playwright

from tests.journeys.conftest import CHROMIUM, PHONE, QUIET
from tests.nursery import free_port

FIREFOX, WEBKIT_DRIVER, SCREEN = "/usr/bin/firefox-esr", "/usr/bin/WebKitWebDriver", "/usr/bin/Xvfb"
STARTS_WITHIN_S = 120
SCRIPTS_WITHIN_MS = 120_000
NOT_TAKEN_BY_FIREFOX = {"has_touch", "is_mobile"}
QUIET_FIREFOX = {
    "network.dns.forceResolve": "127.0.0.1",  # nothing leaves this machine
    "toolkit.startup.max_resumed_crashes": -1,  # it is killed again and again
    "browser.sessionstore.resume_from_crash": False,
}


class Window(Protocol):
    """What one page of any engine can be asked. `run` takes the body of an async function, and what to call it with."""

    profile: Path

    def start(self) -> None: ...
    def go(self, address: str) -> None: ...
    def run(self, script: str, *given: Any) -> Any: ...
    def click(self, selector: str) -> None: ...
    def type(self, selector: str, words: str) -> None: ...
    def close(self) -> None: ...


# ── Chromium and Firefox ──────────────────────────────────────────────────────────────────


class Driven:
    """By playwright, with input that the browser takes for a person's."""

    def __init__(self, launch: Callable[[Path], BrowserContext], profile: Path) -> None:
        self.launch, self.profile = launch, profile
        self.context: BrowserContext | None = None

    def start(self) -> None:
        self.context = self.launch(self.profile)
        self.page = self.context.pages[0] if self.context.pages else self.context.new_page()

    def go(self, address: str) -> None:
        self.page.goto(address)

    def run(self, script: str, *given: Any) -> Any:
        return self.page.evaluate(f"async (given) => {{ {script} }}", list(given))

    def click(self, selector: str) -> None:
        self.page.click(selector)

    def type(self, selector: str, words: str) -> None:
        self.page.locator(selector).press_sequentially(words)

    def close(self) -> None:
        if self.context:
            with contextlib.suppress(Error):  # it was killed
                self.context.close()
        self.context = None
        for lock in (".parentlock", "lock"):
            (self.profile / lock).unlink(missing_ok=True)  # Firefox's, of a process that is no more


def chromium(driver: Playwright, profile: Path) -> Driven:
    return Driven(lambda at: driver.chromium.launch_persistent_context(str(at), executable_path=CHROMIUM, args=QUIET, **PHONE), profile)


def firefox(driver: Playwright, profile: Path) -> Driven:
    phone = {name: value for name, value in PHONE.items() if name not in NOT_TAKEN_BY_FIREFOX}

    def launch(at: Path) -> BrowserContext:
        return driver.firefox.launch_persistent_context(
            str(at), channel="moz-firefox", executable_path=FIREFOX, firefox_user_prefs=QUIET_FIREFOX, **phone
        )

    return Driven(launch, profile)


# ── WebKit ─────────────────────────────────────────────────────────────────────────────────


class WebKit:
    """By the W3C's WebDriver, of which this much is enough."""

    def __init__(self, screen: str, profile: Path) -> None:
        self.screen, self.profile = screen, profile
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        port = free_port()
        environment = os.environ | {"DISPLAY": self.screen, "LANYARD_PROFILE": str(self.profile), "NO_AT_BRIDGE": "1"}
        environment |= {"LC_ALL": "C.UTF-8", "TZ": "Europe/London"}
        self.process = subprocess.Popen(
            [WEBKIT_DRIVER, f"--port={port}"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.door = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SCRIPTS_WITHIN_MS / 1000 + 10, trust_env=False)
        self._wait_for_the_driver()
        binary = str(Path(__file__).with_name("webkit_window.py"))
        wishes = {"webkitgtk:browserOptions": {"binary": binary, "args": ["--automation"]}, "timeouts": {"script": SCRIPTS_WITHIN_MS}}
        self.session = "/session/" + self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wishes}})["sessionId"]

    def _wait_for_the_driver(self) -> None:
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                return void(self.door.get("/status"))
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        said = self.door.request(method, path, json=body).json()["value"]
        if isinstance(said, dict) and "error" in said:
            raise RuntimeError(f"{said['error']}: {said.get('message')}")
        return said

    def go(self, address: str) -> None:
        self._ask("POST", f"{self.session}/url", {"url": address})

    def run(self, script: str, *given: Any) -> Any:
        whole = (
            "const [given, done] = arguments; (async () => { " + script + " })()"
            ".then((value) => done({ value }), (error) => done({ error: `${error.name}: ${error.message}` }));"
        )
        said = self._ask("POST", f"{self.session}/execute/async", {"script": whole, "args": [list(given)]})
        if "error" in said:
            raise RuntimeError(said["error"])
        return said.get("value")

    def _element(self, selector: str) -> str:
        (reference,) = self._ask("POST", f"{self.session}/element", {"using": "css selector", "value": selector}).values()
        return f"{self.session}/element/{reference}"

    def click(self, selector: str) -> None:
        self._ask("POST", f"{self._element(selector)}/click", {})

    def type(self, selector: str, words: str) -> None:
        self._ask("POST", f"{self._element(selector)}/value", {"text": words})

    def close(self) -> None:
        if not self.process:
            return
        with contextlib.suppress(Exception):  # it was killed
            self._ask("DELETE", self.session)
        end(self.process.pid)
        self.process.wait()
        self.process = None
        self.door.close()


def void(_: object) -> None:
    return None


@contextlib.contextmanager
def a_screen() -> Iterator[str]:
    """Somewhere for WebKit's window to be: it has no mode without."""
    told, tell = os.pipe()
    drawn = subprocess.Popen(
        [SCREEN, "-displayfd", str(tell), "-screen", "0", "800x1000x24", "-nolisten", "tcp"],
        pass_fds=[tell], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(tell)
    with os.fdopen(told) as number:
        name = f":{number.readline().strip()}"
    yield name
    drawn.terminate()
    drawn.wait()


# ── The end of one ─────────────────────────────────────────────────────────────────────────


def kill(window: Window) -> None:
    """With -9, and everything that it had started: between any two of its steps."""
    end(browser_with(window.profile))
    window.close()


def end(process: int) -> None:
    everyone = family(process)
    for one in everyone:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    for one in everyone:
        wait_for_the_end_of(one)


def browser_with(profile: Path) -> int:
    """The process that this test started: it names the profile, and is nobody's child with the same."""
    naming = {process for process in processes() if names(process, profile)}
    return next(process for process in naming if parent(process) not in naming)


def names(process: int, profile: Path) -> bool:
    """Chromium and Firefox name it in their command, WebKit's window was told it in its environment."""
    for where, wanted in (("cmdline", f"{profile}\0"), ("environ", f"LANYARD_PROFILE={profile}\0")):
        with contextlib.suppress(OSError):
            said = Path(f"/proc/{process}/{where}").read_bytes().decode(errors="replace")
            if wanted in said and "WebKitWebDriver" not in program(process):
                return True
    return False


def program(process: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")[0]
    return ""


def processes() -> Iterator[int]:
    me = os.getpid()
    yield from (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and int(entry.name) != me)


def parent(process: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    return 0


def family(process: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for one in processes():
        children.setdefault(parent(one), []).append(one)
    found = [process]
    for one in found:
        found += children.get(one, [])
    return found


def wait_for_the_end_of(process: int) -> None:
    with contextlib.suppress(OSError):  # nothing is left of it
        while "Z" not in Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1]:
            time.sleep(0.01)


# ── What this machine lacks ────────────────────────────────────────────────────────────────

ENGINES = ("chromium", "firefox", "webkit")


def lacking(engine: str) -> str | None:
    """What to install before it can be driven, in one line."""
    needed = {
        "chromium": {"chromium": CHROMIUM},
        "firefox": {"firefox-esr": FIREFOX},
        "webkit": {
            "webkit2gtk-driver": WEBKIT_DRIVER,
            "gir1.2-webkit2-4.1": "/usr/lib/*/girepository-1.0/WebKit2-4.1.typelib",
            "python3-gi": "/usr/lib/python3/dist-packages/gi",
            "xvfb": SCREEN,
        },
    }[engine]
    missing = [package for package, path in needed.items() if not glob(path)]
    return f"apt-get install --no-install-recommends {' '.join(missing)}" if missing else None


def opened(engine: str, driver: Playwright, screen: str, profile: Path) -> Window:
    profile.mkdir(parents=True, exist_ok=True)
    match engine:
        case "chromium":
            return chromium(driver, profile)
        case "firefox":
            return firefox(driver, profile)
        case _:
            return WebKit(screen, profile)
