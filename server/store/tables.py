"""What the school keeps, table by table. An edit is never altered or removed; a record is what its edits add up to.

What the school may not keep any longer is taken out of the edits that said it, and that it was stands in `forgotten`.

Every row belongs to a school. Moments are whole microseconds since 1970 in UTC (`…_at`), days are ISO text (`…_on`),
structured values are JSON text: all three compare and travel the same on both engines. The statements that build these
tables, their keys and indexes stand in `migrations/`; a test compares the two.
"""

from piccolo.columns import BigInt, Boolean, Text
from piccolo.table import Table

# ── The school and what it says ────────────────────────────────────────────────────────────


class School(Table):
    id = Text(primary_key=True)
    name = Text()
    is_demo = Boolean(default=False)  # said on every page
    ribbon = Text(default="#0d6166")  # the lanyard's colour, and its thread
    thread = Text(default="#f0c24b")
    settings = Text(default="{}")
    made_at = BigInt()


class ListEntry(Table):
    """One word of one of the school's lists. Retired, never removed: old records still say it."""

    school = Text()
    list = Text()  # places, categories, outcomes, …
    code = Text(primary_key=True)  # key: school, list, code
    label = Text()
    position = BigInt(default=0)
    retired = Boolean(default=False)


class Term(Table):
    school = Text()
    name = Text(primary_key=True)  # key: school, name
    starts_on = Text()
    ends_on = Text()


class ClosedDay(Table):
    """A weekday inside a term on which there is no school."""

    school = Text()
    on_day = Text(primary_key=True)  # key: school, on_day
    why = Text()


class Period(Table):
    """A lesson of the timetable: when it runs, in the school's own wall-clock time."""

    school = Text()
    code = Text(primary_key=True)  # key: school, code
    label = Text()
    starts = Text()  # "08:40"
    ends = Text()
    is_lesson = Boolean(default=True)  # False for registration, break and lunch


class Timetable(Table):
    """That one was taken in, and when last."""

    school = Text(primary_key=True)
    taken_at = BigInt()
    week_a = Text(default="")  # any day of a week A; empty: every week is alike


class Lesson(Table):
    """Where a member of staff is in one period: every week, every other, or on one day in place of that."""

    school = Text()
    staff = Text()
    on_day = Text()  # empty: not of one day only
    week = Text()  # A or B; empty: every week
    weekday = BigInt()  # 0: Monday
    period = Text(primary_key=True)  # key: school, staff, on_day, week, weekday, period
    place = Text(default="")  # of the school's list; empty: in none
    words = Text(default="")  # the class, or what it is


class AttendanceCode(Table):
    """Reference data, dated and sourced; the same for every school."""

    code = Text(primary_key=True)  # key: code, from_on
    from_on = Text()
    to_on = Text(null=True, default=None)
    meaning = Text()
    category = Text()  # present, approved, authorised, unauthorised, not counted, administrative
    is_possible = Boolean()  # counts as a possible session
    is_physical = Boolean()  # the pupil is on the site
    source = Text()
    verified = Boolean(default=False)


class AttendanceDay(Table):
    """One pupil's two marks of one day."""

    school = Text()
    pupil = Text()
    on_day = Text(primary_key=True)  # key: school, pupil, on_day
    am = Text(null=True, default=None)
    pm = Text(null=True, default=None)


# ── People ─────────────────────────────────────────────────────────────────────────────────


class Staff(Table):
    id = Text(primary_key=True)  # unique everywhere
    school = Text()
    username = Text()  # unique everywhere, kept in lower case
    name = Text()
    role = Text()  # see server/kinds/roles.py
    years = Text(default="[]")  # the year groups they look after, JSON; empty: none in particular
    password = Text(null=True, default=None)  # Argon2id, or none: cannot sign in
    rights = BigInt(default=1)  # moves when what they may hold changes otherwise than by an edit
    left_at = BigInt(null=True, default=None)
    seq = BigInt(default=0)  # the step that last changed this row


class Caseload(Table):
    """A pupil who is in a member of staff's care, whatever their year."""

    school = Text()
    staff = Text()
    pupil = Text(primary_key=True)  # key: school, staff, pupil


