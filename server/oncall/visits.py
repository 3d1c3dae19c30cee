"""How a visit stands, for whoever goes, whoever expects their call, those who lead and the desk; and what these may say of it."""

from typing import Any

import msgspec

from server.access.rights import may
from server.kinds.kind import Field
from server.kinds.roles import Role
from server.oncall import closing_words
from server.oncall.going import CLOSES, KINDS_WATCHED, MINUTE, Plan, plan_of
from server.oncall.overdue import NEXT
from server.oncall.rota import local
from server.oncall.standing import Line, Next, names_of, wired
from server.oncall.steps import drop_due
from server.oncall.watch import (
    COLUMNS,
    LADDER,
    LEAD,
    OVERDUE,
    Watch,
    close,
    follow,
    keep,
    lay,
    note,
    told_so_far,
)
from server.refusals import NotAllowed, NotFound, TooLate, Unreadable
from server.store.database import Tx
from server.store.due import hold_move
from server.store.me import Me
from server.store.moments import to_wire
from server.store.withheld import APART, IS_APART
from server.sync.audience import may_hold

LISTED = 200
WHY_LIMIT = 300  # characters
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

NOT_THEIRS = {  # by the field of the plan
    "due_back": "{who} wrote back by {now}. It does not count: only those who go, whoever made the plan or a safeguarding lead can say so",
    "goes": "{who} changed who goes. It does not count: only those who go, whoever made the plan or a safeguarding lead can",
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
OPEN = f"select {COLUMNS} from watch where school = $1 and closed_at is null order by due_back_at desc, record limit {LISTED}"


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


class Seen(msgspec.Struct, frozen=True):
    """A watch as one person may know it: to whoever goes, an alarm that was raised in silence is a safe end."""

    watch: Watch
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


async def seen_by(tx: Tx, me: Me, watch: Watch) -> Seen:
    told = await told_so_far(tx, watch)
    knows = me.staff not in watch.goes and (me.role in LEADS or me.staff in watch.expected_by or me.staff in told)
    return Seen(watch, told, knows)


async def may_follow(tx: Tx, me: Me, record: str) -> bool:
    """Whoever may hold the record, and whoever was told to look for them."""
    if await may_hold(tx, me, record):
        return True
    watch = await read_watch(tx, me.school, record)
    return watch is not None and me.staff in await told_so_far(tx, watch)


async def read_watch(tx: Tx, school: str, record: str) -> Watch | None:
    row = await tx.row(f"select {COLUMNS} from watch where school = $1 and record = $2", school, record)
    return Watch(*row) if row else None


async def open_for(tx: Tx, me: Me) -> list[Watch]:
    """Mine: I go, I am the buddy, I was told, or I lead. Soonest back first."""
    found = []
    for row in await tx.rows(OPEN, me.school):
        seen = await seen_by(tx, me, Watch(*row))
        is_over = seen.is_hushed and seen.watch.safe_at is not None
        if not is_over and (seen.knows or me.staff in seen.watch.goes):
            found.append(seen.watch)
    return found


# ── The card ───────────────────────────────────────────────────────────────────────────────


async def card_of(tx: Tx, me: Me, record: str, at: int) -> VisitCard | None:
    """None where nobody would be watched for. Whether it is theirs to see is asked before."""
    plan = await plan_of(tx, me.school, record)
    if plan is None:
        return None
    watch = await read_watch(tx, me.school, record)
    mine = watch.goes if watch else plan.people(plan.watched.goes)
    asks = me.staff in mine and await closing_words.set_at(tx, me.school, me.staff) is not None
    return await watched_card(tx, me, plan, watch, asks, at) if watch else await plain_card(tx, me, plan, record, asks, at)


async def plain_card(tx: Tx, me: Me, plan: Plan, record: str, asks: bool, at: int) -> VisitCard:
    """No plan has been accepted: it lacks who goes or by when they are back; or it came when all was long over."""
    asked = plan.watched
    due_back, safe_at = plan.moment(asked.due_back), plan.moment(asked.safe)
    goes, buddies = plan.people(asked.goes), [one for one in plan.people(asked.buddy) if one not in plan.people(asked.goes)]
    state = "safe" if safe_at is not None else "over" if plan.state != "open" or (due_back is not None and due_back <= at) else "planned"
    return VisitCard(
        record=record, state=state, words=STATES[state], accepted_at=None, leaves_at=wired(plan.moment(asked.leaves)),
        due_back=wired(due_back), left_at=wired(plan.moment(asked.left)), heard_at=None, safe_at=wired(safe_at), closed_at=None,
        closed_by=None, taken_by=None, unsure=False, goes=goes, buddy=next(iter(buddies), None),
        who=await names_of(tx, me.school, {*goes, *buddies}), next=None, timeline=[], may=[], asks_word=asks, help=None, now=to_wire(at),
    )  # fmt: skip


async def watched_card(tx: Tx, me: Me, plan: Plan, watch: Watch, asks: bool, at: int) -> VisitCard:
    seen = await seen_by(tx, me, watch)
    state, hushed = seen.state(at), seen.is_hushed
    moments = await moments_of(tx, seen)
    closed_by = said_safe(moments) if hushed else watch.closed_by
    named = {*watch.goes, *watch.expected_by, closed_by} | (set() if hushed else {watch.taken_by})
    named |= {one for staff, detail in ((row["staff"], detail) for row, detail in moments) for one in (staff, *detail.get("rang", ()))}
    names = await names_of(tx, me.school, {one for one in named if one})
    is_mine = me.staff in watch.goes
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
        closed_at=wired(watch.closed_at if not hushed else watch.alarm_at if state == "safe" else None),
        closed_by=closed_by if state == "safe" or not hushed else None,
        taken_by=None if hushed else watch.taken_by,
        unsure=bool(watch.unsure),
        goes=watch.goes,
        buddy=next(iter(watch.expected_by), None),
        who=names,
        next=await next_of(tx, watch) if not hushed else None if state == "safe" else as_though_asked(watch),
        timeline=[line_of(row, detail, names, plan) for row, detail in moments],
        may=acts_of(me, seen, at),
        asks_word=is_mine and asks,
        help=await help_for(tx, me, seen, plan, at),
        now=to_wire(at),
    )


