// The vault: the one key that opens what this phone holds, and the PIN that opens the key. Only keys are here.
//
// The key is wrapped twice. Online under the PIN and a share that the school hands out, counting the guesses; offline under the
// PIN and a key of this phone, only while a lease from the school lasts. Whether a PIN is right is known only by opening.

import { close, random, toText, unclose, utf8, type Bytes, type Closed } from './bytes';
import { hear, look, type Seen } from './clock';
import { forgetAll, onlyByPin, vaultIn, withoutPages, type Disk, type Signing } from './disk';
import { newId } from './ids';
import { aes, authOf, stretch, wrapping } from './pin';
import { newSigning } from './seal';
import { isSwitchedOff, newShare, openShare, type Asked, type Door, type Share } from './share';

/** From this many wrong PINs on there is a pause, twice as long each time. */
const WRONG_BEFORE_A_PAUSE = 5;
const FIRST_PAUSE_MS = 30_000;
/** No pause is longer, ours or the school's, whatever a clock said when it was set. */
const LONGEST_PAUSE_MS = 60 * 60 * 1_000;
/** And at this many everything that the school sent is destroyed. What was written never is. */
export const WRONG_AT_MOST = 10;

/** As it lies on the disk. None of it opens anything without the PIN. Its times are by this phone's sense of time. */
export type Vault = Seen & {
  id: string;
  salt: Bytes;
  online: Closed;
  offline?: Closed | undefined;
  lease_until: number;
  failures: number; // wrong PINs since the last right one
  begun?: string[]; // tries of which nothing came to light: one is being made, or the app was ended meanwhile
  paused_until: number;
  isForgotten?: boolean; // by the school: it went back to a backup, or counted ten wrong ones
};

export type Keys = { id: string; data: CryptoKey; sign: CryptoKey };

export type NotOpened =
  | { is: 'wrong'; left: number; pause_s: number }
  | { is: 'pause'; pause_s: number }
  | { is: 'lease over'; because: 'no signal' | 'sign in' } // the school must be asked, and cannot be
  | { is: 'gone'; because: 'ten wrong' | 'the school' | 'revoked' };

/** `password_by`: the school has forgotten this PIN, and keeps it again only after the password; until then the lease opens. */
export type Opened = { is: 'open'; keys: Keys; password_by?: number } | NotOpened;

type Refused = { is: 'refused'; because: 'no signal' | 'sign in' | 'revoked' | 'busy' };
export type Chosen = { is: 'open'; keys: Keys } | Refused;
export type Changed = { is: 'changed' } | NotOpened | Refused;

// ── Choosing a PIN ─────────────────────────────────────────────────────────────────────────

/**
 * A new key under a new PIN. Whatever was closed under an earlier one can then be read by nobody here: what the school sent is
 * forgotten, and what was written goes to the school sealed.
 */
export async function choose(disk: Disk, pin: string, door: Door): Promise<Chosen> {
  const raw = random(32);
  const vault = await wrapped(disk, newId(), raw, pin, door);
  if ('is' in vault) return vault;
  const keys = await keysFrom(disk, vault, raw);
  await disk.writing(
    ['keys', 'pages', 'settings'],
    async (tx) => {
      await forgetAll(tx);
      await tx.objectStore('keys').put(vault, 'vault');
    },
    () => [],
  );
  return { is: 'open', keys };
}

/** Another PIN for the same key, for whoever knows the one before: that one opens until the moment the new one lies on the disk. */
export async function change(disk: Disk, pin: string, to: string, door: Door, sealRest?: SealingRest): Promise<Changed> {
  const tried = await tryPin(disk, pin, door, sealRest);
  if (tried.is !== 'right') return tried;
  const vault = await wrapped(disk, tried.vault.id, tried.raw, to, door);
  tried.raw.fill(0);
  if ('is' in vault) return vault;
  await keep(disk, vault.id, () => vault, tried.vault.salt);
  return { is: 'changed' };
}

async function wrapped(disk: Disk, id: string, raw: Bytes, pin: string, door: Door): Promise<Vault | Refused> {
  const salt = random(16); // another each time: the school tells the shares of one phone apart by what is made of it
  const stretched = await stretch(pin, salt);
  const heard = await newShare(door, await authOf(stretched));
  if (heard.is !== 'share') return { is: 'refused', because: whyNot(heard) };
  const online = await close(await wrapping(stretched, heard.share.share, 'lanyard online'), raw, id);
  return await withOffline(disk, { id, salt, online, ...STARTS_AFRESH, ...lease(heard.share) }, stretched, raw);
}

