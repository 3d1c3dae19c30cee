// The shapes that cross the network, as server/sync/PROTOCOL.md writes them. A test compares the letter, the answer and
// the edit with server/sync/wire.py, key by key.

export const PROTOCOL = 1;

// ── What people write ──────────────────────────────────────────────────────────────────────

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A moment with how exactly it is known. */
export type Moment = { at: string; precision: 'exact' | 'about' | 'lesson'; lesson?: string };

/** What one edit does to a `gather` field: drops first, then puts. */
export type Gathering = { put?: Record<string, Json>; drop?: string[] };

/** One author's statement in an `own` field, as it stands in a body. */
export type Statement = { value: Json; at: string; versions: number };

/** Only the fields touched: missing is untouched, null is cleared. */
export type Values = Record<string, Json>;

export type Edit = {
  id: string;
  phone: string;
  number: number;
  record: string;
  kind: string;
  made_at: string;
  seen: string | null;
  values: Values;
  amends?: string; // a held edit of one's own, which this one replaces
  draft?: string; // the draft it was typed in: the school then knows what became of that one
  set_aside?: string; // or lets rest, and why: kept with the edit, and ignored by a school that does not know it
};

// ── The exchange ───────────────────────────────────────────────────────────────────────────

export type Letter = {
  protocol: number;
  build: string;
  phone: string;
  sent_at: string;
  cursor: string | null;
  receipted: number;
  waiting: number;
  lost: number[];
  edits: Edit[];
};

export type Because = Record<string, string>;

export type Receipt = { id: string; outcome: 'taken' | 'held'; because?: Because };

/** One of the values two people left standing without having seen the other's. */
export type Head = { value: Json; by: string; at: string; edit: string };

export type WireRecord = {
  id: string;
  kind: string;
  version: string;
  state: string;
  author: string;
  made_at: string;
  received_at: string;
  edits: number;
  gaps: string[];
  body: Record<string, Json>;
  disputes: Record<string, Head[]>;
  disputed?: Record<string, number>;
};

export type Settled = { how: 'amended' | 'taken' | 'set aside'; by: string | null; at: string; why: string | null };

/** An edit the school has stored but could not add to its record: it is shown to its author and at the desk. */
export type HeldEdit = {
  edit: string;
  record: string;
  kind: string;
  made_at: string;
  values: Values;
  because: Because;
  settled: Settled | null;
};

export type Rebuild = 'unknown' | 'restored' | 'rights';

export type Answer = {
  receipts: Receipt[];
  records: WireRecord[];
  held: HeldEdit[];
  gone: string[];
  wanted: number[];
  unopened?: number[]; // of those wanted: they wait at the intake
  unreadable?: number[];
  forked: string | null;
  cursor: string | null;
  more: boolean;
  rebuild: Rebuild | null;
  now: string;
};

// ── The intake: what is sealed, and only taken in ───────────────────────────────────────────────────

export type Blob = { id: string; what: 'edit' | 'draft'; phone: string; number: number; made_at: string; kid: string; sealed: string; signature: string };
export type SealedLetter = { protocol: number; build: string; phone: string; sent_at: string; sealed: Blob[] };
/** `kept`: stored in a committed transaction; opened and taken in later. */
/** `revoked`: this phone was switched off, and is to forget what it holds. */
export type IntakeAnswer = { kept: string[]; unreadable: number[]; now: string; revoked?: true };

// ── What the school is: kinds, lists, people ───────────────────────────────────────────────

export type Option = { code: string; label: string; retired?: boolean };
export type ListEntry = { code: string; label: string; retired: boolean };

export type Control =
  | 'line'
  | 'note'
  | 'choice'
  | 'choices'
  | 'moment'
  | 'duration'
  | 'yesno'
  | 'place'
  | 'pupils'
  | 'staff'
  | 'record'
  | 'code';

export type Shape = {
  control: Control;
  options?: Option[]; // fixed; of a `gravest` choice from least to most serious
  list?: string; // or one of the school's lists
  parts?: Option[]; // pupils, staff: what each one's part may be
  outcomes?: { list: string }; // pupils: the list of what was done about each
  kind?: string; // record: which kind it links to
  unit?: string; // duration: minutes
  precisions?: string[]; // moment
  longest?: number; // line, note: characters
  longest_bytes?: number;
  most?: number; // choices, pupils, staff: how many
};

