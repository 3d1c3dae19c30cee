"""Somebody is out, and the server waits for them: from the plan, accepted as soon as it is here, to their word that they are safe."""

from typing import Any

import msgspec

from server.kinds.kind import Watched
from server.oncall import closing_words
from server.oncall.followed import Followed, held, keep, note, rung_so_far, tell_quietly
from server.oncall.going import MINUTE, Plan, Wrote, agreed, edits_since, goes_after, may_change, no_longer, plan_of, planner_of
from server.oncall.steps import Due, drop_due, due, step
from server.push.alerts import alert, retire_alerts
from server.store.database import Tx

HISTORY = 12 * 60 * MINUTE  # a plan that is first heard of so long after its time was written down afterwards: nobody is out
TOLD_FOR_S = 10 * 60
WORKER, BUDDY, LEAD = range(3)
OVERDUE = (("visit.overdue_worker", 5 * MINUTE), ("visit.overdue_buddy", 10 * MINUTE), ("visit.overdue_lead", 15 * MINUTE))
LADDER = (*(name for name, _ in OVERDUE), "visit.again")
SPOKEN_TO_IS_WORTH = 10 * MINUTE
DAY = 24 * 60 * MINUTE


class Watch(Followed):
    TABLE, PAGE = "watch", "visit"

    kind: str
    workers: str
    buddies: str
    leaves_at: int | None
    left_at: int | None
    due_back_at: int
    accepted_at: int
    heard_at: int | None
    read_to: int
    rung: int
    put_off_at: int | None
    raised_at: int | None
    taken_by: str | None
    alarm_at: int | None
    unsure: bool
    safe_at: int | None
    closed_at: int | None
    closed_by: str | None
    how: str | None
    due_said_at: int

    @property
    def goes(self) -> list[str]:
        return msgspec.json.decode(self.workers, type=list[str])

    @property
    def expected_by(self) -> list[str]:
        """Whoever expects their call, and does not go along."""
        return [one for one in msgspec.json.decode(self.buddies, type=list[str]) if one not in self.goes]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    def runs(self, at: int) -> bool:
        """They have left, or, where nobody said so, were to leave by then."""
        return self.left_at is not None or (self.leaves_at is not None and self.leaves_at <= at) or self.due_back_at <= at


BEGIN = (
    "insert into watch (school, record, kind, workers, buddies, leaves_at, due_back_at, accepted_at, due_said_at)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (school, record) do nothing"
)


async def lying(tx: Tx, school: str, since: int, where: str) -> list[Watch]:
    """`where` may speak of `since` as $2."""
    return [Watch(*row) for row in await tx.rows(f"select {Watch.columns()} from watch where school = $1 and {where}", school, since)]


def as_list(staff: list[str]) -> str:
    return msgspec.json.encode(staff).decode()


# ── The record has moved ───────────────────────────────────────────────────────────────────


@step("visit.moved")
async def moved(tx: Tx, its: Due, at: int) -> None:
    await follow(tx, its.school, its.about, at)


async def follow(tx: Tx, school: str, record: str, at: int) -> Watch | None:
    """Brings the watch to what its record says. Safe to repeat. None while there is no plan, or where it was over before it came."""
    plan = await plan_of(tx, school, record)
    watch = await held(tx, Watch, school, record)
    if plan is None:
        return watch
    edits = await edits_since(tx, school, record, watch.read_to if watch else 0)
    taken = [edit for edit in edits if not edit.is_held]
    new = watch is None
    if watch is None:
        watch = await begin(tx, school, record, plan, taken, at)
        if watch is None:
            return None
    before = (watch.due_back_at, watch.how)
    for edit in taken:
        await hear(tx, watch, plan, edit, at)  # as they went when it came: nobody puts themselves down and speaks for all in one edit
        if not new:
            await go_by(tx, watch, plan, edit, at)
    await hear_held(tx, watch, plan, edits, at)
    if (buddies := as_list(plan.people(plan.watched.buddy))) != watch.buddies:
        await keep(tx, watch, buddies=buddies)
    if watch.is_open and plan.state != "open" and not watch.runs(at):
        await call_off(tx, watch, [edit for edit in taken if edit.values.get("state") not in (None, "open")], at)
    if watch.how == "called off" and (plan.state == "open" or watch.left_at is not None):
        await keep(tx, watch, closed_at=None, closed_by=None, how=None)  # void was undone, or somebody had left before it came
        await begin_anew(tx, watch)
        await note(tx, watch, "on again", at)
    if watch.is_open and watch.alarm_at is None and (new or before != (watch.due_back_at, watch.how)):
        await lay(tx, watch)
    return watch


