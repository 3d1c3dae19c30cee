"""Every screen of the phone: sound to axe in the light, in the dark and with letters twice as large, and all within reach of Tab."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.elsewhere import Elsewhere
from tests.journeys.handset import PIN, Handset
from tests.journeys.school import School
from tests.journeys.test_calls import make_list
from tests.journeys.test_for_everybody import FORMS, LISTS, assert_sound
from tests.journeys.test_locked import lock
from tests.journeys.test_main_job import attendance_call, home_visit, incident, sweep_and_sighting
from tests.world import PASSWORD

# What the dark changes is colours, and larger letters the room that there is for a thumb.
LOOKS = (("light", "100%", ()), ("dark", "100%", ["color-contrast"]), ("light", "200%", ["target-size", "scrollable-region-focusable"]))
MORE_FORMS = ("/duty", "/visit", "/new/contact", "/new/sweep", "/new/home_visit", "/new/attendance_call")


def test_every_screen_is_sound_and_within_reach_of_the_keyboard(new_phone: Callable[..., Handset], school: School) -> None:
    phone = new_phone()
    for path, title in {"/pair": "Pair this phone", "/sign-in": "Sign in to Lanyard"}.items():
        phone.page.goto(school.address + path)
        expect(phone.title).to_have_text(title)
        assert_usable(phone.page, path)
    phone.page.get_by_label("Your name at school").fill("olu")
    phone.page.get_by_label("Password").fill(PASSWORD)
    phone.tap("Sign in")
    expect(phone.title).to_have_text("Choose a PIN")
    assert_usable(phone.page, "choosing a PIN")
    phone.choose_pin()
    expect(phone.page.get_by_role("button", name="Begin")).to_be_visible()
    assert_usable(phone.page, "welcome")
    phone.tap("Begin")
    incident(phone)
    home_visit(phone)
    sweep_and_sighting(phone)
    attendance_call(phone)
    rows = make_list(school, {"zoe": {"caller": "olu"}, "marcus": {"caller": "carol"}})
    phone.send_now()
    for path in ("/calls", f"/calls/{rows['zoe']}"):
        phone.open(path)
        expect(phone.page.get_by_text("Absent yesterday without a reason.").first).to_be_visible()
        assert_usable(phone.page, path.removesuffix(rows["zoe"]))
    disagree(school)
    for path in (*LISTS, *FORMS, *MORE_FORMS, "/sign-in?install=1", "/nowhere"):
        phone.open(path)
        expect(phone.title).not_to_have_text("Opening")
        assert_usable(phone.page, path)
    phone.open("/records").page.get_by_role("link", name="Two answers").first.click()
    expect(phone.page.get_by_role("region", name="Two answers")).to_be_visible()
    assert_usable(phone.page, "two answers")
    for kind in ("Incident ·", "Home visit", "Truancy sweep"):
        phone.open("/records").page.get_by_role("link", name=kind).first.click()
        expect(phone.page.get_by_role("link", name="Back")).to_be_visible()
        assert_usable(phone.page, kind)
    phone.open("/new/incident").tap("Save")
    expect(phone.page.get_by_role("heading", name="Still to say")).to_be_visible()
    assert_usable(phone.page, "problems")
    school.stop()
    phone.open("/new/call_out")
    phone.choose("Where?", "B12")
    phone.tap("Send the call for help")
    expect(phone.page.get_by_role("heading", name="NOT SENT")).to_be_visible()
    assert_usable(phone.page, "not sent")
    phone.open()
    lock(phone)
    assert_usable(phone.page, "locked")
    phone.give_pin(PIN[::-1])
    expect(phone.page.locator("#pin-why")).to_be_visible()
    assert_usable(phone.page, "a wrong PIN")


def assert_usable(page: Page, where: str) -> None:
    expect(page.locator("main")).not_to_be_empty()
    for look, size, rules in LOOKS:
        page.emulate_media(color_scheme=look, reduced_motion="reduce")
        page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
        assert_sound(page, f"{where}, {look}, letters at {size}", rules)
    page.evaluate("() => { document.documentElement.style.fontSize = '' }")
    assert out_of_reach(page) == [], where


def out_of_reach(page: Page) -> list[str]:
    """What a pointer could use and Tab never comes to, or comes to without showing it."""
    wanted = page.evaluate(MARK_WHAT_CAN_BE_USED)
    page.evaluate("() => { document.activeElement?.blur(); getSelection()?.removeAllRanges(); scrollTo(0, 0) }")
    for _ in range(2 * wanted + 20):
        page.keyboard.press("Tab")
        if page.evaluate(NOTE_FOCUSED) == 0:
            break
    left: list[str] = page.evaluate(LEFT)
    return left


# Of radio buttons with one name, Tab comes to one, and the arrows to the others.
MARK_WHAT_CAN_BE_USED = """() => {
    document.querySelectorAll('[data-unreached]').forEach((one) => one.removeAttribute('data-unreached'));
    const usable = [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
        .filter((one) => !one.disabled && one.type !== 'hidden' && one.checkVisibility() && !one.closest('dialog:not([open])'));
    usable.forEach((one) => one.setAttribute('data-unreached', one.type === 'radio' ? one.name : ''));
    window.unseen = [];
    return usable.length;
}"""
NOTE_FOCUSED = """() => {
    const one = document.activeElement;
    const name = one?.getAttribute('data-unreached');
    if (name !== null && name !== undefined) {
        const reached = one.type === 'radio' ? document.querySelectorAll(`input[type=radio][name="${CSS.escape(name)}"]`) : [one];
        reached.forEach((each) => each.removeAttribute('data-unreached'));
        const shows = ({ outlineStyle, boxShadow }) => outlineStyle !== 'none' || boxShadow !== 'none';
        const seen = [one, one.closest('label'), one.parentElement].some((each) => each && shows(getComputedStyle(each)));
        if (!seen) window.unseen.push(`${one.outerHTML.slice(0, 120)} does not show it`);
    }
    return document.querySelectorAll('[data-unreached]').length;
}"""
LEFT = "() => [...[...document.querySelectorAll('[data-unreached]')].map((one) => one.outerHTML.slice(0, 160)), ...window.unseen]"


def disagree(school: School) -> None:
    """Two answers to one question; and something that the school could not add."""
    with Elsewhere(school, "olu") as olu, Elsewhere(school, "carol") as carol:
        record = olu.write("incident", {"category": "fight", "place": "yard", "account": "I saw it."})
        olu.write("incident", {"category": "nothing that this school knows", "account": "I asked him twice."})
        assert olu.send() == ["taken", "held"]
        carol.write("incident", {"category": "damage"}, record=record)
        assert carol.send() == ["taken"]
