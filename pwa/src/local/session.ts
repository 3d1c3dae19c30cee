// Who is using this phone. Each member of staff has a database of their own on it; a second one sees nothing of the first.

import { ask, refusal, type Ask } from '../school';
import type { School, SignedInAnswer } from '../wire';
import { newId } from './ids';
import { setting, settle, shared, theirs, type Mine, type MyWriting, type Owner } from './stores';

export type Me = { id: string; name: string; role: string; may: string[]; school: School };
export type SignedIn = { me: Me };
/** Why not, in words to show beside the form; after too many tries, the seconds to wait. */
export type Refused = { refused: string; wait_s?: number };

let current: { me: Me; db: Mine } | null = null;
const watchers = new Set<() => void>();

/** Null until `open()` has answered, and when nobody is signed in. */
export const me = (): Me | null => current?.me ?? null;

/** The database of whoever is signed in. */
export function mine(): Mine {
  if (!current) throw new Error('Nobody is signed in on this phone');
  return current.db;
}

/** Called whenever somebody signs in or out, in this tab or another, or what they may do changes. */
export function watchMe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Goes on with whoever was signed in last; needs no signal. */
export async function resume(): Promise<Me | null> {
  const key = await shared.reading(['settings'], (tx) => tx.objectStore('settings').get('current'));
  const owner = key ? await ownerOf(key) : undefined;
  await become(owner);
  return me();
}

async function become(owner: Owner | undefined): Promise<void> {
  if (!owner) {
    current?.db.close();
    current = null;
  } else {
    const db = current?.db.name === theirs(owner.school, owner.staff).name ? current.db : theirs(owner.school, owner.staff);
    if (current && current.db !== db) current.db.close();
    const known = await db.reading(['settings'], (tx) => setting(tx, 'me'));
    current = known ? { me: known, db } : null;
  }
  for (const watcher of watchers) watcher();
}

export async function signIn(username: string, password: string, asked: Ask = ask): Promise<SignedIn | Refused> {
  const name = username.trim().toLowerCase();
  if (!name || !password) return { refused: 'Type your name and your password.' };
  const phone = (await ownerNamed(name))?.phone ?? newId();
  const heard = await asked('/api/session', { method: 'POST', json: { username: name, password, phone: { id: phone, name: phoneName() } } });
  if (heard.heard === 'not heard') return { refused: `${NOT_HEARD[heard.why]} Signing in needs the school once; after that Lanyard works without.` };
  if (heard.status === 429) return { refused: 'That was too many tries. Wait a little, then try again.', wait_s: heard.retryAfter_s ?? 60 };
  if (heard.status !== 200) return { refused: wordsOf(heard.json, heard.status) };
  return { me: await welcome(name, heard.json as SignedInAnswer) };
}

const NOT_HEARD = {
  'no signal': 'The school cannot be reached.',
  'too slow': 'The school did not answer in time.',
  'somebody else': 'This network answered instead of the school: it may want you to sign in to its own page first.',
  garbled: 'The answer did not arrive whole. Try again.',
};

function wordsOf(json: unknown, status: number): string {
  if (status === 401) return 'That name and password do not go together. Check both, then try again.';
  return refusal(json).words ?? 'The school could not sign you in just now. Try again in a minute.';
}

async function welcome(username: string, { staff, school, phone, grant }: SignedInAnswer): Promise<Me> {
  const owner: Owner = { key: keyOf(school.id, staff.id), school: school.id, staff: staff.id, username, phone };
  const db = theirs(school.id, staff.id);
  await db.writing(['settings'], async (tx) => {
    const before = await setting(tx, 'me');
    await settle(tx, 'me', { ...staff, may: before?.may ?? [], school });
    await settle(tx, 'session_phone', phone);
    await settle(tx, 'phone', (await setting(tx, 'phone')) ?? phone);
    await settle(tx, 'grant', grant ?? (await setting(tx, 'grant')));
    await settle(tx, 'revoked', undefined);
  });
  db.close();
  await shared.writing(['owners', 'settings'], async (tx) => {
    await tx.objectStore('owners').put(owner);
    await tx.objectStore('settings').put(owner.key, 'current');
    await tx.objectStore('settings').delete('owed');
  });
  await become(owner);
  return me()!;
}

