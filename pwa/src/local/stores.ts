// What this phone holds: one database for each member of staff who has signed in on it, and a tiny shared one that knows which.

import type { DBSchema, IDBPDatabase } from 'idb';
import type { Because, Contact, Edit, HeldEdit, Me, Pupil, School, Staff, WireRecord } from '../wire';
import { Database, type Reading, type Writing } from './database';

/** An edit on this phone. It stays for 30 days after its receipt, in case the school has to be restored from a backup. */
export type KeptEdit = {
  edit: Edit;
  order: number; // counts everything ever written here; unlike `number` it survives a fork
  unsent?: number; // `order`, until there is a receipt
  over?: number; // `order`, until the school's own records are known to include it: laid over them meanwhile
  landing?: number; // `order`, from its receipt until then
  offered?: true; // it has left this phone at least once
  outcome?: 'taken' | 'held';
  because?: Because;
  receipted_at?: number; // milliseconds by the school's clock
};

/** A record as the school sent it, with what lists are ordered and filtered by. */
export type KeptRecord = { id: string; record: WireRecord; kind: string; at: string; names: string[] };

export type Settings = {
  me: Me & { school: School };
  session_phone: string; // the phone id this person signed in with
  grant: string; // sends what this person wrote, and reads nothing
  phone: string; // the phone id under which edits are numbered; another one after a fork
  number: number; // the last one given
  order: number;
  receipted: number; // the highest number for which there is a receipt
  lost: number[]; // numbers the school wants which are not here any more
  cursor: string | null;
  base: 'a' | 'b'; // which of the two sets of stores is shown; the other is where a rebuild collects
  rebuilding: { cursor: string | null };
  plan: { size: number; failures: number; aside: string[] };
  school_at: number; // when it was last asked for, by this phone's clock
  people: { cursor: string | null; at: number }; // and when they were last asked for
  last_contact: string; // when the school last answered, by this phone's clock
  last_sent: string; // when it last gave a receipt
  revoked: boolean;
};

type RecordStore = { key: string; value: KeptRecord; indexes: { at: string; kind: [string, string]; names: string } };
type HeldStore = { key: string; value: HeldEdit; indexes: { record: string } };

export interface Theirs extends DBSchema {
  edits: {
    key: string;
    value: KeptEdit;
    indexes: { unsent: number; over: number; landing: number; record: string; amends: string; number: [string, number]; receipted_at: number };
  };
  drafts: { key: string; value: import('./drafts').Draft; indexes: { changed_at: string } };
  records_a: RecordStore;
  records_b: RecordStore;
  held_a: HeldStore;
  held_b: HeldStore;
  pupils: { key: string; value: Pupil };
  contacts: { key: string; value: Contact; indexes: { pupil: string } };
  staff: { key: string; value: Staff };
  uses: { key: [string, string]; value: { list: string; code: string; times: number }; indexes: { list: string } };
  school: { key: string; value: unknown }; // answer: SchoolAnswer, etag: string
  settings: { key: string; value: unknown };
}

export type Mine = Database<Theirs>;
export type MyReading = Reading<Theirs>;
export type MyWriting = Writing<Theirs>;

/** Opens what one member of staff has on this phone. */
export const theirs = (school: string, staff: string): Mine => new Database<Theirs>(`lanyard ${school} ${staff}`, [first]);

function first(db: IDBPDatabase<Theirs>): void {
  const edits = db.createObjectStore('edits', { keyPath: 'edit.id' });
  edits.createIndex('unsent', 'unsent');
  edits.createIndex('over', 'over');
  edits.createIndex('landing', 'landing');
  edits.createIndex('record', 'edit.record');
  edits.createIndex('amends', 'edit.amends');
  edits.createIndex('number', ['edit.phone', 'edit.number']);
  edits.createIndex('receipted_at', 'receipted_at');
  db.createObjectStore('drafts', { keyPath: 'id' }).createIndex('changed_at', 'changed_at');
  for (const set of ['a', 'b'] as const) {
    const records = db.createObjectStore(`records_${set}`, { keyPath: 'id' });
    records.createIndex('at', 'at');
    records.createIndex('kind', ['kind', 'at']);
    records.createIndex('names', 'names', { multiEntry: true });
    db.createObjectStore(`held_${set}`, { keyPath: 'edit' }).createIndex('record', 'record');
  }
  db.createObjectStore('pupils', { keyPath: 'id' });
  db.createObjectStore('contacts', { keyPath: 'id' }).createIndex('pupil', 'pupil');
  db.createObjectStore('staff', { keyPath: 'id' });
  db.createObjectStore('uses', { keyPath: ['list', 'code'] }).createIndex('list', 'list');
  db.createObjectStore('school');
  db.createObjectStore('settings');
}

/** One line for each member of staff who has something on this phone. No names: the next person must not read them. */
export type Owner = { key: string; school: string; staff: string; username: string; phone: string };

export interface Shared extends DBSchema {
  owners: { key: string; value: Owner };
  settings: { key: string; value: string };
}

export const shared = new Database<Shared>('lanyard', [
  (db) => {
    db.createObjectStore('owners', { keyPath: 'key' });
    db.createObjectStore('settings');
  },
]);

// ── Settings, by their names and types ─────────────────────────────────────────────────────

export async function setting<Name extends keyof Settings>(tx: MyReading | MyWriting, name: Name): Promise<Settings[Name] | undefined> {
  return (await tx.objectStore('settings').get(name)) as Settings[Name] | undefined;
}

export async function settle<Name extends keyof Settings>(tx: MyWriting, name: Name, value: Settings[Name] | undefined): Promise<void> {
  if (value === undefined) await tx.objectStore('settings').delete(name);
  else await tx.objectStore('settings').put(value, name);
}

/** The stores that are shown, and the ones beside them in which a rebuild collects. */
export async function sets(tx: MyReading | MyWriting): Promise<{ base: 'a' | 'b'; spare: 'a' | 'b' }> {
  const base = (await setting(tx, 'base')) ?? 'a';
  return { base, spare: base === 'a' ? 'b' : 'a' };
}
