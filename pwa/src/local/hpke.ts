// HPKE (RFC 9180), as much of it as sealing to the school needs: base mode, one message, no additional data; DHKEM(P-256,
// HKDF-SHA256), HKDF-SHA256, AES-256-GCM. All of it is what the browser itself can do, put in order.

import { joined, utf8, type Bytes } from './bytes';

const CURVE = { name: 'ECDH', namedCurve: 'P-256' } as const;
const KEM = joined(utf8('KEM'), new Uint8Array([0x00, 0x10]));
const SUITE = joined(utf8('HPKE'), new Uint8Array([0x00, 0x10, 0x00, 0x01, 0x00, 0x02]));
const KEY_LENGTH = 32; // bytes
const NONCE_LENGTH = 12;
const NOTHING = new Uint8Array();
const BASE_MODE = new Uint8Array([0x00]);

/**
 * What only the holder of the private half of `to` (65 bytes, an uncompressed point) opens, under the same `info`: the
 * encapsulated key, 65 bytes, and behind it the ciphertext with its tag. Rejects when `to` is no point of the curve.
 */
export async function sealTo(to: Bytes, info: Bytes, plain: Bytes): Promise<Bytes> {
  const theirs = await crypto.subtle.importKey('raw', to, CURVE, false, []);
  const ours = (await crypto.subtle.generateKey(CURVE, false, ['deriveBits'])) as CryptoKeyPair;
  const enc = new Uint8Array(await crypto.subtle.exportKey('raw', ours.publicKey));
  const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256));
  const shared = await expand(await material(KEM, 'eae_prk', dh), NOTHING, KEM, 'shared_secret', joined(enc, to), KEY_LENGTH);
  const context = joined(BASE_MODE, await extract(SUITE, 'psk_id_hash', NOTHING), await extract(SUITE, 'info_hash', info));
  const secret = await material(SUITE, 'secret', NOTHING);
  const [key, iv] = await Promise.all([expand(secret, shared, SUITE, 'key', context, KEY_LENGTH), expand(secret, shared, SUITE, 'base_nonce', context, NONCE_LENGTH)]);
  const closing = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
  return joined(enc, new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, closing, plain)));
}

// ── LabeledExtract and LabeledExpand (RFC 9180, section 4), by the browser's own HKDF and HMAC ─────────

const labelled = (suite: Bytes, label: string, rest: Bytes): Bytes => joined(utf8('HPKE-v1'), suite, utf8(label), rest);

const material = (suite: Bytes, label: string, ikm: Bytes): Promise<CryptoKey> => crypto.subtle.importKey('raw', labelled(suite, label, ikm), 'HKDF', false, ['deriveBits']);

/** Both steps in one: what was extracted from `ikm` with `salt` is never held. */
async function expand(ikm: CryptoKey, salt: Bytes, suite: Bytes, label: string, info: Bytes, length: number): Promise<Bytes> {
  const asked = joined(new Uint8Array([0x00, length]), labelled(suite, label, info));
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: asked }, ikm, length * 8));
}

/** With no salt, which is as many zeros as the hash has bytes. */
async function extract(suite: Bytes, label: string, ikm: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(32), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, labelled(suite, label, ikm)));
}
