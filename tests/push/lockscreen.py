"""What a phone's lock screen is on this machine: it takes what browsers show, over a D-Bus of its own, and is tapped like a real one."""

# ruff: noqa: F722, F821  what stands as annotations below are D-Bus's own signatures

import asyncio
import contextlib
import subprocess
import threading
import time

from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

PATIENCE_S = 30


class Notifications(ServiceInterface):
    def __init__(self) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.shown: dict[int, tuple[str, str]] = {}  # what lies there now: its title, and the rest
        self.ever: list[str] = []
        self.last = 0

    @dbus_method()
    def GetCapabilities(self) -> "as":
        return ["actions", "body", "persistence"]

    @dbus_method()
    def GetServerInformation(self) -> "ssss":
        return ["lock screen", "tests", "1", "1.2"]

    @dbus_method()
    def Notify(self, app: "s", replaces: "u", icon: "s", title: "s", body: "s", actions: "as", hints: "a{sv}", for_ms: "i") -> "u":
        if not replaces:
            self.last += 1
        id = replaces or self.last
        self.shown[id] = (title, body)
        self.ever.append(f"{title}\n{body}")
        return id

    @dbus_method()
    def CloseNotification(self, id: "u"):
        self.shown.pop(id, None)
        self.NotificationClosed(id, 3)

    @dbus_signal()
    def NotificationClosed(self, id, why) -> "uu":
        return [id, why]

    @dbus_signal()
    def ActionInvoked(self, id, what) -> "us":
        return [id, what]


class LockScreen:
    """`address`: where a browser is told to show what it shows."""

    def __enter__(self) -> "LockScreen":
        self.bus = subprocess.Popen(
            ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog", "--print-address=1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.bus.stdout
        self.address = self.bus.stdout.readline().strip()
        self.there = Notifications()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._open(), self.loop).result(20)
        return self

    async def _open(self) -> None:
        self.connection = await MessageBus(bus_address=self.address).connect()
        self.connection.export("/org/freedesktop/Notifications", self.there)
        await self.connection.request_name("org.freedesktop.Notifications")

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):
            self.loop.call_soon_threadsafe(self.connection.disconnect)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.bus.terminate()
        self.bus.wait()

    def see(self, title: str) -> int:
        """Waits until something of that title lies there."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if found := self.lies_there(title):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{title} is not shown, but {self.there.shown}")

    def lies_there(self, title: str) -> int | None:
        return next((id for id, (said, _) in dict(self.there.shown).items() if said == title), None)

    def tap(self, title: str) -> None:
        self.loop.call_soon_threadsafe(self.there.ActionInvoked, self.see(title), "default")
