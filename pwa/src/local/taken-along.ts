// What somebody takes along on a home visit of their own: addresses, for a day at most. This phone knows none otherwise.

import { ask, refusal, type Ask } from '../school';
import type { TakenAlong } from '../wire';
import { local, type Local } from './reading';
import { mine } from './session';
import { setting, type Mine, type MyReading } from './stores';
import { heardAt, timeOn } from './vault';

/** `over_at`: by the school's clock, as this phone knows it. */
type Along = TakenAlong & { over_at: number };
type AllAlong = Record<string, Along>;

const AT_MOST_MS = 24 * 60 * 60_000;

/** Null once it is on this phone; else why not, in words. Needs the school: somebody looks, and that is written down. */
export async function takeAlong(record: string, asked: Ask = ask, db: Mine = mine()): Promise<string | null> {
  const phone = await db.reading(['settings'], (tx) => setting(tx, 'session_phone'));
  const heard = await asked('/api/taken-along', { method: 'POST', json: { record }, phone });
  if (heard.heard === 'not heard') return 'The school cannot be reached. Addresses come with signal only: take them along before you leave.';
  if (heard.status === 401) return 'Sign in again first.';
  if (heard.status === 404) return 'The school does not have this visit yet, or it is closed. Try again when it is sent.';
  if (heard.status !== 200 || !isTaken(heard.json)) return refusal(heard.json).words ?? 'The school could not answer just now. Try again.';
  const [now, until] = [Date.parse(heard.json.now), Date.parse(heard.json.until)];
  await heardAt(db.disk, now);
  const along: Along = { ...heard.json, over_at: Math.min(until, now + AT_MOST_MS) };
  await change(db, (all) => ({ ...all, [record]: along }));
  return along.over_at > (await timeOn(db.disk)) ? null : 'This phone’s clock is ahead of the school’s. Set it right, then try again.';
}

const isTaken = (json: unknown): json is TakenAlong => {
  const taken = json as TakenAlong | null;
  return Array.isArray(taken?.pupils) && Array.isArray(taken.contacts) && Date.parse(taken.until) >= 0 && Date.parse(taken.now) >= 0;
};

export async function takenAlong(record: string, from: Local = local, db: Mine = mine()): Promise<Along | undefined> {
  const along = (await from.read(['school'], allAlong))[record];
  return along && along.over_at > (await timeOn(db.disk)) ? along : undefined;
}

export const letGo = (record: string, db: Mine = mine()): Promise<void> => change(db, ({ [record]: _, ...others }) => others);

/** Call it now and then while the phone is unlocked. Locked, nobody can read it anyway. */
export async function letGoOfWhatIsOver(db: Mine = mine()): Promise<void> {
  const now = await timeOn(db.disk);
  const isOver = ([, { over_at }]: [string, Along]) => over_at <= now;
  if (Object.entries(await db.reading(['school'], allAlong)).some(isOver)) await change(db, (all) => Object.fromEntries(Object.entries(all).filter((one) => !isOver(one))));
}

/** What is let go leaves the disk, too, not only the screen. */
const change = (db: Mine, to: (all: AllAlong) => AllAlong): Promise<void> =>
  db.forgetting(['school'], (tx) => {
    const before = allAlong(tx);
    const after = to(before);
    tx.objectStore('school').put(after, 'along');
    return Object.keys(before).some((id) => !(id in after));
  });

const allAlong = (tx: MyReading): AllAlong => (tx.objectStore('school').get('along') ?? {}) as AllAlong;
