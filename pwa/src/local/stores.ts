// What this phone holds: a vault for each member of staff who has signed in on it, and a tiny shared database that knows which.

import type { DBSchema } from 'idb';
import type { Contact, Edit, HeldEdit, Me, Pupil, School, Staff, WireRecord } from '../wire';
import { Database } from './database';
import type { Draft } from './drafts';
import type { Filing, Key } from './rows';
import type { Shelves, Tx } from './shelves';

/** An edit on this phone. It stays for 30 days after its receipt, in case the school has to be restored from a backup. */
export type KeptEdit = {
  edit: Edit;
  order: number; // counts everything ever written here; unlike `number` it survives a fork
  unsent?: number; // `order`, until there is a receipt
  not_before?: number; // milliseconds by this phone's clock: kept back so long, for Undo
  over?: number; // `order`, until the school's own records are known to include it: laid over them meanwhile
  landing?: number; // `order`, from its receipt until then
  offered?: true; // it has left this phone at least once
  again?: number; // `order`: the school said that it has it, but no cursor here proves it (PROTOCOL.md, section 4): it goes once more
  outcome?: 'taken' | 'held';
  receipted_at?: number; // milliseconds by the school's clock
};

/** A record as the school sent it, with what lists are ordered and filtered by. */
export type KeptRecord = { id: string; record: WireRecord; kind: string; at: string; names: string[] };

/** In the clear on the disk: ids, counters, and what can only send. No names. */
export type Settings = {
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
  pinned: string; // the public key by which the school signs the list of its intake keys, learnt when its person signs in, and only then
  intake: { kid: string; public: string }[]; // that list: the first is to be sealed to
  intake_list: { made_at: number; by: string }; // when it was made, and by which key it was signed
  locks: { hidden_s: number; idle_s: number }; // when the phone locks by itself
  ring: { phone?: string; radio?: string }; // the school's own number and channel: a locked phone shows them to whoever needs help
  untidy: boolean; // something was forgotten, and lies in a page as yet
  unreadable: boolean; // some of what the school sent could not be read here: all of it is to be fetched again
  gone: Gone; // what was written here, and neither this phone nor the school has: until its author has read that
};

/** `at`: when the first of them was written, where that is known. `unopened`: how many more the school has, and cannot open yet. By phone: up to which number `told`, how many of them `closed`. */
export type Gone = { count: number; at: string | null; unopened?: number; told?: Record<string, number>; closed?: Record<string, number> };

type Use = { list: string; code: string; times: number };

/** What stands on each shelf while the phone is unlocked. `school` holds answer: SchoolAnswer, etag: string, me: Me with the school. */
export type Theirs = {
  edits: KeptEdit;
  drafts: Draft;
  records_a: KeptRecord;
  records_b: KeptRecord;
  held_a: HeldEdit;
  held_b: HeldEdit;
  pupils: Pupil;
  contacts: Contact;
  staff: Staff;
  uses: Use;
  school: unknown;
  settings: unknown;
};

export type Mine = Shelves;
export type MyReading = Tx;
export type MyWriting = Tx;
export type MeAtSchool = Me & { school: School };

const one = (key: Key | undefined): Key[] => (key === undefined ? [] : [key]);

const records: Filing<KeptRecord> = { key: ({ id }) => id, indexes: { at: ({ at }) => [at], kind: ({ kind, at }) => [[kind, at]], names: ({ names }) => names } };
const held: Filing<HeldEdit> = { key: ({ edit }) => edit, indexes: { record: ({ record }) => [record] } };

/** How each shelf is filed. */
export const FILED: { [Name in keyof Theirs]: Filing<Theirs[Name]> } = {
  edits: {
    key: ({ edit }) => edit.id,
    indexes: {
      unsent: ({ unsent }) => one(unsent),
      over: ({ over }) => one(over),
      landing: ({ landing }) => one(landing),
      again: ({ again }) => one(again),
      record: ({ edit }) => [edit.record],
      amends: ({ edit }) => one(edit.amends),
      number: ({ edit }) => [[edit.phone, edit.number]],
      receipted_at: ({ receipted_at }) => one(receipted_at),
    },
  },
  drafts: { key: ({ id }) => id, indexes: { changed_at: ({ changed_at }) => [changed_at] } },
  records_a: records,
  records_b: records,
  held_a: held,
  held_b: held,
  pupils: { key: ({ id }) => id, indexes: {} },
  contacts: { key: ({ id }) => id, indexes: { pupil: ({ pupil }) => [pupil] } },
  staff: { key: ({ id }) => id, indexes: {} },
  uses: { key: ({ list, code }) => [list, code], indexes: { list: ({ list }) => [list] } },
  school: { indexes: {} },
  settings: { indexes: {} },
};

/** One line for each member of staff who has something on this phone. No names: the next person must not read them. */
export type Owner = {
  key: string;
  school: string;
  staff: string;
  called: string; // what they sign in as, hashed with a salt of this installation: the same person keeps their phone's id
  phone: string;
  leaving?: true; // signed out; what the school sent may lie here as yet
};

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

export async function setting<Name extends keyof Settings>(tx: MyReading, name: Name): Promise<Settings[Name] | undefined> {
  return tx.objectStore('settings').get(name) as Settings[Name] | undefined;
}

export async function settle<Name extends keyof Settings>(tx: MyWriting, name: Name, value: Settings[Name] | undefined): Promise<void> {
  if (value === undefined) tx.objectStore('settings').delete(name);
  else tx.objectStore('settings').put(value, name);
}

/** The stores that are shown, and the ones beside them in which a rebuild collects. */
export async function sets(tx: MyReading): Promise<{ base: 'a' | 'b'; spare: 'a' | 'b' }> {
  const base = (await setting(tx, 'base')) ?? 'a';
  return { base, spare: base === 'a' ? 'b' : 'a' };
}