class Pupil(Table):
    id = Text(primary_key=True)  # unique everywhere
    school = Text()
    mis_id = Text(null=True, default=None)
    upn = Text(null=True, default=None)
    admission_no = Text(null=True, default=None)
    forename = Text()
    surname = Text()
    preferred = Text(null=True, default=None)  # the forename they go by
    year = Text()  # "9"
    form = Text()  # "9 KEL"
    born_on = Text(null=True, default=None)
    family = Text(null=True, default=None)  # the same for siblings
    address = Text(null=True, default=None)  # never on a phone unless taken along
    address_withheld = Boolean(default=False)
    left_at = BigInt(null=True, default=None)
    seq = BigInt(default=0)
    canary = Boolean(default=False)  # made up: nobody has reason to open them. On no phone, in no export, counted nowhere


class Contact(Table):
    """One adult of one pupil. `person` is the same wherever the same adult stands beside a sibling."""

    id = Text(primary_key=True)
    school = Text()
    pupil = Text()
    person = Text()
    position = BigInt()  # 1 is rung first
    name = Text()
    relationship = Text(default="")
    phone = Text(null=True, default=None)
    other_phone = Text(null=True, default=None)
    email = Text(null=True, default=None)
    address = Text(null=True, default=None)
    parental_responsibility = Boolean(default=False)
    do_not_contact = Boolean(default=False)
    address_withheld = Boolean(default=False)
    note = Text(default="")
    gone = Boolean(default=False)
    seq = BigInt(default=0)


# ── The record ─────────────────────────────────────────────────────────────────────────────


class Counter(Table):
    """The last number the school drew. Its row is the lock under which numbers are drawn."""

    school = Text(primary_key=True)
    seq = BigInt(default=0)


class Step(Table):
    """A place in history: a number and its mark. One for every number drawn, and none left out."""

    school = Text()
    seq = BigInt(primary_key=True)  # key: school, seq
    mark = BigInt()  # 64 random bits, signed
    record = Text(null=True, default=None)  # the record it moved, if any
    edit = Text(null=True, default=None)  # the edit taken, held or settled, if any
    what = Text()  # taken, held, settled, forgotten, people, lists, audience
    at = BigInt()


class Edit(Table):
    """What one person wrote at one time. Never altered, but for what became of it (`outcome` … `settled_why`), and what is forgotten."""

    school = Text()
    id = Text(primary_key=True)  # key: school, id
    phone = Text()
    number = BigInt()
    record = Text()
    kind = Text()
    author = Text()
    role = Text()  # the author's when it was taken in: what they could see
    made_at = BigInt(null=True, default=None)  # as the phone claimed; null: unreadable
    received_at = BigInt()
    ordered_at = BigInt(null=True, default=None)  # fixed when taken
    seen = BigInt(default=0)  # the step their version names; 0: nothing, or not found
    seq = BigInt(null=True, default=None)  # the step that took it in; null while held
    values = Text()  # normalised, JSON
    original = Text()  # the edit as it lay in the letter, JSON text
    amends = Text(null=True, default=None)
    remarks = Text(default="[]")  # what was mended on the way in, JSON: "NUL replaced in account", …
    outcome = Text()  # taken, held: its receipt, for good. Part of its record: `seq` is set
    because = Text(null=True, default=None)  # why it is held, JSON: {field: words}
    held_seq = BigInt(null=True, default=None)  # the step that held or settled it last
    settled_how = Text(null=True, default=None)  # amended, taken, set aside
    settled_by = Text(null=True, default=None)
    settled_at = BigInt(null=True, default=None)
    settled_why = Text(null=True, default=None)


class Unreadable(Table):
    """Something in a letter that had no id to receipt. Kept once, known again by its hash."""

    school = Text()
    hash = Text(primary_key=True)  # key: school, hash
    phone = Text()
    staff = Text()
    received_at = BigInt()
    original = Text()


class Sealed(Table):
    """What a phone sealed to the school's key: stored as it came, then opened."""

    school = Text()
    hash = Text(primary_key=True)  # key: school, hash
    staff = Text()  # whose grant it came under
    phone = Text()  # and which phone's
    edit = Text()  # the id it claims
    what = Text()  # edit, draft, or whatever it claims
    kid = Text()
    lay = Text()  # as it lay in the letter, JSON text
    sent_at = BigInt(null=True, default=None)
    received_at = BigInt()
    review = Text(null=True, default=None)  # why somebody has to look at what is in it, whatever it is
    outcome = Text(default="waiting")  # waiting, opened, unopened
    why = Text(null=True, default=None)  # it could not be opened
    opened_at = BigInt(null=True, default=None)
    size = BigInt(default=0)  # of `lay`, in characters
    taken_by = Text(null=True, default=None)  # who took it in at the desk, out of a copy that a phone had saved