async def begin(tx: Tx, school: str, record: str, plan: Plan, edits: list[Wrote], at: int) -> Watch | None:
    """The school has the plan: who goes, and by when they are to be back."""
    asked = plan.watched
    due_said, its = plan.moment(asked.due_back), agreed(plan, edits)
    if not its.goes or due_said is None or its.due_back_at is None or plan.state != "open":
        return None
    if at - max(due_said, its.due_back_at) > HISTORY:
        return None
    here_since = min(max(edit.received_at for edit in edits), at)
    goes, buddies = as_list(its.goes), as_list(plan.people(asked.buddy))
    await tx.run(BEGIN, school, record, plan.kind.name, goes, buddies, its.leaves_at, its.due_back_at, here_since, its.said_at)
    watch = await held(tx, Watch, school, record)
    assert watch is not None
    await note(tx, watch, "accepted", here_since, drift=its.drift)
    return watch


async def go_by(tx: Tx, watch: Watch, plan: Plan, edit: Wrote, at: int) -> None:
    """The plan, as those whose it is change it: what was not said any more stays as it was, for somebody may be out.

    Of anybody else only what makes the school look sooner counts; the rest stands in the record, and in what happened.
    """
    asked = plan.watched
    if not edit.values.keys() & {asked.goes, asked.leaves, asked.due_back}:
        return
    counts = may_change(edit, watch.goes, "") or edit.author == await planner_of(tx, watch.school, watch.record)
    if asked.goes in edit.values:
        goes = as_list(goes_after(edit, watch.goes, plan))
        if counts and goes != watch.workers:
            await keep(tx, watch, workers=goes)
        elif goes != watch.workers:
            await note(tx, watch, "not their plan", edit.at, edit.author, which="goes", told_at=edit.received_at)
    leaves_at = min(edit.readings(asked.leaves), default=None)
    if asked.leaves in edit.values and (counts or (leaves_at is not None and (watch.leaves_at is None or leaves_at < watch.leaves_at))):
        await keep(tx, watch, leaves_at=leaves_at)
    due_back = edit.due(asked.due_back)
    if due_back is None or edit.at < watch.due_said_at:
        return
    due_back = no_longer(due_back, watch.leaves_at, edit.at)
    if counts or due_back < watch.due_back_at:
        await put_time(tx, watch, due_back, edit, at)
    elif due_back > watch.due_back_at:
        detail = {"was": watch.due_back_at, "now": due_back, "drift": edit.drift, "told_at": edit.received_at}
        await note(tx, watch, "not their plan", edit.at, edit.author, which="due_back", **detail)


async def call_off(tx: Tx, watch: Watch, edits: list[Wrote], at: int) -> None:
    """Before they leave, by those whose plan it is; whoever goes hears of it, for they may be out of signal and on the way."""
    for edit in edits:
        if may_change(edit, watch.goes, await planner_of(tx, watch.school, watch.record)):
            await close(tx, watch, "called off", at, edit.author)
            await tell_quietly(tx, watch, set(watch.goes) - {edit.author}, "visit.off", TOLD_FOR_S)
            return
        await note(tx, watch, "not their plan", edit.at, edit.author, which="state", told_at=edit.received_at)