function whyNot(heard: Asked): Refused['because'] {
  if (heard.is === 'revoked') return 'revoked';
  return heard.is === 'not now' ? heard.because : 'busy';
}

// ── Opening ────────────────────────────────────────────────────────────────────────────────

/** Seals what is not sealed yet, and says whether all of it is. */
export type SealingRest = (keys: Keys) => Promise<boolean>;

/** `sealRest`: for the last time, on a phone that was switched off. */
export async function unlock(disk: Disk, pin: string, door: Door, sealRest?: SealingRest): Promise<Opened> {
  const tried = await tryPin(disk, pin, door, sealRest);
  if (tried.is !== 'right') return tried;
  const { vault, raw, forgets } = tried;
  const again = forgets ? await introduce(disk, vault, raw, pin, door) : vault;
  return { is: 'open', keys: await keysFrom(disk, vault, raw), ...(again.isForgotten && { password_by: again.lease_until }) };
}

/** The school is given this PIN anew; if it wants the password first, all stays as it is. */
async function introduce(disk: Disk, vault: Vault, raw: Bytes, pin: string, door: Door): Promise<Vault> {
  const again = await wrapped(disk, vault.id, raw, pin, door);
  return 'is' in again ? vault : await keep(disk, vault.id, () => again, vault.salt);
}

/** `forgets`: the school has just said that it does not know this PIN, which is right. */
type Right = { is: 'right'; vault: Vault; raw: Bytes; forgets: boolean };

/** Every try is written down before it is made, and taken back if nothing came to light: whoever ends the app in between gains none. */
async function tryPin(disk: Disk, pin: string, door: Door, sealRest?: SealingRest): Promise<Right | NotOpened> {
  const id = newId();
  const vault = await begun(disk, id);
  if (!vault) return { is: 'gone', because: 'ten wrong' };
  if ('pause_s' in vault) return { is: 'pause', pause_s: vault.pause_s };
  try {
    return await judged(disk, vault, id, pin, door, sealRest);
  } catch (why) {
    await keep(disk, vault.id, (now) => takenBack(now, id)).catch(() => {});
    throw why;
  }
}

/** The school says first; then the lease. A school that went back to a backup knows less than this phone: what it forgot is no wrong PIN. */
async function judged(disk: Disk, vault: Vault, id: string, pin: string, door: Door, sealRest?: SealingRest): Promise<Right | NotOpened> {
  const stretched = await stretch(pin, vault.salt);
  const heard = await openShare(door, await authOf(stretched), vault.failures);
  if (heard.is === 'revoked' || (isSignedOut(heard) && (await isSwitchedOff(disk, door.ask)))) return await switchedOff(disk, vault, id, stretched, sealRest);
  if (heard.is === 'pause' && !vault.isForgotten) return await paused(disk, vault, id, heard.pause_ms);
  if (heard.is === 'share') {
    const raw = await byShare(vault, stretched, heard.share);
    if (raw) return { ...(await right(disk, { ...vault, isForgotten: false, ...lease(heard.share) }, stretched, raw)), forgets: false };
  }
  const forgets = heard.is === 'wrong' || heard.is === 'unknown' || heard.is === 'share';
  const raw = await byLease(disk, vault, stretched);
  if (raw instanceof Uint8Array) return { ...(await right(disk, { ...vault, isForgotten: forgets || vault.isForgotten === true }, stretched, raw)), forgets };
  if (heard.is === 'wrong' || (raw === 'wrong' && heard.is !== 'share')) return await wrong(disk, vault, id, heard.is === 'wrong' ? heard.left : WRONG_AT_MOST);
  if (heard.is === 'unknown' && vault.failures === WRONG_AT_MOST - 1) return await lose(disk); // the tenth, by the school's count
  await keep(disk, vault.id, (now) => ({ ...takenBack(now, id), isForgotten: forgets || now.isForgotten === true }));
  if (forgets) return { is: 'gone', because: 'the school' }; // nothing is destroyed: it may yet be put right there
  return { is: 'lease over', because: isSignedOut(heard) ? 'sign in' : 'no signal' };
}

const isSignedOut = (heard: Asked): boolean => heard.is === 'not now' && heard.because === 'sign in';

const byShare = async (vault: Vault, stretched: Bytes, { share }: Share): Promise<Bytes | null> =>
  await unclose(await wrapping(stretched, share, 'lanyard online'), vault.online, vault.id).catch(() => null);

