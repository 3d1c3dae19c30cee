"""Review: what came in since I last looked, what somebody must decide first; filters in the address; read is never gone."""

import re
from html import escape

from litestar import Litestar

from tests.desk import NOW, at_desk, phone_sends, put
from tests.world import AMIRA, BEN, CAROL, DEE, HANA, OLU

MINUTE = 60_000_000
AT = "2026-11-18T09:00:00.000Z"


def fight(place: str = "yard", category: str = "fight", **more: object) -> dict[str, object]:
    return {"category": category, "place": place, "happened_at": AT, "pupils": put(zoe="harmed")} | more


async def test_what_a_phone_sent_is_there_to_read_and_gone_once_read(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", fight())
    desk = await at_desk(desk_app, CAROL)
    before = await desk.open("/console/review")
    assert before.rows() == ["09:00 Fight, Yard Incident · Zoë Ångström"]

    opened = await desk.open(f"/console/review?on={record}")
    after = await desk.send(f"/console/record/{record}/read", opened.form(f"/{record}/read"))
    assert after.status == 303
    assert "Everything has been read" in await desk.open("/console/review")


async def test_read_never_means_vanished(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", fight())
    desk = await at_desk(desk_app, CAROL)
    await desk.send(f"/console/record/{record}/read", {"seq": "999"})
    everything = await desk.open("/console/review?show=all")
    assert everything.rows() == ["09:00 Fight, Yard Incident · Zoë Ångström"]

    again = await desk.send(f"/console/record/{record}/unread", {"back": "/console/review"})
    assert again.goes_to == "/console/review"
    assert len((await desk.open("/console/review")).rows()) == 1


async def test_what_one_person_read_is_still_news_to_another(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", fight())
    await (await at_desk(desk_app, CAROL)).send(f"/console/record/{record}/read", {"seq": "999"})
    assert len((await (await at_desk(desk_app, DEE)).open("/console/review")).rows()) == 1


async def test_what_comes_in_later_is_news_again(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", fight())
    desk = await at_desk(desk_app, CAROL)
    await desk.send(f"/console/record/{record}/read", {"seq": "999999"})
    await phone_sends(AMIRA, "incident", {"parents": "told"}, record=record)
    assert len((await desk.open("/console/review")).rows()) == 1


async def test_what_i_wrote_myself_is_no_news_to_me(desk_app: Litestar) -> None:
    await phone_sends(CAROL, "incident", fight())
    assert "Everything has been read" in await (await at_desk(desk_app, CAROL)).open("/console/review")


async def test_disputes_come_first_and_their_value_is_not_in_the_title(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", fight("yard", "fight"))
    await phone_sends(HANA, "incident", {"category": "defiance"}, record=record)
    await phone_sends(AMIRA, "incident", fight("gate", "damage"))
    page = await (await at_desk(desk_app, CAROL)).open("/console/review")
    assert page.rows() == ["09:00 Yard Two answers Incident · Zoë Ångström", "09:00 Damage, Front gate Incident · Zoë Ångström"]
    assert page.text.index("Somebody must decide") < page.text.index("Two answers") < page.text.index("To read")


async def test_the_most_serious_is_read_first(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", fight("gate", severity="danger", happened_at="2026-11-18T07:00:00.000Z"))
    await phone_sends(AMIRA, "incident", fight("yard", severity="low"))
    page = await (await at_desk(desk_app, CAROL)).open("/console/review")
    assert [row.split(" Incident")[0] for row in page.rows()] == ["07:00 Fight, Front gate", "09:00 Fight, Yard"]
    assert "Somebody in danger" in page.rows()[0]


async def test_filters_narrow_the_list_and_stay_in_the_address(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", fight("yard"))
    await phone_sends(OLU, "incident", fight("gate", pupils=put(conor="involved"), happened_at="2026-11-01T09:00:00Z"))
    await phone_sends(OLU, "attendance_call", {"pupils": put(conor=""), "outcome": "answered", "rung_at": AT})
    desk = await at_desk(desk_app, CAROL)

    async def titles(asked: str) -> list[str]:
        page = await desk.open(f"/console/review?{asked}")
        assert all(
            address.startswith(f"/console/review?{escape(asked)}&amp;on=")
            for address in re.findall(r'id="row-[^"]*" href="([^"]*)"', page.html)
        )
        return sorted(row.split(" ", 2)[-1].split(" Incident")[0].split(" Attendance")[0] for row in page.rows())

    everything = 3
    assert len(await titles("show=all")) == everything
    assert len(await titles("kind=incident")) == 2
    assert len(await titles("year=11")) == 2
    assert len(await titles("place=yard")) == 1
    assert len(await titles("who=amira")) == 1
    assert len(await titles("state=closed")) == 0
    assert len(await titles("since=2026-11-10")) == 2
    assert len(await titles("until=2026-11-10")) == 1
    assert len(await titles("kind=no-such-kind&since=not-a-day")) == everything
    assert "Nothing here fits" in await desk.open("/console/review?place=canteen")


async def test_a_place_is_not_found_in_what_somebody_wrote(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", fight("yard", account='He said: "place":"gate" and %_! too'))
    desk = await at_desk(desk_app, CAROL)
    assert (await desk.open("/console/review?place=gate")).rows() == []
    assert (await desk.open("/console/review?place=%25")).rows() == []
    assert len((await desk.open("/console/review?place=yard")).rows()) == 1


async def test_a_long_list_goes_on_further_down(desk_app: Litestar) -> None:
    for minute in range(53):
        await phone_sends(AMIRA, "incident", fight(happened_at=f"2026-11-18T08:{minute:02}:00.000Z"))
    desk = await at_desk(desk_app, CAROL)
    for show in ("", "all"):
        first = await desk.open(f"/console/review?show={show}")
        assert len(first.rows()) == 50
        onward = first.html.split("Further down")[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
        assert [row[:5] for row in (await desk.open(onward)).rows()] == ["08:02", "08:01", "08:00"]


async def test_a_teacher_sees_their_own_and_nobody_elses(desk_app: Litestar) -> None:
    mine = await phone_sends(AMIRA, "incident", fight("yard"))
    theirs = await phone_sends(BEN, "incident", fight("gate"))
    desk = await at_desk(desk_app, AMIRA)
    assert (await desk.open("/console/review?show=all")).rows() == ["09:00 Fight, Yard Incident · Zoë Ångström"]
    assert "Fight, Yard" in await desk.open(f"/console/review?show=all&on={mine}")
    assert "That is not here" in await desk.open(f"/console/review?show=all&on={theirs}")


async def test_held_edits_stand_among_what_somebody_must_decide(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", fight("moon"))
    desk = await at_desk(desk_app, CAROL)
    page = await desk.open("/console/review")
    assert page.text.count("Held") == 2  # the row's badge, and the tab
    assert " Held " in page.rows()[0]


async def test_phones_that_still_hold_something_are_counted(desk_app: Litestar) -> None:
    page = await (await at_desk(desk_app, CAROL)).open("/console/review")
    assert "not sent yet" not in page
    await phone_sends(AMIRA, "incident", fight())  # it said that one was waiting, as it sent it
    assert "1 phone says it has 1 record not sent yet" in await (await at_desk(desk_app, CAROL)).open("/console/review")


async def test_opening_a_record_is_noted_and_drawing_it_again_by_itself_is_not(desk_app: Litestar) -> None:
    from server.store.database import reading

    record = await phone_sends(AMIRA, "incident", fight(), at=NOW)
    desk = await at_desk(desk_app, CAROL)
    await desk.open(f"/console/review?on={record}")
    await desk.open(f"/console/review?on={record}", **{"X-Lanyard-Live": "1"})
    rows = await reading(lambda tx: tx.rows("select staff, what from audit where record = $1", record))
    assert [tuple(row) for row in rows] == [("carol", "read record")]


async def test_an_address_that_no_page_would_say_begins_at_the_newest(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", fight())
    desk = await at_desk(desk_app, CAROL)
    for older in ("9" * 20 + ".x", "-" + "9" * 20 + ".x", "²²².x", "1" * 150 + ".x", ".", "-.x", "x.x"):
        for path in ("/console/review?show=all&", "/console/pupil/zoe?"):
            page = await desk.open(f"{path}older={older}")
            assert (page.status, "Fight, Yard" in page) == (200, True), (path, older)


# ── All at once ────────────────────────────────────────────────────────────────────────────


async def test_all_are_marked_as_read_for_me_alone_and_not_what_came_in_since(desk_app: Litestar) -> None:
    for place in ("yard", "gate"):
        await phone_sends(AMIRA, "incident", fight(place))
    carol, dee = await at_desk(desk_app, CAROL), await at_desk(desk_app, DEE)
    form = (await carol.open("/console/review")).form("/console/review/read")
    await phone_sends(AMIRA, "incident", fight("yard", "damage"))
    done = await carol.send("/console/review/read", form)
    after = await carol.open(done.goes_to)
    assert "2 records marked as read." in after
    assert after.rows() == ["09:00 Damage, Yard Incident · Zoë Ångström"]
    assert len((await dee.open("/console/review")).rows()) == 3

    await carol.send("/console/review/unread", after.form("/console/review/unread"))
    assert len((await carol.open("/console/review")).rows()) == 3


async def test_only_what_fits_the_filters_is_marked(desk_app: Litestar) -> None:
    await phone_sends(AMIRA, "incident", fight())
    await phone_sends(OLU, "contact", {"party": "parent", "pupils": put(zoe=""), "spoke_at": AT})
    carol = await at_desk(desk_app, CAROL)
    narrowed = await carol.open("/console/review?kind=incident")
    done = await carol.send("/console/review/read", narrowed.form("/console/review/read"))
    assert done.goes_to.startswith("/console/review?kind=incident&done=all.")
    assert [row.split(" ")[1] for row in (await carol.open("/console/review")).rows()] == ["Contact"]


async def test_what_somebody_must_decide_is_never_marked_with_the_rest(desk_app: Litestar) -> None:
    record = await phone_sends(AMIRA, "incident", fight())
    await phone_sends(HANA, "incident", {"category": "damage"}, record=record)
    await phone_sends(AMIRA, "incident", fight("gate"))
    carol = await at_desk(desk_app, CAROL)
    page = await carol.open("/console/review")
    after = await carol.open((await carol.send("/console/review/read", page.form("/console/review/read"))).goes_to)
    assert "1 record marked as read." in after
    assert ["Two answers" in row for row in after.rows()] == [True]


async def test_a_call_for_help_stands_first_until_somebody_answers(desk_app: Litestar) -> None:
    def called(at: str) -> dict[str, object]:
        return {"place": "b12", "urgency": "soon", "asked_at": at}

    call = await phone_sends(AMIRA, "call_out", called("2026-11-18T08:50:00.000Z"))
    await phone_sends(AMIRA, "call_out", called("2026-11-16T08:50:00.000Z"))  # two days ago: whatever it was, it is over
    await phone_sends(AMIRA, "call_out", called("2026-11-18T08:55:00.000Z") | {"progress": "not_needed"})
    await phone_sends(AMIRA, "incident", fight(injury="doctor"))
    carol = await at_desk(desk_app, CAROL)
    first, second, *rest = (await carol.open("/console/review")).rows()
    assert "08:50" in first
    assert "Nobody has answered" in first
    assert "Incident" in second
    assert not [row for row in (second, *rest) if "Nobody has answered" in row]
    await phone_sends(BEN, "call_out", {"responders": put(ben="going")}, record=call)
    assert "Nobody has answered" not in await carol.open("/console/review")
