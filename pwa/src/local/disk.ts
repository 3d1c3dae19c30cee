// What lies on the disk for one member of staff. Nothing of it can be read without their PIN, but ids, times and counters.

import type { DBSchema, IDBPDatabase } from 'idb';
import type { Blob } from '../wire';
import { toText, type Bytes, type Closed } from './bytes';
import { Database, type Reading, type Step, type Writing } from './database';
import type { Draft } from './drafts';
import type { Gone, KeptEdit, Settings } from './stores';
import type { Vault } from './vault';

/** Closed to the school’s intake key and signed by this phone: the school can open it, this phone cannot. */
export type Sealed = { kid: string; bytes: Bytes; signature: Bytes };

/** An edit that the school may not have; not `unsent`, it said that it has it, which no cursor proves yet. `copy` is for its author to read again; without `sealed` it waits for the next unlocking. */
export type OutboxRow = {
  id: string;
  order: number;
  phone: string;
  number: number;
  made_at: string;
  unsent?: number; // as in the edit, as are the next two
  not_before?: number;
  offered?: true;
  kept_at?: number; // when the school said so last: milliseconds by its own clock
  repeated?: true; // and had been asked to keep it before, with a cursor in between
  late?: true; // or with none in thirty days: nobody exchanges here for its author any more
  sealed?: Sealed;
  vault: string; // which vault's key closed the copy: a forgotten PIN makes another
  call?: true; // for help, written on the locked screen
  copy: Closed;
  changed: number; // the epoch in which it was written
};

export type DraftRow = { id: string; changed_at: string; phone: string; sealed?: Sealed; vault: string; copy: Closed; changed: number };

/** Rows that were written together: [shelf, key, row], and null for a row that is gone. */
export type PageRow = [shelf: string, id: string, row: unknown];
export type Page = { n: number; epoch: number; vault: string; rows: number; closed: Closed };

/** In the clear. `epoch` counts the transactions that wrote; `history` those after which nothing that was read before may stand. */
export type OnDisk = Settings & { epoch: number; history: number };

export interface Stored extends DBSchema {
  outbox: { key: string; value: OutboxRow; indexes: { changed: number; unsent: number } };
  drafts: { key: string; value: DraftRow; indexes: { changed: number } };
  pages: { key: number; value: Page };
  settings: { key: string; value: unknown };
  keys: { key: string; value: unknown }; // vault: Vault, device: CryptoKey, signing: Signing
  older: { key: number; value: Older }; // in the clear, from before there were PINs: until the first one is chosen
}

export type Older = { edit: KeptEdit } | { draft: Draft };
export type Signing = { pair: CryptoKeyPair; public: string };

export type Disk = Database<Stored>;
export type DiskReading = Reading<Stored>;
export type DiskWriting = Writing<Stored>;

export const nameOf = (school: string, staff: string): string => `lanyard ${school} ${staff}`;

export const diskOf = (school: string, staff: string): Disk => new Database<Stored>(nameOf(school, staff), [before, closed]);

/** The first version kept everything in the clear. */
const before: Step<Stored> = (db) => {
  const plain = db as unknown as IDBPDatabase;
  plain.createObjectStore('edits', { keyPath: 'edit.id' });
  plain.createObjectStore('drafts', { keyPath: 'id' });
  plain.createObjectStore('settings');
};

/** What a person wrote is set aside until it can be closed; what the school sent comes again. */
const closed: Step<Stored> = async (db, tx) => {
  const older = db.createObjectStore('older', { autoIncrement: true });
  const stores = (name: string) => (tx as unknown as { objectStore(name: string): { getAll(): Promise<unknown[]> } }).objectStore(name);
  const [edits, drafts] = [await stores('edits').getAll(), await stores('drafts').getAll()];
  for (const edit of edits as KeptEdit[]) await older.add({ edit });
  for (const draft of drafts as Draft[]) await older.add({ draft });
  for (const name of ['me', 'cursor', 'rebuilding', 'base', 'people', 'school_at']) await tx.objectStore('settings').delete(name);
  for (const name of [...db.objectStoreNames] as string[]) if (name !== 'older' && name !== 'settings') (db as unknown as IDBPDatabase).deleteObjectStore(name);
  const outbox = db.createObjectStore('outbox', { keyPath: 'id' });
  outbox.createIndex('changed', 'changed');
  outbox.createIndex('unsent', 'unsent');
  db.createObjectStore('drafts', { keyPath: 'id' }).createIndex('changed', 'changed');
  db.createObjectStore('pages', { keyPath: 'n' });
  db.createObjectStore('keys');
};

// ── In the clear, by their names and types ───────────────────────────────────────────────────