async def moments_of(tx: Tx, seen: Seen) -> list[tuple[Any, dict[str, Any]]]:
    """Of one who may not know, nothing that the alarm brought about."""
    watch = seen.watch
    sql = "select n, at, what, staff, detail from watch_moment where school = $1 and record = $2 order by n"
    rows = await tx.rows(sql, watch.school, watch.record)
    raised = next((row["n"] for row in rows if row["what"] == "alarm"), None) if seen.is_hushed else None
    shown = [row for row in rows if raised is None or row["n"] < raised or row["what"] in THEIR_OWN]
    return [(row, msgspec.json.decode(row["detail"])) for row in shown]


def said_safe(moments: list[tuple[Any, dict[str, Any]]]) -> str | None:
    """Who of those who go said so last. Whoever has ended an alarm since is not told to them."""
    return next((row["staff"] for row, _ in reversed(moments) if row["what"] == "safe"), None)


def line_of(row: Any, detail: dict[str, Any], names: dict[str, str], plan: Plan) -> Line:
    who, rang = names.get(row["staff"] or "", "Somebody"), ", ".join(names.get(one, "somebody") for one in detail.get("rang", ()))
    match row["what"]:
        case "mark":
            words = f"{who}: {question_of(plan, detail['field']).lower()}"
        case "time":
            later = detail["now"] > detail["was"]
            words = f"{who}: back by {clock(detail['now'])}, {'later' if later else 'earlier'} than {clock(detail['was'])}"
        case "not their plan":
            asked = next(name for name in NOT_THEIRS if getattr(plan.watched, name) == detail["field"])
            words = NOT_THEIRS[asked].format(who=who, now=clock(detail["now"]) if "now" in detail else "")
        case "unsure" if "planned" in detail:
            words = f"{who} says: safe at {clock(detail['planned'])}, which had not come. It does not count"
        case "rang":
            words = f"Told {rang}" + {"buddy": ", their buddy", "lead": ""}[detail["who"]]
        case what:
            words = WORDS[what].format(who=who, rang=rang, why=detail.get("why", ""))
    if drift := detail.get("drift"):
        words += f" (their phone’s clock was {span(abs(drift))} {'ahead' if drift > 0 else 'behind'})"
    told_at = detail.get("told_at", row["at"])
    if told_at - row["at"] > LATER_THAN:
        words += f" (the school heard so at {clock(told_at)})"
    return Line(to_wire(row["at"]), row["what"], words + (" (late: the school’s server was away)" if detail.get("late") else ""))


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


