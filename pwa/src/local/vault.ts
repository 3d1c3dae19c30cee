// The vault: the one key that opens what this phone holds, and the PIN that opens the key. Only keys are here.
//
// The key is wrapped twice. Online under the PIN and a share that the school hands out, counting the guesses; offline under the
// PIN and a key of this phone, only while a lease from the school lasts. Whether a PIN is right is known only by opening.

import type { Ask, Heard } from '../school';
import { refusal } from '../school';
import { close, joined, random, toBytes, toText, unclose, utf8, type Bytes, type Closed } from './bytes';
import { forgetAll, note, vaultIn, type Disk, type Signing } from './disk';
import { newId } from './ids';
import { newSigning } from './seal';

const ROUNDS = 600_000;
export const SHORTEST_PIN = 6;
const LONGEST_PIN = 64;
/** From this many wrong PINs on there is a pause, twice as long each time. */
const WRONG_BEFORE_A_PAUSE = 5;
const FIRST_PAUSE_MS = 30_000;
/** And at this many everything that the school sent is destroyed. What was written never is. */
export const WRONG_AT_MOST = 10;

/** As it lies on the disk. None of it opens anything without the PIN. */
export type Vault = {
  id: string;
  salt: Bytes;
  online: Closed;
  offline?: Closed;
  lease_until: number; // milliseconds by the school's clock
  seen_at: number; // the latest moment that the school has told us: a clock set back gains nothing
  failures: number; // wrong PINs since the last right one
  paused_until: number; // by this phone's clock
};

export type Keys = { id: string; data: CryptoKey; sign: CryptoKey };

/** Whom the school hands the share to: this phone, signed in. */
export type Door = { ask: Ask; phone: string };

export type Opened =
  | { is: 'open'; keys: Keys }
  | { is: 'wrong'; left: number; pause_s: number }
  | { is: 'pause'; pause_s: number }
  | { is: 'lease over'; because: 'no signal' | 'sign in' } // the school must be asked, and cannot be
  | { is: 'gone'; because: 'ten wrong' | 'the school' | 'revoked' };

export type Chosen = { is: 'open'; keys: Keys } | { is: 'refused'; because: 'no signal' | 'sign in' | 'revoked' | 'busy' };

// ── Choosing a PIN ─────────────────────────────────────────────────────────────────────────

const COMMONEST = new Set('123456 123123 654321 121212 112233 789456 159753 147258 123321 147852 159357 696969 101010 131313 232323 112211 456123 741852 258456 456789'.split(' '));

/** Why this cannot be the PIN, in words; null if it can. */
export function wrongWith(pin: string): string | null {
  if (!/^\d+$/.test(pin)) return 'Use digits only.';
  if (pin.length < SHORTEST_PIN) return `Use at least ${SHORTEST_PIN} digits.`;
  if (pin.length > LONGEST_PIN) return `Use at most ${LONGEST_PIN} digits.`;
  const steps = new Set([...pin].slice(1).map((digit, at) => (Number(digit) - Number(pin[at]) + 10) % 10));
  const isRun = steps.size === 1 && [0, 1, 9].includes([...steps][0]!);
  return isRun || COMMONEST.has(pin) || /^(..?.?)\1+$/.test(pin) ? 'That is one of the first that anybody would try. Choose another.' : null;
}

/**
 * A new key under a new PIN. Whatever was closed under an earlier one can then be read by nobody here: what the school sent is
 * forgotten, and what was written goes to the school sealed.
 */
export async function choose(disk: Disk, pin: string, { ask, phone }: Door): Promise<Chosen> {
  const salt = random(16);
  const stretched = await stretch(pin, salt);
  const heard = await ask('/api/vault', { method: 'PUT', phone, json: { phone, auth: await authOf(stretched) } });
  const share = shareIn(heard);
  if (!share) return { is: 'refused', because: whyNot(heard) };
  const raw = random(32);
  const id = newId();
  const online = await close(await wrapping(stretched, share.share, 'lanyard online'), raw, id);
  const vault: Vault = { id, salt, online, ...lease(share), failures: 0, paused_until: 0 };
  await offlineToo(disk, vault, stretched, raw);
  const keys = await keysFrom(disk, vault, raw);
  await disk.writing(
    ['keys', 'pages', 'settings'],
    async (tx) => {
      await forgetAll(tx);
      await tx.objectStore('keys').put(vault, 'vault');
      await note(tx, 'recovering', true);
    },
    () => [],
  );
  return { is: 'open', keys };
}

