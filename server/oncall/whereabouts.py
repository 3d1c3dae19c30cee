"""How visits stand, each as one person may know it: a card for every one of them, in as many queries for a hundred as for one."""

from collections.abc import Sequence
from typing import Any

import msgspec

from server.access.rights import may
from server.kinds.kind import Field
from server.kinds.roles import Role
from server.oncall import closing_words
from server.oncall.followed import read
from server.oncall.going import CLOSES, MINUTE, Plan, plan_of, plans_of
from server.oncall.overdue import NEXT
from server.oncall.rota import local
from server.oncall.standing import Line, Next, names_of, wired
from server.oncall.watch import DAY, LADDER, LEAD, OVERDUE, Watch
from server.store.database import Tx
from server.store.me import Me
from server.store.moments import to_wire
from server.store.withheld import APART, IS_APART

LEADS = (Role.DSL, Role.LEADER)  # who always know how it really stands
LATER_THAN = 2 * MINUTE  # told so long after it happened, it is said when

STATES = {
    "planned": "Planned",
    "out": "Out",
    "overdue": "Overdue",
    "alarm": "Needs somebody now",
    "safe": "Safe",
    "over": "Over",
}

WORDS = {
    "accepted": "The school has the plan",
    "safe": "{who} says: safe",
    "not safe yet": "{who} says: not safe yet after all",
    "unsure": "{who} says: safe, but not with their closing word. It does not count",
    "alarm": "The closing word was the one for an alarm. {who} does not know that anybody was told",
    "asked": "Asked {rang}: are you safe?",
    "nobody": "There was nobody to tell",
    "no buddy": "No buddy whose phone can ring: those who lead are told at once",
    "spoken to": "{who} says: spoken to them. The next step waits ten minutes",
    "taken": "{who} sees to it",
    "closed": "{who} closed it for them: {why}",
    "called off": "{who} called it off before it began",
    "on again": "It is on after all",
}

NOT_THEIRS = {
    "due_back": "{who} wrote back by {now}. It does not count: only those who go, whoever made the plan or a safeguarding lead can say so",
    "goes": "{who} changed who goes. It does not count: only those who go, whoever made the plan or a safeguarding lead can",
    "state": "{who} closed the record. They are waited for: only those who go, whoever made the plan or a safeguarding lead call it off",
    "safe": "{who} wrote that they are safe. It does not count: only those who go, or a safeguarding lead, can say so",
}

THEIR_OWN = ("safe", "not safe yet", "unsure", "mark", "time", "not their plan")  # what has been written, whatever it brought about

HOMES = f"""
    with {APART}
    select {IS_APART} as is_apart, coalesce(p.address, (select c.address from contact c
            where c.school = p.school and c.pupil = p.id and not c.gone and not c.do_not_contact and c.address is not null
            order by c.position limit 1)) as address
    from record_pupil about join pupil p on p.school = about.school and p.id = about.pupil
    where about.school = $1 and about.record = $2 and about.dropped_seq is null order by p.id"""
MOMENTS = "select record, n, at, what, staff, detail from watch_moment where school = $1 and record = any($2) order by record, n"
NEXT_STEPS = """
    select about, at, does from due_step where school = $1 and about = any($2) and taken_at is null and does = any($3)
    order by at desc, id desc"""


class Help(msgspec.Struct):
    """Where to look for them: for whoever was told to, and no longer than they are out. `answers`: (question, answer)."""

    addresses: list[str]
    withheld: bool  # an address that is told to nobody: the desk knows more
    answers: list[tuple[str, str]]


class VisitCard(msgspec.Struct, kw_only=True):
    """`accepted_at`: null while the school has no plan. `left_at`: as they have said; else it counts from `leaves_at`.

    `who`: names of the staff in it, by id. `may`: what I may say. `asks_word`: I go, and close with my closing word.
    """

    record: str
    state: str
    words: str
    accepted_at: str | None
    leaves_at: str | None
    due_back: str | None
    left_at: str | None
    heard_at: str | None
    safe_at: str | None
    closed_at: str | None
    closed_by: str | None
    taken_by: str | None
    unsure: bool
    goes: list[str]
    buddy: str | None
    who: dict[str, str]
    next: Next | None
    timeline: list[Line]
    may: list[str]
    asks_word: bool
    help: Help | None
    now: str


class Moment(msgspec.Struct, frozen=True):
    """One thing that happened while somebody was out."""

    n: int
    at: int
    what: str
    staff: str | None
    detail: dict[str, Any]


