// Exchanging with the school until neither side has more to say. What cannot be sent never keeps back what can, nor what the school has to say.

import type { Mine } from '../local/stores';
import { setting } from '../local/stores';
import { refusal, type Ask, type Heard } from '../school';
import type { Answer } from '../wire';
import { keep, revoke } from './keep';
import { compose, remember, type Composed } from './letter';
import { after, type Outcome } from './plan';
import { readAnswer } from './reading';
import { inTurn } from './turns';

/** More often than this in one go, and the school is not making sense. */
const MOST_REBUILDS = 3;

export type Line = {
  db: Mine;
  ask: Ask;
  build: string;
  told?: (receipts: number, waiting: number) => void;
};

/** How it ended. No trouble: both sides have said all they had to say. */
export type Ended = {
  trouble: Trouble | null;
  reached: boolean; // the school took a letter in and answered it in its own words
  receipts: number;
  rebuilds: number; // how often the school's history had to be begun again: its lists and people may have changed too
  retryAfter_s: number | null;
  backIn_ms: number; // an edit is kept back for Undo so long
  wanted: number[]; // numbers the school asked for last
};

export type Trouble = 'no signal' | 'too slow' | 'somebody else' | 'garbled' | 'busy' | 'failing' | 'storage' | 'unsendable' | 'sign in' | 'revoked' | 'update';

export async function exchange(line: Line): Promise<Ended> {
  const ended: Ended = { trouble: null, reached: false, receipts: 0, rebuilds: 0, retryAfter_s: null, backIn_ms: 0, wanted: [] };
  if (await line.db.reading(['settings'], (tx) => setting(tx, 'revoked'))) return { ...ended, trouble: 'revoked' };
  while ((await inTurn(line.db.name, () => say(line, 'edits', ended))) === 'more');
  return ended;
}

/** `all`: nothing more to say on either side, or trouble, which `ended` names. */
type Said = 'more' | 'all';

async function say(line: Line, what: 'edits' | 'nothing', ended: Ended): Promise<Said> {
  const sent = await compose(line.db, line.build, what);
  if (sent.news > 0) line.told?.(0, sent.letter.waiting);
  const heard = await post(line, sent);
  const answer = heard.heard === 'answered' && heard.status === 200 ? readAnswer(heard.json, sent.letter) : null;
  if (answer) return await takeIn(line, sent, answer, ended);
  const trouble = troubleIn(heard);
  if (FINAL.has(trouble)) return await finish(line, heard, trouble, ended);
  if (sent.letter.edits.length === 0) return end(ended, trouble);
  return await withoutEdits(line, sent, trouble, heard.status === 413, ended);
}

const post = (line: Line, { letter, session }: Composed): Promise<Heard> => line.ask('/api/sync', { method: 'POST', json: letter, phone: session });

async function takeIn(line: Line, sent: Composed, answer: Answer, ended: Ended): Promise<Said> {
  await keep(line.db, sent, answer);
  await learn(line, sent, 'taken in');
  ended.reached = true;
  ended.trouble = null;
  ended.receipts += sent.news;
  ended.backIn_ms = sent.backIn_ms;
  line.told?.(sent.news, sent.letter.waiting - sent.news);
  if (answer.rebuild && ++ended.rebuilds > MOST_REBUILDS) return end(ended, 'failing');
  return answer.rebuild || sent.more || bringsMore(sent, answer) || wantsMore(ended, answer) ? 'more' : 'all';
}

/** A page that stays where it is would be asked for until the battery is empty. */
const bringsMore = ({ letter }: Composed, answer: Answer): boolean => answer.more && answer.cursor !== letter.cursor;

/** So would a number that is wanted again after it was sent, or named as lost. */
function wantsMore(ended: Ended, { wanted }: Answer): boolean {
  const isNews = wanted.length > 0 && String(wanted) !== String(ended.wanted);
  ended.wanted = wanted;
  return isNews;
}

/**
 * Whether it was the edits: the school is asked again without them. If it answers that, they count as having failed, and what
 * the school has to say is here. If it does not, nothing is known of them.
 */
async function withoutEdits(line: Line, sent: Composed, trouble: Trouble, tooLarge: boolean, ended: Ended): Promise<Said> {
  let said: Said = 'more';
  while (said !== 'all') said = await say(line, 'nothing', ended);
  const isKnown = ended.trouble === null || tooLarge;
  if (!isKnown) return 'all';
  const plan = await learn(line, sent, tooLarge ? 'too large' : 'failed');
  const changed = plan.size !== sent.plan.size || plan.aside.length > sent.plan.aside.length;
  // A smaller letter, or one without the offender, is worth trying at once; the same again is not.
  return changed && ended.trouble === null ? 'more' : end(ended, sent.plan.aside.length > 0 && !changed ? 'unsendable' : trouble);
}

async function learn(line: Line, { plan, letter }: Composed, outcome: Outcome): Promise<Composed['plan']> {
  const next = after(plan, letter.edits.map(({ id }) => id), outcome);
  if (JSON.stringify(next) !== JSON.stringify(plan)) await remember(line.db, next);
  return next;
}

// ── When the school does not answer as it should ─────────────────────────────────────────────

export function troubleIn(heard: Heard): Trouble {
  if (heard.heard === 'not heard') return heard.why;
  switch (heard.status) {
    case 401:
      return 'sign in';
    case 403:
      return refusal(heard.json).refusal === 'phone_revoked' ? 'revoked' : 'failing';
    case 400:
      return refusal(heard.json).refusal === 'protocol' ? 'update' : 'failing';
    case 429:
    case 503:
      return 'busy';
    case 200:
      return 'garbled';
    default:
      return 'failing';
  }
}

/** Another letter would hear the same. */
const FINAL: ReadonlySet<Trouble> = new Set(['sign in', 'revoked', 'update', 'busy']);

async function finish(line: Line, heard: Heard, trouble: Trouble, ended: Ended): Promise<Said> {
  if (heard.heard === 'answered') ended.retryAfter_s = heard.retryAfter_s;
  if (trouble === 'revoked') await revoke(line.db);
  return end(ended, trouble);
}

function end(ended: Ended, trouble: Trouble): Said {
  ended.trouble = trouble;
  return 'all';
}
