// Who is using this phone, and whether it is unlocked. Each member of staff has a vault of their own on it; a second one sees
// nothing of the first.

import { ask, type Ask } from '../school';
import type { School, SignedInAnswer } from '../wire';
import { diskOf, nameOf, newEpoch, note, noted, onlyByPin, OF_WHAT_WAS_SENT, vaultIn, withoutPages, type Disk, type Signing } from './disk';
import type { Draft } from './drafts';
import { noticeEvicted } from './evicted';
import { allOwners, keyOf, lettingGo, withDisk } from './owners';
import type { Sheet } from './rows';
import { Shelves } from './shelves';
import { sets, settle, shared, type MeAtSchool, type Mine, type MyWriting, type Owner, type Theirs } from './stores';
import { change, choose, destroy, endLease, lookAt, opensAlone, unlock, type Changed, type Chosen, type Keys, type Opened } from './vault';

export type Me = { id: string; name: string; role: string; may: string[]; school: School };
/** `new`: signed in, and a PIN is still to be chosen. */
export type Standing = 'out' | 'new' | 'locked' | 'open';

/** `passwordBy`: the school has forgotten their PIN, and the lease that still opens it ends then. */
type Here = { owner: Owner; disk: Disk; hasVault: boolean; open: { me: Me; db: Mine } | null; passwordBy?: number | undefined };

let here: Here | null = null;
/** Whoever has just given their password here: their name, until there is a vault to put it in. */
let arriving: MeAtSchool | null = null;
let isOffList = false;
const watchers = new Set<() => void>();

/** Null until the phone is unlocked, and when nobody is signed in. */
export const me = (): Me | null => here?.open?.me ?? null;

export const standing = (): Standing => (!here ? 'out' : here.open ? 'open' : here.hasVault ? 'locked' : 'new');

/** Whether the password was given a moment ago: the school lets nobody else choose a PIN. */
export const hasArrived = (): boolean => arriving !== null;

/** Whether the last to use this phone left because it was taken off the list. */
export const wasTakenOff = (): boolean => isOffList;

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
  for (const owner of owners) if (owner.leaving) await lettingGo(owner, { ifAvailable: true }, () => withDisk(owner, (disk) => forgetWhoLeft(owner, disk))).catch(() => {});
  noticeEvicted(owners.map(({ school, staff }) => nameOf(school, staff)));
  const [key, off] = await shared.reading(['settings'], (tx) => Promise.all(['current', 'off'].map((name) => tx.objectStore('settings').get(name))));
  isOffList = off !== undefined;
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

/** Back to a locked phone of one's own, on a handset that others use too. Needs no signal: the PIN is what opens it. */
export async function turnTo(owner: Owner): Promise<void> {
  await shared.writing(['settings'], async (tx) => {
    await tx.objectStore('settings').put(owner.key, 'current');
    await tx.objectStore('settings').delete('off'); // it was said of somebody else's
  });
  isOffList = false;
  await become(owner);
}

/** True if the school signs with another key than the one learnt here before: only a password, or a code, makes this phone believe that. */
export async function welcome(called: string, { staff, school, phone, grant, keys: schools }: SignedInAnswer, keys: Signing, forgot: boolean): Promise<boolean> {
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
    for (const name of ['owed', 'off']) await tx.objectStore('settings').delete(name);
  });
  isOffList = false;
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
  if (chosen.is === 'open') {
    here!.hasVault = true; // whatever fails now: its PIN is chosen
    await enter(chosen.keys);
  }
  return chosen;
}

export async function unlockWith(pin: string, asked: Ask = ask): Promise<Unlocked> {
  const { disk, owner } = here!;
  const opened = await unlock(disk, pin, { ask: asked, phone: owner.phone }, sealForTheLastTime(disk, owner));
  if (opened.is === 'open') return { ...opened, told: await enter(opened.keys, opened.password_by) };
  if (opened.is === 'gone') {
    if (opened.because === 'revoked') await disk.writing(['settings'], async (tx) => (await note(tx, 'revoked', true), void (await newEpoch(tx))));
    here!.hasVault = false;
    tell();
  }
  return opened;
}

/** What the school sent is forgotten all the same. */
const sealForTheLastTime = (disk: Disk, owner: Owner) => async (keys: Keys): Promise<boolean> => {
  await new Shelves(disk, owner, keys).sealTheRest().catch(() => {});
  await withoutPages(disk);
  return (await onlyByPin(disk)) === 0; // read from the disk: what cannot be opened just now is in nobody’s memory
};

/** Back to the PIN before, which is on the disk until another is chosen. */
export function turnBack(): void {
  arriving = null;
  here!.hasVault = true;
  tell();
}

/** Another PIN, for whoever knows the one before. */
export async function changePin(pin: string, to: string, asked: Ask = ask): Promise<Changed> {
  const { disk, owner, open } = here!;
  await open?.db.settled(); // should this phone turn out to be switched off
  return await change(disk, pin, to, { ask: asked, phone: owner.phone }, sealForTheLastTime(disk, owner));
}

async function enter(keys: Keys, passwordBy?: number): Promise<string | undefined> {
  const { disk, owner } = here!;
  const db = new Shelves(disk, { school: owner.school, staff: owner.staff }, keys);
  await carryOver(db);
  const known = await db.reading(['school'], (tx) => tx.objectStore('school').get('me') as MeAtSchool | undefined);
  const whoever = known ?? arriving ?? { id: owner.staff, name: '', role: '', may: [], school: { id: owner.school, name: '' } };
  if (!known && arriving) await db.writing(['school'], (tx) => tx.objectStore('school').put(whoever, 'me'));
  arriving = null;
  const [isTorn, isUntidy] = await db.reading(['settings'], (tx) => ['unreadable', 'untidy'].map((name) => tx.objectStore('settings').get(name) === true));
  if (isUntidy) await db.tidy().catch(() => {}); // no room: at the next unlocking
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
  await lettingGo(owner, { mode: 'shared' }, async () => {
    await shared.writing(['owners', 'settings'], async (tx) => {
      await tx.objectStore('owners').put({ ...owner, leaving: true });
      await tx.objectStore('settings').delete('current');
      await tx.objectStore('settings').put(owner.phone, 'owed');
    });
    here = arriving = null;
    tell();
    await forgetWhoLeft(owner, disk, open?.db).catch(() => {}); // finished at the next start
  });
  await settleOwed(asked);
}

/** Unlocked, what was written and has its receipt stays in the pages. Safe to repeat. */
async function forgetWhoLeft(owner: Owner, disk: Disk, open?: Mine): Promise<void> {
  await endLease(disk); // first of all: whatever fails after that, only the school opens what is left
  // Closed first: an answer that is on its way must not bring back what is being forgotten.
  const db = open?.reopened();
  if (db) await forgetSent(db).finally(() => db.disk.close());
  else await withoutPages(disk).finally(() => disk.close());
  await shared.writing(['owners'], async (tx) => {
    const { leaving, ...now } = (await tx.objectStore('owners').get(owner.key)) ?? owner;
    if (leaving) await tx.objectStore('owners').put(now);
  });
}

async function forgetSent(db: Mine): Promise<void> {
  await db.sealTheRest().catch(() => {});
  await db.forgetting(FORGOTTEN, forget);
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
  const { disk, owner } = here;
  await shared.writing(['settings'], async (tx) => {
    await tx.objectStore('settings').delete('current');
    await tx.objectStore('settings').put(owner.key, 'off');
  });
  isOffList = true;
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
