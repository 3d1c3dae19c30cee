"""The fold against its definition, taken literally, on any history that could be stored: clocks that jump, numbers out of step, copies."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from server.kinds import KINDS
from server.kinds.kind import Field, Merge
from server.sync.merge import Edit, Write, fold, heads, identity, in_line, moment_for, writes_by_field, writes_by_key

incident = KINDS["incident"]

CATEGORIES = ("fight", "damage", "truancy", None)
INJURIES = ("none", "mark", "doctor", None)
PARTS = ("harmed", "witness")


@st.composite
def histories(draw: st.DrawFn) -> list[Edit]:
    """Edits as they were taken in, one after the other; `seen` is a place before each, everything else may be anything."""
    taken: list[Edit] = []
    for seq in range(1, draw(st.integers(2, 14)) + 1):
        author = draw(st.sampled_from(("amira", "ben", "carol")))
        phone = f"{author} {draw(st.sampled_from(('p', 'q')))}"
        number, seen, made_at = draw(st.integers(1, 6)), draw(st.integers(0, seq - 1)), draw(st.integers(0, 60))
        role = draw(st.sampled_from(("teacher", "dsl")))
        edit = Edit(f"e{draw(st.integers(0, 9))}-{seq}", author, role, phone, number, seq, seen, 0, made_at, seq * 5, draw(values()))
        edit.ordered_at = moment_for(made_at, edit.received_at, phone, number, seen, taken)
        taken.append(edit)
    return taken


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    keys = st.sampled_from(("zoe", "li"))
    pupils = st.fixed_dictionaries(
        {}, optional={"put": st.dictionaries(keys, st.fixed_dictionaries({"part": st.sampled_from(PARTS)})), "drop": st.lists(keys)}
    )
    return draw(
        st.fixed_dictionaries(
            {},
            optional={
                "category": st.sampled_from(CATEGORIES),
                "injury": st.sampled_from(INJURIES),
                "pupils": pupils,
                "account": st.sampled_from(("He ran.", "He walked.", None)),
                "concern_reference": st.sampled_from(("S-1", "S-2")),
            },
        )
    )


def superseded(write: Write, writes: list[Write], line: list[Edit], field: Field) -> bool:
    """Rule by rule, as PROTOCOL.md has it."""
    edit = write[0]
    return any(
        line.index(later) > line.index(edit)
        and incident.visible(field, later.role)
        and (
            later.seen >= edit.seq
            or (later.phone == edit.phone and later.number > edit.number)
            or (field.merge is Merge.LATEST and later.author == edit.author)
        )
        for later, _ in writes
    )


def fields_of(line: list[Edit]) -> list[tuple[str, Field, list[Write]]]:
    """Every field, and every key of a gathered one, with its writes."""
    found = []
    for name, writes in writes_by_field(line).items():
        field = incident.field(name)
        assert field is not None
        if field.merge is Merge.GATHER:
            found += [(f"{name}/{key}", field, of_key) for key, of_key in writes_by_key(writes).items()]
        elif field.merge is not Merge.OWN:
            found.append((name, field, writes))
    return found


def is_put(write: Write) -> bool:
    return write[1] is None or type(write[1]) in (str, dict)  # a drop is neither


@given(histories())
def test_the_heads_are_the_writes_that_nobody_superseded(taken: list[Edit]) -> None:
    line = in_line(taken)
    for name, field, writes in fields_of(line):
        literal = [write for write in writes if is_put(write) and not superseded(write, writes, line, field)]
        assert heads(incident, field, writes) == literal[::-1], name


@given(histories())
def test_a_field_that_was_written_has_a_head_and_every_other_write_leads_to_one(taken: list[Edit]) -> None:
    line = in_line(taken)
    for name, field, writes in fields_of(line):
        standing = [write for write in writes if not superseded(write, writes, line, field)]
        assert standing, name
        assert writes[-1] in standing, name


@given(histories(), st.randoms())
def test_the_order_in_which_edits_are_folded_changes_nothing(taken: list[Edit], chance: random.Random) -> None:
    shuffled = chance.sample(taken, len(taken))
    assert fold(incident, shuffled) == fold(incident, taken)


@given(histories())
def test_the_line_puts_what_was_seen_first_and_then_each_phones_numbers(taken: list[Edit]) -> None:
    line = in_line(taken)
    assert sorted(edit.id for edit in line) == sorted(edit.id for edit in taken)
    place = {edit.id: n for n, edit in enumerate(line)}
    for edit in line:
        for other in line:
            numbered_before = other.phone == edit.phone and other.number < edit.number
            if other.seq <= edit.seen or (numbered_before and not written_on_a_copy(other, edit.number, line)):
                assert place[other.id] < place[edit.id]


def written_on_a_copy(edit: Edit, number: int, line: list[Edit]) -> bool:
    """It had seen an edit of its own phone with that number or a higher one, so it was written after it."""
    return any(seen.seq <= edit.seen and seen.phone == edit.phone and seen.number >= number for seen in line)


@given(histories())
def test_every_value_stands_or_is_disputed_or_was_superseded_and_nothing_is_disputed_with_itself(taken: list[Edit]) -> None:
    folded, line = fold(incident, taken), in_line(taken)
    for name, field, writes in fields_of(line):
        field_name, _, key = name.partition("/")
        standing = folded.body[field_name].get(key) if key else folded.body[field_name]
        distinct = {identity(value) for write in heads(incident, field, writes) for value in [write[1]]}
        shown = [identity(head["value"]) for head in folded.disputes.get(name, [])]
        assert len(shown) == len(set(shown)), name
        assert set(shown) == (distinct if len(distinct) > 1 else set()), name
        assert not distinct or identity(standing) in distinct, name


@given(histories())
def test_an_edits_order_is_after_all_it_had_seen_and_never_far_from_its_arrival(taken: list[Edit]) -> None:
    for edit in taken:
        before = [other.ordered_at for other in taken if other.seq <= edit.seen]
        assert all(moment < edit.ordered_at for moment in before)
        assert edit.ordered_at <= edit.received_at + len(taken)