async def next_of(tx: Tx, watch: Watch) -> Next | None:
    if not watch.is_open:
        return None
    row = await tx.row(
        "select at, does from due_step where school = $1 and about = $2 and taken_at is null and does = any($3) order by at, id limit 1",
        watch.school,
        watch.record,
        list(LADDER),
    )
    return Next(to_wire(row["at"]), NEXT[row["does"]]) if row else None


def as_though_asked(watch: Watch) -> Next:
    does, after = OVERDUE[0]
    return Next(to_wire(watch.due_back_at + after), NEXT[does])


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


# ── What others may say ────────────────────────────────────────────────────────────────────


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


async def do(tx: Tx, me: Me, record: str, what: str, why: str, at: int) -> Watch:
    """Raises NotFound where it is not theirs to see, TooLate with words where it is over, NotAllowed where it is not theirs to say."""
    kind = await kind_of(tx, me, record)
    await hold_move(tx, me.school, KINDS_WATCHED[kind].stirs, record)  # then the watch: in this order wherever both are held
    watch = await follow(tx, me.school, record, at)
    if watch is None:
        raise NotFound
    seen = await seen_by(tx, me, watch)
    if not watch.is_open or seen.is_hushed:
        raise TooLate(await how_it_ended(tx, seen))
    if what not in acts_of(me, seen, at):
        raise NotAllowed(NOT_YOURS[what])
    match what:
        case "seen_safe":
            if not (said := " ".join(why.split())[:WHY_LIMIT]):
                raise Unreadable("Say how you know that they are safe.")
            await close(tx, watch, "closed", at, me.staff, why=said)
        case "spoken_to":
            await keep(tx, watch, put_off_at=at)
            await note(tx, watch, "spoken to", at, me.staff)
            await lay(tx, watch)
        case "on_it":
            await keep(tx, watch, taken_by=me.staff)
            await drop_due(tx, watch.school, watch.record, "visit.again")
            await note(tx, watch, "taken", at, me.staff)
    return watch


NOT_YOURS = {
    "seen_safe": "Only they themselves, or a safeguarding lead who has not gone along, can say that they are safe.",
    "spoken_to": "Only the buddy can say that, once: from when they are overdue until those who lead are told.",
    "on_it": "That can be said once, by somebody who was told that they need help.",
}


async def kind_of(tx: Tx, me: Me, record: str) -> str:
    row = await tx.row("select kind from record where school = $1 and id = $2", me.school, record)
    if row is None or row["kind"] not in KINDS_WATCHED or not await may_follow(tx, me, record):
        raise NotFound
    return str(row["kind"])


async def how_it_ended(tx: Tx, seen: Seen) -> str:
    watch = seen.watch
    closed_by = (said_safe(await moments_of(tx, seen)) if seen.is_hushed else watch.closed_by) or ""
    by = (await names_of(tx, watch.school, {closed_by})).get(closed_by, "Somebody")
    if watch.how == "closed" and not seen.is_hushed:
        return f"{by} closed this visit at {clock(watch.closed_at or 0)}. Nobody needs to do anything."
    if watch.how == "called off":
        return f"{by} called this visit off. Nobody went."
    return f"{by} was safe at {clock(watch.safe_at or watch.closed_at or 0)}. Nobody needs to do anything."