async def put_time(tx: Tx, watch: Watch, due_back: int, edit: Wrote, at: int) -> None:
    """They are to be back at another time. Whoever had been told that they are overdue hears so."""
    was = watch.due_back_at
    await keep(tx, watch, due_back_at=due_back, due_said_at=edit.at)
    if due_back == was:
        return
    await note(tx, watch, "time", at, edit.author, was=was, now=due_back, drift=edit.drift)
    if watch.is_open and watch.alarm_at is None and watch.rung >= WORKER and due_back > at:
        await begin_anew(tx, watch)
        await retire_alerts(tx, watch.school, watch.topic)
        await tell_quietly(tx, watch, await told_so_far(tx, watch), "visit.later", TOLD_FOR_S)


async def begin_anew(tx: Tx, watch: Watch) -> None:
    """Nobody has been told of anything yet."""
    await keep(tx, watch, rung=-1, put_off_at=None, raised_at=None, taken_by=None)
    await drop_due(tx, watch.school, watch.record, "visit.again")


# ── What those who go have said ────────────────────────────────────────────────────────────


async def hear(tx: Tx, watch: Watch, plan: Plan, edit: Wrote, at: int) -> None:
    """Once, however it came, and however late."""
    asked, goes = plan.watched, edit.author in watch.goes
    left_at = edit.moment(asked.left)
    if left_at is not None and edit.values[asked.left] == plan.body.get(asked.left):
        await keep(tx, watch, left_at=left_at)
    if goes:
        await keep(tx, watch, heard_at=max(edit.at, watch.heard_at or edit.at))
        for name in asked.marks:
            if edit.values.get(name):
                moment = edit.moment(name) or edit.at
                await note(tx, watch, "mark", moment, edit.author, field=name, told_at=edit.received_at, drift=edit.drift)
        await hear_safe(tx, watch, asked, edit, at)
    elif word := edit.values.get(asked.word):
        await hear_alarm(tx, watch, plan, edit, word, at)
    if not goes and edit.values.get(asked.safe):
        await note(tx, watch, "not their plan", edit.at, edit.author, which="safe", told_at=edit.received_at)


async def hear_held(tx: Tx, watch: Watch, plan: Plan, edits: list[Wrote], at: int) -> None:
    """What cannot be taken in changes nothing; but a call for help in it is heard all the same."""
    if edits:
        await keep(tx, watch, read_to=edits[-1].seq)
    for edit in edits:
        word = edit.values.get(plan.watched.word)
        if edit.is_held and type(word) is str:
            await hear_alarm(tx, watch, plan, edit, word, at)


async def hear_alarm(tx: Tx, watch: Watch, plan: Plan, edit: Wrote, word: str, at: int) -> None:
    """By whoever stands in the plan, whoever put them there."""
    if edit.author not in {*watch.goes, *plan.people(plan.watched.goes)}:
        return
    if await closing_words.meaning_of(tx, watch.school, edit.author, word) == "alarm":
        await raise_alarm(tx, watch, edit, edit.at, at)


async def hear_safe(tx: Tx, watch: Watch, asked: Watched, edit: Wrote, at: int) -> None:
    if edit.values.get(asked.safe) or edit.values.get(asked.word):
        planned = edit.is_planned(asked.safe)
        safe_at = edit.moment(asked.safe)
        safe_at = edit.at if safe_at is None else safe_at
        looks_over = not watch.is_open if watch.alarm_at is None else watch.safe_at is not None
        match await closing_words.meaning_of(tx, watch.school, edit.author, edit.values.get(asked.word)):
            case "alarm" if is_news(watch, edit):
                await raise_alarm(tx, watch, edit, safe_at, at)
            case _ if looks_over:
                pass
            case "neither":
                await be_unsure(tx, watch, edit, safe_at)
            case _ if planned:
                await be_unsure(tx, watch, edit, edit.at, planned=safe_at)
            case _ if watch.alarm_at is not None:
                await go_on_looking_safe(tx, watch, edit, safe_at)
            case _:
                await close(tx, watch, "safe", at, edit.author, safe_at, told_at=edit.received_at, drift=edit.drift)
    elif asked.safe in edit.values and watch.how == "safe":
        await keep(tx, watch, closed_at=None, closed_by=None, how=None, safe_at=None)
        await note(tx, watch, "not safe yet", edit.at, edit.author, told_at=edit.received_at)
        await begin_anew(tx, watch)
        await lay(tx, watch)
    elif asked.safe in edit.values and watch.alarm_at is not None:
        await keep(tx, watch, safe_at=None)
        await note(tx, watch, "not safe yet", edit.at, edit.author, told_at=edit.received_at)


