// Sending everything that was written on this phone, by whomever: in the app, and in the worker that the browser wakes.

import type { Disk } from '../local/disk';
import { closedOutboxes, leave, me, mine, settleOwed } from '../local/session';
import { settle, type Mine } from '../local/stores';
import type { Ask } from '../school';
import { exchange, type Ended } from './exchange';
import { hasSealed, sendSealed, type SentSealed } from './intake';
import { recoverDrafts } from './recover';

export type Told = (receipts: number, waiting: number) => void;

/**
 * Whoever has unlocked exchanges; from everybody else's outbox, and from one's own while it is locked, what is sealed goes to
 * the intake. Null when there was nobody to exchange for and nothing to send.
 */
export async function exchangeForEverybody(ask: Ask, build: string, told?: Told): Promise<Ended | null> {
  await settleOwed(ask);
  const ended = me() ? await exchangeMine(mine(), ask, build, told) : null;
  const sealed = await sendEverySealed(ask, build);
  return ended ?? (sealed && { ...NOTHING_HEARD, trouble: sealed.trouble, reached: sealed.trouble === null, receipts: sealed.kept, retryAfter_s: sealed.retryAfter_s, backIn_ms: sealed.backIn_ms });
}

const NOTHING_HEARD = { rebuilds: 0, wanted: [] };

/** How the first that went wrong ended, or else the last. */
export async function sendEverySealed(ask: Ask, build: string): Promise<SentSealed | null> {
  let ended: SentSealed | null = null;
  for (const disk of await closedOutboxes()) {
    try {
      const one = await sendOneSealed(disk, ask, build);
      if (one && !ended?.trouble) ended = one;
    } catch {
      ended ??= { trouble: 'failing', kept: 0, retryAfter_s: null, backIn_ms: 0 }; // one person's broken storage never holds up another's words
    } finally {
      disk.close();
    }
  }
  return ended;
}

const sendOneSealed = async (disk: Disk, ask: Ask, build: string): Promise<SentSealed | null> => {
  if (await hasSealed(disk, 'waiting')) return await sendSealed(disk, ask, build, 'waiting');
  return (await hasSealed(disk, 'orphans')) ? await sendSealed(disk, ask, build, 'orphans') : null;
};

/** When the session has run out, what is waiting is sent all the same; only reading needs the password again. */
async function exchangeMine(db: Mine, ask: Ask, build: string, told?: Told): Promise<Ended> {
  const orphans = (await hasSealed(db.disk, 'orphans')) ? await sendSealed(db.disk, ask, build, 'orphans') : null;
  const ended = await exchange({ db, ask, build, by: 'session', ...(told && { told }) });
  if (ended.trouble === 'revoked') return await leaveSafely(db, ask, build, ended);
  if (ended.trouble === 'sign in') {
    const { receipts, reached } = await exchange({ db, ask, build, by: 'grant', ...(told && { told }) });
    Object.assign(ended, { receipts: ended.receipts + receipts, reached });
  }
  if (ended.reached) await noteContact(db, ended.receipts > 0);
  ended.trouble ??= orphans?.trouble ?? null;
  if (ended.reached && !ended.trouble) await recoverDrafts(db, ask);
  return ended;
}

/** Taken off the school's list: once everything that was written is at the school, this phone holds nothing of it any more. */
async function leaveSafely(db: Mine, ask: Ask, build: string, ended: Ended): Promise<Ended> {
  const { trouble, kept } = await sendSealed(db.disk, ask, build, 'everything');
  const isAllGone = trouble === null && (await db.reading(['edits'], (tx) => tx.objectStore('edits').index('unsent').count())) === 0;
  if (isAllGone) await leave();
  return { ...ended, receipts: ended.receipts + kept };
}

function noteContact(db: Mine, hasSent: boolean): Promise<void> {
  const now = new Date().toISOString();
  return db.writing(
    ['settings'],
    async (tx) => {
      await settle(tx, 'last_contact', now);
      if (hasSent) await settle(tx, 'last_sent', now);
    },
    () => ['contact'],
  );
}
