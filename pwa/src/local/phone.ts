// This phone itself: how much room it has, whether the browser has promised to keep it, a copy of what is waiting, habits.

import { PROTOCOL } from '../wire';
import { blobOf, isSealed } from './disk';
import { local, type Local } from './reading';
import { me, mine } from './session';
import { setting } from './stores';

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

/** A file of every edit that the school has not heard, sealed: only the school can open it. One that could not be sealed yet is in it as it is. */
export async function saveCopy(): Promise<File> {
  const whose = me();
  const rows = await mine().disk.reading(['outbox'], (tx) => tx.objectStore('outbox').index('unsent').getAll());
  const open = new Set(rows.filter((row) => !isSealed(row)).map(({ id }) => id));
  const [phone, edits] = await mine().reading(['edits', 'settings'], async (tx) => [
    await setting(tx, 'phone'),
    tx.objectStore('edits').index('unsent').getAll().flatMap(({ edit }) => (open.has(edit.id) ? [edit] : [])),
  ]);
  const saved_at = new Date().toISOString();
  const copy = { lanyard: 'waiting edits', protocol: PROTOCOL, school: whose?.school.id, staff: whose?.id, phone, saved_at, sealed: rows.filter(isSealed).map(blobOf), edits };
  return new File([JSON.stringify(copy, null, 1)], `lanyard-waiting-${saved_at.slice(0, 16).replaceAll(':', '')}.json`, { type: 'application/json' });
}

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