async function byLease(disk: Disk, vault: Vault, stretched: Bytes): Promise<Bytes | 'wrong' | 'over'> {
  if (!vault.offline || !lasts(vault)) return 'over';
  return await unclose(await offlineKey(disk, stretched), vault.offline, vault.id).catch(() => 'wrong');
}

async function right(disk: Disk, vault: Vault, stretched: Bytes, raw: Bytes): Promise<Omit<Right, 'forgets'>> {
  const open = await withOffline(disk, { ...vault, ...STARTS_AFRESH }, stretched, raw);
  return { is: 'right', raw, vault: await keep(disk, vault.id, () => open, vault.salt) };
}

async function wrong(disk: Disk, vault: Vault, id: string, schoolsLeft: number): Promise<NotOpened> {
  const { failures, paused_until, seen_at } = await keep(disk, vault.id, (now) => counted(now, id));
  if (failures >= WRONG_AT_MOST) return await lose(disk);
  const left = Math.max(1, Math.min(WRONG_AT_MOST - failures, schoolsLeft));
  return { is: 'wrong', left, pause_s: Math.max(0, paused_until - seen_at) / 1_000 };
}

async function paused(disk: Disk, vault: Vault, id: string, pause_ms: number): Promise<NotOpened> {
  await keep(disk, vault.id, (now) => ({ ...takenBack(now, id), paused_until: now.seen_at + pause_ms }));
  return { is: 'pause', pause_s: Math.ceil(pause_ms / 1_000) };
}

/**
 * What only this PIN opens is sealed before the key goes; for what cannot be, the key stays as long as its lease. A wrong PIN takes
 * only what the school sent, and counts: the right one may come yet.
 */
async function switchedOff(disk: Disk, vault: Vault, id: string, stretched: Bytes, sealRest?: SealingRest): Promise<NotOpened> {
  const raw = sealRest ? await byLease(disk, vault, stretched) : 'over';
  if (raw === 'wrong' && (await onlyByPin(disk)) > 0) {
    await withoutPages(disk);
    return await wrong(disk, vault, id, WRONG_AT_MOST);
  }
  if (raw instanceof Uint8Array && !(await sealRest!(await keysFrom(disk, vault, raw)))) await keep(disk, vault.id, (now) => takenBack(now, id));
  else await destroy(disk);
  return { is: 'gone', because: 'revoked' };
}

async function lose(disk: Disk): Promise<NotOpened> {
  await destroy(disk);
  return { is: 'gone', because: 'ten wrong' };
}

// ── Counting ───────────────────────────────────────────────────────────────────────────────

const STARTS_AFRESH = { failures: 0, begun: [], paused_until: 0 };

/** Reads the vault, and writes the try down with the pause that it costs should nobody ever hear of it again. */
function begun(disk: Disk, id: string): Promise<Vault | { pause_s: number } | undefined> {
  return disk.writing(
    ['keys'],
    async (tx) => {
      const kept = await vaultIn(tx);
      if (!kept) return undefined;
      const now = { ...kept, ...look(kept) };
      const before = now.begun ?? [];
      const pause_ms = before.includes(id) ? 0 : Math.min(now.paused_until - now.seen_at, LONGEST_PAUSE_MS);
      const next = pause_ms > 0 ? { ...now, paused_until: now.seen_at + pause_ms } : resting({ ...now, begun: [...before.filter((one) => one !== id), id].slice(-WRONG_AT_MOST) });
      await tx.objectStore('keys').put(next, 'vault');
      return pause_ms > 0 ? { pause_s: Math.ceil(pause_ms / 1_000) } : next;
    },
    () => [],
  );
}

/** A try of which nothing ever came to light brings a pause nearer, and never the end. */
function resting(now: Vault): Vault {
  const tries = now.failures + (now.begun?.length ?? 0);
  const pause_ms = tries < WRONG_BEFORE_A_PAUSE ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (tries - WRONG_BEFORE_A_PAUSE), LONGEST_PAUSE_MS);
  return { ...now, paused_until: pause_ms && now.seen_at + pause_ms };
}

/** Proved wrong: once, however often this is run. */
const counted = (now: Vault, id: string): Vault => (now.begun?.includes(id) ? resting({ ...takenBack(now, id), failures: now.failures + 1 }) : now);

const takenBack = (now: Vault, id: string): Vault => ({ ...now, begun: (now.begun ?? []).filter((one) => one !== id), paused_until: 0 });

