// The PIN: which may be chosen, and what is made of it. It is kept nowhere.

import { joined, toText, utf8, type Bytes } from './bytes';

const ROUNDS = 600_000;
export const SHORTEST_PIN = 6;
const LONGEST_PIN = 64;

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

/** Slow on purpose: so slow is each guess of whoever has a copy of the disk. */
export async function stretch(pin: string, salt: Bytes): Promise<Bytes> {
  const typed = await crypto.subtle.importKey('raw', utf8(pin), 'PBKDF2', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: ROUNDS }, typed, 256));
}

/** What the school knows a PIN by: it says nothing of the key. */
export const authOf = async (stretched: Bytes): Promise<string> => toText(await derived(stretched, 'lanyard auth'));

/** Of the PIN and another half: the school's share, or this phone's own. */
export const wrapping = async (stretched: Bytes, half: Bytes, what: 'lanyard online' | 'lanyard offline'): Promise<CryptoKey> => aes(await derived(joined(stretched, half), what));

export const aes = (raw: Bytes): Promise<CryptoKey> => crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);

async function derived(from: Bytes, what: string): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', from, 'HKDF', false, ['deriveBits']);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: utf8(what) }, key, 256));
}
