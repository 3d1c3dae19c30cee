// Laying this phone's unsent edits over the school's records, by the four rules the school itself combines them by. Pure: no
// database, no clock.

import type { Edit, Field, Gathering, Head, Json, Kind, Moment, Statement, WireRecord } from '../wire';

/** Where what is shown of a record is: only here, on its way, with the school, or with a person who must decide. */
export type Delivery = 'waiting' | 'sending' | 'sent' | 'needs';

export type ShownRecord = {
  id: string;
  kind: string;
  version: string | null; // what to name as `seen`; null: the school has not told us of it yet
  state: string; // open, closed, void
  delivery: Delivery;
  author: string;
  made_at: string;
  received_at: string | null;
  at: string; // when it happened, or else was begun
  edits: number;
  gaps: string[];
  body: Body;
  disputes: Record<string, Head[]>;
  disputed: Record<string, number>; // how many values differ, where there are more than are told
  mine: boolean;
  unsent: string[]; // ids of the edits that the school has not heard
};

export type Body = Record<string, Json>;

/** `unsent` is among `edits`, in the order in which they were written; an edit outside it has its receipt, but its record has not come back yet. */
export function overlay(kinds: readonly Kind[], records: readonly WireRecord[], edits: readonly Edit[], me: string, unsent: ReadonlySet<string> = idsOf(edits)): ShownRecord[] {
  const kindNamed = new Map(kinds.map((kind) => [kind.name, kind]));
  const shown = new Map(records.map((record) => [record.id, asSent(record, kindNamed.get(record.kind), me)]));
  for (const edit of edits) {
    const kind = kindNamed.get(edit.kind);
    const under = shown.get(edit.record) ?? begun(edit, me);
    shown.set(edit.record, laidOver(kind, under, edit, me, unsent.has(edit.id)));
  }
  return [...shown.values()];
}

const idsOf = (edits: readonly Edit[]): Set<string> => new Set(edits.map((edit) => edit.id));

function asSent(record: WireRecord, kind: Kind | undefined, me: string): ShownRecord {
  return {
    ...record,
    disputed: record.disputed ?? {},
    delivery: 'sent',
    at: happenedAt(kind, record.body, record.made_at),
    mine: record.author === me,
    unsent: [],
  };
}

function begun({ record, kind, made_at }: Edit, me: string): ShownRecord {
  return {
    id: record,
    kind,
    version: null,
    state: 'open',
    delivery: 'sent',
    author: me,
    made_at,
    received_at: null,
    at: made_at,
    edits: 0,
    gaps: [],
    body: {},
    disputes: {},
    disputed: {},
    mine: true,
    unsent: [],
  };
}

function laidOver(kind: Kind | undefined, under: ShownRecord, edit: Edit, me: string, isUnsent: boolean): ShownRecord {
  const over = { ...under, body: { ...under.body }, disputes: { ...under.disputes }, disputed: { ...under.disputed }, edits: under.edits + 1 };
  for (const [name, value] of Object.entries(edit.values)) {
    const field = kind?.fields.find((one) => one.name === name);
    combine(over, field ?? UNKNOWN, name, value, edit, me);
  }
  if (isUnsent) {
    over.unsent = [...under.unsent, edit.id];
    over.delivery = 'waiting';
  }
  over.state = typeof over.body.state === 'string' ? over.body.state : under.state;
  over.at = happenedAt(kind, over.body, over.made_at);
  over.gaps = kind ? gapsIn(kind, over.body) : under.gaps;
  return over;
}

/** A field that this build has not heard of is shown as it was written, and never dropped. */
const UNKNOWN = { merge: 'latest', shape: { control: 'line' } } as Pick<Field, 'merge' | 'shape'>;

function combine(over: ShownRecord, field: Pick<Field, 'merge' | 'shape'>, name: string, value: Json, edit: Edit, me: string): void {
  switch (field.merge) {
    case 'latest':
      over.body = withOne(over.body, name, value);
      return decide(over, name, value, edit, me);
    case 'gravest':
      over.body = withOne(over.body, name, hasSeen(edit, over) ? value : graver(field, at(over.body, name), value));
      return decide(over, name, value, edit, me);
    case 'own':
      return state(over, name, value, edit, me);
    case 'gather':
      return gather(over, name, value, edit, me);
  }
}