// ── Opening ────────────────────────────────────────────────────────────────────────────────

/** Every try is counted before it is made: a phone that is switched off in between gains none. */
export async function unlock(disk: Disk, pin: string, { ask, phone }: Door): Promise<Opened> {
  const vault = await begun(disk);
  if (!vault) return { is: 'gone', because: 'ten wrong' };
  if ('pause_s' in vault) return { is: 'pause', pause_s: vault.pause_s };
  const stretched = await stretch(pin, vault.salt);
  const heard = await ask('/api/vault', { method: 'POST', phone, json: { phone, auth: await authOf(stretched), offline_failures: vault.failures } });
  const share = shareIn(heard);
  if (share) return await withShare(disk, vault, stretched, share);
  if (heard.heard === 'answered') {
    const { refusal: said, left } = refusal(heard.json) as { refusal: string; left?: number };
    if (said === 'wrong_pin') return await wrong(disk, vault, left);
    if (said === 'no_vault' || said === 'phone_revoked') return await lose(disk, said === 'no_vault' ? 'the school' : 'revoked');
    if (heard.status === 429) return await paused(disk, vault, (heard.retryAfter_s ?? 60) * 1_000);
  }
  return await withLease(disk, vault, stretched, heard.heard === 'answered' && heard.status === 401 ? 'sign in' : 'no signal');
}

/** Reads the vault and counts the try. */
function begun(disk: Disk): Promise<Vault | { pause_s: number } | undefined> {
  return disk.writing(
    ['keys'],
    async (tx) => {
      const vault = await vaultIn(tx);
      const pause_ms = Math.min((vault?.paused_until ?? 0) - Date.now(), FIRST_PAUSE_MS * 2 ** WRONG_AT_MOST);
      if (!vault || pause_ms > 0) return vault && { pause_s: Math.ceil(pause_ms / 1_000) };
      await tx.objectStore('keys').put({ ...vault, failures: vault.failures + 1 }, 'vault');
      return vault;
    },
    () => [],
  );
}

async function withShare(disk: Disk, vault: Vault, stretched: Bytes, share: Share): Promise<Opened> {
  const raw = await unclose(await wrapping(stretched, share.share, 'lanyard online'), vault.online, vault.id).catch(() => null);
  if (!raw) return { is: 'gone', because: 'the school' }; // its share is for another vault. Nothing is destroyed: it may yet be put right there
  const open: Vault = { ...vault, ...lease(share, vault), failures: 0, paused_until: 0 };
  await offlineToo(disk, open, stretched, raw);
  await keep(disk, open);
  return { is: 'open', keys: await keysFrom(disk, open, raw) };
}

async function withLease(disk: Disk, vault: Vault, stretched: Bytes, because: 'no signal' | 'sign in'): Promise<Opened> {
  if (!vault.offline || !lasts(vault)) {
    await keep(disk, vault); // nothing was tried, so nothing counts
    return { is: 'lease over', because };
  }
  const raw = await unclose(await offlineKey(disk, stretched), vault.offline, vault.id).catch(() => null);
  if (!raw) return await wrong(disk, vault);
  await keep(disk, { ...vault, failures: 0, paused_until: 0 });
  return { is: 'open', keys: await keysFrom(disk, vault, raw) };
}

async function wrong(disk: Disk, vault: Vault, schoolsLeft = WRONG_AT_MOST): Promise<Opened> {
  const failures = vault.failures + 1;
  const left = Math.min(WRONG_AT_MOST - failures, schoolsLeft);
  if (left <= 0) return await lose(disk, 'ten wrong');
  const pause_ms = failures < WRONG_BEFORE_A_PAUSE ? 0 : FIRST_PAUSE_MS * 2 ** (failures - WRONG_BEFORE_A_PAUSE);
  await keep(disk, { ...vault, failures, paused_until: pause_ms ? Date.now() + pause_ms : 0 });
  return { is: 'wrong', left, pause_s: pause_ms / 1_000 };
}

async function paused(disk: Disk, vault: Vault, pause_ms: number): Promise<Opened> {
  await keep(disk, { ...vault, paused_until: Date.now() + pause_ms });
  return { is: 'pause', pause_s: Math.ceil(pause_ms / 1_000) };
}

