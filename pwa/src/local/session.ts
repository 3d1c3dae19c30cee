// Who is using this phone, and whether it is unlocked. Each member of staff has a vault of their own on it; a second one sees
// nothing of the first.

import { ask, refusal, type Ask, type Heard } from '../school';
import type { School, SecondFactor, ShownPasskey, SignedInAnswer, SignIn, WantedPasskey } from '../wire';
import { fromJson, joined, random, toBytes, toText, utf8, type Bytes } from './bytes';
import { diskOf, nameOf, newEpoch, note, noted, OF_WHAT_WAS_SENT, vaultIn, type Disk, type Signing } from './disk';
import type { Draft } from './drafts';
import { noticeEvicted } from './evicted';
import { newId } from './ids';
import type { Sheet } from './rows';
import { newSigning } from './seal';
import { Shelves } from './shelves';
import { sets, settle, shared, type MeAtSchool, type Mine, type MyWriting, type Owner, type Theirs } from './stores';
import { change, choose, destroy, endLease, lookAt, opensAlone, signing, unlock, type Changed, type Chosen, type Keys, type Opened } from './vault';

export type Me = { id: string; name: string; role: string; may: string[]; school: School };
/** `told`: what the school would have them know. */
export type SignedIn = { standing: Standing; told: string | undefined };
/**
 * Why not, in words to show beside the form; after too many tries, the seconds to wait. `locked`: the school cannot be reached, and
 * this phone opens to their PIN all the same. `second`: the password is right, and this is wanted beside it.
 */
export type Refused = { refused: string; wait_s?: number; locked?: Owner; second?: Second };
/** What can be shown beside a password, and how: the school takes it for some minutes. */
export type Second = { ways: SecondFactor['ways']; byCode(code: string): Promise<SignedIn | Refused>; byPasskey(show: Show): Promise<SignedIn | Refused> };
/** Asks the browser for a passkey: null where there is none, or the person would rather not. */
export type Show = (wanted: WantedPasskey) => Promise<ShownPasskey | null>;

/** `new`: signed in, and a PIN is still to be chosen. */
export type Standing = 'out' | 'new' | 'locked' | 'open';

/** `passwordBy`: the school has forgotten their PIN, and the lease that still opens it ends then. */
type Here = { owner: Owner; disk: Disk; hasVault: boolean; open: { me: Me; db: Mine } | null; passwordBy?: number | undefined };

let here: Here | null = null;
/** Whoever has just given their password here: their name, until there is a vault to put it in. */
let arriving: MeAtSchool | null = null;
const watchers = new Set<() => void>();

/** Null until the phone is unlocked, and when nobody is signed in. */
export const me = (): Me | null => here?.open?.me ?? null;

export const standing = (): Standing => (!here ? 'out' : here.open ? 'open' : here.hasVault ? 'locked' : 'new');

/** Whether the password was given a moment ago: the school lets nobody else choose a PIN. */
export const hasArrived = (): boolean => arriving !== null;

/** Who it is that a PIN is being chosen for. */
export const whoArrived = (): MeAtSchool | null => arriving;

/** Until when the password has to be given, where the school has forgotten the PIN. */
export const passwordBy = (): number | undefined => here?.passwordBy;

/** What whoever is signed in holds. */
export function mine(): Mine {
  if (!here?.open) throw new Error('Nobody has unlocked this phone');
  return here.open.db;
}

/** Whose outbox that is, by their ids. */
export const whose = (): { school: string; staff: string } | null => here && { school: here.owner.school, staff: here.owner.staff };

/** The same as it lies on the disk, also while the phone is locked. */
export const myDisk = (): Disk | null => here?.disk ?? null;

/** Called whenever somebody signs in or out, unlocks, or what they may do changes. */
export function watchMe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

const tell = (): void => watchers.forEach((watcher) => watcher());

/** Finds whoever was signed in last: locked, if they have chosen a PIN. Needs no signal. */
export async function resume(): Promise<Standing> {
  const owners = await allOwners();
  noticeEvicted(owners.map(({ school, staff }) => nameOf(school, staff)));
  const key = await shared.reading(['settings'], (tx) => tx.objectStore('settings').get('current'));
  await become(owners.find((owner) => owner.key === key));
  return standing();
}

async function become(owner: Owner | undefined): Promise<void> {
  await here?.open?.db.settled(); // what only this PIN can open is sealed before another is chosen
  here?.open?.db.close();
  here?.disk.close();
  const disk = owner && diskOf(owner.school, owner.staff);
  here = owner && disk ? { owner, disk, hasVault: (await lookAt(disk)) !== undefined, open: null } : null;
  tell();
}

