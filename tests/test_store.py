"""The store keeps its promises, on both engines."""

from server.settings import Settings
from server.store import numbers
from server.store.database import Tx, reading, writing
from server.store.tables import Pupil, School, Staff, Step


async def make_school(tx: Tx, school: str = "northgate") -> None:
    await tx.query(School.insert(School(id=school, name=school.title(), made_at=1)))


async def test_what_was_written_is_read(database: Settings) -> None:
    await writing(make_school)

    async def names(tx: Tx) -> list[str]:
        return [row["name"] for row in await tx.rows("select name from school where id = any($1)", ["northgate"])]

    assert await reading(names) == ["Northgate"]
    assert await School.select(School.name, School.is_demo) == [{"name": "Northgate", "is_demo": False}]


async def test_numbers_are_dense_and_each_has_its_step(database: Settings) -> None:
    async def draw(tx: Tx) -> list[numbers.Place]:
        await make_school(tx)
        assert await numbers.lock(tx, "northgate") == 0
        return await numbers.draw(tx, "northgate", [numbers.NewStep("people"), numbers.NewStep("lists")])

    places = await writing(draw)
    assert [place.seq for place in places] == [1, 2]
    assert await Step.select(Step.seq, Step.mark, Step.what).order_by(Step.seq) == [
        {"seq": 1, "mark": places[0].mark, "what": "people"},
        {"seq": 2, "mark": places[1].mark, "what": "lists"},
    ]
    assert [numbers.read_place(str(place)) for place in places] == places


async def test_the_world_is_there(world: Settings) -> None:
    assert await Staff.count() == 9
    assert (await Pupil.select(Pupil.forename).where(Pupil.id == "zoe").first()) == {"forename": "Zoë"}
