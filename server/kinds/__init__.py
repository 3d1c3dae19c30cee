"""Every kind of record the school keeps. To add one, write its file and name it here."""

from server.kinds.incident import incident
from server.kinds.kind import Kind

KINDS: dict[str, Kind] = {kind.name: kind for kind in (incident,)}