/** Whoever has seen a dispute and writes the field again settles it; whoever has not, adds an answer to it. */
function decide(over: ShownRecord, name: string, value: Json, edit: Edit, me: string): void {
  const heads = at(over.disputes, name);
  if (!heads) return;
  const others = heads.filter((head) => head.by !== me);
  if (hasSeen(edit, over) || others.every((head) => same(head.value, value))) {
    delete over.disputes[name];
    delete over.disputed[name];
  } else {
    const mine = { value, by: me, at: edit.made_at, edit: edit.id };
    over.disputes = withOne(over.disputes, name, [mine, ...others.filter((head) => !same(head.value, value))]);
  }
}

const hasSeen = (edit: Edit, { version }: ShownRecord): boolean => version === null || edit.seen === version;

/** The most serious stands until somebody who has seen it lowers it. */
function graver({ shape }: Pick<Field, 'shape'>, standing: Json | undefined, value: Json): Json {
  const rank = (one: Json | undefined) => (shape.options ?? []).findIndex(({ code }) => code === one);
  return standing !== undefined && rank(standing) > rank(value) ? standing : value;
}

/** One statement per author: nobody else's is touched. */
function state(over: ShownRecord, name: string, value: Json, edit: Edit, me: string): void {
  const statements = entries(at(over.body, name));
  const versions = (entries(at(statements, me)) as Partial<Statement>).versions ?? 0;
  over.body = withOne(over.body, name, withOne(statements, me, { value, at: edit.made_at, versions: versions + 1 }));
}

/** Each key is a field of its own; in one edit drops come first. */
function gather(over: ShownRecord, name: string, value: Json, edit: Edit, me: string): void {
  const { put, drop } = entries(value) as Gathering;
  let gathered = { ...entries(at(over.body, name)) };
  for (const key of Array.isArray(drop) ? drop : []) {
    delete gathered[key];
    if (hasSeen(edit, over)) delete over.disputes[`${name}/${key}`];
  }
  for (const [key, entry] of Object.entries(entries(put))) {
    gathered = withOne(gathered, key, entry);
    decide(over, `${name}/${key}`, entry, edit, me);
  }
  over.body = withOne(over.body, name, gathered);
}

// ── What a record says of itself ───────────────────────────────────────────────────────────

/** When it happened, by the kind's own moment; when it was begun, otherwise. */
export function happenedAt(kind: Kind | undefined, body: Body, made_at: string): string {
  const moment = kind?.moment ? body[kind.moment] : null;
  if (typeof moment === 'string') return moment;
  return (entries(moment) as Partial<Moment>).at ?? made_at;
}

/** Who and what a record names: pupils, staff, linked records. */
export function namesIn(kind: Kind | undefined, body: Body): string[] {
  const names = (kind?.fields ?? []).flatMap(({ name, shape }) => {
    const value = body[name];
    if (shape.control === 'record') return typeof value === 'string' ? [value] : [];
    return shape.control === 'pupils' || shape.control === 'staff' ? Object.keys(entries(value)) : [];
  });
  return [...new Set(names)];
}

export function gapsIn(kind: Kind, body: Body): string[] {
  const answered = new Set(kind.fields.filter((field) => isAnswered(field, body[field.name])).map(({ name }) => name));
  return kind.fields
    .filter(({ name, needed, instead }) => needed && !answered.has(name) && !(instead && answered.has(instead)))
    .map(({ name }) => name);
}

function isAnswered({ merge }: Field, value: Json | undefined): boolean {
  if (merge === 'own') return Object.values(entries(value)).some((statement) => !isEmpty((statement as Statement).value));
  return !isEmpty(value);
}

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** A key is whatever somebody sent, `__proto__` and `constructor` too: it is only ever looked up as one's own, and never assigned. */
const at = <T>(all: Record<string, T>, key: string): T | undefined => (Object.hasOwn(all, key) ? all[key] : undefined);
const withOne = <T>(all: Record<string, T>, key: string, one: NoInfer<T>): Record<string, T> => ({ ...all, [key]: one });

const entries = (value: Json | undefined): Record<string, Json> => (value && typeof value === 'object' && !Array.isArray(value) ? value : {});

export function same(one: Json | undefined, other: Json | undefined): boolean {
  return one === other || JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((one) => sorted(one) as Json);
  if (!value || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key]) as Json]));
}
