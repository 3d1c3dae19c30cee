"""A call for help while the school is at its busiest: fifty phones exchange and an import runs, on the same server and database."""

import csv
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.exchange import Figures, written_by
from bench.phone import Phone
from bench.school import NAMES, PASSWORD, PUPILS, TEACHERS
from bench.server import Server, serving

CALLS = 40
EDITS = 20  # in each letter of each phone, again and again


def measure(fresh: Callable[[], str]) -> Figures:
    """From asking to the answer: by then the record, its ladder and the alerts of those on duty are committed."""
    quiet, busy = calls(fresh(), busy=False), calls(fresh(), busy=True)
    return {"quiet_call_p50_s": median(quiet), "call_p50_s": median(busy), "call_worst_s": max(busy)}


def calls(database: str, *, busy: bool) -> list[float]:
    over = threading.Event()
    with serving(database) as server, tempfile.TemporaryDirectory() as folder:
        caller = Phone(server.port, "manager", PASSWORD)
        phones = [Phone(server.port, teacher, PASSWORD) for teacher in TEACHERS] if busy else []
        threads = [threading.Thread(target=exchanges, args=(phone, over)) for phone in phones]
        if busy:
            threads.append(threading.Thread(target=imports, args=(server, Path(folder), over)))
        for thread in threads:
            thread.start()
        try:
            return [call(caller) for _ in range(CALLS)]
        finally:
            over.set()
            for thread in threads:
                thread.join()


def call(phone: Phone) -> float:
    headers = {"Content-Type": "application/json", "X-Lanyard": "1", "Cookie": phone.cookie}
    connection = http.client.HTTPConnection("127.0.0.1", phone.port, timeout=60)
    began = time.perf_counter()
    connection.request("POST", "/api/calls", json.dumps({"place": "yard", "urgency": "now"}).encode(), headers)
    answer = connection.getresponse()
    said = json.loads(answer.read())
    waited = time.perf_counter() - began
    assert (answer.status, said["state"]) == (201, "ringing"), said
    time.sleep(0.05)
    return waited


def exchanges(phone: Phone, over: threading.Event) -> None:
    first = 1
    while not over.is_set():
        answer = phone.exchange(phone.letter(list(written_by(phone, EDITS, first=first))))
        assert all(receipt["outcome"] == "taken" for receipt in answer["receipts"])
        first += EDITS


def imports(server: Server, folder: Path, over: threading.Event) -> None:
    """The whole school's pupils, with a form changed each time, so that each is written."""
    turn = 0
    while not over.is_set():
        turn += 1
        file = folder / f"{turn}.csv"
        with file.open("w", newline="") as table:
            writer = csv.writer(table)
            writer.writerow(["Pupil ID", "Forename", "Surname", "Year", "Reg"])
            writer.writerows((pupil, *NAMES[n], 7 + n % 5, f"{7 + n % 5} {'ABCDEFGH'[turn % 8]}") for n, pupil in enumerate(PUPILS))
        command = [sys.executable, "-m", "server", "import", "pupils", str(file), "--apply"]
        subprocess.run(command, env=server.environment, capture_output=True, check=False)
