// Sending everything that was written on this phone, by whomever: in the app, and in the worker that the browser wakes.

import { me, mine, others, settleOwed } from '../local/session';
import { settle, type Mine } from '../local/stores';
import type { Ask } from '../school';
import { exchange, type Ended } from './exchange';

export type Told = (receipts: number, waiting: number) => void;

/** Null when nobody is signed in. Whoever else wrote something here has it sent by their own grant, and nothing of theirs is read. */
export async function exchangeForEverybody(ask: Ask, build: string, told?: Told): Promise<Ended | null> {
  await settleOwed(ask);
  const ended = me() ? await exchangeMine(mine(), ask, build, told) : null;
  for (const db of await others()) {
    if (await hasSomething(db)) await exchange({ db, ask, build, by: 'grant' });
    db.close();
  }
  return ended;
}

/** When the session has run out, what is waiting is sent all the same; only reading needs the password again. */
async function exchangeMine(db: Mine, ask: Ask, build: string, told?: Told): Promise<Ended> {
  const ended = await exchange({ db, ask, build, by: 'session', ...(told && { told }) });
  if (ended.trouble === 'sign in') {
    const { receipts, reached } = await exchange({ db, ask, build, by: 'grant', ...(told && { told }) });
    Object.assign(ended, { receipts: ended.receipts + receipts, reached });
  }
  if (ended.reached) await noteContact(db, ended.receipts > 0);
  return ended;
}

const hasSomething = (db: Mine): Promise<boolean> => db.reading(['edits'], async (tx) => (await tx.objectStore('edits').index('unsent').count()) > 0);

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
