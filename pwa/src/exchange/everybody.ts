// Sending everything that was written on this phone, by whomever: in the app, and in the worker that the browser wakes.

import { closedOutboxes, leave, me, mine, myDisk, settleOwed } from '../local/session';
import { isSwitchedOff } from '../local/share';
import { setting, settle, type Mine } from '../local/stores';
import type { Ask } from '../school';
import { exchange, type Ended } from './exchange';
import { revoke } from './keep';
import { hasSealed, sendSealed, type SentSealed } from './intake';
import { tellWhatIsMissed } from './missed';
import { closeOlder, hasOlder, sendOlder, type Whose } from './older';
import { clearOrphans } from './orphans';
import { recoverDrafts } from './recover';

export type Told = (receipts: number, waiting: number) => void;

/**
 * Whoever has unlocked exchanges; from everybody else's outbox, and from one's own while it is locked, what is sealed goes to
 * the intake. Null when there was nobody to exchange for and nothing to send.
 */
export async function exchangeForEverybody(ask: Ask, build: string, told?: Told): Promise<Ended | null> {
  await settleOwed(ask);
  const ended = me() ? await exchangeMine(mine(), ask, build, told) : null;
  const sealed = await sendEverySealed(ask, build, closeColleagues);
  return ended ?? (sealed && { ...NOTHING_HEARD, trouble: sealed.trouble, reached: sealed.trouble === null, receipts: sealed.kept, retryAfter_s: sealed.retryAfter_s, backIn_ms: sealed.backIn_ms });
}

const NOTHING_HEARD = { rebuilds: 0, wanted: [] };

/** With the keys of whoever has unlocked, for a colleague of the same school who has none here yet. */
async function closeColleagues(whose: Whose): Promise<void> {
  if (myDisk()?.name === whose.disk.name) return; // the owner of this phone chooses a PIN, and has it all back
  const isOurs = whose.school === me()?.school.id;
  await closeOlder(whose, isOurs ? await mine().reading(['settings'], (tx) => setting(tx, 'intake')) : undefined);
}

/** How the first that went wrong ended, or else the last. `close`: what to do with what lies in the clear and could not be sent. */
export async function sendEverySealed(ask: Ask, build: string, close?: (whose: Whose) => Promise<void>): Promise<SentSealed | null> {
  let ended: SentSealed | null = null;
  for (const whose of mineFirst(await closedOutboxes())) {
    try {
      if (ended?.trouble && UNHEARD.has(ended.trouble)) continue; // nobody else would be heard either
      const one = await sendOneSealed(whose, ask, build, close);
      if (one && !ended?.trouble) ended = one;
    } catch {
      ended ??= { trouble: 'failing', kept: 0, retryAfter_s: null, backIn_ms: 0 }; // one person's broken storage never holds up another's words
    } finally {
      whose.disk.close();
    }
  }
  return ended;
}

/** Whoever holds the phone may be calling for help. */
const mineFirst = (all: Whose[]): Whose[] => all.sort((one, other) => Number(other.disk.name === myDisk()?.name) - Number(one.disk.name === myDisk()?.name));

const UNHEARD: ReadonlySet<SentSealed['trouble']> = new Set(['no signal', 'too slow', 'somebody else']);

async function sendOneSealed(whose: Whose, ask: Ask, build: string, close?: (whose: Whose) => Promise<void>): Promise<SentSealed | null> {
  const { disk } = whose;
  const ways: (() => Promise<SentSealed>)[] = [];
  if (await hasOlder(disk)) ways.push(() => sendThenClose(whose, ask, build, close));
  for (const which of ['waiting', 'orphans'] as const) if (await hasSealed(disk, which)) ways.push(() => sendSealed(disk, ask, build, which));
  const sent: SentSealed[] = [];
  for (const way of ways) {
    const one = await way();
    sent.push(one);
    if (UNHEARD.has(one.trouble) || one.retryAfter_s) break;
  }
  await clearOrphans(disk);
  return sent.length > 0 ? sent.reduce(both) : null;
}

const both = (one: SentSealed, other: SentSealed): SentSealed => ({
  trouble: one.trouble ?? other.trouble,
  kept: one.kept + other.kept,
  retryAfter_s: one.retryAfter_s ?? other.retryAfter_s,
  backIn_ms: one.backIn_ms || other.backIn_ms,
});

async function sendThenClose(whose: Whose, ask: Ask, build: string, close?: (whose: Whose) => Promise<void>): Promise<SentSealed> {
  const sent = await sendOlder(whose.disk, ask, build);
  if (sent.trouble === null || AS_IT_IS.has(sent.trouble)) await close?.(whose);
  return sent;
}

/** It will not be taken in plain: it goes sealed. */
const AS_IT_IS: ReadonlySet<Ended['trouble']> = new Set(['sign in', 'revoked', 'unsendable', 'update']);

/** When the session has run out, what is waiting is sent all the same, sealed; only reading needs the password again. */
async function exchangeMine(db: Mine, ask: Ask, build: string, told?: Told): Promise<Ended> {
  await db.sealTheRest().catch(() => {}); // what could not be sealed waits as it is
  await clearOrphans(db.disk);
  const hadOrphans = await hasSealed(db.disk, 'orphans');
  const before = await sendOrphans(db.disk, ask, build);
  const ended = await exchange({ db, ask, build, ...(told && { told }) });
  if (ended.trouble === 'sign in' && (await isSwitchedOff(db.disk, ask))) {
    await revoke(db);
    ended.trouble = 'revoked';
  }
  if (ended.trouble === 'revoked') return await leaveSafely(db, ask, build, ended);
  if (ended.trouble === 'sign in') await sendAllTheSame(db, ask, build, ended);
  if (ended.reached) await noteContact(db, ended.receipts > 0);
  const again = ended.reached ? await sendOrphans(db.disk, ask, build) : null;
  if (!before?.retryAfter_s) ended.trouble ??= (again ?? before)?.trouble ?? null; // a full intake stands in nobody's way
  if (ended.reached && !ended.trouble) await recoverDrafts(db, ask, hadOrphans);
  if (ended.reached && !ended.trouble) await tellWhatIsMissed(db, ask, build);
  return ended;
}

let orphansWait = 0; // by this page's own clock, in ms: the school has asked for patience until then

async function sendOrphans(disk: Mine['disk'], ask: Ask, build: string): Promise<SentSealed | null> {
  if (performance.now() < orphansWait || !(await hasSealed(disk, 'orphans'))) return null;
  const sent = await sendSealed(disk, ask, build, 'orphans');
  if (sent.retryAfter_s) orphansWait = performance.now() + sent.retryAfter_s * 1_000;
  return sent;
}

async function sendAllTheSame(db: Mine, ask: Ask, build: string, ended: Ended): Promise<void> {
  const { trouble, kept, backIn_ms } = await sendSealed(db.disk, ask, build, 'waiting');
  Object.assign(ended, { receipts: ended.receipts + kept, reached: kept > 0 && trouble === null, backIn_ms });
}

/** Taken off the school's list: once everything that was written is at the school, this phone holds nothing of it any more. */
async function leaveSafely(db: Mine, ask: Ask, build: string, ended: Ended): Promise<Ended> {
  const { trouble, kept } = await sendSealed(db.disk, ask, build, 'everything');
  if (trouble === null && !(await db.hasUnsent())) await leave();
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
