// This phone itself: how much room it has, whether the browser has promised to keep it, a copy of what is waiting, habits.

import { PROTOCOL, type Blob } from '../wire';
import { blobOf, isSealed, noted, type Disk } from './disk';
import { notOnDisk } from './drafts';
import { local, type Local } from './reading';
import { me, mine, myDisk, whose } from './session';
import { CLOSED, StorageTrouble, UNREADABLE } from './trouble';

export type Storage = { persisted: boolean; used: number; quota: number };

const NO_ANSWER_MS = 3_000;

export async function storage(): Promise<Storage> {
  const kept = globalThis.navigator?.storage;
  const [persisted, estimate] = await Promise.all([soon(kept?.persisted?.(), false), soon<StorageEstimate>(kept?.estimate?.(), {})]);
  return { persisted, used: estimate.usage ?? 0, quota: estimate.quota ?? 0 };
}

/** Asks the browser never to clear this phone's storage by itself. Call it after the first save, from a tap. */
export async function persist(): Promise<boolean> {
  const kept = globalThis.navigator?.storage;
  return (await soon(kept?.persisted?.(), false)) || (await soon(kept?.persist?.(), false));
}

/** A browser without this, or one that asks the person and hears nothing, counts as a no. */
async function soon<T>(answer: Promise<T> | undefined, otherwise: T): Promise<T> {
  const late = new Promise<T>((resolve) => setTimeout(resolve, NO_ANSWER_MS, otherwise));
  return await Promise.race([answer?.catch(() => otherwise) ?? otherwise, late]);
}

/** `open`: so many can be read by anybody who has the file; `left`: so many could not be put in it. */
export type Copy = { file: File; open: number; left: number };

/**
 * A file of all that the school may not have, drafts too, sealed: only the school can open it. From a locked phone as well, and
 * when its storage does not answer; an edit that could not be sealed yet is in it as it is, if the phone is unlocked.
 */
export async function saveCopy(): Promise<Copy> {
  const [disk, owner, db] = [myDisk(), whose(), me() ? mine() : undefined];
  if (!disk || !owner) throw new StorageTrouble(CLOSED);
  if (db) await soon(db.settled(), undefined);
  const lies = await soon<Lying | null>(lyingOn(disk), null);
  if (!lies && !db) throw new StorageTrouble(UNREADABLE);
  const typed = notOnDisk();
  const sealed = new Map(lies?.sealed.map((blob) => [blob.id, blob]));
  for (const { id } of typed) sealed.delete(id); // it has been written on
  const needsMemory = db && (!lies || typed.length > 0 || lies.unsealed.length > 0);
  const known = needsMemory ? await db.waitingNow(typed) : { sealed: [], edits: [] };
  for (const blob of known.sealed) if (!sealed.has(blob.id)) sealed.set(blob.id, blob);
  const edits = known.edits.filter(({ id }) => !sealed.has(id));
  const isIn = (id: string) => sealed.has(id) || edits.some((edit) => edit.id === id);
  const left = new Set([...(lies?.unsealed ?? []), ...typed.map(({ id }) => id)].filter((id) => !isIn(id))).size;
  const saved_at = new Date().toISOString();
  const copy = {
    lanyard: 'waiting edits',
    protocol: PROTOCOL,
    ...owner,
    phone: lies?.phone ?? known.sealed[0]?.phone,
    saved_at,
    sealed: [...sealed.values()],
    edits,
  };
  const file = new File([JSON.stringify(copy, null, 1)], `lanyard-waiting-${saved_at.slice(0, 16).replaceAll(':', '')}.json`, { type: 'application/json' });
  return { file, open: edits.length, left };
}

type Lying = { phone: string | undefined; sealed: Blob[]; unsealed: string[] };

const lyingOn = (disk: Disk): Promise<Lying> =>
  disk.reading(['outbox', 'drafts', 'settings'], async (tx) => {
    const rows = [...(await tx.objectStore('outbox').index('unsent').getAll()), ...(await tx.objectStore('drafts').getAll())];
    return { phone: await noted(tx, 'phone'), sealed: rows.filter(isSealed).map(blobOf), unsealed: rows.filter((row) => !isSealed(row)).map(({ id }) => id) };
  });

// ── Habits: chips stand in the order in which this person uses them ──────────────────────────

export function chosen(list: string, code: string): Promise<void> {
  return mine().writing(['uses'], async (tx) => {
    const times = (await tx.objectStore('uses').get([list, code]))?.times ?? 0;
    await tx.objectStore('uses').put({ list, code, times: times + 1 });
  });
}

/** How often each code of a list was chosen on this phone. */
export async function uses(list: string, from: Local = local): Promise<Map<string, number>> {
  const kept = await from.read(['uses'], (tx) => tx.objectStore('uses').index('list').getAll(list));
  return new Map(kept.map(({ code, times }) => [code, times]));
}
