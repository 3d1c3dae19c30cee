// What is being typed. Kept at every keystroke, so that a killed app loses none of it.

import type { Values } from '../wire';
import { mine } from './session';
import { local, type Local } from './reading';
import type { Mine } from './stores';

export type Draft = {
  id: string;
  kind: string;
  record: string; // minted when the form is opened, or the record being amended
  seen: string | null; // its version when the form was opened
  values: Values; // only what was touched
  opened_at: string;
  changed_at: string;
  amends?: string; // the held edit that this one corrects
  page?: string; // where in a long form the person was
};

/** Resolves once it is on the disk; keystrokes that come meanwhile are written together. Throws NotSaved. */
export const keep = (draft: Draft): Promise<void> => keepIn(mine(), draft);

export const draft = (id: string, from: Local = local): Promise<Draft | undefined> => from.read(['drafts'], (tx) => tx.objectStore('drafts').get(id));

/** Somebody has written in it since it was opened. */
export const isBegun = ({ opened_at, changed_at }: Draft): boolean => changed_at !== opened_at;

/** Newest first. */
export async function drafts(from: Local = local): Promise<Draft[]> {
  const kept = await from.read(['drafts'], (tx) => tx.objectStore('drafts').index('changed_at').getAll());
  return kept.reverse();
}

/** Throws the draft away. */
export async function drop(id: string): Promise<void> {
  await written(id);
  await mine().writing(['drafts'], (tx) => tx.objectStore('drafts').delete(id));
  noLongerTyped(id);
}

/** For each draft, what is being written, and the newest, which is to be written next. */
type Line = { writing: Promise<void>; next: { draft: Draft; done: Promise<void> } | undefined };
const lines = new Map<string, Line>();

export function keepIn(db: Mine, draft: Draft): Promise<void> {
  const line = lines.get(draft.id) ?? { writing: Promise.resolve(), next: undefined };
  lines.set(draft.id, line);
  const newest = JSON.parse(JSON.stringify(draft)) as Draft;
  typed.set(draft.id, { draft: newest, db });
  if (line.next) line.next.draft = newest;
  else line.next = { draft: newest, done: afterwards(db, line) };
  return line.next.done;
}

async function afterwards(db: Mine, line: Line): Promise<void> {
  await line.writing.catch(() => {});
  const { draft, done } = line.next!;
  line.writing = done;
  line.next = undefined;
  await db.writing(['drafts', 'settings'], (tx) => tx.objectStore('drafts').put(draft), () => ['drafts']);
  if (typed.get(draft.id)?.draft === draft) typed.delete(draft.id);
}

/** What was typed and is not on the disk: for a copy, when the disk does not answer. */
const typed = new Map<string, { draft: Draft; db: Mine }>();
export const notOnDisk = (): Draft[] => [...typed.values()].flatMap(({ draft, db }) => (db === mine() ? [draft] : []));
export const noLongerTyped = (id: string): boolean => typed.delete(id);

/** Once every keystroke so far is on the disk, or could not be put there. */
export const allWritten = async (): Promise<void> => void (await Promise.allSettled([...lines.values()].map(({ next, writing }) => next?.done ?? writing)));

/** Once nothing of this draft is on its way to the disk any more: a late keystroke must not bring back a draft that became an edit. */
export async function written(id: string): Promise<void> {
  const line = lines.get(id);
  await (line?.next?.done ?? line?.writing)?.catch(() => {});
  lines.delete(id);
}
