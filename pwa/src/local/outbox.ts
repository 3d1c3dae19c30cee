// Writing things down. An edit is safe on this phone before anybody is told that it is saved.

import type { Edit, HeldEdit, Values } from '../wire';
import { noLongerTyped, written as draftIsWritten } from './drafts';
import { newId } from './ids';
import { mine } from './session';
import { setting, sets, settle, type Mine, type MyWriting } from './stores';
import { NotSaved } from './trouble';

export { newId, NotSaved };

/** More than the school could ever take in with one request. A note of 60,000 bytes is a long way below. */
const LARGEST_EDIT_BYTES = 900_000;
const SHOWN_AT_MOST = 500;

export type Written = { record: string; kind: string; values: Values; seen: string | null; amends?: string; set_aside?: string };
export type Waiting = { count: number; oldest: string | null; edits: Edit[] };
export type WriteOptions = {
  /** The draft this was typed in: it goes in the same transaction that saves the edit. */
  draft?: string;
  /** Milliseconds for which the edit is not offered to the school, so that Undo can take it back: 10,000 beside a toast, 0 for a call for help. */
  undoFor?: number;
};

/** Resolves only once the edit is on the disk; throws NotSaved otherwise. Safe to call again after NotSaved. */
export const write = (written: Written, options?: WriteOptions): Promise<Edit> => writeInto(mine(), written, options);

/** Takes an edit back: true only while it has never been offered to the school. */
export const undo = (editId: string): Promise<boolean> => undoIn(mine(), editId);

/**
 * One's own held edit is let rest, with a reason: it stays in the history. If it was the one that would have begun its record,
 * the record is begun as void, so that the reason has a place to stand.
 */
export async function setAside(held: HeldEdit, why: string): Promise<Edit> {
  const known = await mine().reading(['records_a', 'records_b', 'settings'], async (tx) => tx.objectStore(`records_${(await sets(tx)).base}`).get(held.record));
  const values: Values = known ? {} : { state: 'void', state_reason: why };
  return write({ record: held.record, kind: held.kind, values, seen: known?.record.version ?? null, amends: held.edit, set_aside: why });
}

/** The oldest first, 500 at most; `count` is of all. */
export const waiting = (): Promise<Waiting> => waitingIn(mine());

/** Its author has read what cannot be brought back. */
export const forgetGone = (): Promise<void> => mine().writing(['settings'], (tx) => settle(tx, 'gone', undefined), () => ['contact']);

// ── The same, for any person's outbox ──────────────────────────────────────────────────────

export async function writeInto(db: Mine, written: Written, { draft, undoFor = 0 }: WriteOptions = {}): Promise<Edit> {
  const what = draft ?? `${written.record} ${written.amends ?? ''}`;
  const id = failed.get(what) ?? newId();
  failed.delete(what);
  // A plain copy: what is kept must not change when the form does.
  const asked = JSON.parse(JSON.stringify({ ...written, id, made_at: new Date().toISOString(), ...(draft && { draft }) })) as Omit<Edit, 'phone' | 'number'>;
  if (bytesOf(asked) > LARGEST_EDIT_BYTES) throw new NotSaved('This is too long to send in one piece. Please write it in two or more parts.');
  const again = newId(); // for a later run, should the first one have reached the school
  if (draft) await draftIsWritten(draft);
  if (undoFor > 0) keepBack(id, undoFor);
  else letGo(); // Edits are offered in the order of their numbers: one that cannot wait takes the earlier ones with it.
  const writing = db.writing(['edits', 'drafts', 'settings'], async (tx) => {
    if (draft) tx.objectStore('drafts').delete(draft);
    const already = tx.objectStore('edits').get(id); // A first run may have been saved before its connection was lost.
    if (!already) return await numbered(tx, asked, undoFor);
    if (isSame(already.edit, asked)) return already.edit;
    if (already.offered || !draft) return await numbered(tx, { ...asked, id: again }, undoFor); // The school may have what was written first.
    const { phone, number, made_at } = already.edit;
    const better = { ...asked, phone, number, made_at };
    tx.objectStore('edits').put({ ...already, edit: better });
    return better;
  });
  return await writing.then(
    (edit) => (draft && noLongerTyped(draft), edit),
    (why) => {
      failed.set(what, id);
      throw why;
    },
  );
}

