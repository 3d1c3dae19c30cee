// Composing a letter to the school: which edits it carries, and what the phone says of itself.

import { keptBackFor } from '../local/outbox';
import { setting, settle, type KeptEdit, type Mine, type MyWriting } from '../local/stores';
import { PROTOCOL, type Edit, type Letter } from '../wire';
import { FRESH, type Plan } from './plan';

/** The school refuses a letter over 1,000,000 bytes as it lies unpacked; the rest is for what stands round the edits. */
const MOST_BYTES = 980_000;

/** A letter, and what has to be known of the phone as it was when it was composed. */
export type Composed = {
  letter: Letter;
  session: string | undefined; // the phone this person signed in with
  /** Edits with a receipt whose records had not come yet: the end of this letter's answer brings them. */
  landing: string[];
  rebuilding: boolean;
  news: number; // how many of its edits the school has not said that it has
  more: boolean; // edits are waiting that did not fit
  backIn_ms: number; // or are kept back for Undo
  plan: Plan;
};

/** Marks what it takes as offered, on the disk, before anything leaves: an Undo afterwards would be a lie. */
export function compose(db: Mine, build: string, what: 'edits' | 'nothing'): Promise<Composed> {
  return db.writing(['edits', 'settings'], (tx) => composed(tx, build, what), () => []);
}

async function composed(tx: MyWriting, build: string, what: 'edits' | 'nothing'): Promise<Composed> {
  const plan = (await setting(tx, 'plan')) ?? FRESH;
  const rebuilding = await setting(tx, 'rebuilding');
  const cursor = (rebuilding ? rebuilding.cursor : await setting(tx, 'cursor')) ?? null;
  const unsent = tx.objectStore('edits').index('unsent');
  const chosen = what === 'edits' ? await choose(tx, plan, cursor) : { batch: [], more: false, backIn_ms: 0 };
  for (const kept of chosen.batch) if (!kept.offered) await tx.objectStore('edits').put({ ...kept, offered: true });
  const letter: Letter = {
    protocol: PROTOCOL,
    build,
    phone: (await setting(tx, 'phone')) ?? '',
    sent_at: new Date().toISOString(),
    cursor,
    receipted: (await setting(tx, 'receipted')) ?? 0,
    waiting: await unsent.count(),
    lost: (await setting(tx, 'lost')) ?? [],
    edits: chosen.batch.map(({ edit }) => edit),
  };
  return {
    letter,
    session: await setting(tx, 'session_phone'),
    landing: await tx.objectStore('edits').index('landing').getAllKeys(),
    rebuilding: rebuilding !== undefined,
    news: chosen.batch.filter(isUnsent).length,
    more: chosen.more,
    backIn_ms: chosen.backIn_ms,
    plan,
  };
}

type Choice = { batch: KeptEdit[]; more: boolean; backIn_ms: number };

/**
 * The oldest first, as many as the plan allows and a letter holds, and then what goes once more: all of it where no cursor proves
 * anything. Those that failed alone only when nothing else waits.
 */
async function choose(tx: MyWriting, plan: Plan, cursor: string | null): Promise<Choice> {
  const edits = tx.objectStore('edits');
  const repeats = edits.index(cursor === null ? 'receipted_at' : 'again').getAll().filter((kept) => !isUnsent(kept));
  const aside = new Set(plan.aside);
  const batch: KeptEdit[] = [];
  let bytes = 0;
  for (const kept of [...edits.index('unsent').getAll(), ...repeats]) {
    if (aside.has(kept.edit.id)) continue;
    const backIn_ms = kept.offered || !isUnsent(kept) ? 0 : keptBackFor(kept.edit.id);
    if (backIn_ms > 0) return { batch, more: false, backIn_ms }; // In the order of their numbers: none goes before one that is kept back.
    bytes += bytesOf(kept.edit);
    if (batch.length >= plan.size || (batch.length > 0 && bytes > MOST_BYTES)) return { batch, more: true, backIn_ms: 0 };
    batch.push(kept);
  }
  const alone = plan.aside.flatMap((id) => edits.get(id) ?? []).filter((kept) => isUnsent(kept) || kept.again);
  if (batch.length > 0) return { batch, more: alone.length > 0, backIn_ms: 0 };
  return { batch: alone.slice(0, 1), more: alone.length > 1, backIn_ms: 0 };
}

const isUnsent = ({ unsent }: KeptEdit): boolean => unsent !== undefined;

const encoder = new TextEncoder();
const bytesOf = (edit: Edit): number => encoder.encode(JSON.stringify(edit)).length + 1;

export const remember = (db: Mine, plan: Plan): Promise<void> => db.writing(['settings'], (tx) => settle(tx, 'plan', plan), () => []);
