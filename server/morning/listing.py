"""Who is on a morning's list and why, one row a family, and in which order they are rung. Pure: from what the school holds to rows.

It goes by the register (yesterday's marks without a reason, a suspension that ended, attendance that falls), by what calls promised
for the day, by plans that say to ring home, and by caseloads. The school holds no groups or suspensions as such yet: the register's
E stands for a suspension. The order is a plain sum of the weights below, for the sake of a call; it is no score of a child, is kept
nowhere, and nothing else is decided by it.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date

import msgspec

from server.kinds.shapes import LINE_LIMIT

UNEXPLAINED = frozenset({"N", "O"})  # no reason yet; other or unknown circumstances
SUSPENDED = "E"
RECENT_DAYS = 10
FELL_FROM = 5  # sessions missed of the recent ones, at least
FELL_BY = 2  # times the share that was missed before
PERSISTENT = 10  # in 100 sessions possible: DfE, “missing 10% or more”

WEIGHTS = {
    "no_reason": 50,
    "after_suspension": 45,
    "promised": 40,
    "ring_again": 35,
    "falling": 25,
    "plan": 20,
    "persistent": 10,
}
UNSURE = 5  # whether a suspension is over
EACH_DAY_MORE = 10  # of being away without a reason, up to a week
DAYS_COUNTED = 5
A_WEEK = 5  # days with school: from then on a weekday alone says too little


class Child(msgspec.Struct, frozen=True):
    """What the school knows of one pupil on the evening before."""

    id: str
    family: str = ""  # the same for brothers and sisters; empty: an only child
    year: str = ""
    marks: tuple[tuple[str, str], ...] = ()  # of the last days with school, oldest first; "" where there is none
    possible: int = 0  # sessions, this school year
    missed: int = 0
    recent_possible: int = 0  # of the last days
    recent_missed: int = 0
    ahead: tuple[str, str] = ("", "")  # the marks of the day itself, where the register has some already
    promised: bool = False  # to be in on that day
    ring_again: bool = False
    caseload: bool = False
    plan: bool = False  # it says to ring home when they are away
    away: bool = False  # missed a session on the last day


class Reason(msgspec.Struct, frozen=True):
    code: str  # of the school's list
    words: str
    weight: int


class Family(msgspec.Struct, frozen=True):
    """One row of the list."""

    key: str
    pupils: tuple[str, ...]
    reasons: tuple[str, ...]  # codes, the weightiest first
    because: str
    weight: int


def families_to_ring(children: Iterable[Child], last_days: Sequence[str]) -> list[Family]:
    """The first is rung first. `last_days`: with school before that morning, oldest first, those of each child's `marks`."""
    groups: dict[str, list[tuple[Child, list[Reason]]]] = {}
    for child in children:
        if reasons := reasons_of(child, last_days):
            groups.setdefault(child.family or child.id, []).append((child, reasons))
    found = [family_of(key, those) for key, those in groups.items()]
    return sorted(found, key=lambda family: (-family.weight, family.key))


# ── One pupil ──────────────────────────────────────────────────────────────────────────────


def reasons_of(child: Child, last_days: Sequence[str]) -> list[Reason]:
    """The weightiest first. Persistent absence alone is no reason to ring this very morning: it only says more beside another."""
    if child.marks and SUSPENDED in child.marks[-1]:
        return suspended(child, last_days)
    found = [
        *no_reason(child, last_days),
        *([reason("promised", "promised to be in")] if child.promised else []),
        *([reason("ring_again", "to be rung again")] if child.ring_again else []),
        *falling(child),
        *under_a_plan(child),
    ]
    if found and PERSISTENT * child.missed >= child.possible > 0:
        found.append(reason("persistent", "persistent absence"))
    return sorted(found, key=lambda one: -one.weight)


def reason(code: str, words: str, more: int = 0) -> Reason:
    return Reason(code, words, WEIGHTS[code] + more)


def no_reason(child: Child, last_days: Sequence[str]) -> list[Reason]:
    """How long, as far back as it goes without a gap."""
    days = 0
    for marks in reversed(child.marks):
        if not UNEXPLAINED.intersection(marks):
            break
        days += 1
    if days == 0:
        return []
    first = date.fromisoformat(last_days[-days])
    since = f"{first:%A}" if days < A_WEEK else f"{first:%A} {first.day} {first:%B}"
    words = f"away since {since}, no reason given" if days > 1 else f"away on {since}, no reason given"
    return [reason("no_reason", words, EACH_DAY_MORE * min(days - 1, DAYS_COUNTED))]


def suspended(child: Child, last_days: Sequence[str]) -> list[Reason]:
    """Nothing while the register says that it goes on. Where it says nothing of the day yet, somebody has to know: it comes last."""
    if SUSPENDED in child.ahead:
        return []
    if any(child.ahead):
        return [reason("after_suspension", "back from a suspension")]
    words = f"suspended on {date.fromisoformat(last_days[-1]):%A}: is it over?"
    return [Reason("after_suspension", words, UNSURE)]


def falling(child: Child) -> list[Reason]:
    """Away now, and at least twice as much lately as in the year before that."""
    before, missed_before = child.possible - child.recent_possible, child.missed - child.recent_missed
    if not child.away or child.recent_missed < FELL_FROM or before <= 0:
        return []
    if child.recent_missed * before < FELL_BY * missed_before * child.recent_possible:
        return []
    return [reason("falling", f"{child.recent_missed} of the last {child.recent_possible} sessions missed")]


def under_a_plan(child: Child) -> list[Reason]:
    if not child.away or not (child.plan or child.caseload):
        return []
    return [reason("plan", "to be rung whenever away" if child.plan else "on a caseload and away last time")]


# ── One family ─────────────────────────────────────────────────────────────────────────────


def family_of(key: str, those: Sequence[tuple[Child, list[Reason]]]) -> Family:
    those = sorted(those, key=lambda one: one[0].id)
    reasons = sorted((one for _, reasons in those for one in reasons), key=lambda one: (-one.weight, one.code))
    weight = max(sum(one.weight for one in reasons) for _, reasons in those) + len(those) - 1
    codes = tuple(dict.fromkeys(one.code for one in reasons))
    return Family(key, tuple(child.id for child, _ in those), codes, because_of(those), weight)


def because_of(those: Sequence[tuple[Child, list[Reason]]]) -> str:
    """In a sentence that names nobody: “Year 9: away on Monday, no reason given. Year 7: promised to be in”."""
    said = [(f"Year {child.year}" if child.year else "One of them", ", ".join(one.words for one in reasons)) for child, reasons in those]
    alike = len({words for _, words in said}) == 1
    told = said[0][1] if alike else ". ".join(f"{who}: {words}" for who, words in said)
    return (told[:1].upper() + told[1:])[:LINE_LIMIT]


# ── Who rings whom ─────────────────────────────────────────────────────────────────────────


def shared_out(families: Sequence[Family], callers: Sequence[str], caseloads: Mapping[str, Set[str]]) -> dict[str, str]:
    """By family: whoever has one of them on their caseload; the others go to whoever has fewest. Empty where nobody rings."""
    shares: dict[str, str] = {}
    counts = dict.fromkeys(callers, 0)
    for family in families:
        knows = [caller for caller in callers if caseloads.get(caller) and not caseloads[caller].isdisjoint(family.pupils)]
        if knows:
            shares[family.key] = knows[0]
            counts[knows[0]] += 1
    for family in families:
        if family.key not in shares and counts:
            caller = min(counts, key=lambda one: (counts[one], callers.index(one)))
            shares[family.key] = caller
            counts[caller] += 1
    return shares