/** What could not be saved may be on the disk all the same: tried again, it keeps its id, and never becomes two. */
const failed = new Map<string, string>();

const isSame = ({ values, set_aside }: Edit, asked: Pick<Edit, 'values' | 'set_aside'>): boolean => JSON.stringify([values, set_aside]) === JSON.stringify([asked.values, asked.set_aside]);

/** The number is drawn in the transaction that keeps the edit: no number without its edit, and none twice. */
async function numbered(tx: MyWriting, asked: Omit<Edit, 'phone' | 'number'>, undoFor: number): Promise<Edit> {
  const phone = (await setting(tx, 'phone')) ?? newId();
  const number = ((await setting(tx, 'number')) ?? 0) + 1;
  const order = ((await setting(tx, 'order')) ?? 0) + 1;
  const edit = { ...asked, phone, number };
  // For the worker, which knows nothing of this tab's clock.
  const kept_back = undoFor > 0 ? { not_before: Date.now() + Math.min(undoFor, UNDO_AT_MOST_MS) } : {};
  tx.objectStore('edits').add({ edit, order, unsent: order, over: order, ...kept_back });
  await settle(tx, 'phone', phone);
  await settle(tx, 'number', number);
  await settle(tx, 'order', order);
  return edit;
}

export function undoIn(db: Mine, editId: string): Promise<boolean> {
  let takenBack = false;
  return db.writing(['edits', 'settings'], async (tx) => {
    const edits = tx.objectStore('edits');
    const taken = await edits.get(editId);
    if (!taken || taken.offered) return takenBack;
    const later = await edits.index('unsent').getAll(IDBKeyRange.lowerBound(taken.order, true));
    if (later.some((one) => one.offered)) return false;
    // A call for help from the locked screen has drawn the next number, and is nothing that can be read here.
    if ((await setting(tx, 'number')) !== taken.edit.number + later.length) return false;
    await edits.delete(editId);
    // Those written since were never offered either, so they may close the gap.
    for (const one of later) await edits.put({ ...one, edit: { ...one.edit, number: one.edit.number - 1 } });
    await settle(tx, 'number', ((await setting(tx, 'number')) ?? 1) - 1);
    return (takenBack = true);
  });
}

export function waitingIn(db: Mine): Promise<Waiting> {
  return db.reading(['edits'], async (tx) => {
    const unsent = tx.objectStore('edits').index('unsent');
    const [count, first] = await Promise.all([unsent.count(), unsent.getAll(null, SHOWN_AT_MOST)]);
    return { count, oldest: first[0]?.edit.made_at ?? null, edits: first.map((kept) => kept.edit) };
  });
}

// ── Undo: for a few seconds an edit is kept back from the school, in the tab that wrote it ─────────────

const keptBack = new Map<string, number>();
export const UNDO_AT_MOST_MS = 15_000;

/** For how many milliseconds yet this edit is not to be offered. */
export const keptBackFor = (editId: string): number => Math.max(0, (keptBack.get(editId) ?? 0) - performance.now());

function keepBack(editId: string, milliseconds: number): void {
  keptBack.set(editId, performance.now() + Math.min(milliseconds, UNDO_AT_MOST_MS));
  for (const edit of keptBack.keys()) if (!keptBackFor(edit)) keptBack.delete(edit);
}

/** Lets everything be offered at once: the person has put the phone away, or asked to send now. */
export const letGo = (): void => keptBack.clear();

const bytesOf = (value: unknown): number => new TextEncoder().encode(JSON.stringify(value)).length;