class Seen(msgspec.Struct, frozen=True):
    """A watch as one person may know it: to whoever goes, an alarm that was raised in silence is a safe end."""

    watch: Watch
    all_moments: list[Moment]
    told: set[str]
    knows: bool  # how it really stands

    @property
    def is_hushed(self) -> bool:
        return self.watch.alarm_at is not None and not self.knows

    def state(self, at: int) -> str:
        watch = self.watch
        if self.is_hushed and watch.safe_at is not None:
            return "safe"
        if watch.closed_at is not None and not self.is_hushed:
            return "safe" if watch.how == "safe" else "over"
        if (watch.alarm_at is not None or watch.raised_at is not None) and not self.is_hushed:
            return "alarm"
        if at >= watch.due_back_at:
            return "overdue"
        return "out" if watch.runs(at) else "planned"

    def is_never_closed(self, at: int) -> bool:
        """For a day nobody has said how it ended: it waits on, and is no longer among those that are out."""
        watch = self.watch
        return watch.is_open and max(watch.due_back_at, watch.alarm_at or 0) <= at - DAY

    @property
    def moments(self) -> list[Moment]:
        """Of one who may not know, nothing that the alarm brought about."""
        raised = next((one.n for one in self.all_moments if one.what == "alarm"), None) if self.is_hushed else None
        return [one for one in self.all_moments if raised is None or one.n < raised or one.what in THEIR_OWN]

    @property
    def closed(self) -> tuple[int | None, str | None]:
        """When, and by whom. To those who may not know, as they said so last, also where somebody has ended an alarm since."""
        if not self.is_hushed:
            return self.watch.closed_at, self.watch.closed_by
        said = next((one for one in reversed(self.moments) if one.what == "safe"), None)
        return (said.detail.get("told_at", said.at), said.staff) if said and self.watch.safe_at is not None else (None, None)


async def seen_by(tx: Tx, me: Me, watches: Sequence[Watch]) -> list[Seen]:
    moments: dict[str, list[Moment]] = {watch.record: [] for watch in watches}
    for record, n, at, what, staff, detail in await tx.rows(MOMENTS, me.school, list(moments)):
        moments[record].append(Moment(n, at, what, staff, msgspec.json.decode(detail)))
    return [as_known_to(me, watch, moments[watch.record]) for watch in watches]


def as_known_to(me: Me, watch: Watch, moments: list[Moment]) -> Seen:
    told = {one for moment in moments if moment.what == "rang" for one in moment.detail["rang"]} - set(watch.goes)
    knows = me.staff not in watch.goes and (me.role in LEADS or me.staff in watch.expected_by or me.staff in told)
    return Seen(watch, moments, told, knows)


# ── The card ───────────────────────────────────────────────────────────────────────────────


async def card_of(tx: Tx, me: Me, record: str, at: int) -> VisitCard | None:
    """None where nobody would be watched for. Whether it is theirs to see is asked before."""
    plan = await plan_of(tx, me.school, record)
    if plan is None:
        return None
    watch = await read(tx, Watch, me.school, record)
    if watch is None:
        return await plain_card(tx, me, plan, record, at)
    [found] = await seen_by(tx, me, [watch])
    [card] = await cards_of(tx, me, [found], at)
    card.help = await help_for(tx, me, found, plan, at)
    return card


async def cards_of(tx: Tx, me: Me, found: Sequence[Seen], at: int) -> list[VisitCard]:
    """In this order. Where to look is told on the page of one visit."""
    records = [one.watch.record for one in found]
    plans = await plans_of(tx, me.school, records)
    names = await names_of(tx, me.school, set().union(*(named(one) for one in found)))
    steps = {row["about"]: row for row in await tx.rows(NEXT_STEPS, me.school, records, list(LADDER))}
    asks = await closing_words.set_at(tx, me.school, me.staff) is not None
    there = [one for one in found if one.watch.record in plans]
    return [watched_card(me, one, plans[one.watch.record], names, steps.get(one.watch.record), asks, at) for one in there]


def named(seen: Seen) -> set[str]:
    watch = seen.watch
    found = {*watch.goes, *watch.expected_by, seen.closed[1], None if seen.is_hushed else watch.taken_by}
    found |= {one for moment in seen.moments for one in (moment.staff, *moment.detail.get("rang", ()))}
    return {one for one in found if one}


async def plain_card(tx: Tx, me: Me, plan: Plan, record: str, at: int) -> VisitCard:
    """No plan has been accepted: it lacks who goes or by when they are back; or it came when all was long over."""
    asked = plan.watched
    due_back, safe_at = plan.moment(asked.due_back), plan.moment(asked.safe)
    goes = plan.people(asked.goes)
    buddies = [one for one in plan.people(asked.buddy) if one not in goes]
    state = "safe" if safe_at is not None else "over" if plan.state != "open" or (due_back is not None and due_back <= at) else "planned"
    return VisitCard(
        record=record, state=state, words=STATES[state], accepted_at=None, leaves_at=wired(plan.moment(asked.leaves)),
        due_back=wired(due_back), left_at=wired(plan.moment(asked.left)), heard_at=None, safe_at=wired(safe_at), closed_at=None,
        closed_by=None, taken_by=None, unsure=False, goes=goes, buddy=next(iter(buddies), None),
        who=await names_of(tx, me.school, {*goes, *buddies}), next=None, timeline=[], may=[],
        asks_word=me.staff in goes and await closing_words.set_at(tx, me.school, me.staff) is not None, help=None, now=to_wire(at),
    )  # fmt: skip