// ── Signing in ─────────────────────────────────────────────────────────────────────────────

/** `forgot`: the PIN is not known any more, and another is to be chosen. */
export async function signIn(username: string, password: string, asked: Ask = ask, forgot = false): Promise<SignedIn | Refused> {
  const name = username.trim().toLowerCase();
  if (!name || !password) return { refused: 'Type your name and your password.' };
  const called = await salted(await hashed(name));
  const owners = await allOwners();
  // Whoever was paired has never said what they sign in as: if it is somebody else, the school gives this phone another id for them.
  const known = owners.find((owner) => owner.called === called) ?? owners.find((owner) => owner.called === '');
  const answer = await enterWith({ username: name, password }, known, called, asked, forgot);
  const isAway = 'isAway' in answer && known?.called === called && !forgot && opensAlone(await withDisk(known, lookAt));
  return isAway ? { ...answer, locked: known } : answer;
}

/** By a passkey, which says itself whose it is. */
export async function signInByPasskey(show: Show, asked: Ask = ask, forgot = false): Promise<SignedIn | Refused> {
  const heard = await asked('/api/passkeys/sign-in', { method: 'POST', json: {} });
  if (heard.heard === 'not heard') return { refused: `${NOT_HEARD[heard.why]} ${NEEDS_SCHOOL}` };
  if (heard.status !== 200) return refusedBy(heard);
  const { ticket, publicKey } = heard.json as { ticket: string; publicKey: WantedPasskey };
  const passkey = await show(publicKey);
  if (!passkey) return { refused: NO_PASSKEY };
  const known = (await allOwners()).find(({ staff }) => staff === whoseIs(passkey));
  return await enterWith({ ticket, passkey }, known, '', asked, forgot);
}

/** Whose it says it is, by their id at the school; not believed. */
function whoseIs({ response: { userHandle } }: ShownPasskey): string {
  try {
    return typeof userHandle === 'string' ? new TextDecoder().decode(toBytes(userHandle)) : '';
  } catch {
    return '';
  }
}

const NO_PASSKEY = 'No passkey was shown. Try again, or sign in with your password.';

/** Back to a locked phone of one's own, on a handset that others use too. Needs no signal: the PIN is what opens it. */
export async function turnTo(owner: Owner): Promise<void> {
  await shared.writing(['settings'], (tx) => tx.objectStore('settings').put(owner.key, 'current'));
  await become(owner);
}

/** By a code that the desk shows as a square. Whoever it is for chooses a PIN, and what was written here before is sent. */
export async function pair(code: string, asked: Ask = ask): Promise<SignedIn | Refused> {
  const [key, owners] = [forWhom(code), await allOwners()];
  const known = owners.find((owner) => owner.key === key) ?? (owners.length === 1 ? owners[0] : undefined); // letters do not say whom they are for
  return await enterWith({ pairing: code }, known, '', asked, true);
}

/** Whom a code says it is for: not believed, only so that the school is told of a phone that it may know. */
function forWhom(code: string): string {
  try {
    const { iss, sub } = fromJson(toBytes(code.split('.')[1] ?? '')) as { iss: string; sub: string };
    return keyOf(iss, sub);
  } catch {
    return '';
  }
}

type Who = SignIn extends infer Each ? (Each extends { phone: unknown } ? Omit<Each, 'phone'> : never) : never;

/** As the phone that the school knows, if it knows one: `known` is who has been here before. */
async function enterWith(who: Who, known: Owner | undefined, called: string, asked: Ask, forgot: boolean): Promise<SignedIn | (Refused & { isAway?: true })> {
  const keys = known ? await withDisk(known, signing) : await newSigning();
  const heard = await asked('/api/session', { method: 'POST', json: { ...who, phone: { id: known?.phone ?? newId(), name: phoneName(), public: keys.public } } });
  if (heard.heard === 'not heard') return { refused: `${NOT_HEARD[heard.why]} ${NEEDS_SCHOOL}`, isAway: true };
  if (refusal(heard.json).refusal === 'second_factor') return { ...refusedBy(heard), second: second(heard.json as SecondFactor, known, called, asked, forgot) };
  if (heard.status !== 200) return refusedBy(heard);
  const answer = heard.json as SignedInAnswer;
  const isResealed = await welcome(called, answer, keys, forgot);
  return { standing: standing(), told: [answer.told, isResealed && RESEALED].filter(Boolean).join(' ') || undefined };
}