async function lose(disk: Disk, because: 'ten wrong' | 'the school' | 'revoked'): Promise<Opened> {
  await destroy(disk);
  return { is: 'gone', because };
}

/** Throws where another tab has chosen a new PIN meanwhile, or tried one too many: what is there now must not be undone. */
const keep = (disk: Disk, vault: Vault): Promise<void> =>
  disk.writing(
    ['keys'],
    async (tx) => {
      if ((await vaultIn(tx))?.id !== vault.id) throw new Error('The vault is another by now');
      await tx.objectStore('keys').put(vault, 'vault');
    },
    () => [],
  );

// ── Ending ─────────────────────────────────────────────────────────────────────────────────

/** For good, and at once: the key's wraps, and every page. Never the outbox, never the drafts: they are sealed, and go to the school. */
export const destroy = (disk: Disk): Promise<void> => disk.writing(['keys', 'pages', 'settings'], (tx) => forgetAll(tx), () => []);

/** Whether there is a key here that a PIN can open; a lease that is over ends at the first look. */
export async function isThere(disk: Disk): Promise<boolean> {
  const vault = await disk.reading(['keys'], vaultIn);
  if (vault?.offline && !lasts(vault)) await endLease(disk);
  return vault !== undefined;
}

/** From now on only the school can open it. */
export function endLease(disk: Disk): Promise<void> {
  return disk.writing(
    ['keys'],
    async (tx) => {
      const vault = await vaultIn(tx);
      if (vault) await tx.objectStore('keys').put(withoutLease(vault), 'vault');
    },
    () => [],
  );
}

const withoutLease = ({ offline: _, ...vault }: Vault): Vault => vault;

const lasts = ({ lease_until, seen_at }: Vault): boolean => Math.max(Date.now(), seen_at) < lease_until;

// ── The school's share ─────────────────────────────────────────────────────────────────────

type Share = { share: Bytes; lease_until: number; now: number };

function shareIn(heard: Heard): Share | null {
  if (heard.heard !== 'answered' || heard.status !== 200) return null;
  try {
    const { share, lease_until, now } = heard.json as { share: string; lease_until: string; now: string };
    const read = { share: toBytes(share), lease_until: Date.parse(lease_until), now: Date.parse(now) };
    return read.share.length === 32 && read.lease_until >= 0 && read.now >= 0 ? read : null;
  } catch {
    return null;
  }
}

const lease = ({ lease_until, now }: Share, before?: Vault): Pick<Vault, 'lease_until' | 'seen_at'> => ({ lease_until, seen_at: Math.max(now, before?.seen_at ?? 0) });

function whyNot(heard: Heard): 'no signal' | 'sign in' | 'revoked' | 'busy' {
  if (heard.heard === 'not heard') return 'no signal';
  if (heard.status === 401) return 'sign in';
  return refusal(heard.json).refusal === 'phone_revoked' ? 'revoked' : 'busy';
}

// ── From a PIN to a key ──────────────────────────────────────────────────────────────────────

async function stretch(pin: string, salt: Bytes): Promise<Bytes> {
  const typed = await crypto.subtle.importKey('raw', utf8(pin), 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS }, typed, 256));
}

async function derived(from: Bytes, what: string): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', from, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(what) }, key, 256));
}

/** What the school knows a PIN by: it says nothing of the key. */
const authOf = async (stretched: Bytes): Promise<string> => toText(await derived(stretched, 'lanyard auth'));

const wrapping = async (stretched: Bytes, half: Bytes, what: string): Promise<CryptoKey> => aes(await derived(joined(stretched, half), what));

async function offlineKey(disk: Disk, stretched: Bytes): Promise<CryptoKey> {
  const half = await crypto.subtle.sign('HMAC', await deviceKey(disk), utf8('offline'));
  return await wrapping(stretched, new Uint8Array(half), 'lanyard offline');
}

async function offlineToo(disk: Disk, vault: Vault, stretched: Bytes, raw: Bytes): Promise<void> {
  if (lasts(vault)) vault.offline = await close(await offlineKey(disk, stretched), raw, vault.id);
  else delete vault.offline;
}

/** The raw key is in memory for this moment only. */
async function keysFrom(disk: Disk, { id }: Vault, raw: Bytes): Promise<Keys> {
  const [data, { pair }] = [await aes(raw), await signing(disk)];
  raw.fill(0);
  return { id, data, sign: pair.privateKey };
}

const aes = (raw: Bytes): Promise<CryptoKey> => crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);

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