def watched_card(me: Me, seen: Seen, plan: Plan, names: dict[str, str], step: Any, asks: bool, at: int) -> VisitCard:
    watch, state, hushed, its = seen.watch, seen.state(at), seen.is_hushed, named(seen)
    closed_at, closed_by = seen.closed
    return VisitCard(
        record=watch.record,
        state=state,
        words=STATES[state],
        accepted_at=to_wire(watch.accepted_at),
        leaves_at=wired(watch.leaves_at),
        due_back=to_wire(watch.due_back_at),
        left_at=wired(watch.left_at),
        heard_at=wired(watch.heard_at),
        safe_at=wired(watch.safe_at),
        closed_at=wired(closed_at),
        closed_by=closed_by,
        taken_by=None if hushed else watch.taken_by,
        unsure=bool(watch.unsure),
        goes=watch.goes,
        buddy=next(iter(watch.expected_by), None),
        who={id: name for id, name in names.items() if id in its},
        next=next_of(watch, step) if not hushed else None if state == "safe" else as_though_asked(watch),
        timeline=[line_of(moment, names, plan) for moment in seen.moments],
        may=acts_of(me, seen, at),
        asks_word=me.staff in watch.goes and asks,
        help=None,
        now=to_wire(at),
    )


def next_of(watch: Watch, step: Any) -> Next | None:
    return Next(to_wire(step["at"]), NEXT[step["does"]]) if watch.is_open and step else None


def as_though_asked(watch: Watch) -> Next:
    does, after = OVERDUE[0]
    return Next(to_wire(watch.due_back_at + after), NEXT[does])


def acts_of(me: Me, seen: Seen, at: int) -> list[str]:
    """The buttons to draw. What is pressed is judged again."""
    watch, state = seen.watch, seen.state(at)
    if me.staff in watch.goes or not watch.is_open or seen.is_hushed:
        return []
    found = []
    if state == "alarm" and watch.taken_by is None and seen.knows:
        found.append("on_it")
    if state == "overdue" and me.staff in watch.expected_by and watch.rung < LEAD and watch.put_off_at is None:
        found.append("spoken_to")
    if me.role == CLOSES:
        found.append("seen_safe")
    return found


# ── In words ───────────────────────────────────────────────────────────────────────────────


def line_of(moment: Moment, names: dict[str, str], plan: Plan) -> Line:
    detail = moment.detail
    who, rang = names.get(moment.staff or "", "Somebody"), ", ".join(names.get(one, "somebody") for one in detail.get("rang", ()))
    match moment.what:
        case "mark":
            words = f"{who}: {question_of(plan, detail['field']).lower()}"
        case "time":
            later = detail["now"] > detail["was"]
            words = f"{who}: back by {clock(detail['now'])}, {'later' if later else 'earlier'} than {clock(detail['was'])}"
        case "not their plan":
            words = NOT_THEIRS[detail["which"]].format(who=who, now=clock(detail["now"]) if "now" in detail else "")
        case "unsure" if "planned" in detail:
            words = f"{who} says: safe at {clock(detail['planned'])}, which had not come. It does not count"
        case "rang":
            words = f"Told {rang}" + {"buddy": ", their buddy", "lead": ""}[detail["who"]]
        case what:
            words = WORDS[what].format(who=who, rang=rang, why=detail.get("why", ""))
    if drift := detail.get("drift"):
        words += f" (their phone’s clock was {span(abs(drift))} {'ahead' if drift > 0 else 'behind'})"
    told_at = detail.get("told_at", moment.at)
    if told_at - moment.at > LATER_THAN:
        words += f" (the school heard so at {clock(told_at)})"
    return Line(to_wire(moment.at), moment.what, words + (" (late: the school’s server was away)" if detail.get("late") else ""))


def question_of(plan: Plan, name: str) -> str:
    field: Field | None = plan.kind.field(name)
    return field.question if field else name


def clock(at: int) -> str:
    return local(at).clock


def span(lasts: int) -> str:
    """Of a clock's error; nobody wants the minutes of a year."""
    for unit, name in ((24 * 60 * MINUTE, "days"), (60 * MINUTE, "hours")):
        if lasts >= 2 * unit:
            return f"{lasts // unit} {name}"
    return f"{lasts // MINUTE} minutes"


# ── Where to look ──────────────────────────────────────────────────────────────────────────


async def help_for(tx: Tx, me: Me, seen: Seen, plan: Plan, at: int) -> Help | None:
    """The buddy sees the address where their role may; whoever was told to look sees it for as long as somebody is looked for."""
    watch, asked = seen.watch, plan.watched
    if not seen.knows or seen.state(at) not in ("overdue", "alarm"):
        return None
    answers = [(question_of(plan, name), str(said)) for name in asked.help if (said := plan.body.get(name))]
    rows = await tx.rows(HOMES, watch.school, watch.record)
    withheld = any(row["is_apart"] for row in rows)
    if not (may(me, "contacts") or me.staff in seen.told - set(watch.expected_by)):
        return Help([], True, answers)
    elsewhere = plan.body.get(asked.address) if plan.body.get(asked.where) == "other" else None
    found = [elsewhere] if elsewhere else [row["address"] for row in rows]
    return Help([] if withheld else list(dict.fromkeys(filter(None, found))), withheld, answers)
