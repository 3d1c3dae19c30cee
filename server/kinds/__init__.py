"""Every kind of record the school keeps. To add one, write its file and name it here."""

from server.kinds.attendance_call import attendance_call
from server.kinds.call_out import call_out
from server.kinds.contact import contact
from server.kinds.home_visit import home_visit
from server.kinds.incident import incident
from server.kinds.kind import Kind
from server.kinds.listed_family import listed_family
from server.kinds.pupil_plan import pupil_plan
from server.kinds.sighting import sighting
from server.kinds.statement import statement
from server.kinds.sweep import sweep

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (incident, call_out, attendance_call, listed_family, home_visit, sweep, sighting, statement, contact, pupil_plan)
}
