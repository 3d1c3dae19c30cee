// After the browser threw away what waited here: the school says which of its numbers never came. The desk is told, and the author.

import { evictedFrom, forgetEvicted, type Left } from '../local/evicted';
import { setting, settle, type Mine } from '../local/stores';
import type { Ask } from '../school';
import { PROTOCOL, type Answer, type Letter } from '../wire';
import { readAnswer } from './reading';

const MOST_LETTERS = 20; // a hundred numbers each

/** Safe to repeat: the author is told first, then the numbers are named as lost. */
export async function tellWhatIsMissed(db: Mine, ask: Ask, build: string): Promise<void> {
  for (const left of evictedFrom(db.name)) if (await tellWhatIsMissedOf(left, db, ask, build)) forgetEvicted(left);
}

/** True once it is told. */
async function tellWhatIsMissedOf(left: Left, db: Mine, ask: Ask, build: string): Promise<boolean> {
  const [cursor, session] = await db.reading(['settings'], async (tx) => [(await setting(tx, 'cursor')) ?? null, await setting(tx, 'session_phone')]);
  const say = async (lost: number[]): Promise<Answer | null> => {
    const letter: Letter = { protocol: PROTOCOL, build, phone: left.phone, sent_at: new Date().toISOString(), cursor, receipted: left.number, waiting: 0, lost, edits: [] };
    const heard = await ask('/api/sync', { method: 'POST', json: letter, phone: session });
    return heard.heard === 'answered' && heard.status === 200 ? readAnswer(heard.json, letter) : null;
  };
  let answer = await say([]);
  for (let letters = 0; answer && letters < MOST_LETTERS; letters++) {
    const unopened = new Set(answer.unopened);
    const lost = answer.wanted.filter((number) => !unopened.has(number));
    await mourn(db, left, lost, unopened.size);
    if (lost.length === 0) return true;
    answer = await say(lost);
  }
  return answer !== null;
}

/** Beside what was to be told already, also of an outbox that was thrown away before. Numbers come in their order: none is told of twice. */
async function mourn(db: Mine, left: Left, lost: number[], unopened: number): Promise<void> {
  await db.writing(
    ['settings'],
    async (tx) => {
      const before = await setting(tx, 'gone');
      const isFirst = before?.told?.[left.phone] === undefined;
      const upto = before?.told?.[left.phone] ?? 0;
      const earlier = isFirst ? left.gone : null;
      const count = (before?.count ?? 0) + (earlier?.count ?? 0) + lost.filter((number) => number > upto).length;
      const closed = before?.closed?.[left.phone] ?? 0;
      const waits = (before?.unopened ?? 0) + (earlier?.unopened ?? 0) + Math.max(0, unopened - closed);
      if (count + waits === 0) return;
      const [at = null] = [before?.at, earlier?.at, left.oldest].flatMap((moment) => moment ?? []).sort();
      await settle(tx, 'gone', { count, at, ...(waits && { unopened: waits, closed: { ...before?.closed, [left.phone]: Math.max(closed, unopened) } }), told: { ...before?.told, [left.phone]: Math.max(upto, ...lost) } });
    },
    () => ['contact'],
  );
}