async def be_unsure(tx: Tx, watch: Watch, edit: Wrote, moment: int, **detail: Any) -> None:
    """They say safe, and it does not count."""
    await keep(tx, watch, unsure=True)
    await note(tx, watch, "unsure", moment, edit.author, told_at=edit.received_at, drift=edit.drift, **detail)


async def go_on_looking_safe(tx: Tx, watch: Watch, edit: Wrote, safe_at: int) -> None:
    """To whoever goes, as though no alarm had been raised."""
    await keep(tx, watch, safe_at=safe_at, closed_by=edit.author, unsure=False)
    await note(tx, watch, "safe", safe_at, edit.author, told_at=edit.received_at, drift=edit.drift)


async def close(tx: Tx, watch: Watch, how: str, at: int, by: str | None, safe_at: int | None = None, **detail: Any) -> None:
    """`how`: safe (their own word), closed (a safeguarding lead's), called off (before they left)."""
    told = await told_so_far(tx, watch)
    await keep(tx, watch, closed_at=at, closed_by=by, how=how, safe_at=watch.safe_at if safe_at is None else safe_at, unsure=False)
    await drop_due(tx, watch.school, watch.record, *LADDER)
    await note(tx, watch, how, at if safe_at is None else safe_at, by, **detail)
    await retire_alerts(tx, watch.school, watch.topic)
    await tell_quietly(tx, watch, told - {by}, "visit.safe", TOLD_FOR_S)


def is_news(watch: Watch, edit: Wrote) -> bool:
    """An alarm that nobody has heard: one in an edit that was held is read again once somebody settles that."""
    return watch.alarm_at is None or (watch.closed_at is not None and edit.received_at > watch.closed_at)


async def raise_alarm(tx: Tx, watch: Watch, edit: Wrote, safe_at: int, at: int) -> None:
    """With the other word: to those who go it is over, and everybody else who can help is told, at once; also once it had been ended."""
    if not is_news(watch, edit):
        return
    if watch.safe_at is None:
        await note(tx, watch, "safe", safe_at, edit.author, told_at=edit.received_at, drift=edit.drift)
    await keep(
        tx,
        watch,
        alarm_at=at,
        safe_at=safe_at if watch.safe_at is None else watch.safe_at,
        closed_at=None,
        closed_by=edit.author,
        how=None,
        taken_by=None,
        unsure=False,
    )
    await note(tx, watch, "alarm", at, edit.author)
    await drop_due(tx, watch.school, watch.record, *LADDER)
    await retire_alerts(tx, watch.school, watch.topic)
    await due(tx, watch.school, at, "visit.alarm", watch.record)


# ── Steps and telling ──────────────────────────────────────────────────────────────────────


async def lay(tx: Tx, watch: Watch) -> None:
    """What is due if nothing more is heard of them, as far as it has not been done yet."""
    await drop_due(tx, watch.school, watch.record, *(does for does, _ in OVERDUE))
    not_before = watch.put_off_at + SPOKEN_TO_IS_WORTH if watch.put_off_at is not None else 0
    for n, (does, after) in enumerate(OVERDUE):
        if n > watch.rung:
            at = max(watch.due_back_at + after, not_before)
            await due(tx, watch.school, at, does, watch.record, of=of(watch))


def of(watch: Watch) -> list[int | None]:
    """As things stood when a step was laid: where they do not any more, it is another's."""
    return [watch.due_back_at, watch.put_off_at]


async def tell(tx: Tx, watch: Watch, staff: list[str], words: str, ttl_s: int) -> None:
    for one in staff:
        await alert(tx, watch.school, one, words, opens=watch.opens, topic=watch.topic, ttl_s=ttl_s)


async def told_so_far(tx: Tx, watch: Watch) -> set[str]:
    """Whoever was told to look for them; not they themselves."""
    return await rung_so_far(tx, watch) - set(watch.goes)
