// What a person sees: the school's records with this phone's unsent edits laid over them.

import type { Edit, HeldEdit, Json, Kind, SchoolAnswer, WireRecord } from '../wire';
import { namesIn, overlay, type ShownRecord } from './overlay';
import { local, type Local } from './reading';
import { sets, type KeptEdit, type MyReading } from './stores';

const PAGE = 50;
/** A filter that few records pass looks through this many before it says what it found. */
const LOOKED_THROUGH = 5_000;
/** Whom to ring is read as the morning's list, and stands among other records only when asked for by its kind. */
const LISTED = 'listed_family';

export type Filter = {
  kind?: string;
  pupil?: string;
  state?: string; // open, closed, void
  mine?: boolean; // begun by me
  disputed?: boolean;
  linked?: string; // records that name this one: a sweep's sightings, an incident's statements
  before?: { at: string; id: string }; // the last one shown, for the next page
  limit?: number;
};

/** One thing known on this phone of a record's past: one's own edits in full; from the school, its beginning and others' values. */
export type Happening = {
  at: string;
  by: string;
  edit: Edit | null;
  values: Record<string, Json>;
  delivery: 'waiting' | 'sent' | 'held';
  received_at: string | null;
};

export type RecordView = {
  record: ShownRecord;
  history: Happening[]; // newest first
  unsent: Edit[];
  held: HeldEdit[];
  disputes: ShownRecord['disputes'];
};

const STORES = ['edits', 'records_a', 'records_b', 'held_a', 'held_b', 'settings'] as const;

// ── Lists ──────────────────────────────────────────────────────────────────────────────────

/** Newest first, a page at a time. */
export async function records(filter: Filter = {}, from: Local = local): Promise<ShownRecord[]> {
  const kinds = (await school(from))?.kinds ?? [];
  const kindNamed = new Map(kinds.map((kind) => [kind.name, kind]));
  const me = from.me?.id ?? '';
  const passes = (one: ShownRecord) => isAsked(one, filter, kindNamed);
  return await from.read(['edits', 'records_a', 'records_b', 'settings'], async (tx) => {
    const over = await overlaid(tx);
    const under = new Map((await recordsUnder(tx, over)).map((record) => [record.id, record]));
    const shown = overlay(kinds, [...under.values()], over.map(({ edit }) => edit), me, unsentOf(over)).filter(passes);
    const enough = (filter.limit ?? PAGE) + shown.length;
    const rest = await fromSchool(tx, filter, (record) => !under.has(record.id) && passes(overlay(kinds, [record], [], me)[0]!), enough);
    return [...shown, ...overlay(kinds, rest, [], me)].sort(newestFirst).slice(0, filter.limit ?? PAGE);
  });
}

const newestFirst = (one: ShownRecord, other: ShownRecord): number => compare(other.at, one.at) || compare(other.id, one.id);
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

function isAsked(one: ShownRecord, { kind, pupil, state, mine, disputed, linked, before }: Filter, kindNamed: Map<string, Kind>): boolean {
  if (kind ? one.kind !== kind : one.kind === LISTED) return false;
  if (state && one.state !== state) return false;
  if (mine && !one.mine) return false;
  if (disputed && Object.keys(one.disputes).length === 0) return false;
  const named = pupil ?? linked;
  if (named && !namesIn(kindNamed.get(one.kind), one.body).includes(named)) return false;
  return !before || (compare(one.at, before.at) || compare(one.id, before.id)) < 0;
}

/** Walks the school's records from the newest back until `enough` have passed. */
async function fromSchool(tx: MyReading, filter: Filter, passes: (record: WireRecord) => boolean, enough: number): Promise<WireRecord[]> {
  const store = tx.objectStore(`records_${(await sets(tx)).base}`);
  const named = filter.pupil ?? filter.linked;
  if (named) return (await store.index('names').getAll(named)).map(({ record }) => record).filter(passes);
  const last = filter.before?.at;
  const rows = filter.kind
    ? store.index('kind').getAll(IDBKeyRange.bound([filter.kind], [filter.kind, last ?? []]))
    : store.index('at').getAll(last ? IDBKeyRange.upperBound(last) : null);
  const found: WireRecord[] = [];
  let looked = 0;
  for (const { record } of rows.reverse()) {
    if (passes(record)) found.push(record);
    if (found.length >= enough || ++looked >= LOOKED_THROUGH) break;
  }
  return found;
}

/** In the order in which they were written. */
const overlaid = (tx: MyReading): KeptEdit[] => tx.objectStore('edits').index('over').getAll();

const unsentOf = (edits: KeptEdit[]): Set<string> => new Set(edits.filter(({ unsent }) => unsent).map(({ edit }) => edit.id));

async function recordsUnder(tx: MyReading, edits: KeptEdit[]): Promise<WireRecord[]> {
  const store = tx.objectStore(`records_${(await sets(tx)).base}`);
  const ids = [...new Set(edits.map(({ edit }) => edit.record))];
  return ids.flatMap((id) => store.get(id)?.record ?? []);
}