export async function noted<Name extends keyof OnDisk>(tx: DiskReading | DiskWriting, name: Name): Promise<OnDisk[Name] | undefined> {
  return (await tx.objectStore('settings').get(name)) as OnDisk[Name] | undefined;
}

export async function note<Name extends keyof OnDisk>(tx: DiskWriting, name: Name, value: OnDisk[Name] | undefined): Promise<void> {
  if (value === undefined) await tx.objectStore('settings').delete(name);
  else await tx.objectStore('settings').put(value, name);
}

/** Every change has an epoch of its own, so that no tab goes on with what another has changed. */
export async function newEpoch(tx: DiskWriting): Promise<number> {
  const epoch = ((await noted(tx, 'epoch')) ?? 0) + 1;
  await note(tx, 'epoch', epoch);
  return epoch;
}

export const vaultIn = async (tx: DiskReading | DiskWriting): Promise<Vault | undefined> => (await tx.objectStore('keys').get('vault')) as Vault | undefined;

/** Forgets everything that the school sent, and the way to read what was written; what was written and sealed stays. */
export async function forgetAll(tx: DiskWriting): Promise<void> {
  await tx.objectStore('keys').delete('vault');
  await forgetPages(tx);
}

export async function forgetPages(tx: DiskWriting): Promise<void> {
  await tx.objectStore('pages').clear();
  for (const name of OF_WHAT_WAS_SENT) await note(tx, name, undefined);
  await note(tx, 'history', ((await noted(tx, 'history')) ?? 0) + 1);
  await newEpoch(tx);
}

/** The same by itself, and nobody is told. */
export const withoutPages = (disk: Disk): Promise<void> => disk.writing(['pages', 'settings'], forgetPages, () => []);

/** What says how much of the school is held here: with the pages gone, none. */
export const OF_WHAT_WAS_SENT = ['cursor', 'rebuilding', 'base', 'people', 'school_at'] as const;

// ── What waits, for whoever may not read it ──────────────────────────────────────────────────

export type WaitingClosed = { count: number; drafts: number; oldest: string | null; phone: string; number: number; gone: Gone | null; lastContact: string | null; lastSent: string | null };

export const waitingOnDisk = (disk: Disk): Promise<WaitingClosed> =>
  disk.reading(['outbox', 'drafts', 'older', 'settings'], async (tx) => {
    const unsent = tx.objectStore('outbox').index('unsent');
    const older = (await tx.objectStore('older').getAll()).flatMap((one) => ('edit' in one && one.edit.unsent ? [one.edit] : []));
    return {
      count: (await unsent.count()) + older.length,
      drafts: await tx.objectStore('drafts').count(),
      oldest: older[0]?.edit.made_at ?? (await unsent.get(IDBKeyRange.lowerBound(0)))?.made_at ?? null,
      phone: (await noted(tx, 'phone')) ?? '',
      number: (await noted(tx, 'number')) ?? 0,
      gone: (await noted(tx, 'gone')) ?? null,
      lastContact: (await noted(tx, 'last_contact')) ?? null,
      lastSent: (await noted(tx, 'last_sent')) ?? null,
    };
  });

/** How much only the PIN of now can open, since the school's key was not here when it was written: a new PIN would lose it. */
export const onlyByPin = (disk: Disk): Promise<number> =>
  disk.reading(['outbox', 'drafts', 'keys'], async (tx) => {
    const rows = [...(await tx.objectStore('outbox').index('unsent').getAll()), ...(await tx.objectStore('drafts').getAll())];
    const vault = (await vaultIn(tx))?.id;
    return rows.filter((row) => !row.sealed && row.vault === vault).length;
  });

/** Instead of a vault's id: the school can open it, and nobody here. */
export const NOBODYS = '';

/** A school may have to go back to a backup: for so long, what it has receipted or kept can be offered again. */
export const KEPT_AFTER_RECEIPT_MS = 30 * 24 * 60 * 60 * 1_000;

export type SealedRow = (OutboxRow | DraftRow) & { sealed: Sealed };

export const isSealed = <Row extends OutboxRow | DraftRow>(row: Row): row is Row & { sealed: Sealed } => row.sealed !== undefined;

/** As the intake takes it in, and as a saved copy holds it. */
export function blobOf(row: SealedRow): Blob {
  const { kid, bytes, signature } = row.sealed;
  const outside = 'order' in row ? { what: 'edit' as const, number: row.number, made_at: row.made_at } : { what: 'draft' as const, number: 0, made_at: row.changed_at };
  return { id: row.id, phone: row.phone, ...outside, kid, sealed: toText(bytes), signature: toText(signature) };
}
