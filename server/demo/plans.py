"""Plans of a few pupils: written at the desk in the year's first weeks, some past their review by now."""

from datetime import timedelta

from server.demo.acts import Acts, Diary, Values, about, put
from server.demo.people import Pupil, words
from server.demo.scenes import Proneness
from server.demo.school import School, clock

PLANNED = 8  # of a whole school
REVIEWED_AFTER = (21, 84)  # days: one of two is past its review by now


def plans(school: School, prone: Proneness) -> Acts:
    """Of those who are most often in something."""
    chance = school.chance("plans")
    diary = Diary(school, chance.apart("diary"))
    count = max(2, min(PLANNED, len(school.pupils) // 40))
    those = prone.most(count)
    for at, one in enumerate(those):
        head, day = school.head_of(one.year), school.written_days[at % min(10, len(school.written_days))]
        by = school.by_role["manager"][0] if at % 2 else head
        values = _plan(school, one, those[(at + 1) % count], at)
        review = clock(day + timedelta(days=REVIEWED_AFTER[at % 2]), "12:00")
        diary.begin_at_desk(clock(day, "15:40") + at * 60_000_000, by, "pupil_plan", values | {"review_by": about(review)})
    return diary.acts


def _plan(school: School, one: Pupil, other: Pupil, at: int) -> Values:
    kinds = words("plans")["one"]
    kind = dict(kinds[at % len(kinds)])
    fetch = school.tutor_of(one) or school.head_of(one.year)
    apart = put({other.id: {}}) if kind.pop("apart", False) else None
    return {"pupils": put({one.id: {}}), "keep_apart": apart, "fetch": put({fetch.id: {}}), **kind}