function second({ ticket, ways, publicKey }: SecondFactor, known: Owner | undefined, called: string, asked: Ask, forgot: boolean): Second {
  return {
    ways,
    byCode: (code) => enterWith({ ticket, code }, known, called, asked, forgot),
    byPasskey: async (show) => {
      const passkey = await show(publicKey as WantedPasskey);
      return passkey ? await enterWith({ ticket, passkey }, known, called, asked, forgot) : { refused: NO_PASSKEY };
    },
  };
}

const RESEALED = 'The school has a new seal since you last signed in here. What you write is closed to it from now on.';

const NOT_HEARD = {
  'no signal': 'The school cannot be reached.',
  'too slow': 'The school did not answer in time.',
  'somebody else': 'This network answered instead of the school: it may want you to sign in to its own page first.',
  garbled: 'The answer did not arrive whole. Try again.',
};

const NEEDS_SCHOOL = 'Signing in needs the school once; after that Lanyard works without.';

function refusedBy({ status, json, retryAfter_s }: Heard & { heard: 'answered' }): Refused {
  if (status === 429) return { refused: 'That was too many tries. Wait a little, then try again.', wait_s: retryAfter_s ?? 60 };
  return { refused: wordsOf(json, status) };
}

function wordsOf(json: unknown, status: number): string {
  if (refusal(json).refusal === 'second_factor') return refusal(json).words ?? 'One more thing is wanted, to show that it is you.';
  if (refusal(json).refusal === 'wrong_factor') return 'That did not show that it is you. Try again, or begin again with your password.';
  if (refusal(json).refusal === 'wrong_code') return 'That code is not good any more: it is for one phone, and for ten minutes. Ask for another at the desk.';
  if (status === 401) return 'That name and password do not go together. Check both, then try again.';
  return refusal(json).words ?? 'The school could not sign you in just now. Try again in a minute.';
}

/** True if the school signs with another key than the one learnt here before: only a password, or a code, makes this phone believe that. */
async function welcome(called: string, { staff, school, phone, grant, keys: schools }: SignedInAnswer, keys: Signing, forgot: boolean): Promise<boolean> {
  const key = keyOf(school.id, staff.id);
  const before = (await allOwners()).find((owner) => owner.key === key);
  const owner: Owner = { key, school: school.id, staff: staff.id, called: called || (before?.called ?? ''), phone };
  const { pinned, vault } = await withDisk(owner, (disk) =>
    disk.writing(['settings', 'keys'], async (tx) => {
      const pinned = await noted(tx, 'pinned');
      await note(tx, 'session_phone', phone);
      await note(tx, 'phone', (await noted(tx, 'phone')) ?? phone);
      await note(tx, 'grant', grant ?? (await noted(tx, 'grant')));
      await note(tx, 'revoked', undefined);
      await note(tx, 'pinned', schools?.public ?? pinned);
      await tx.objectStore('keys').put(keys, 'signing'); // the one that the school has just been told
      await newEpoch(tx);
      return { pinned, vault: await vaultIn(tx) };
    }),
  );
  await shared.writing(['owners', 'settings'], async (tx) => {
    await tx.objectStore('owners').put(owner);
    await tx.objectStore('settings').put(owner.key, 'current');
    await tx.objectStore('settings').delete('owed');
  });
  // The school holds a share for a phone it knows by another id, or none: no PIN opens that any more.
  const needsPin = forgot || (before !== undefined && before.phone !== phone) || (vault?.isForgotten === true && !opensAlone(vault));
  const isResealed = pinned !== undefined && schools !== undefined && pinned !== schools.public;
  if (here?.open && here.owner.key === owner.key && !needsPin && !vault?.isForgotten) {
    here.owner = owner; // only the session had run out
    tell();
    return isResealed;
  }
  arriving = { ...staff, may: [], school };
  await become(owner);
  if (needsPin && here) here.hasVault = false;
  tell();
  return isResealed;
}

// ── The PIN ────────────────────────────────────────────────────────────────────────────────

/** `told`: what they would want to know of what was found. */
export type Unlocked = Opened & { told?: string | undefined };

const FETCHED_AGAIN = 'Part of what the school sent could not be read, and is fetched again. What you wrote is here.';

/** A new vault for whoever has just signed in. What an earlier one held is forgotten, but for what was written. */
export async function choosePin(pin: string, asked: Ask = ask): Promise<Chosen> {
  const { disk, owner } = here!;
  const chosen = await choose(disk, pin, { ask: asked, phone: owner.phone });
  if (chosen.is === 'open') await enter(chosen.keys);
  return chosen;
}

