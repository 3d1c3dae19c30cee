"""Incidents as they are written down: by whoever saw it, in a minute or by the evening, and by the colleague who came."""

from datetime import date, timedelta
from typing import Any

from server.demo.acts import Acts, Diary, Values, about, exact, in_lesson, put, tags
from server.demo.aftermath import decided, statements
from server.demo.chance import Chance
from server.demo.people import Contact
from server.demo.scenes import Proneness, Scene, scenes
from server.demo.school import BY_CODE, MINUTE, SECOND, School, local
from server.demo.telling import Spoken, colleague, pupil, told

FIRST_ACCOUNT, LATER_ACCOUNT, FOLLOWED_UP = 0.62, 0.6, 0.5  # of incidents; of those without one yet; of incidents
LONG = 0.3  # of accounts
LETTERS = "abc"
INJURIES = (
    ("cold compress for a bumped cheek", "first_aid"),
    ("grazed hand cleaned", "first_aid"),
    ("cut lip cleaned, stopped bleeding", "first_aid"),
    ("sore wrist looked at, nothing needed", "mark"),
    ("scratch on the neck looked at, nothing needed", "mark"),
)
WOMEN = ("Mother", "Grandmother", "Foster carer")


def incidents(school: School, prone: Proneness) -> Acts:
    """Every incident of the days that are written, with what followed from each."""
    acts: Acts = []
    for day in school.written_days:
        for scene, chance in scenes(school, day, prone):
            acts += _written(school, chance, scene)
    return acts


def _written(school: School, chance: Chance, scene: Scene) -> Acts:
    diary, story, writing = Diary(school, chance), scene.story, Writing(chance, scene)
    serious = story["severity"].get("low", 0) < 60
    made_at = scene.at + min(int(chance.lognormvariate(5.2, 0.9)), 9000) * SECOND  # three minutes, often ten, seldom an hour
    later = made_at + min(int(chance.lognormvariate(8.3, 0.8)), 18_000) * SECOND  # over an hour later, when there is a chair
    now = chance.happens(FIRST_ACCOUNT)
    record = diary.begin(made_at, scene.first, "incident", writing.first(with_account=now))
    if chance.happens(FOLLOWED_UP) or writing.has_second or story.get("motive") or writing.is_hurt:
        with_account = not now and (serious or chance.happens(0.75))
        diary.add(later, scene.first, record, "incident", writing.follow_up(with_account=with_account))
    elif not now and (serious or chance.happens(LATER_ACCOUNT)):
        diary.add(later, scene.first, record, "incident", {"account": writing.account()})
    if writing.has_second:
        written_at = scene.at + int(chance.uniform(12, 85)) * MINUTE
        diary.add(written_at, scene.second, record, "incident", writing.seconds())
    decided(school, chance.apart("decided"), diary, scene, writing, record, later + 25 * MINUTE)
    if story.get("statements") and chance.happens(0.8):
        statements(school, chance.apart("statements"), diary, scene, writing, record)
    return diary.acts


