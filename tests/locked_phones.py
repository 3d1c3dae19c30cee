"""What the simulator does to phones that are locked, forgotten, switched off, cleared, or in the wrong hands; and to the school's keys.

All of it goes over HTTP through the real app, or is what an operator would say; the vault's own half of the phone is played.
"""

import contextlib
import dataclasses
import json
import random
from collections.abc import Callable
from typing import Any
from unittest import mock

import jwt

from server.access import base64url
from server.console import people
from server.intake import copies, storing, tending
from server.intake.keys import all_keys, new_intake_key, published, put_back
from server.refusals import Busy, Refusal
from server.store.database import reading, writing
from server.sync import keeping
from tests.oracle import Oracle
from tests.phone import Phone
from tests.school import SECOND, School, by_grant, signed_in
from tests.sealing import Blob, Sealer, flipped
from tests.world import ADA, CAROL

AUTH_BYTES = 32
REST = 16 * 60 * SECOND  # after wrong PINs


@dataclasses.dataclass
class Hand:
    """Whose handset it is, and what it has beside what was written on it."""

    staff: str
    id: str  # by which the school lists it, and switches it off
    session: str = ""
    grant: str = ""
    auth: str = ""  # made from the PIN
    share: str = ""  # with which what it holds was closed
    chosen_in: int = 0  # which history of the school that was
    copied: bool = False  # there is another of it, on which another PIN may have been chosen since
    locked: bool = False
    off: bool = False  # it has heard that it is


