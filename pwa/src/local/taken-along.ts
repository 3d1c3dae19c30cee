// What somebody takes along on a home visit of their own: addresses, for a day at most. This phone knows none otherwise.

import { ask, refusal, type Ask } from '../school';
import type { TakenAlong } from '../wire';
import { look, type Seen } from './clock';
import { local, type Local } from './reading';
import { mine } from './session';
import { setting, type Mine, type MyReading } from './stores';

type Along = TakenAlong & Seen & { over_at: number };
type AllAlong = Record<string, Along>;

const AT_MOST_MS = 24 * 60 * 60_000;
const LOOKED_AT_LEAST_MS = 10 * 60_000; // a clock that is set back wins no more than this

/** Null once it is on this phone; else why not, in words. Needs the school: somebody looks, and that is written down. */
export async function takeAlong(record: string, asked: Ask = ask, db: Mine = mine()): Promise<string | null> {
  const phone = await db.reading(['settings'], (tx) => setting(tx, 'session_phone'));
  const heard = await asked('/api/taken-along', { method: 'POST', json: { record }, phone });
  if (heard.heard === 'not heard') return 'The school cannot be reached. Addresses come with signal only: take them along before you leave.';
  if (heard.status === 401) return 'Sign in again first.';
  if (heard.status === 404) return 'The school does not have this visit yet, or it is closed. Try again when it is sent.';
  if (heard.status !== 200 || !isTaken(heard.json)) return refusal(heard.json).words ?? 'The school could not answer just now. Try again.';
  const now = Date.now();
  const along: Along = { ...heard.json, over_at: Math.min(Date.parse(heard.json.until), now + AT_MOST_MS), seen_at: now, looked_at: now };
  await change(db, (all) => ({ ...all, [record]: along }));
  return null;
}

const isTaken = (json: unknown): json is TakenAlong => {
  const taken = json as TakenAlong | null;
  return Array.isArray(taken?.pupils) && Array.isArray(taken.contacts) && !Number.isNaN(Date.parse(taken.until));
};

export async function takenAlong(record: string, from: Local = local): Promise<Along | undefined> {
  const along = (await from.read(['school'], allAlong))[record];
  return along && isOver(along) ? undefined : along;
}

export const letGo = (record: string, db: Mine = mine()): Promise<void> => change(db, ({ [record]: _, ...others }) => others);

/** Call it now and then while the phone is unlocked. Locked, nobody can read it anyway. */
export async function letGoOfWhatIsOver(db: Mine = mine()): Promise<void> {
  const all = await db.reading(['school'], allAlong);
  const isStale = Object.values(all).some((along) => isOver(along) || isSetBack(along) || look(along).seen_at - along.seen_at > LOOKED_AT_LEAST_MS);
  if (isStale) await change(db, (now) => Object.fromEntries(Object.entries(now).filter(([, along]) => !isOver(along)).map(([id, along]) => [id, { ...along, ...look(along) }])));
}

const isSetBack = ({ looked_at = 0 }: Along): boolean => Date.now() < looked_at;

const isOver = (along: Along): boolean => look(along).seen_at >= along.over_at;

/** What is let go leaves the disk, too, not only the screen. */
async function change(db: Mine, to: (all: AllAlong) => AllAlong): Promise<void> {
  const isLess = await db.writing(['school'], (tx) => {
    const before = allAlong(tx);
    const after = to(before);
    tx.objectStore('school').put(after, 'along');
    return Object.keys(before).some((id) => !(id in after));
  });
  if (isLess) await db.tidy();
}

const allAlong = (tx: MyReading): AllAlong => (tx.objectStore('school').get('along') ?? {}) as AllAlong;