/** Forgets what the school sent. What this person wrote stays, and is sent as soon as it can be. */
export async function signOut(asked: Ask = ask): Promise<void> {
  if (!current) return;
  const { me, db } = current;
  const phone = await db.reading(['settings'], (tx) => setting(tx, 'session_phone'));
  await shared.writing(['settings'], async (tx) => {
    await tx.objectStore('settings').delete('current');
    await tx.objectStore('settings').put(phone ?? '', 'owed');
  });
  await become(undefined); // Closed first: an answer that is on its way must not bring back what is being forgotten.
  const forgetting = theirs(me.school.id, me.id);
  await forgetting.writing([...FORGOTTEN, 'settings'], forget);
  forgetting.close();
  await settleOwed(asked);
}

/** With no signal the cookie outlives the signing out: the school is told as soon as it can be reached. */
export async function settleOwed(asked: Ask = ask): Promise<void> {
  const phone = await shared.reading(['settings'], (tx) => tx.objectStore('settings').get('owed'));
  if (phone === undefined) return;
  const heard = await asked('/api/session', { method: 'DELETE', phone });
  if (heard.heard === 'answered' && heard.status < 500) await shared.writing(['settings'], (tx) => tx.objectStore('settings').delete('owed'));
}

/** The stores of what the school sent, which may be forgotten at any moment. Never `edits`, never `drafts`. */
export const FORGOTTEN = ['records_a', 'records_b', 'held_a', 'held_b', 'pupils', 'contacts', 'staff', 'school'] as const satisfies readonly Parameters<MyWriting['objectStore']>[0][];

export async function forget(tx: MyWriting): Promise<void> {
  for (const store of FORGOTTEN) await tx.objectStore(store).clear();
  for (const name of ['cursor', 'rebuilding', 'people', 'school_at'] as const) await settle(tx, name, undefined);
}

/** Everybody else who has an outbox on this phone. */
export async function others(): Promise<Mine[]> {
  const owners = await shared.reading(['owners'], (tx) => tx.objectStore('owners').getAll());
  return owners.filter((owner) => !current || theirs(owner.school, owner.staff).name !== current.db.name).map((owner) => theirs(owner.school, owner.staff));
}

/** The school has said again who I am and what I may do. */
export function recognise(changed: Me): void {
  if (current) current.me = changed;
  for (const watcher of watchers) watcher();
}

/** Whether it is still this tab's person who is signed in on this phone. */
export async function isStillMe(): Promise<boolean> {
  const key = await shared.reading(['settings'], (tx) => tx.objectStore('settings').get('current'));
  return key === (current ? keyOf(current.me.school.id, current.me.id) : undefined);
}

const keyOf = (school: string, staff: string): string => `${school} ${staff}`;
const ownerOf = (key: string): Promise<Owner | undefined> => shared.reading(['owners'], (tx) => tx.objectStore('owners').get(key));

async function ownerNamed(username: string): Promise<Owner | undefined> {
  const owners = await shared.reading(['owners'], (tx) => tx.objectStore('owners').getAll());
  return owners.find((owner) => owner.username === username);
}

/** What the desk's list of phones calls this one. */
function phoneName(): string {
  const { userAgent = '' } = globalThis.navigator ?? {};
  const [, model] = /\(Linux; Android [^;)]*; ([^;)]+)/.exec(userAgent) ?? [];
  if (model) return model.replace(/ Build.*/, '');
  return ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux'].find((sort) => userAgent.includes(sort)) ?? 'Phone';
}