/** Throws where another tab has chosen a new PIN meanwhile, or tried one too many: what is there now must not be undone. */
const keep = (disk: Disk, id: string, next: (now: Vault) => Vault, salt?: Bytes): Promise<Vault> =>
  disk.writing(
    ['keys'],
    async (tx) => {
      const kept = await vaultIn(tx);
      if (kept?.id !== id || (salt && toText(kept.salt) !== toText(salt))) throw new Error('The vault is another by now');
      const now = next({ ...kept, ...look(kept) });
      await tx.objectStore('keys').put(now, 'vault');
      return now;
    },
    () => [],
  );

// ── Ending ─────────────────────────────────────────────────────────────────────────────────

/** For good, and at once: the key's wraps, and every page. Never the outbox, never the drafts: they are sealed, and go to the school. */
export const destroy = (disk: Disk): Promise<void> => disk.writing(['keys', 'pages', 'settings'], (tx) => forgetAll(tx), () => []);

/** Looks at the clock, and at what the vault is by now; a lease that is over ends at the first look. Undefined where no PIN opens anything. */
export async function lookAt(disk: Disk): Promise<Vault | undefined> {
  const kept = await disk.reading(['keys'], vaultIn);
  const next = (now: Vault): Vault => (lasts(now) ? now : { ...now, offline: undefined });
  return kept && (await keep(disk, kept.id, next).catch(() => next({ ...kept, ...look(kept) }))); // a full disk keeps nobody out
}

/** What time it is, as far as this phone can know: past every end where there is no vault. */
export async function timeOn(disk: Disk): Promise<number> {
  const kept = await disk.reading(['keys'], vaultIn);
  return kept ? look(kept).seen_at : Infinity;
}

/** The school has said what time it is. */
export async function heardAt(disk: Disk, now: number): Promise<void> {
  const kept = await disk.reading(['keys'], vaultIn);
  if (kept) await keep(disk, kept.id, (vault) => ({ ...vault, ...hear(now) }));
}

/** From now on only the school can open it. */
export async function endLease(disk: Disk): Promise<void> {
  const kept = await disk.reading(['keys'], vaultIn);
  if (kept) await keep(disk, kept.id, (now) => ({ ...now, offline: undefined }));
}

/** Whether the PIN opens it without the school. */
export const opensAlone = (vault: Vault | undefined): boolean => vault?.offline !== undefined && lasts(vault);

const lasts = ({ lease_until, ...seen }: Vault): boolean => look(seen).seen_at < lease_until;

const lease = ({ lease_until, now }: Share): Pick<Vault, 'lease_until'> & Required<Seen> => ({ lease_until, ...hear(now) });

// ── Keys ───────────────────────────────────────────────────────────────────────────────────

async function withOffline(disk: Disk, vault: Vault, stretched: Bytes, raw: Bytes): Promise<Vault> {
  return { ...vault, offline: lasts(vault) ? await close(await offlineKey(disk, stretched), raw, vault.id) : undefined };
}

async function offlineKey(disk: Disk, stretched: Bytes): Promise<CryptoKey> {
  const half = await crypto.subtle.sign('HMAC', await deviceKey(disk), utf8('offline'));
  return await wrapping(stretched, new Uint8Array(half), 'lanyard offline');
}

/** The raw key is in memory for this moment only. */
async function keysFrom(disk: Disk, { id }: Vault, raw: Bytes): Promise<Keys> {
  const [data, { pair }] = [await aes(raw), await signing(disk)];
  raw.fill(0);
  return { id, data, sign: pair.privateKey };
}

/** This phone's own key, which cannot be taken out of the browser: it is never the only wall. */
const deviceKey = (disk: Disk): Promise<CryptoKey> =>
  kept(disk, 'device', () => crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']) as Promise<CryptoKey>);

/** What this phone signs with, so that the school knows which phone sealed something. */
export const signing = (disk: Disk): Promise<Signing> => kept(disk, 'signing', newSigning);

async function kept<T>(disk: Disk, name: string, made: () => Promise<T>): Promise<T> {
  const known = await disk.reading(['keys'], (tx) => tx.objectStore('keys').get(name));
  if (known !== undefined) return known as T;
  const fresh = await made();
  return await disk.writing(
    ['keys'],
    async (tx) => {
      const first = await tx.objectStore('keys').get(name); // another tab may have been quicker
      if (first === undefined) await tx.objectStore('keys').put(fresh, name);
      return (first ?? fresh) as T;
    },
    () => [],
  );
}