export async function unlockWith(pin: string, asked: Ask = ask): Promise<Unlocked> {
  const { disk, owner } = here!;
  const opened = await unlock(disk, pin, { ask: asked, phone: owner.phone });
  if (opened.is === 'open') return { ...opened, told: await enter(opened.keys, opened.password_by) };
  if (opened.is === 'gone') {
    if (opened.because === 'revoked') await disk.writing(['settings'], async (tx) => (await note(tx, 'revoked', true), void (await newEpoch(tx))));
    here!.hasVault = false;
    tell();
  }
  return opened;
}

/** Another PIN, for whoever knows the one before. */
export async function changePin(pin: string, to: string, asked: Ask = ask): Promise<Changed> {
  const { disk, owner } = here!;
  return await change(disk, pin, to, { ask: asked, phone: owner.phone });
}

async function enter(keys: Keys, passwordBy?: number): Promise<string | undefined> {
  const { disk, owner } = here!;
  const db = new Shelves(disk, { school: owner.school, staff: owner.staff }, keys);
  await carryOver(db);
  const known = await db.reading(['school'], (tx) => tx.objectStore('school').get('me') as MeAtSchool | undefined);
  const whoever = known ?? arriving ?? { id: owner.staff, name: '', role: '', may: [], school: { id: owner.school, name: '' } };
  if (!known && arriving) await db.writing(['school'], (tx) => tx.objectStore('school').put(whoever, 'me'));
  arriving = null;
  const isTorn = await db.reading(['settings'], (tx) => tx.objectStore('settings').get('unreadable') === true);
  if (isTorn) await db.writing(['settings', 'records_a', 'records_b', 'held_a', 'held_b'], fetchAgain);
  if (here?.disk !== disk) return void db.close(); // signed out meanwhile
  here = { ...here, hasVault: true, open: { me: whoever, db }, passwordBy };
  tell();
  void db.sealTheRest().catch(() => {}); // and again whenever the school's keys come
  return isTorn ? FETCHED_AGAIN : undefined;
}

/** Some pages could not be read, and are not here any more: records are collected beside what is left, people and the rest anew. */
async function fetchAgain(tx: MyWriting): Promise<void> {
  const { spare } = await sets(tx);
  tx.objectStore(`records_${spare}`).clear();
  tx.objectStore(`held_${spare}`).clear();
  await settle(tx, 'rebuilding', { cursor: null });
  for (const name of ['people', 'school_at', 'unreadable'] as const) await settle(tx, name, undefined);
}

/** What was written here before there were PINs. Safe to repeat: it is taken from where it was only once it is safe. */
async function carryOver(db: Mine): Promise<void> {
  const older = await db.disk.reading(['older'], (tx) => tx.objectStore('older').getAll());
  if (older.length === 0) return;
  await db.writing(['edits', 'drafts', 'settings'], async (tx) => {
    for (const one of older) {
      if ('draft' in one) carryDraft(tx.objectStore('drafts'), one.draft);
      else if (!tx.objectStore('edits').get(one.edit.edit.id)) tx.objectStore('edits').put(one.edit);
    }
  });
  await db.disk.writing(['older'], (tx) => tx.objectStore('older').clear(), () => []);
}

/** Unless it was written on since, in a tab of an earlier build. */
function carryDraft(drafts: Sheet<Draft>, older: Draft): void {
  const here = drafts.get(older.id);
  if (!here || here.changed_at < older.changed_at) drafts.put(older);
}

// ── Signing out ────────────────────────────────────────────────────────────────────────────

/** Forgets what the school sent. What this person wrote stays, and is sent as soon as it can be. */
export async function signOut(asked: Ask = ask): Promise<void> {
  if (!here) return;
  const { owner, open, disk } = here;
  await open?.db.settled();
  await shared.writing(['settings'], async (tx) => {
    await tx.objectStore('settings').delete('current');
    await tx.objectStore('settings').put(owner.phone, 'owed');
  });
  here = arriving = null;
  tell();
  // Closed first: an answer that is on its way must not bring back what is being forgotten.
  const forgetting = open?.db.reopened();
  if (forgetting) await forgetSent(forgetting);
  await endLease(forgetting?.disk ?? disk);
  (forgetting?.disk ?? disk).close();
  await settleOwed(asked);
}