class SavedCopy(Table):
    """A file in which a phone had saved what waits, brought to the desk, until somebody has looked at it and taken it in."""

    school = Text()
    id = Text(primary_key=True)  # key: school, id. SHA-256 of the file
    staff = Text()  # who brought it
    author = Text()  # whose it says it is
    phone = Text()
    saved_at = BigInt(null=True, default=None)  # by that phone’s clock
    brought_at = BigInt()
    body = Text()  # as it is; empty once it is taken in
    taken_at = BigInt(null=True, default=None)
    told = Text(null=True, default=None)  # counts, JSON: what is in it; what came of it, once it is taken in


class Brought(Table):
    """Who brought something that nobody has proved, or took it in: none of them decides about it."""

    school = Text()
    staff = Text()
    thing = Text(primary_key=True)  # key: school, staff, thing. The hash of something sealed, or the id under which an edit is held


class Draft(Table):
    """What somebody was still typing when their phone was lost to them. Theirs alone, for thirty days."""

    school = Text()
    staff = Text()
    id = Text(primary_key=True)  # key: school, staff, id
    draft = Text()
    made_at = BigInt()
    received_at = BigInt()


class Record(Table):
    """What its edits add up to. `lanyard check` builds it again from them and compares."""

    school = Text()
    id = Text(primary_key=True)  # key: school, id
    kind = Text()
    seq = BigInt()  # the step that last moved it
    mark = BigInt()
    state = Text()  # open, closed, void
    author = Text()
    made_at = BigInt()  # its first edit's in order
    received_at = BigInt()
    happened_at = BigInt()  # the kind's own moment, or made_at
    edits = BigInt()
    gaps = Text(default="[]")
    body = Text()
    disputes = Text(null=True, default=None)  # null: none open
    disputed = Text(null=True, default=None)  # counts, where more than ten values differ


class Forgotten(Table):
    """That the school forgot what could tell who a record is about: out of its edits up to that step. Only ever added to."""

    school = Text()
    record = Text()
    seq = BigInt(primary_key=True)  # key: school, record, seq. The step
    at = BigInt()
    edits = BigInt()  # how many had said something of it


class RecordPupil(Table):
    school = Text()
    record = Text()
    pupil = Text(primary_key=True)  # key: school, record, pupil
    dropped_seq = BigInt(null=True, default=None)  # the step that took them out, while out


class RecordStaff(Table):
    """Who wrote in a record (for good), or is named in it (until dropped): they may hold it."""

    school = Text()
    record = Text()
    staff = Text(primary_key=True)  # key: school, record, staff
    wrote = Boolean(default=False)
    dropped_seq = BigInt(null=True, default=None)


class RecordLink(Table):
    """This record names that one: a statement its incident, a sighting its sweep."""

    school = Text()
    record = Text()
    field = Text()
    other = Text(primary_key=True)  # key: school, record, field, other


# ── Who came in, and what they looked at ───────────────────────────────────────────────────


class Phone(Table):
    """One installed copy of the app and one person. A desk is a phone too: its edits are numbered like any other's."""

    id = Text(primary_key=True)  # key: school, id
    school = Text()
    staff = Text()
    name = Text()
    is_desk = Boolean(default=False)
    highest = BigInt(default=0)  # the highest number received
    received = Text(default="[]")  # the numbers received, as [first, last] runs, JSON
    lost = Text(default="[]")  # numbers it says it no longer has, likewise
    waiting = BigInt(default=0)  # as it said last
    drift_s = BigInt(default=0)  # how far ahead its clock ran
    build = Text(default="")
    paired_at = BigInt()
    seen_at = BigInt(null=True, default=None)
    revoked_at = BigInt(null=True, default=None)
    public = Text(null=True, default=None)  # its own signing key: the raw P-256 point, base64url
    handset = Text(null=True, default=None)  # the same for everybody’s phones in one installed app: the hash of its device cookie


