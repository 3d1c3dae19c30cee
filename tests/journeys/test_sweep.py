"""A truancy sweep with two phones on it, in a street where the signal goes and comes."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.journeys.elsewhere import Elsewhere
from tests.journeys.handset import Handset
from tests.journeys.school import School


def test_two_phones_log_one_sweep_with_signal_lost_and_found_and_none_of_it_is_lost(
    new_phone: Callable[..., Handset], school: School
) -> None:
    olu, carol = new_phone().open().sign_in("olu"), new_phone().open().sign_in("carol")
    olu.tap("Sweep")
    olu.choose("Which area?", "Town centre")
    olu.write("Which officer leads?", "PC 4417 Hale")
    olu.save_as_it_is()
    expect(olu.title).to_have_text("Town centre")  # whoever starts one is in it
    expect(olu.page.get_by_text("1 person on it.")).to_be_visible()
    olu.see_it_all_sent()
    carol.send_now()
    carol.open().page.get_by_role("region", name="On now").get_by_role("link", name="Town centre").click()
    carol.tap("Join this sweep")
    expect(carol.page.get_by_text("2 people on it.")).to_be_visible()
    expect(carol.page.get_by_role("button", name="Join this sweep")).to_have_count(0)
    carol.see_it_all_sent()

    school.stop()
    carol.choose("Spoken to at", "Arcade")
    carol.tap("Ours")
    carol.name_somebody("zo", "Zoë Ångström", "Who?")
    carol.choose("Was anybody with them?", "Alone")
    carol.choose("What came of it?", "Agreed to go in")
    carol.save()
    expect(carol.page.get_by_label("1 young people spoken to")).to_be_visible()
    olu.choose("Spoken to at", "Canal")
    olu.tap("Not ours")
    olu.write("What name did they give?", "Kacper Zając")
    olu.write("Which school did they say they go to?", "Fulling Mill School")
    olu.choose("Was anybody with them?", "Alone")
    olu.choose("What came of it?", "Walked off")
    olu.save()
    expect(olu.page.get_by_label("1 young people spoken to")).to_be_visible()

    school.start()
    with Elsewhere(school, "dee") as dee:  # closed at the desk, while both are out
        sweep = olu.page.url.rpartition("/")[2].partition("?")[0]
        dee.write("sweep", {"state": "closed", "state_reason": "Rain."}, record=sweep)
        assert dee.send() == ["taken"]
    for phone in (olu, carol, olu):
        phone.send_now()
    for phone in (olu, carol):
        phone.open(f"/record/{sweep}")
        expect(phone.page.get_by_label("2 young people spoken to")).to_be_visible()
        expect(phone.page.get_by_text("This sweep was closed.")).to_be_visible()
        expect(phone.page.get_by_role("link", name="Kacper Zając")).to_be_visible()
        expect(phone.page.get_by_role("link", name="Zoë Ångström")).to_be_visible()
        assert phone.complaints == []
