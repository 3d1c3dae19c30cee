"""Each phone counts what it writes, so that the school can tell what never came, and when a handset is a copy of another."""

from typing import Any

from server.sync.phones import AHEAD_LIMIT, COPIED, WANTED_LIMIT
from tests.phone import Phone
from tests.school import School

INCIDENT = {"category": "fight"}


async def told(phone: Phone, **letter: Any) -> Any:
    """The answer to a letter that says this beside what it would have said, and nothing kept of it."""
    import json

    status, answer = await phone.send(json.dumps(phone.letter([]) | letter).encode())
    assert status == 200, answer
    return answer


def drop(phone: Phone, number: int) -> Any:
    """The edit with this number is never sent."""
    lost = next(edit for edit in phone.kept.outbox if edit["number"] == number)
    phone.kept.outbox.remove(lost)
    return lost


# ── Wanted and lost ────────────────────────────────────────────────────────────────────────


async def test_a_number_that_never_came_is_wanted_until_it_does(school: School) -> None:
    phone = school.phone("amira")
    for _ in range(3):
        phone.write(INCIDENT)
    second = drop(phone, 2)
    assert (await phone.sync())["wanted"] == [2]
    phone.kept.lost = []
    phone.kept.outbox.append(second)
    assert (await phone.sync())["wanted"] == []


async def test_a_receipt_that_the_phone_holds_says_that_there_was_such_a_number(school: School) -> None:
    phone = school.phone("amira")
    assert (await told(phone, receipted=3))["wanted"] == [1, 2, 3]


async def test_a_number_named_as_lost_is_wanted_no_longer_and_the_desk_knows(school: School) -> None:
    phone = school.phone("amira")
    for _ in range(3):
        phone.write(INCIDENT)
    drop(phone, 1)
    await phone.sync_all()
    assert (await told(phone))["wanted"] == []
    (row,) = await school.rows("select lost, received, highest from phone where id = $1", phone.kept.id)
    assert row == {"lost": "[[1,1]]", "received": "[[2,3]]", "highest": 3}


async def test_one_that_was_lost_and_is_found_later_is_taken(school: School) -> None:
    phone = school.phone("amira")
    for _ in range(2):
        phone.write(INCIDENT)
    first = drop(phone, 1)
    await phone.sync_all()
    phone.kept.outbox.append(first)
    assert (await phone.sync())["receipts"] == [{"id": first["id"], "outcome": "taken"}]


async def test_a_hundred_numbers_are_wanted_at_once_at_most(school: School) -> None:
    assert (await told(school.phone("amira"), receipted=5_000))["wanted"] == list(range(1, WANTED_LIMIT + 1))


async def test_what_a_phone_says_it_has_receipts_for_is_read_as_at_most_ten_thousand_ahead(school: School) -> None:
    phone = school.phone("amira")
    phone.kept.number = 2 * AHEAD_LIMIT
    far = phone.write(INCIDENT)
    answer = await told(phone, receipted=10**15, edits=[far])
    assert answer["receipts"][0]["outcome"] == "held"
    phone.kept.number = 2 * AHEAD_LIMIT - 1
    answer = await told(phone, receipted=10**15, edits=[phone.write(INCIDENT)])
    assert answer["receipts"][0]["outcome"] == "taken"


async def test_a_number_too_far_ahead_is_held_and_does_not_count(school: School) -> None:
    phone = school.phone("amira")
    phone.kept.number = AHEAD_LIMIT
    far = phone.write(INCIDENT)
    answer = await told(phone, edits=[far])
    assert list(answer["receipts"][0]["because"]) == ["number"]
    assert answer["wanted"] == []
    assert (await told(phone, edits=[far]))["receipts"] == answer["receipts"]
    phone.kept.number = AHEAD_LIMIT - 1
    assert (await told(phone, edits=[phone.write(INCIDENT)]))["receipts"][0]["outcome"] == "taken"


async def test_wanted_is_of_the_letters_phone_only(school: School) -> None:
    old, new = school.phone("amira"), school.phone("amira")
    for _ in range(3):
        old.write(INCIDENT)
    assert (await told(new, edits=old.kept.outbox[1:]))["wanted"] == []
    assert (await told(old))["wanted"] == [1]


# ── Copies ─────────────────────────────────────────────────────────────────────────────────


