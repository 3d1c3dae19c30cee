"""A network that lies: it stands before the school, answers for it, cuts it short, and says things late, twice or in another order."""

import contextlib
import gzip
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STALLS_S, DELAYS_S = 3.0, (0.05, 0.3)
PORTAL = b"<!doctype html><title>Welcome</title><h1>Sign in to our network</h1>"
OURS = {"Lanyard-Protocol": "1", "Content-Type": "application/json"}
HTML = {"Content-Type": "text/html"}
NOT_PASSED_ON = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server", "if-none-match"}
LIED_ABOUT = ("/api/sync", "/api/intake")

Answer = tuple[int, dict[str, str], bytes]


class Liar:
    """`lies`: how often, of what is asked of the exchange and of the intake. Everything else is passed on as it is."""

    def __init__(self, school: str, chance: random.Random, lies: float = 0.7) -> None:
        self.school, self.chance, self.lies = school, chance, lies
        self.told: Counter[str] = Counter()
        self.before: dict[str, Answer] = {}  # the last true answer at each address
        self.held_back: list[Callable[[], Answer]] = []
        self.changed: Callable[[str, bytes], bytes] = lambda path, body: body  # what is passed on, on the way
        self.guard = threading.Lock()

    @property
    def exchanges(self) -> int:
        return self.told.total()

    def answer(self, path: str, ask: Callable[[], Answer]) -> Answer | None:
        """None: the line goes dead."""
        with self.guard:
            name = self.chance.choice(list(LIES)) if self.chance.random() < self.lies else "the truth"
            self.told[name] += 1
        return LIES[name](self, path, ask) if name in LIES else self.truth(path, ask)

    def truth(self, path: str, ask: Callable[[], Answer]) -> Answer:
        answer = ask()
        late, self.held_back = self.held_back, []
        for one in late:
            one()  # only now does the school hear what was said before
        self.before[path] = answer
        return answer

    def portal(self, status: int, more: dict[str, str] = HTML) -> Answer:
        return status, more, PORTAL

    def cut(self, path: str, ask: Callable[[], Answer], told_whole: bool) -> Answer:
        status, headers, body = self.truth(path, ask)
        half = body[: len(body) // 2]
        return status, headers | ({"Content-Length": str(len(body))} if told_whole else {}), half

    def hold_back(self, ask: Callable[[], Answer]) -> None:
        self.held_back.append(ask)

    def twice(self, path: str, ask: Callable[[], Answer]) -> Answer:
        ask()
        return self.truth(path, ask)

    def late(self, seconds: float, path: str, ask: Callable[[], Answer]) -> Answer:
        time.sleep(seconds)
        return self.truth(path, ask)

    def lost(self, path: str, ask: Callable[[], Answer]) -> None:
        self.truth(path, ask)

    def relabelled(self, path: str, ask: Callable[[], Answer], **headers: str | None) -> Answer:
        status, said, body = self.truth(path, ask)
        changed = said | {name.replace("_", "-"): value for name, value in headers.items()}
        return status, {name: value for name, value in changed.items() if value is not None}, body


Lie = Callable[[Liar, str, Callable[[], Answer]], Answer | None]

LIES: dict[str, Lie] = {
    "a portal's page": lambda liar, _, ask: liar.portal(200),
    "a portal's page under our header": lambda liar, _, ask: liar.portal(200, OURS | HTML),
    "a portal's page called JSON": lambda liar, _, ask: liar.portal(200, OURS),
    "moved": lambda liar, _, ask: liar.portal(302, HTML | {"Location": "/api/here"}),
    "forbidden": lambda liar, _, ask: liar.portal(403),
    "bad gateway": lambda liar, _, ask: liar.portal(502),
    "busy": lambda liar, _, ask: (503, OURS | {"Retry-After": "1"}, b'{"refusal": "busy", "words": "Busy."}'),
    "an empty answer": lambda liar, _, ask: (200, OURS, b"{}"),
    "nothing at all": lambda liar, _, ask: (200, OURS, b""),
    "the answer to another letter": lambda liar, path, ask: liar.before.get(path, (200, OURS, b"[]")),
    "squeezed rubbish": lambda liar, _, ask: (200, OURS | {"Content-Encoding": "gzip"}, b"\x1f\x8b" + liar.chance.randbytes(200)),
    "half of what was squeezed": lambda liar, _, ask: (
        200,
        OURS | {"Content-Encoding": "gzip"},
        gzip.compress(b'{"receipts": []}' * 50)[:40],
    ),
    "cut off": lambda liar, path, ask: liar.cut(path, ask, told_whole=True),
    "cut short": lambda liar, path, ask: liar.cut(path, ask, told_whole=False),
    "another protocol": lambda liar, path, ask: liar.relabelled(path, ask, Lanyard_Protocol="9"),
    "no protocol": lambda liar, path, ask: liar.relabelled(path, ask, Lanyard_Protocol=None),
    "hung up": lambda liar, _, ask: None,
    "the answer lost": lambda liar, path, ask: liar.lost(path, ask),
    "said twice": lambda liar, path, ask: liar.twice(path, ask),
    "late": lambda liar, path, ask: liar.late(liar.chance.uniform(*DELAYS_S), path, ask),
    "long after anybody waits": lambda liar, path, ask: liar.late(STALLS_S, path, ask),
    "after the next": lambda liar, _, ask: liar.hold_back(ask),
}


@contextlib.contextmanager
def standing_before(liar: Liar) -> Iterator[str]:
    """Its address, which the phone takes for the school's."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(lambda ask: ask())

        def do_POST(self) -> None:
            self._say(lambda ask: liar.answer(self.path, ask) if self.path in LIED_ABOUT else ask())

        do_PUT = do_DELETE = do_HEAD = do_GET

        def _say(self, answered: Callable[[Callable[[], Answer]], Answer | None]) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED_ON | {"host"}}
            if "Origin" in headers:
                headers["Origin"] = liar.school
            self.close_connection = True
            with contextlib.suppress(OSError, http.client.HTTPException):  # the school is gone, or the phone has hung up
                if self.path == "/api/live":
                    self._write((204, {}, b""))  # no hints here: the phone asks by itself
                elif (answer := answered(lambda: passed_on(liar, self.command, self.path, headers, body))) is not None:
                    self._write(answer)

        def _write(self, answer: Answer) -> None:
            status, headers, body = answer
            self.send_response_only(status)
            for name, value in ({"Content-Length": str(len(body))} | headers | {"Connection": "close"}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def passed_on(liar: Liar, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    connection = http.client.HTTPConnection(liar.school.removeprefix("http://"), timeout=60)
    try:
        connection.request(method, path, body or None, headers)
        heard = connection.getresponse()
        said: dict[str, str] = {}
        for name, value in heard.getheaders():
            if name.lower() not in NOT_PASSED_ON:
                said[name.title() if name.title() not in said else name.lower()] = value  # two cookies are two headers
        return heard.status, said, liar.changed(path, heard.read())
    finally:
        connection.close()