// ── One record ─────────────────────────────────────────────────────────────────────────────

export async function record(id: string, from: Local = local): Promise<RecordView | undefined> {
  const kinds = (await school(from))?.kinds ?? [];
  const me = from.me?.id ?? '';
  return await from.read([...STORES], async (tx) => {
    const { base } = await sets(tx);
    const kept = await tx.objectStore(`records_${base}`).get(id);
    const mine = (await tx.objectStore('edits').index('record').getAll(id)).sort((one, other) => one.order - other.order);
    const held = open(await tx.objectStore(`held_${base}`).index('record').getAll(id), mine);
    const over = mine.filter((one) => one.over);
    const [shown] = overlay(kinds, kept ? [kept.record] : [], over.map(({ edit }) => edit), me, unsentOf(over));
    if (!shown) return undefined;
    const kind = kinds.find(({ name }) => name === shown.kind);
    if (held.length && shown.delivery === 'sent') shown.delivery = 'needs';
    const unsent = mine.filter((one) => one.unsent).map(({ edit }) => edit);
    return { record: shown, history: historyOf(kept?.record, kind, mine, me), unsent, held, disputes: shown.disputes };
  });
}

function historyOf(record: WireRecord | undefined, kind: Kind | undefined, mine: KeptEdit[], me: string): Happening[] {
  const happened: Happening[] = mine.map(({ edit, unsent, outcome, receipted_at }) => ({
    at: edit.made_at,
    by: me,
    edit,
    values: edit.values,
    delivery: unsent ? 'waiting' : outcome === 'held' ? 'held' : 'sent',
    received_at: receipted_at ? new Date(receipted_at).toISOString() : null,
  }));
  if (record) happened.push(...toldBySchool(record, kind).filter(({ by }) => by !== me || mine.length === 0));
  return happened.sort((one, other) => compare(other.at, one.at));
}

/** What a record itself tells of its past: who began it, each author's statement, each side of a dispute. */
function toldBySchool(record: WireRecord, kind: Kind | undefined): Happening[] {
  const told: Happening[] = [];
  const add = (at: string, by: string, name: string, value: Json) => {
    const known = told.find((one) => one.at === at && one.by === by);
    if (known) known.values[name] = value;
    else told.push({ at, by, edit: null, values: { [name]: value }, delivery: 'sent', received_at: null });
  };
  for (const field of kind?.fields ?? []) {
    if (field.merge !== 'own') continue;
    const statements = (record.body[field.name] ?? {}) as Record<string, { value: Json; at: string }>;
    for (const [by, { value, at }] of Object.entries(statements)) add(at, by, field.name, value);
  }
  for (const [name, heads] of Object.entries(record.disputes)) for (const { at, by, value } of heads) add(at, by, name, value);
  const begun = told.find(({ at, by }) => by === record.author && at === record.made_at);
  if (begun) begun.received_at = record.received_at;
  else told.push({ at: record.made_at, by: record.author, edit: null, values: {}, delivery: 'sent', received_at: record.received_at });
  return told;
}

// ── Needs you ──────────────────────────────────────────────────────────────────────────────

/** One's own held edits that nobody has settled yet, newest first. */
export function needsMe(from: Local = local): Promise<HeldEdit[]> {
  return from.read(['edits', 'held_a', 'held_b', 'settings'], async (tx) => {
    const held = await tx.objectStore(`held_${(await sets(tx)).base}`).getAll();
    const amending = tx.objectStore('edits').index('amends');
    const answers = held.flatMap((one) => amending.getAll(one.edit));
    const themselves = held.flatMap((one) => tx.objectStore('edits').get(one.edit) ?? []);
    return open(held, [...answers, ...themselves]).sort((one, other) => compare(other.made_at, one.made_at));
  });
}

/** Neither settled, nor already answered from this phone; and letting one rest is nothing to decide again. */
function open(held: HeldEdit[], mine: KeptEdit[]): HeldEdit[] {
  const answered = new Set(mine.map(({ edit }) => edit.amends));
  const resting = new Set(mine.filter(({ edit }) => edit.set_aside !== undefined).map(({ edit }) => edit.id));
  return held.filter((one) => !one.settled && !answered.has(one.edit) && !resting.has(one.edit));
}

// ── The school ─────────────────────────────────────────────────────────────────────────────

let remembered: { of: string; etag: string; answer: SchoolAnswer } | undefined;

/** Kinds, lists, periods and codes as the school last said them; undefined until it has. */
export async function school(from: Local = local): Promise<SchoolAnswer | undefined> {
  const of = from.me ? `${from.me.school.id} ${from.me.id}` : '';
  return await from.read(['school'], async (tx) => {
    const etag = ((await tx.objectStore('school').get('etag')) as string | undefined) ?? '';
    if (etag && remembered?.of === of && remembered.etag === etag) return remembered.answer;
    const answer = (await tx.objectStore('school').get('answer')) as SchoolAnswer | undefined;
    if (answer) remembered = { of, etag, answer };
    return answer;
  });
}