export type Merge = 'latest' | 'gather' | 'own' | 'gravest';

export type Field = {
  name: string;
  question: string;
  shape: Shape;
  merge: Merge;
  needed: boolean;
  instead?: string; // the field whose answer will do in place of this one
  hint?: string;
  retired?: boolean;
  quick?: boolean; // asked on the first screen
  group?: string; // the heading of the long form under which it is asked
};

export type Kind = {
  name: string;
  label: string;
  plural?: string;
  icon?: string;
  moment?: string | null; // the field that says when it happened
  title?: string[]; // the fields that name one of them in a list
  may_write?: boolean; // whether I may begin one
  fields: Field[];
};

export type Period = { code: string; label: string; starts: string; ends: string; is_lesson?: boolean };
export type AttendanceCode = { code: string; meaning: string; category?: string };

export type Me = { id: string; name: string; role: string; may: string[] };
export type School = { id: string; name: string; is_demo?: boolean; ribbon?: string; thread?: string; phone?: string; radio?: string };

export type Lesson = { starts_at: string; ends_at: string; place: string; words: string };

export type SchoolAnswer = {
  school: School;
  me: Me;
  lists: Record<string, ListEntry[]>;
  kinds: Kind[];
  periods?: Period[];
  lessons?: Lesson[]; // mine, of the next days with school
  codes?: AttendanceCode[];
  intake?: string; // the list of keys to seal to, signed by the school
  vault?: { lease_hours: number; hidden_s: number; idle_s: number };
};

export type Pupil = {
  id: string;
  forename: string;
  surname: string;
  preferred?: string | null;
  year: string;
  form: string;
  family?: string | null;
};

export type Contact = {
  id: string;
  pupil: string;
  person?: string;
  position: number;
  name: string;
  relationship: string;
  phone?: string | null;
  other_phone?: string | null;
  email?: string | null;
  parental_responsibility: boolean;
  do_not_contact: boolean;
  address_withheld?: boolean;
  note?: string;
};

export type Staff = { id: string; name: string; role: string };

export type PeopleAnswer = {
  pupils: Pupil[];
  contacts: Contact[];
  staff: Staff[];
  gone: string[];
  cursor: string | null;
  more: boolean;
  fresh?: boolean; // the first page of everybody: it replaces whoever is held
};

// ── Signing in, and how the school says no ─────────────────────────────────────────────────

/** `public`: the point of this phone’s own signing key. */
export type SignIn = ({ username: string; password: string } | { pairing: string } | { ticket: string; passkey: unknown } | { ticket: string; code: string }) & { phone: { id: string; name: string; public?: string } };

/** `grant` can only send what this person wrote, and read nothing: their outbox goes on sending when somebody else has signed in. */
export type SignedInAnswer = { staff: { id: string; name: string; role: string }; school: School; phone: string; grant?: string; keys?: { public: string }; told?: string };

/** The right password, and something more is wanted: under this ticket, in one of these ways. */
/** What the school asks a browser for, and what the browser answers: JSON, as WebAuthn has it. */
export type WantedPasskey = Record<string, unknown> & { challenge: string };
export type ShownPasskey = Record<string, unknown> & { id: string; response: Record<string, unknown> };

export type SecondFactor = { ticket: string; ways: ('passkey' | 'code' | 'recovery')[]; publicKey: unknown };

export type RefusalAnswer = { refusal: string; words?: string; limit?: number; retry_after?: number; speaks?: number[] };

/** What is taken along on a home visit: to be let go at `until`. An address is null where none is known, and where one is withheld in the family. */
export type TakenAlong = {
  record: string;
  until: string;
  now: string;
  pupils: { id: string; name: string; address: string | null; address_withheld: boolean }[];
  other_address: string | null;
  contacts: { pupil: string; name: string; relationship: string; address: string | null; address_withheld: boolean; do_not_contact: boolean }[];
  plan: Record<string, Json>;
};

// ── Alerts ─────────────────────────────────────────────────────────────────────────────────

/** Moments by the school's clock. `sent_at`: a push service took it, which means nothing to a person yet. */
export type TestCard = { id: string; asked_at: string; sent_at: string | null; shown_at: string | null; opened_at: string | null; failed: string | null };

/** `key`: what a browser subscribes under. `endpoint`: where the school rings this phone; null: it cannot, and perhaps `why`. */
export type PushCard = { key: string; endpoint: string | null; why: string | null; test: TestCard | null };