class Session(Table):
    hash = Text(primary_key=True)  # SHA-256 of the token; the token itself is kept nowhere
    school = Text()
    staff = Text()
    phone = Text(null=True, default=None)
    made_at = BigInt()
    used_at = BigInt()
    signed_in_at = BigInt()  # when a password was last given
    ends_at = BigInt()
    opens = Text(default="all")  # all; phone: not the desk; own: only where a second factor is set up


class Passkey(Table):
    """A key in somebody's own device. What we have of it says nothing that opens anything."""

    id = Text(primary_key=True)  # as the device calls it, base64url
    school = Text()
    staff = Text()
    name = Text()
    public = Text()
    counter = BigInt(default=0)  # as it says itself; 0: it does not count
    made_at = BigInt()
    used_at = BigInt(null=True, default=None)


class Generator(Table):
    """The secret that somebody's authenticator app makes its codes from."""

    staff = Text(primary_key=True)
    school = Text()
    secret = Text()
    step = BigInt(default=0)  # of the last code taken: none is taken twice
    made_at = BigInt()
    confirmed_at = BigInt(null=True, default=None)


class Recovery(Table):
    """A code to fall back on, once."""

    school = Text()
    staff = Text()
    hash = Text(primary_key=True)  # key: staff, hash
    used_at = BigInt(null=True, default=None)


class Ticket(Table):
    """That a ticket was used, for as long as it could be used again."""

    id = Text(primary_key=True)
    tries = BigInt(default=0)
    ends_at = BigInt()


class Attempt(Table):
    """Failed sign-ins by what they were tried against, for the throttle."""

    key = Text(primary_key=True)
    failures = BigInt(default=0)
    failed_at = BigInt()
    free_at = BigInt(default=0)


class Key(Table):
    """A key pair of ours, by what it signs or opens. Never removed: a phone may be away for a year."""

    id = Text(primary_key=True)
    purpose = Text()
    private = Text()  # PEM; closed by a passphrase where the installation has one
    public = Text()
    made_at = BigInt()
    retired_at = BigInt(null=True, default=None)
    school = Text(null=True, default=None)  # null: all of them
    published = Text(null=True, default=None)  # an intake key's: the signed list of the school's keys when it became the newest


class Vault(Table):
    """The school's half of what opens a phone's own store, and the wrong PINs since it was last opened."""

    school = Text()
    phone = Text(primary_key=True)  # key: school, phone
    shares = Text(default="[]")  # newest first, JSON: of each the SHA-256 of what asks for it, and itself
    failures = BigInt(default=0)
    rests_until = BigInt(default=0)
    made_at = BigInt()


class Pairing(Table):
    """A code shown at the desk, by which one phone signs in once."""

    id = Text(primary_key=True)
    school = Text()
    staff = Text()  # whose phone it will be
    made_by = Text()
    made_at = BigInt()
    ends_at = BigInt()
    used_at = BigInt(null=True, default=None)
    phone = Text(null=True, default=None)
    code = Text(null=True, default=None)  # to be typed, while it is good


# ── What rings a phone ─────────────────────────────────────────────────────────────────────


class Subscription(Table):
    """Where one phone's browser takes alerts, as it said itself; and under which key of ours."""

    school = Text()
    phone = Text(primary_key=True)  # key: school, phone
    staff = Text()
    endpoint = Text()  # an address that a browser gave us: see server/push/endpoints.py
    public = Text()  # what is said to it is closed with these two
    secret = Text()
    key = Text()
    made_at = BigInt()
    checked_at = BigInt()  # when the phone last opened and said that this is still its own
    rests_until = BigInt(default=0)  # nothing is sent to it before: something is on its way, or its push service asked for it
    failures = BigInt(default=0)  # in a row
    retired_at = BigInt(null=True, default=None)
    retired_why = Text(null=True, default=None)


class Alert(Table):
    """Something to be told to one person, as it is said: a few fixed words and a place of the school's. It is the queue."""

    id = Text(primary_key=True)
    school = Text()
    staff = Text()
    words = Text()  # which, of server/push/words.py
    title = Text()
    body = Text()
    opens = Text()  # an address inside the phone's app
    topic = Text()  # a later one of the same takes its place
    urgent = Boolean()
    made_at = BigInt()
    ends_at = BigInt()
    retired_at = BigInt(null=True, default=None)  # what had not been handed over by then is not
    seconded_at = BigInt(null=True, default=None)  # when the second channel was asked, for no phone had shown it


