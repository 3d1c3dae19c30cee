// Keys for phones in the tests, without the second that stretching a PIN takes; and the school's half: shares and the intake.

import { vi } from 'vitest';
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { joined, random, toBytes, toText, utf8 } from '../../pwa/src/local/bytes';
import type { Disk } from '../../pwa/src/local/disk';
import { newSigning } from '../../pwa/src/local/seal';
import type { Keys } from '../../pwa/src/local/vault';
import type { Blob, Edit, SealedLetter } from '../../pwa/src/wire';
import type { School } from './school';

export const SIGNING = newSigning();

export const KEYS: Promise<Keys> = newKeys('the vault');

export async function newKeys(id: string): Promise<Keys> {
  const data = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  return { id, data: data as CryptoKey, sign: (await SIGNING).pair.privateKey };
}

/** A vault that no PIN opens: these tests have its key. */
export const putVault = (disk: Disk, id = 'the vault'): Promise<unknown> => disk.writing(['keys'], (tx) => tx.objectStore('keys').put({ id, seen_at: 0, lease_until: 0 }, 'vault'));

/** How many things are being closed, opened or signed at this moment: that goes on outside every pretended clock. */
export const ciphering = (): number => inFlight;
let inFlight = 0;

for (const name of ['encrypt', 'decrypt', 'sign', 'verify', 'digest', 'deriveBits', 'importKey', 'exportKey', 'generateKey'] as const) {
  const real = SubtleCrypto.prototype[name] as (...given: unknown[]) => Promise<unknown>;
  Object.defineProperty(SubtleCrypto.prototype, name, {
    configurable: true,
    writable: true,
    value(this: SubtleCrypto, ...given: unknown[]) {
      inFlight++;
      return real.apply(this, given).finally(() => inFlight--);
    },
  });
}

/** Stretching a PIN takes a fifth of a second on purpose; where it is done hundreds of times it need not. Answers how often was asked for. */
export function quicken(): { rounds: number } {
  const asked = { rounds: 0 };
  const real = SubtleCrypto.prototype.deriveBits;
  vi.spyOn(SubtleCrypto.prototype, 'deriveBits').mockImplementation(function (this: SubtleCrypto, how, key, length) {
    const { iterations } = how as Pbkdf2Params;
    if (iterations) asked.rounds = iterations;
    return real.call(this, iterations ? { ...(how as Pbkdf2Params), iterations: 10 } : how, key, length);
  });
  return asked;
}

const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** The school's intake: it stores first, and opens after. What cannot be opened, or is not signed, is held. */
export class Intake {
  readonly pair = suite.kem.generateKeyPair();
  key = this.pair.then(async ({ publicKey }) => ({ kid: 'the first', public: toText(new Uint8Array(await suite.kem.serializePublicKey(publicKey))) }));
  /** By phone; a phone that is not here signs with the key that all phones of these tests share. */
  publics = new Map<string, string>();
  stored = new Map<string, Blob>();
  opened = new Map<string, unknown>();
  drafts = new Map<string, Map<string, unknown>>(); // author → id → draft
  held: string[] = [];
  sizes: number[] = [];

  constructor(
    readonly school: School,
    readonly schoolId = 'northgate',
  ) {}

  async take({ sealed }: SealedLetter, author: string, staff = author): Promise<{ kept: string[]; unreadable: number[]; now: string }> {
    this.sizes.push(sealed.length);
    for (const blob of sealed) this.stored.set(blob.id, blob);
    for (const blob of sealed) await this.open(blob, author, staff);
    return { kept: sealed.map(({ id }) => id), unreadable: [], now: new Date().toISOString() };
  }

  private async open(blob: Blob, author: string, staff: string): Promise<void> {
    const { what, id, phone, number, made_at, sealed, signature } = blob;
    const bytes = toBytes(sealed);
    const hash = toText(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
    const key = await crypto.subtle.importKey('raw', toBytes(this.publics.get(phone) ?? (await SIGNING).public), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    const said = utf8(`lanyard signed 1|${this.schoolId}|${staff}|${phone}|${what}|${id}|${number}|${made_at}|${hash}`);
    const isSigned = await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, toBytes(signature), said);
    const info = utf8(`lanyard intake 1|${this.schoolId}|${staff}|${phone}|${what}|${id}`);
    const plain = await suite.open({ recipientKey: (await this.pair).privateKey, enc: bytes.slice(0, 65).buffer, info }, bytes.slice(65).buffer);
    const inside = JSON.parse(new TextDecoder().decode(plain)) as Edit;
    this.opened.set(id, inside);
    if (what === 'draft') this.drafts.set(author, (this.drafts.get(author) ?? new Map()).set(id, inside));
    else if (!isSigned || inside.id !== id || inside.phone !== phone || inside.number !== number) this.held.push(id);
    else this.school.exchange({ protocol: 1, build: '', phone, sent_at: '', cursor: null, receipted: 0, waiting: 0, lost: [], edits: [inside] }, author, true);
  }
}

/** Who may have the key opened: a share for each phone, and a count of wrong guesses. */
export class Shares {
  vaults = new Map<string, { shares: { auth: string; share: string }[]; failures: number }>();
  lease_ms = 12 * 60 * 60 * 1_000;
  clock = (): number => Date.now();

  put(phone: string, auth: string): object {
    const share = toText(random(32));
    // The one before stays until the new one was opened: the answer may be lost.
    this.vaults.set(phone, { shares: [...(this.vaults.get(phone)?.shares ?? []), { auth, share }], failures: 0 });
    return this.told(share);
  }

  open(phone: string, auth: string, offlineFailures: number): { status: number; json: object } {
    const vault = this.vaults.get(phone);
    if (!vault) return { status: 404, json: { refusal: 'no_vault' } };
    const at = vault.shares.findIndex((one) => one.auth === auth);
    if (at >= 0) {
      Object.assign(vault, { shares: vault.shares.slice(at), failures: 0 });
      return { status: 200, json: this.told(vault.shares[0]!.share) };
    }
    vault.failures = Math.max(vault.failures, offlineFailures) + 1;
    if (vault.failures >= 10) this.vaults.delete(phone);
    return { status: 403, json: { refusal: 'wrong_pin', left: Math.max(0, 10 - vault.failures) } };
  }

  private told(share: string): object {
    return { share, lease_until: new Date(this.clock() + this.lease_ms).toISOString(), now: new Date(this.clock()).toISOString() };
  }
}

/** The list of intake keys, as the school signs it. */
export async function signedList(signing: CryptoKey, school: string, keys: { kid: string; public: string }[], claims: object = {}, head: object = { alg: 'ES256' }): Promise<string> {
  const part = (value: unknown) => toText(utf8(JSON.stringify(value)));
  const said = `${part(head)}.${part({ iss: school, aud: 'lanyard:intake', iat: 0, keys, ...claims })}`;
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, signing, utf8(said));
  return `${said}.${toText(joined(new Uint8Array(signature)))}`;
}
