"""The API is what it says it is: its description covers every address, and no letter made from it, or against it, breaks anything."""

import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from server.api.description import CALLS, describe_api
from server.app import create_app
from server.settings import Settings
from tests.letters import edit, letter
from tests.routes import doors
from tests.sealing import Sealer
from tests.serving import serving
from tests.visitor import no_phone_app
from tests.world import PASSWORD

EXAMPLES = 40  # of each kind, for each address
# One would sign us out on the way, one does not end, nobody can guess what one wants, and of one no schema says that two words differ.
APART = ("sign_out", "live", "alert_news", "new_closing_words")

UNCHECKED = "allow_header_conformance"  # the framework's own OPTIONS names the methods of one handler where an address has two


def test_every_address_of_the_api_is_described_and_no_other(tmp_path: Path) -> None:
    app = create_app(no_phone_app(Settings(database=str(tmp_path / "none.db"))))
    real = {(door.method, door.template.replace(":str", "")) for door in doors(app) if door.template.startswith("/api/")}
    assert {(call.method.upper(), call.path) for call in CALLS} == real


def test_nothing_made_from_the_description_finds_a_fault(world: Settings, tmp_path: Path) -> None:
    with serving(no_phone_app(world), tmp_path / "server.log", LANYARD_PUSH_STAND_IN="http://127.0.0.1:9") as server:
        cookie, grant = sign_in(server.address)
        record, visit = (a_record(server.address, cookie, n, kind) for n, kind in enumerate(("incident", "home_visit"), 1))
        call = a_call(server.address, cookie)
        description = described_in(tmp_path, record, visit, grant, call)
        said = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis", "run", description, "--url", server.address,
                "--header", f"Cookie: lanyard={cookie}", "--header", "X-Lanyard: 1",
                "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(EXAMPLES),
                "--checks", "all", "--exclude-checks", UNCHECKED,
                *(word for id in APART for word in ("--exclude-operation-id", id)),
                "--seed", "1", "--generation-database", ":memory:", "--continue-on-failure", "--no-color", "--request-timeout", "10",
            ],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert said.returncode == 0, said.stdout[-8_000:] + said.stderr[-2_000:]
        assert "No issues found" in said.stdout, said.stdout[-8_000:]
        assert " ERROR " not in server.log.read_text()


def described_in(folder: Path, record: str, visit: str, grant: str, call: str) -> Path:
    """The description with records that are there, our password, and without who may ask: we are signed in throughout."""
    said = msgspec.json.decode(msgspec.json.encode(describe_api.fn()))  # where several addresses take the same, each has its own now
    for path, methods in said["paths"].items():
        for method in methods.values():
            method.pop("security", None)
            for parameter in method["parameters"]:
                if parameter["name"] == "record":
                    there = call if path.startswith("/api/calls") else visit if path.startswith("/api/visits") else record
                    parameter["schema"] = (
                        {"const": there} if there is not record else {"anyOf": [{"const": there}, {"type": "string", "minLength": 1}]}
                    )
    for shape in ("PhoneCard", "PhoneKey"):  # no pattern says which 65 bytes lie on the curve
        said["components"]["schemas"][shape]["properties"]["public"] = {"const": Sealer("carol", "carol-phone").public}
    shapes = said["components"]["schemas"]
    for name, value in ("public", Sealer("carol", "carol-phone").public), ("key", "B" * 87), ("endpoint", "https://fcm.googleapis.com/x"):
        shapes["SubscriptionCard"]["properties"][name] = {"const": value}
    shapes["Wanted"]["properties"]["record"] = {"const": visit}
    for shape in ("Password", "OldPasskey"):
        shapes[shape]["properties"]["password"] = {"const": PASSWORD}
    under = {"name": "Authorization", "in": "header", "required": True, "schema": {"const": f"Bearer {grant}"}}
    said["paths"]["/api/intake"]["post"]["parameters"].append(under)
    file = folder / "openapi.json"
    file.write_bytes(msgspec.json.encode(said))
    return file


def a_record(address: str, cookie: str, number: int, kind: str) -> str:
    going = {"going": {"put": {"olu": {}}, "drop": []}, "back_by": "2100-01-01T00:00:00Z"} if kind == "home_visit" else {}
    written = edit("carol-phone", number, kind, {"pupils": {"put": {"zoe": {}}, "drop": []}} | going)
    answer = httpx.post(
        f"{address}/api/sync", json=letter("carol-phone", written), headers={"X-Lanyard": "1", "Cookie": f"lanyard={cookie}"}
    )
    assert answer.json()["receipts"][0]["outcome"] == "taken"
    return str(written["record"])


def a_call(address: str, cookie: str) -> str:
    answer = httpx.post(f"{address}/api/calls", json={"place": "yard"}, headers={"X-Lanyard": "1", "Cookie": f"lanyard={cookie}"})
    assert answer.status_code == 201
    return str(answer.json()["record"])


def sign_in(address: str) -> tuple[str, str]:
    said = {"username": "carol", "password": PASSWORD, "phone": {"id": "carol-phone", "name": "x"}}
    answer = httpx.post(f"{address}/api/session", json=said, headers={"X-Lanyard": "1"})
    if answer.status_code != 200:
        pytest.fail(answer.text)
    return answer.cookies["lanyard"], answer.json()["grant"]