class Delivery(Table):
    """One alert and one phone: how far it came."""

    alert = Text()
    school = Text()
    phone = Text(primary_key=True)  # key: alert, phone
    token = Text()  # whoever has it may say that it was shown, and opened
    waiting = Boolean(default=True)
    claimed_until = BigInt(default=0)  # until then a process is at it, and no other takes it
    tries = BigInt(default=0)
    handed_at = BigInt(null=True, default=None)  # the push service took it, which means nothing to a person yet
    shown_at = BigInt(null=True, default=None)
    opened_at = BigInt(null=True, default=None)
    failed = Text(null=True, default=None)  # the last trouble with it, in words


# ── Who did what ───────────────────────────────────────────────────────────────────────────


class Audit(Table):
    """Who looked at what, and who changed what is not a record. Only ever added to."""

    id = Text(primary_key=True)
    school = Text()
    at = BigInt()
    staff = Text()
    phone = Text(null=True, default=None)
    what = Text()  # read pupil, read record, export, sign in, revoke phone, change list, …
    pupil = Text(null=True, default=None)
    record = Text(null=True, default=None)
    detail = Text(default="{}")


class Opening(Table):
    """A pupil's record that somebody opened out of scope, and said why; or a canary's page. For the safeguarding lead to look into."""

    id = Text(primary_key=True)
    school = Text()
    staff = Text()
    pupil = Text()
    why = Text()  # emergency, canary
    reason = Text(default="")
    at = BigInt()
    ends_at = BigInt()  # until when they may read
    seen_at = BigInt(null=True, default=None)
    seen_by = Text(null=True, default=None)
    session = Text(default="")  # the hash of the one in which it opens anything


class Chain(Table):
    """The access log, each row sealed to the one before. Only ever added to."""

    school = Text()
    n = BigInt(primary_key=True)  # key: school, n
    audit = Text()
    at = BigInt()
    hash = Text()


class Reading(Table):
    """How far one person has read one record. Unread is per person; read never means vanished."""

    school = Text()
    staff = Text()
    record = Text(primary_key=True)  # key: school, staff, record
    seq = BigInt()
    at = BigInt()


class Import(Table):
    id = Text(primary_key=True)
    school = Text()
    at = BigInt()
    staff = Text(null=True, default=None)
    what = Text()  # pupils, contacts
    hash = Text()
    counts = Text(default="{}")


# ── On call ────────────────────────────────────────────────────────────────────────────────


class DueStep(Table):
    """Something to be done at its time, once: taken in the transaction that does it."""

    id = Text(primary_key=True)
    school = Text()
    at = BigInt()
    does = Text()  # a name of oncall/steps.py: call.rung, …
    about = Text()  # the record, or whatever it is about
    more = Text(default="{}")
    not_before = BigInt()  # `at`; later where it failed and is tried again
    tries = BigInt(default=0)
    taken_at = BigInt(null=True, default=None)
    late = Boolean(default=False)


class Duty(Table):
    """Who is on call, week by week."""

    school = Text()
    id = Text(primary_key=True)  # key: school, id
    staff = Text()
    weekday = BigInt()  # 0: Monday
    period = Text(default="")  # whose times they are; empty: those said here
    starts = Text(default="")  # "08:40", by the clock on the wall
    ends = Text(default="")
    zone = Text(default="")  # empty: everywhere
    part = Text(default="first")  # first, next, lead
    made_at = BigInt()
    removed_at = BigInt(null=True, default=None)


class Cover(Table):
    """Somebody else does a duty on one day."""

    school = Text()
    duty = Text()
    on_day = Text(primary_key=True)  # key: school, duty, on_day
    staff = Text()
    said_by = Text()
    said_at = BigInt()


class Shift(Table):
    """Somebody who has gone on duty on one phone. Green once the test that was sent to it has been tapped."""

    school = Text()
    id = Text(primary_key=True)  # key: school, id
    staff = Text()
    phone = Text()
    began_at = BigInt()
    ends_at = BigInt()
    test = Text()  # the alert that was sent to it
    ended_at = BigInt(null=True, default=None)


class Zone(Table):
    """The part of the site that a place is in."""

    school = Text()
    place = Text(primary_key=True)  # key: school, place
    zone = Text()