class LockedPhones:
    """The part of a simulation that has to do with locks, keys and seals."""

    chance: random.Random
    school: School
    oracle: Oracle
    tell: Callable[[str], None]
    phones: dict[Phone, str]

    def __init__(self) -> None:
        self.hands: dict[Phone, Hand] = {}
        self.revoked: set[str] = set()
        self.keys: list[dict[str, str]] = []
        self.overheard: list[tuple[Hand, Blob]] = []
        self.late_crates: list[tuple[Hand, list[Blob]]] = []
        self.history = 0

    # ── Signing in ─────────────────────────────────────────────────────────────────────────

    async def pair(self, phone: Phone, staff: str) -> None:
        if phone not in self.hands:
            phone.sealer = Sealer(staff, phone.kept.id)
            self.phones[phone], self.hands[phone] = staff, Hand(staff, phone.kept.id)
        hand = self.hands[phone]
        assert phone.sealer
        hand.session, hand.grant = await self.school.pair(staff, hand.id, phone.sealer.public)
        hand.off = hand.locked = False
        self.hear_of_keys(phone)

    def hear_of_keys(self, phone: Phone) -> None:
        """The newest first; behind them those of before, which the school may have lost."""
        assert phone.sealer
        known = {key["kid"] for key in self.keys}
        phone.sealer.keys = [*self.keys, *(key for key in phone.sealer.keys if key["kid"] not in known)]

    async def list_keys(self) -> None:
        said = jwt.decode(await published("northgate"), options={"verify_signature": False})
        self.keys = said["keys"]

    # ── PIN and lock ───────────────────────────────────────────────────────────────────────

    async def ask_vault(self, hand: Hand, method: str, auth: str, **more: Any) -> tuple[int, Any]:
        said = json.dumps({"phone": hand.id, "auth": auth} | more).encode()
        answer = await self.school.hear("/api/vault", said, signed_in(hand.session), method)
        assert answer.status_code in (200, 401, 403, 404, 429), answer.text
        return answer.status_code, answer.json()

    def new_auth(self) -> str:
        return base64url.write(self.chance.randbytes(AUTH_BYTES))

    async def choose_pin(self) -> None:
        phone = self.any_phone()
        if not await self.is_open(phone):
            return
        await self.pair_again(phone)
        await self.set_pin(phone, lost=self.chance.random() < 0.5)

    async def set_pin(self, phone: Phone, *, lost: bool = False) -> None:
        hand, auth = self.hands[phone], self.new_auth()
        status, said = await self.ask_vault(hand, "PUT", auth)
        self.tell(f"{hand.staff} chooses a PIN: {status}{', but never hears so' if lost else ''}")
        if status == 200 and not lost:
            hand.auth, hand.share, hand.chosen_in = auth, said["share"], self.history
        elif status == 403:
            await self.is_off(phone)

    async def pair_again(self, phone: Phone) -> None:
        """Their password is asked for; a phone that is switched off stays so."""
        if self.hands[phone].id not in self.revoked:
            await self.pair(phone, self.phones[phone])

    async def lock(self) -> None:
        hand = self.hands[self.any_phone()]
        hand.locked = bool(hand.auth)
        self.tell(f"{hand.staff} locks a phone")

    async def is_open(self, phone: Phone) -> bool:
        """Whether its person can use it now: they give their PIN where it is locked."""
        hand = self.hands[phone]
        if hand.locked:
            await self.unlock(phone)
        return not (hand.locked or hand.off)

    async def unlock(self, phone: Phone) -> None:
        hand = self.hands[phone]
        status, said = await self.ask_vault(hand, "POST", hand.auth)
        if status == 200:
            assert said["share"] == hand.share, "the school’s half opens what the phone had closed no more"
            hand.locked = False
        elif status == 403 and said["refusal"] == "phone_revoked":
            await self.is_off(phone)
        elif status in (403, 404):
            assert status == 404 or hand.copied or self.history > hand.chosen_in, "the right PIN was told to be wrong"
            await self.forget(phone)

    async def guess_pins(self) -> None:
        """Wrong ones: some with no signal, which are told afterwards."""
        phone = self.any_phone()
        hand, tries = self.hands[phone], self.chance.choice((1, 2, 10))
        if hand.auth and not hand.off:
            hand.locked = True
            status, said = await self.ask_vault(hand, "POST", self.new_auth(), offline_failures=tries - 1)
            self.tell(f"{tries} wrong PINs on {hand.staff}’s phone: {status}")
            if status == 403 and said["refusal"] == "phone_revoked":
                await self.is_off(phone)
            elif tries == 10 or status == 404:
                assert status in (404, 429)
                await self.forget(phone)

    async def forget_pin(self) -> None:
        await self.forget(self.any_phone())

    async def lose_what_can_be_read(self) -> None:
        await self.chance.choice((self.guess_pins, self.forget_pin, self.switch_phone, self.switch_phone, self.evict))()

    async def forget(self, phone: Phone) -> None:
        """What can be read is gone. They sign in with their password; what waits goes sealed."""
        hand = self.hands[phone]
        self.tell(f"{hand.staff}’s phone forgets what it holds; {len(phone.kept.outbox)} wait sealed")
        phone.forget()
        self.let_go(phone)
        hand.auth = hand.share = ""
        hand.locked = False
        await reading(self.oracle.was_forgotten, list(self.phones))
        if not hand.off and hand.id not in self.revoked:
            await self.pair(phone, hand.staff)
            await self.set_pin(phone)

    def let_go(self, phone: Phone) -> None:
        """One that is switched off writes no letters any more: what the school has of it is there, and nowhere else."""
        if self.hands[phone].off:
            phone.kept.handed = {}

    async def is_off(self, phone: Phone) -> None:
        self.hands[phone].off = True
        await self.forget(phone)

    # ── Handing over what is sealed ────────────────────────────────────────────────────────

    async def hand_over(self) -> None:
        phone, trouble = self.any_phone(), self.chance.choices(list(ON_THE_WAY), list(ON_THE_WAY.values()))[0]
        blobs = phone.waiting_sealed()
        if self.chance.random() < 0.3:
            self.chance.shuffle(blobs)
        self.tell(
            f"{self.phones[phone]}’s phone {phone.kept.id[-4:]} hands over {len(blobs)} sealed{f', but {trouble}' if trouble else ''}"
        )
        await self.deliver_crate(phone, blobs[: self.chance.choice((1, 3, 100))], trouble)

    async def deliver_crate(self, phone: Phone, blobs: list[Blob], trouble: str = "") -> None:
        hand = self.hands[phone]
        self.overheard += [(hand, blob) for blob in blobs]
        if trouble == "the crate will come twice":
            self.late_crates.append((hand, blobs))
        if not blobs or trouble == "the crate is lost":
            return
        with self.breaking(trouble):
            answer = await self.post_crate(hand, blobs)
        if answer and trouble != "the answer is lost":
            phone.handed_over(answer)
            self.let_go(phone)

    async def post_crate(self, hand: Hand, blobs: list[Any], grant: str | None = None, *, unaltered: bool = True) -> Any:
        """What the school says it keeps; nothing, where it refused."""
        crate = {"protocol": 1, "build": "test", "phone": hand.id, "sent_at": "2026-11-23T08:30:00.000Z", "sealed": blobs}
        trusted = await self.is_trusted(hand)
        answer = await self.school.hear("/api/intake", json.dumps(crate).encode(), by_grant(grant or hand.grant))
        assert answer.status_code in (200, 503), f"{answer.status_code} {answer.text}"
        if answer.status_code == 503:
            return None
        assert answer.json()["kept"] == list(dict.fromkeys(blob["id"] for blob in blobs))
        if unaltered:
            self.oracle.was_handed(hand.staff, blobs, trusted=trusted)
        return answer.json()

    async def is_trusted(self, hand: Hand) -> bool:
        """The school knows this phone, and has not switched it off."""
        return bool(await self.school.rows("select id from phone where school = 'northgate' and id = $1 and revoked_at is null", hand.id))

    def breaking(self, trouble: str) -> Any:
        match trouble:
            case "the server fails as it stores":
                return mock.patch.object(storing, "store", side_effect=Busy)
            case "the server dies before it opens":
                return mock.patch("server.api.intake.open_sealed", side_effect=RuntimeError)
            case "the server fails as it opens":
                return mock.patch.object(keeping, self.chance.choice(("keep_edits", "keep_records")), side_effect=Busy)
        return contextlib.nullcontext()

    async def deliver_crate_again(self) -> None:
        if self.late_crates:
            hand, blobs = self.late_crates.pop(self.chance.randrange(len(self.late_crates)))
            self.chance.shuffle(blobs)
            self.tell(f"a crate of {hand.staff}’s comes a second time")
            await self.post_crate(hand, blobs)

    async def tend(self) -> None:
        self.tell("the server starts again, and opens what waits")
        with contextlib.suppress(Refusal):  # it is noted, and tried again
            await tending.begin()

    # ── In the wrong hands ─────────────────────────────────────────────────────────────────

    async def tamper(self) -> None:
        """Whoever has a phone, or stands on the way, sends what they have overheard, changed; beside what the phone itself sends."""
        if not self.overheard:
            return
        hand, blob = self.chance.choice(self.overheard)
        how = self.chance.choice(list(CHANGES))
        blobs = [blob | CHANGES[how](blob), *[blob | CHANGES[how](blob)] * (self.chance.random() < 0.2)]
        grant = hand.grant
        if how.startswith("spliced"):
            others = [other.grant for other in self.hands.values() if other.staff != hand.staff]
            grant = self.chance.choice([self.school.grants["dan"], *others])
        self.tell(f"somebody sends {blob['id'][-4:]} of {hand.staff}’s, {how}")
        await self.post_crate(hand, blobs, grant, unaltered=False)

    # ── The desk ───────────────────────────────────────────────────────────────────────────

    async def switch_phone(self) -> None:
        phone = self.any_phone()
        hand = self.hands[phone]
        off = hand.id not in self.revoked
        await writing(people.switched, CAROL, hand.staff, hand.id, off)
        self.tell(f"{hand.staff}’s phone {hand.id[-4:]} is switched {'off' if off else 'on again'}")
        self.revoked ^= {hand.id}
        if not off:
            for each in self.of_id(hand.id):
                await self.pair(each, hand.staff)

    def of_id(self, id: str) -> list[Phone]:
        """One handset, and those that were restored from a copy of it."""
        return [phone for phone, hand in self.hands.items() if hand.id == id]

    async def take_copy(self) -> None:
        """A saved copy is brought to the desk, altered or not; the phone may go on."""
        phone, who = self.any_phone(), self.chance.choice((ADA, CAROL))
        hand, blobs = self.hands[phone], phone.waiting_sealed()
        altered = self.chance.random() < 0.3
        if not blobs:
            return
        trusted = await self.is_trusted(hand)
        sealed = [blob | CHANGES["with another signature"](blob) for blob in blobs] if altered else blobs
        said = {"lanyard": "waiting edits", "protocol": 1, "school": "northgate", "staff": hand.staff, "phone": phone.kept.id}
        id = await copies.bring(who, json.dumps(said | {"saved_at": None, "sealed": sealed, "edits": []}).encode())
        with contextlib.suppress(Refusal):  # what is stored by then waits
            await copies.take(who, id)
        self.tell(f"{who.staff} takes in a copy of {len(blobs)} from {hand.staff}’s phone{', altered' if altered else ''}")
        if not altered:
            self.oracle.was_handed(hand.staff, blobs, trusted=trusted)

    # ── Keys, and what becomes of phones ───────────────────────────────────────────────────

    async def rotate_keys(self) -> None:
        await writing(new_intake_key, "northgate")
        await self.list_keys()
        self.tell("the school makes a new intake key")

    async def evict(self) -> None:
        """The browser clears everything. Its person installs it again: another phone."""
        phone = self.any_phone()
        staff = self.phones.pop(phone)
        del self.hands[phone]
        only_there = {edit["id"] for edit in phone.kept.outbox} | phone.kept.orphans.keys()
        self.tell(f"{staff}’s phone {phone.kept.id[-4:]} is cleared, with {len(only_there)} unsent")
        await reading(self.oracle.was_evicted, list(self.phones), only_there)
        await self.add_phone(staff)

    async def came_back(self, keys: list[Any]) -> None:
        """After the school was restored: everybody signs in again, and mostly the operator puts back the keys that were made since."""
        self.history += 1
        rows = await self.school.rows("select id from phone where school = 'northgate' and revoked_at is not null")
        self.revoked = {row["id"] for row in rows}
        if self.chance.random() < 0.7:
            await writing(put_back, keys)
            await tending.begin()
        await self.list_keys()
        for phone, hand in self.hands.items():  # also those that are switched off: they hear so when they next ask
            was_locked = hand.locked
            await self.pair(phone, hand.staff)
            hand.locked = was_locked

    async def lost_keys(self) -> list[Any]:
        return await reading(all_keys)

    async def come_to_rest(self, phone: Phone) -> None:
        """Its person comes back to it, and what only the intake may carry is handed over."""
        hand = self.hands[phone]
        if hand.id not in self.revoked and hand.off:
            await self.pair(phone, hand.staff)
        if hand.locked and not await self.is_open(phone) and not hand.off:
            self.school.now += REST
            await self.unlock(phone)
        while blobs := (phone.waiting_sealed() if hand.off else list(phone.kept.orphans.values())):
            await self.deliver_crate(phone, blobs[:100])

    # Of the simulation's other part

    def any_phone(self) -> Phone:
        raise NotImplementedError

    async def add_phone(self, staff: str) -> None:
        raise NotImplementedError


ON_THE_WAY = {
    "": 50,
    "the answer is lost": 12,
    "the crate is lost": 4,
    "the crate will come twice": 8,
    "the server fails as it stores": 5,
    "the server dies before it opens": 8,
    "the server fails as it opens": 8,
}

CHANGES: dict[str, Callable[[Blob], Blob]] = {
    "with a bit of its seal flipped": lambda blob: {"sealed": flipped(blob["sealed"])},
    "with another signature": lambda blob: {"signature": flipped(blob["signature"])},
    "with no signature": lambda blob: {"signature": ""},
    "back-dated": lambda blob: {"made_at": "2020-01-01T00:00:00.000Z"},
    "with another number": lambda blob: {"number": blob["number"] + 1},
    "as a draft": lambda blob: {"what": "draft"},
    "with another key": lambda blob: {"kid": "nobody’s"},
    "as another phone’s": lambda blob: {"phone": "0193a7c2-0000-7000-8000-00000000dead"},
    "as another edit": lambda blob: {"id": blob["id"][:-4] + "beef"},
    "spliced": lambda blob: {},
    "spliced and back-dated": lambda blob: {"made_at": "2020-01-01T00:00:00.000Z"},
}
