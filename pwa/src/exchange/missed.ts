// After the browser threw away what waited here: the school says which of its numbers never came. The desk is told, and the author.

import { evictedFrom, forgetEvicted } from '../local/evicted';
import { setting, settle, type Mine } from '../local/stores';
import type { Ask } from '../school';
import { PROTOCOL, type Answer, type Letter } from '../wire';
import { readAnswer } from './reading';

const MOST_LETTERS = 20; // a hundred numbers each

/** Safe to repeat: the author is told first, then the numbers are named as lost. */
export async function tellWhatIsMissed(db: Mine, ask: Ask, build: string): Promise<void> {
  const left = evictedFrom(db.name);
  if (!left) return;
  const [cursor, session] = await db.reading(['settings'], async (tx) => [(await setting(tx, 'cursor')) ?? null, await setting(tx, 'session_phone')]);
  const say = async (lost: number[]): Promise<Answer | null> => {
    const letter: Letter = { protocol: PROTOCOL, build, phone: left.phone, sent_at: new Date().toISOString(), cursor, receipted: left.number, waiting: 0, lost, edits: [] };
    const heard = await ask('/api/sync', { method: 'POST', json: letter, phone: session });
    return heard.heard === 'answered' && heard.status === 200 ? readAnswer(heard.json, letter) : null;
  };
  let answer = await say([]);
  let missed = 0;
  for (let letters = 0; answer && answer.wanted.length > 0 && letters < MOST_LETTERS; letters++) {
    missed += answer.wanted.length;
    await db.writing(['settings'], (tx) => settle(tx, 'gone', { count: missed, at: left.oldest }), () => ['contact']);
    answer = await say(answer.wanted);
  }
  if (answer) forgetEvicted(db.name);
}
