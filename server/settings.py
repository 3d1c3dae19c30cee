"""What an installation decides for itself: one struct, read once from the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

CHECKOUT = Path(__file__).parent.parent


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`database`: a file path for SQLite, or a `postgresql://` address. Nothing else differs between the two."""

    database: str = "lanyard.db"
    origins: tuple[str, ...] = ("http://localhost:8000", "http://127.0.0.1:8000")  # where people's browsers find us
    passkey_domain: str | None = None  # what passkeys are made for; else the host of the first origin. Never change it: they would be lost
    demo_password: str | None = None
    dist: Path = CHECKOUT / "pwa" / "dist"  # the phone's app, as built
    kept: Path = CHECKOUT / "pwa" / "kept"  # files of earlier builds, for phones that still run them
    keys_passphrase: str | None = None  # what our private keys are closed with in the database
    keys_passphrase_file: Path | None = None  # or where that stands
    push_contact: str | None = None  # whom a push service may write to: mailto:… or https://…; else the first origin
    push_stand_in: str | None = None  # for tests, and on this machine only: http://127.0.0.1:PORT is asked in place of every push service
    worker: bool = True  # 0: phones get rid of their service worker, and keep all that was written
    show_schema: bool = False  # describe the API at /schema

    @property
    def is_postgres(self) -> bool:
        return self.database.startswith(("postgresql://", "postgres://"))

    @property
    def passkeys_for(self) -> str:
        return self.passkey_domain or urlsplit(self.origins[0]).hostname or "localhost"

    @property
    def secure(self) -> bool:
        """Cookies travel over https only, as soon as every door is an https one."""
        return all(origin.startswith("https://") for origin in self.origins)


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Every setting is `LANYARD_` and its name in capitals; one left out or empty keeps its default."""
    said = {field: environment.get(f"LANYARD_{field.upper()}", "").strip() for field in Settings.__struct_fields__}
    given: dict[str, Any] = {field: text for field, text in said.items() if text}
    if "origins" in given:
        given["origins"] = tuple(origin.rstrip("/") for origin in said["origins"].replace(",", " ").split())
    return msgspec.convert(given, Settings, strict=False, dec_hook=lambda kind, text: kind(text))