async def test_a_handset_restored_from_a_copy_goes_on_under_a_new_id_and_all_its_edits_are_taken(school: School) -> None:
    phone = school.phone("amira")
    phone.write(INCIDENT)
    await phone.sync()
    copy, old_id = phone.copied(), phone.kept.id
    phone.write(INCIDENT)
    await phone.sync()
    copy.write({"category": "damage"})
    copy.write({"category": "truancy"})
    copy.batch = 1
    answer = await copy.sync()
    assert [receipt["outcome"] for receipt in answer["receipts"]] == ["taken"]
    assert copy.kept.id == answer["forked"] != old_id
    assert [(edit["phone"], edit["number"]) for edit in copy.kept.outbox] == [(copy.kept.id, 1)]
    await copy.sync_all()
    assert sorted(record["body"]["category"] for record in copy.records.values()) == ["damage", "fight", "fight", "truancy"]
    (row,) = await school.rows("select remarks from edit where number = 2 and remarks <> '[]'")
    assert COPIED in row["remarks"]


async def test_the_new_id_is_the_same_each_time_the_same_colliding_edit_comes(school: School) -> None:
    phone = school.phone("amira")
    copies = [phone.copied(), phone.copied()]
    phone.write(INCIDENT)
    await phone.sync()
    ids = []
    for copy in copies:
        copy.write({"category": "damage"})
        assert await copy.sync(lose_answer=True) is None
        first = (await told(copy, edits=copy.kept.outbox))["forked"]
        assert (await told(copy, edits=copy.kept.outbox))["forked"] == first
        ids.append(first)
    assert None not in ids
    assert ids[0] != ids[1]  # two copies are two phones


async def test_an_edit_of_another_phone_than_the_letters_forks_nothing(school: School) -> None:
    phone = school.phone("amira")
    copy, other = phone.copied(), school.phone("amira")
    phone.write(INCIDENT)
    await phone.sync()
    collides = copy.write({"category": "damage"})
    answer = await told(other, edits=[collides])
    assert (answer["forked"], answer["receipts"][0]["outcome"]) == (None, "taken")
    assert (await told(other, edits=[collides]))["forked"] is None


async def test_the_first_to_use_a_number_is_not_forked_when_it_comes_again(school: School) -> None:
    phone = school.phone("amira")
    copy = phone.copied()
    first = phone.write(INCIDENT)
    await phone.sync()
    copy.write({"category": "damage"})
    await copy.sync()
    assert (await told(phone, edits=[first]))["forked"] is None


# ── Whose phone ────────────────────────────────────────────────────────────────────────────


async def test_a_letter_from_somebody_elses_phone_is_not_taken_under_the_wrong_name(school: School) -> None:
    amiras = school.phone("amira")
    amiras.write(INCIDENT)
    await amiras.sync()
    bens = school.phone("ben", kept=amiras.kept)
    bens.write(INCIDENT)
    assert await bens.sync() is None
    assert len(bens.kept.outbox) == 1
    assert [row["author"] for row in await school.rows("select author from edit")] == ["amira"]


async def test_an_edit_numbered_by_somebody_elses_phone_is_held_and_counts_for_nobody(school: School) -> None:
    amiras, bens = school.phone("amira"), school.phone("ben")
    amiras.write(INCIDENT)
    await amiras.sync()
    stray = bens.write(INCIDENT) | {"phone": amiras.kept.id, "number": 7}
    answer = await told(bens, edits=[stray])
    assert list(answer["receipts"][0]["because"]) == ["phone"]
    assert (await told(amiras))["wanted"] == []


async def test_a_letter_may_name_any_phone_of_its_person(school: School) -> None:
    phone = school.phone("amira")
    phone.write(INCIDENT)
    await phone.sync()
    assert phone.kept.id != "amira-phone"  # that she signed in on
    (row,) = await school.rows("select staff, is_desk from phone where id = $1", phone.kept.id)
    assert row == {"staff": "amira", "is_desk": False}


async def test_what_a_phone_says_of_itself_is_kept(school: School) -> None:
    phone = school.phone("amira", wrong_by=90 * 1_000_000)
    phone.write(INCIDENT)
    await phone.sync()
    (row,) = await school.rows("select waiting, drift_s, build, seen_at from phone where id = $1", phone.kept.id)
    assert row == {"waiting": 1, "drift_s": 90, "build": "test", "seen_at": school.now}
    await phone.sync()
    (row,) = await school.rows("select waiting from phone where id = $1", phone.kept.id)
    assert row == {"waiting": 0}