/** From the shelves, and from the disk: what was written, and has its receipt, is all that is left in the pages. */
export async function forgetSent(db: Mine): Promise<void> {
  await db.writing([...FORGOTTEN, 'settings'], forget);
  await db.tidy();
}

/** With no signal the cookie outlives the signing out: the school is told as soon as it can be reached. */
export async function settleOwed(asked: Ask = ask): Promise<void> {
  const phone = await shared.reading(['settings'], (tx) => tx.objectStore('settings').get('owed'));
  if (phone === undefined) return;
  const heard = await asked('/api/session', { method: 'DELETE', phone });
  if (heard.heard === 'answered' && heard.status < 500) await shared.writing(['settings'], (tx) => tx.objectStore('settings').delete('owed'));
}

/** What the school sent, which may be forgotten at any moment. Never `edits`, never `drafts`. */
export const FORGOTTEN = ['records_a', 'records_b', 'held_a', 'held_b', 'pupils', 'contacts', 'staff', 'school'] as const satisfies readonly (keyof Theirs)[];

export async function forget(tx: MyWriting): Promise<void> {
  for (const store of FORGOTTEN) tx.objectStore(store).clear();
  for (const name of OF_WHAT_WAS_SENT) await settle(tx, name, undefined);
}

/** The school has taken this phone off its list, and has everything that was written on it: nothing is left to read here. */
export async function leave(): Promise<void> {
  if (!here) return;
  const { disk } = here;
  await shared.writing(['settings'], (tx) => tx.objectStore('settings').delete('current'));
  here = arriving = null;
  tell();
  await destroy(disk);
  disk.close();
}

// ── Whoever else has something here ────────────────────────────────────────────────────────────

/** Every outbox on this phone that is not open: others', and one's own while the phone is locked. Close them afterwards. */
export async function closedOutboxes(): Promise<{ disk: Disk; school: string; staff: string }[]> {
  const owners = await allOwners();
  return owners.filter((owner) => !here?.open || owner.key !== here.owner.key).map(({ school, staff }) => ({ school, staff, disk: diskOf(school, staff) }));
}

/** The school has said again who I am and what I may do. */
export function recognise(changed: Me): void {
  if (here?.open) here.open.me = changed;
  tell();
}

/** Whether it is still this tab's person who is signed in on this phone. */
export async function isStillMe(): Promise<boolean> {
  const key = await shared.reading(['settings'], (tx) => tx.objectStore('settings').get('current'));
  return key === here?.owner.key;
}

const keyOf = (school: string, staff: string): string => `${school} ${staff}`;

async function withDisk<T>({ school, staff }: Owner, work: (disk: Disk) => Promise<T>): Promise<T> {
  const disk = diskOf(school, staff);
  try {
    return await work(disk);
  } finally {
    disk.close();
  }
}

const hashed = async (name: string): Promise<string> => digested(utf8(`lanyard signs in as ${name}`));

/** With a salt of this installation: the same name reads otherwise on every handset. */
const salted = async (hash: string): Promise<string> => `salted ${await digested(joined(toBytes(await salt()), utf8(hash)))}`;

const digested = async (bytes: Bytes): Promise<string> => toText(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));

const salt = (): Promise<string> =>
  shared.writing(
    ['settings'],
    async (tx) => {
      const kept = (await tx.objectStore('settings').get('salt')) ?? toText(random(16));
      await tx.objectStore('settings').put(kept, 'salt');
      return kept;
    },
    () => [],
  );

/** Earlier versions kept what they sign in as in the clear, or without a salt. */
async function allOwners(): Promise<Owner[]> {
  const owners = (await shared.reading(['owners'], (tx) => tx.objectStore('owners').getAll())) as (Owner & { username?: string })[];
  return await Promise.all(
    owners.map(async ({ username, ...owner }) => {
      if (username === undefined && (!owner.called || owner.called.startsWith('salted '))) return owner;
      const told = { ...owner, called: await salted(username === undefined ? owner.called : await hashed(username)) };
      await shared.writing(['owners'], (tx) => tx.objectStore('owners').put(told), () => []);
      return told;
    }),
  );
}

/** What the desk's list of phones calls this one. */
export function phoneName(): string {
  const { userAgent = '' } = globalThis.navigator ?? {};
  const [, model] = /\(Linux; Android [^;)]*; ([^;)]+)/.exec(userAgent) ?? [];
  if (model) return model.replace(/ Build.*/, '');
  return ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux'].find((sort) => userAgent.includes(sort)) ?? 'Phone';
}
