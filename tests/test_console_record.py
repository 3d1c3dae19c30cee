"""A record's own page: every account under its author's name, the whole history with its clocks, and what may be written next."""

import msgspec
import pytest
from litestar import Litestar

from server.console.change import was_from
from server.store.database import reading, writing
from tests.desk import NOW, at_desk, phone_sends, put
from tests.world import ADA, AMIRA, BEN, CAROL, DAN, DEE, HANA

MINUTE = 60_000_000
AT = "2026-11-18T09:00:00.000Z"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202ertl {{7*7}} {% raw %}"


def incident(**more: object) -> dict[str, object]:
    return {"category": "fight", "place": "yard", "happened_at": AT, "pupils": put(zoe="harmed")} | more


async def test_each_account_stands_whole_under_its_authors_name(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident(account="First line.\n\nSecond."))
    await phone_sends(HANA, "incident", {"account": "I saw nothing of it."}, record=record)
    page = await (await at_desk(desk_app, CAROL)).open(f"/console/record/{record}")
    assert "Two accounts Kept apart. Nobody can change another person’s words." in page
    assert "<blockquote>First line.\n\nSecond.</blockquote>" in page.html
    assert "Hana Novák Wrote 11:06, 2 h 6 min after. Received 11:06. I saw nothing of it." in page


async def test_the_history_says_who_wrote_when_and_how_late_it_came(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident(), at=NOW)
    late = {"parents": "told"}
    await phone_sends(HANA, "incident", late, record=record, at=NOW + 40 * MINUTE, made_at="2026-11-16T08:00:00.000Z")
    page = await (await at_desk(desk_app, CAROL)).open(f"/console/record/{record}")
    assert "Hana Novák wrote Written 11:16, sent 30 min later" in page
    assert page.text.index("Hana Novák wrote") < page.text.index("Amira Haddad began it")


async def test_the_history_says_when_a_clock_was_wrong_or_letters_were_mended(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident(account="a\x00b"), made_at="not a time")
    page = await (await at_desk(desk_app, CAROL)).open(f"/console/record/{record}")
    assert "Its phone gave no time that could be read" in page
    assert "characters that cannot be kept were replaced" in page


async def test_nothing_anybody_wrote_becomes_part_of_the_page(desk_app: Litestar) -> None:
    record = await phone_sends(
        AMIRA, "incident", incident(account=HOSTILE, others=HOSTILE, follow_up=HOSTILE, support=HOSTILE, parents_note=HOSTILE)
    )
    await phone_sends(HANA, "incident", {"others": HOSTILE + "2"}, record=record)
    desk = await at_desk(desk_app, CAROL)
    for path in (f"/record/{record}", f"/review?on={record}", f"/record/{record}/change", "/pupil/zoe", f"/record/{record}/close"):
        page = await desk.open(f"/console{path}")
        assert page.status == 200
        assert "<script>alert" not in page.html
        assert "<img src=x" not in page.html
        assert "49" not in page.text.replace("09:49", "")
    assert HOSTILE.split("\u202e")[0] in await desk.open(f"/console/record/{record}")