class Ladder(Table):
    """Who is told of a call, and after how long. The first whose period and zone fit is climbed."""

    school = Text()
    id = Text(primary_key=True)  # key: school, id
    name = Text()
    position = BigInt(default=0)
    period = Text(default="")  # empty: at any time
    zone = Text(default="")  # empty: anywhere
    rungs = Text()  # [{"after_s", "who"}], JSON
    removed_at = BigInt(null=True, default=None)


class Call(Table):
    """How a call for help stands, beside its record: what was said stands there, in edits."""

    school = Text()
    record = Text(primary_key=True)  # key: school, record
    state = Text()  # asking, ringing, answered, there, over, not_needed, missed
    caller = Text()
    place = Text(default="")
    zone = Text(default="")
    urgency = Text(default="")
    ladder = Text(default="{}")  # as it was when the call began, JSON
    asked_at = BigInt()
    received_at = BigInt()
    began_at = BigInt(null=True, default=None)  # when phones began to ring
    rung = BigInt(default=-1)  # the last that was climbed
    alone_at = BigInt(null=True, default=None)  # when the caller was told that nobody has answered
    answered_by = Text(null=True, default=None)
    answered_at = BigInt(null=True, default=None)
    there_at = BigInt(null=True, default=None)
    over_at = BigInt(null=True, default=None)


class CallMoment(Table):
    """One thing that happened to a call, in its timeline."""

    school = Text()
    record = Text()
    n = BigInt(primary_key=True)  # key: school, record, n
    at = BigInt()
    what = Text()
    staff = Text(null=True, default=None)
    detail = Text(default="{}")


class Watch(Table):
    """Somebody who is out and to be back by a time, beside the record of it: what they said stands there, in edits."""

    school = Text()
    record = Text(primary_key=True)  # key: school, record
    kind = Text()
    workers = Text(default="[]")  # who goes, JSON
    buddies = Text(default="[]")  # who expects their call, JSON
    leaves_at = BigInt(null=True, default=None)
    left_at = BigInt(null=True, default=None)  # as whoever goes has said
    due_back_at = BigInt()
    accepted_at = BigInt()  # when the school had the plan
    heard_at = BigInt(null=True, default=None)  # the last that whoever goes wrote in it
    read_to = BigInt(default=0)  # the last number of what they wrote that has been looked at
    rung = BigInt(default=-1)  # the last that was told that they are overdue: 0 themselves, 1 the buddy, 2 those who lead
    put_off_at = BigInt(null=True, default=None)  # the buddy had spoken to them
    raised_at = BigInt(null=True, default=None)  # those who lead have been told
    taken_by = Text(null=True, default=None)  # who of them sees to it
    alarm_at = BigInt(null=True, default=None)  # the closing word was the other one: never told to whoever goes
    unsure = Boolean(default=False)  # safe was said, and not with their word
    safe_at = BigInt(null=True, default=None)
    closed_at = BigInt(null=True, default=None)
    closed_by = Text(null=True, default=None)
    how = Text(null=True, default=None)  # safe, closed, called off
    due_said_at = BigInt(default=0)  # when the edit was written by whose time the school goes


class WatchMoment(Table):
    """One thing that happened while somebody was out, in its timeline."""

    school = Text()
    record = Text()
    n = BigInt(primary_key=True)  # key: school, record, n
    at = BigInt()
    what = Text()
    staff = Text(null=True, default=None)
    detail = Text(default="{}")


class ClosingWords(Table):
    """Somebody's two closing words, neither of which can be read again: all is well, and it is not."""

    school = Text()
    staff = Text(primary_key=True)  # key: school, staff
    safe = Text()
    alarm = Text()
    set_at = BigInt()


# ── The morning's calls ────────────────────────────────────────────────────────────────────


class Morning(Table):
    """How a school has the list of families to ring made, the evening before."""

    school = Text(primary_key=True)
    hour = Text(default="18:00")  # by the clock on the wall
    most = BigInt(default=60)  # families on one list
    callers = Text(default="[]")  # who shares the calls, JSON; empty: every attendance officer
    is_on = Boolean(default=False)


class MorningList(Table):
    """A list that was made. Its families are records."""

    school = Text()
    for_day = Text(primary_key=True)  # key: school, for_day
    made_at = BigInt()
    again_at = BigInt()  # when it was last made anew
    marks_of = Text(default="")  # the day whose marks it was made from; empty: there were none
    families = BigInt(default=0)
    said = Text(default="")  # what somebody should know about it