class Writing:
    """The words of one scene, whoever writes them."""

    def __init__(self, chance: Chance, scene: Scene) -> None:
        self.chance, self.scene, self.story = chance.apart("words"), scene, scene.story
        self.has_second = bool(self.story.get("second")) and self.chance.happens(self.story.get("second_often", 0))
        self.is_hurt = self.chance.happens(self.story.get("hurt", 0))
        self.came = self.has_second or "on_call" in self.story["actions"]
        self.names = self._names()

    def _names(self) -> dict[str, Any]:
        scene, lesson, period = self.scene, self.scene.lesson, BY_CODE.get(self.scene.period)
        at = f"in {lesson.teacher.room}" if lesson and scene.in_lesson else scene.place.at
        return {letter: pupil(scene.pupils[min(place, len(scene.pupils) - 1)]) for place, letter in enumerate(LETTERS)} | {
            "me": colleague(scene.first),
            "first": scene.first.name,
            "other": colleague(scene.second),
            "room": lesson.teacher.room if lesson else scene.place.bare,
            "class": lesson.group if lesson else "lesson",
            "subject": spoken_subject(lesson.subject) if lesson else "lesson",
            "place": at,
            "place_bare": lesson.teacher.room if lesson and scene.in_lesson else scene.place.bare,
            "period": period.label.lower() if period else "the change of lessons",
            "day": f"{local(scene.at):%A}",
            "later": later_day(self.chance, local(scene.at).date()),
        }

    def say(self, text: str) -> str:
        return told(self.chance, text, **self.names)

    def to(self, adult: Contact, text: str) -> str:
        """What was said to one adult: the words for mother and father stand in the text as choices."""
        return self.say(spoken_to(adult, text))

    # ── What goes into each edit ───────────────────────────────────────────────────────────

    def first(self, *, with_account: bool) -> Values:
        scene, chance = self.scene, self.chance
        return {
            "pupils": put({one.id: {"part": part} for one, part in zip(scene.pupils, scene.parts, strict=True)}),
            "category": self.story["about"],
            "place": scene.place.code,
            "happened_at": self.when(),
            "lesson": scene.lesson.line if scene.lesson else None,
            "hurt": "yes" if self.is_hurt else "no" if chance.happens(0.5) else None,
            "force": "yes" if chance.happens(self.story.get("force", 0)) else "no" if chance.happens(0.3) else None,
            "concern": "yes" if self.story.get("concern") else None,
            "account": self.account() if with_account else None,
            "staff": put({scene.second.id: {"part": "called"}}) if self.came else None,
        }

    def follow_up(self, *, with_account: bool) -> Values:
        story, chance = self.story, self.chance
        return {
            "account": self.account() if with_account else None,
            "severity": chance.weighted(list(story["severity"]), list(story["severity"].values())),
            "said": f"{self.names['a']}: “{self.say(chance.choice(story['said']))}”" if chance.happens(0.5) else None,
            "before": self.say(chance.choice(story["before"])) if story.get("before") and chance.happens(0.4) else None,
            "after": self.say(chance.choice(story["after"])) if story.get("after") and chance.happens(0.35) else None,
            "actions": tags(one for one in story["actions"] if chance.happens(0.8)),
            "calming": tags(one for one in story.get("calming", []) if chance.happens(0.5)),
            "motives": put({code: {"part": "alleged"} for code, share in story.get("motive", {}).items() if chance.happens(share / 100)}),
            "targets_view": self.say(story["view"]) if story.get("view") and chance.happens(0.7) else None,
            **self.injury(),
        }

    def seconds(self) -> Values:
        return {
            "account": self.say(self.chance.choice(self.story["second"])),
            "calming": tags(one for one in self.story.get("calming", []) if self.chance.happens(0.5)),
        }

    def when(self) -> Values:
        if self.scene.lesson and self.chance.happens(0.35):
            return in_lesson(self.scene.at)
        return exact(self.scene.at) if self.chance.happens(0.6) else about(self.scene.at)

    def account(self) -> str:
        if len(self.scene.parts) > len(self.story["parts"]):
            return self.say(self.chance.choice(self.story["pair"]))
        return self.say(self.chance.choice(self.story["account"] if self.chance.happens(LONG) else self.story["brief"]))

    def injury(self) -> Values:
        if not self.is_hurt:
            return {}
        what, level = self.chance.choice(INJURIES)
        hurt = self.names["b"] if len(self.scene.pupils) > 1 else self.names["a"]
        seen_at = f"{local(self.scene.at + 15 * MINUTE):%H:%M}"
        return {"injury": level, "first_aid": f"{hurt}: {what}. Seen by {self.scene.second.name}, {seen_at}."}


def spoken_to(adult: Contact, text: str) -> str:
    them = Spoken(adult.name, "f" if adult.relationship in WOMEN else "m")
    called = {"Mother": "Mum", "Father": "Dad"}.get(adult.relationship, adult.relationship)
    for choice, word in (("[her|him]", them.him), ("[She|He]", them.He), ("[she|he]", them.he)):
        text = text.replace(choice, word)
    for choice in ("[Mum|Dad|She|He]", "[Mum|Dad|both parents]"):
        text = text.replace(choice, called)
    return text


def spoken_subject(name: str) -> str:
    """In the middle of a sentence: maths, but French and PE."""
    return name if name in ("English", "French", "Spanish") or name.isupper() else name.lower()


def later_day(chance: Chance, day: date) -> str:
    """A weekday soon."""
    soon = day + timedelta(days=chance.choice([1, 2, 3, 4]))
    return f"{soon + timedelta(days=7 - soon.weekday()) if soon.weekday() > 4 else soon:%A}"