async def test_another_school_and_another_role_find_nothing(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    for me in (DAN, BEN, ADA):
        desk = await at_desk(desk_app, me)
        for path in ("", "/change", "/close"):
            assert (await desk.open(f"/console/record/{record}{path}")).status == 404
        for path, fields in (("/read", {"seq": "9"}), ("/undo", {"edit": "x"}), ("/change", {"category": "damage"})):
            assert (await desk.send(f"/console/record/{record}{path}", fields)).status == 404


async def test_what_only_the_safeguarding_lead_may_see_is_on_nobody_elses_page(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    dee, carol = await at_desk(desk_app, DEE), await at_desk(desk_app, CAROL)
    form = (await dee.open(f"/console/record/{record}/change")).form("/change")
    assert (await dee.send(f"/console/record/{record}/change", form | {"concern_reference": "CPOMS-7781"})).status == 303
    assert "CPOMS-7781" in await dee.open(f"/console/record/{record}")
    for path in (f"/record/{record}", f"/review?on={record}", f"/record/{record}/change"):
        page = await carol.open(f"/console{path}")
        assert "7781" not in page.html
        assert "concern_reference" not in page.html


# ── Changing it ────────────────────────────────────────────────────────────────────────────


async def test_only_what_was_touched_is_written(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident(parents="tried"))
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    answer = await desk.send(f"/console/record/{record}/change", form | {"place": "gate", "account": "I spoke to them after."})
    assert answer.status == 303
    row = await reading(lambda tx: tx.row("select \"values\", seen from edit where record = $1 and author = 'carol'", record))
    assert row is not None
    assert row["values"] == '{"place":"gate","account":"I spoke to them after."}'
    assert row["seen"] > 0


async def test_a_form_sent_as_it_was_writes_nothing(desk_app: Litestar) -> None:
    record = await phone_sends(
        AMIRA, "incident",
        incident(motives=put(race="alleged"), actions=put(spoken=""), called_at="2026-11-18T09:03:30.500Z", staff=put(ben="called")),
    )  # fmt: skip
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    answer = await desk.send(f"/console/record/{record}/change", form)
    assert answer.status == 400
    assert "Nothing was changed" in answer


async def test_what_is_wrong_comes_back_with_all_that_was_typed(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    typed = {"happened_at.day": "2026-02-31", "others": "Two boys <Year 8>", "follow_up": "Ring home"}
    answer = await desk.send(f"/console/record/{record}/change", form | typed)
    assert answer.status == 400
    assert "There is a problem When? Enter a real day and time" in answer
    again = answer.form("/change")
    assert {name: again[name] for name in typed} == typed
    assert "wrote" not in await desk.open(f"/console/record/{record}")


async def test_what_somebody_wrote_meanwhile_is_shown_and_not_written_over(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    await phone_sends(AMIRA, "incident", {"place": "stairs", "category": "damage"}, record=record)
    answer = await desk.send(f"/console/record/{record}/change", form | {"place": "gate", "others": "A visitor"})
    assert answer.status == 400
    assert "Amira Haddad wrote this meanwhile. Look again" in answer
    assert "It now says: North stairs." in answer
    again = answer.form("/change")
    assert (again["place"], again["others"], again["category"]) == ("gate", "A visitor", "damage")
    assert (await desk.send(f"/console/record/{record}/change", again)).status == 303
    page = await desk.open(f"/console/record/{record}")
    assert "Where? Front gate" in page
    assert "What happened? Damage" in page
    assert "answers:" not in page


async def test_pupils_are_added_by_any_part_of_a_name_and_chosen_where_two_fit(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk = await at_desk(desk_app, CAROL)
    path = f"/console/record/{record}/change"
    form = (await desk.open(path)).form("/change")
    assert (await desk.send(path, form | {"pupils.add": "angstr"})).status == 400  # she is in it already: nothing is changed
    assert (await desk.send(path, form | {"pupils.add": "bell", "pupils.added.part": "responsible"})).status == 303
    form = (await desk.open(path)).form("/change")
    answer = await desk.send(path, form | {"pupils.add": "oneill", "others": "kept"})
    assert answer.status == 400
    assert "Which oneill? Choose below" in answer
    assert (await desk.send(path, answer.form("/change") | {"pupils.chosen": "conor", "pupils.added.part": "witness"})).status == 303
    page = await desk.open(f"/console/record/{record}")
    assert "Conor O'Neill 11 ABE · witness" in page
    assert "Marcus Bell 10 CUR · responsible" in page
    assert "Who else? kept" in page


async def test_taking_somebody_out_leaves_them_in_the_history(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident(pupils=put(zoe="harmed", li="witness")))
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    await desk.send(f"/console/record/{record}/change", form | {"pupils.keep": "zoe"})
    page = await desk.open(f"/console/record/{record}")
    assert "Taken out: Li Wu" in page
    assert "Li Wu 7 NOE" not in page


async def test_a_record_is_begun_at_the_desk_already_naming_the_one_it_came_from(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk = await at_desk(desk_app, CAROL)
    page = await desk.open(f"/console/new/statement?from={record}")
    form = page.form("/console/new/statement")
    assert (form["incident"], form["pupils.keep"]) == (record, "zoe")
    filled = form | {"words": "he grabd my bag", "how": "scribed", "taken_at.day": "2026-11-18", "taken_at.time": "10:00"}
    answer = await desk.send("/console/new/statement", filled)
    assert answer.status == 303
    assert "he grabd my bag" in await desk.open(answer.goes_to)
    twice = await desk.send("/console/new/statement", filled)
    assert twice.status in (303, 400)
    assert len((await desk.open("/console/review?show=all&kind=statement")).rows()) == 1
    assert "Records that name this one" in await desk.open(f"/console/record/{record}")


# ── Closing, and undoing ───────────────────────────────────────────────────────────────────


async def test_closing_calling_void_and_opening_again_each_say_why(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk = await at_desk(desk_app, CAROL)
    path = f"/console/record/{record}/close"
    for to, why, said in (
        ("closed", "Detention served", "Closed. Detention served"),
        ("open", "It goes on", ""),
        ("void", "Wrong pupil", "Void"),
    ):
        form = (await desk.open(f"{path}?to={to}")).form("/close")
        assert (await desk.send(path, form | {"why": why})).status == 303
        assert said in await desk.open(f"/console/record/{record}")
    row = await reading(lambda tx: tx.row("select state from record where id = $1", record))
    assert row is not None
    assert row["state"] == "void"


async def test_a_record_is_not_called_void_without_a_reason(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/close?to=void")).form("/close")
    answer = await desk.send(f"/console/record/{record}/close", form)
    assert answer.status == 400
    assert "Say why: it stays in the history" in answer


async def test_what_i_just_wrote_can_be_undone_while_nothing_came_after_it(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident(account="Mine."))
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    changed = await desk.send(
        f"/console/record/{record}/change", form | {"place": "gate", "account": "Mine too.", "pupils.zoe.part": "witness"}
    )
    assert changed.status == 303, changed.text
    page = await desk.open(changed.goes_to)
    assert "Written, with your name on it." in page
    undone = await desk.send(f"/console/record/{record}/undo", page.form("/undo"))
    assert undone.goes_to.endswith("done=undone")
    after = await desk.open(f"/console/record/{record}")
    assert "Where? Yard" in after
    assert "Zoë Ångström 9 KEL · harmed" in after
    assert "Taken back by Carol Whitlock" in after
    assert after.text.count("Carol Whitlock wrote") == 2


async def test_it_is_not_undone_once_somebody_has_written_after_it(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    page = await desk.open((await desk.send(f"/console/record/{record}/change", form | {"place": "gate"})).goes_to)
    await phone_sends(AMIRA, "incident", {"parents": "told"}, record=record)
    answer = await desk.send(f"/console/record/{record}/undo", page.form("/undo"))
    assert answer.status == 409
    assert "That can no longer be undone" in answer
    assert "Where? Front gate" in await desk.open(f"/console/record/{record}")


async def test_nobody_undoes_what_somebody_else_wrote(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    rows = await reading(lambda tx: tx.rows("select id from edit where record = $1", record))
    answer = await (await at_desk(desk_app, CAROL)).send(f"/console/record/{record}/undo", {"edit": rows[0]["id"]})
    assert answer.status == 409


async def test_a_decision_is_not_undone_into_one_of_the_answers(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    await phone_sends(HANA, "incident", {"category": "damage"}, record=record)
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change?only=category")).form("/change")
    page = await desk.open((await desk.send(f"/console/record/{record}/change", form | {"category": "truancy"})).goes_to)
    assert (await desk.send(f"/console/record/{record}/undo", page.form("/undo"))).status == 409


async def test_a_school_with_no_words_in_its_lists_can_still_be_read(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    await writing(lambda tx: tx.run("delete from list_entry where school = 'northgate'"))
    page = await (await at_desk(desk_app, CAROL)).open(f"/console/record/{record}")
    assert page.status == 200
    assert "fight, yard" in page


@pytest.mark.parametrize("path", ["/console/record/{record}", "/console/review?on={record}", "/console/pupil/zoe"])
async def test_a_page_that_claims_to_draw_itself_again_is_noted_where_it_was_never_opened(desk_app: Litestar, path: str) -> None:
    record = await phone_sends(AMIRA, "incident", incident())
    desk, address = await at_desk(desk_app, CAROL), path.format(record=record)
    for _ in range(2):
        assert "Zoë Ångström" in await desk.open(address, **{"X-Lanyard-Live": "1"})
    rows = await reading(lambda tx: tx.rows("select 1 from audit where staff = 'carol' and what in ('read record', 'read pupil')"))
    assert len(rows) == 1


async def test_a_form_said_to_have_had_twenty_thousand_boxes_is_taken_as_one_of_which_nothing_is_known(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", {"place": "yard"})
    desk = await at_desk(desk_app, CAROL)
    form = (await desk.open(f"/console/record/{record}/change")).form("/change")
    crafted = {"seen": form["seen"], "was": msgspec.json.encode({f"b{n}": [] for n in range(20_000)}).decode(), "place": "gate"}
    assert was_from(crafted["was"]) == {}
    assert (await desk.send(f"/console/record/{record}/change", crafted)).status == 303
