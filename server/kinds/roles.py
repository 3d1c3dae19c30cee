"""The parts people play in a school. What each may hold and write stands in the kinds."""

from enum import StrEnum


class Role(StrEnum):
    TEACHER = "teacher"
    RESPONDER = "responder"
    OFFICER = "officer"
    MANAGER = "manager"
    HEAD_OF_YEAR = "head_of_year"
    DSL = "dsl"
    LEADER = "leader"
    ADMIN = "admin"

    @property
    def label(self) -> str:
        return LABELS[self]


LABELS = {
    Role.TEACHER: "Teacher",
    Role.RESPONDER: "On-call responder",
    Role.OFFICER: "Attendance officer",
    Role.MANAGER: "Behaviour manager",
    Role.HEAD_OF_YEAR: "Head of year",
    Role.DSL: "Designated safeguarding lead",
    Role.LEADER: "Senior leader",
    Role.ADMIN: "Administrator",
}
