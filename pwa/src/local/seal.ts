// Sealing what a person wrote to the school's intake key (HPKE, RFC 9180), and signing it with this phone's own: it can then
// go to the school from a phone that is locked, and be read by nobody on the way, this phone included.

import { asJson, fromJson, toBytes, toText, utf8, type Bytes } from './bytes';
import type { Sealed } from './disk';
import { sealTo } from './hpke';

export type IntakeKey = { kid: string; public: Bytes };
/** Whose it is, and by which keys it is closed. Without an intake key nothing can be sealed yet. */
export type Sealing = { school: string; staff: string; sign: CryptoKey; intake: IntakeKey | undefined };
export type Outside = { what: 'edit' | 'draft'; id: string; phone: string; number: number; made_at: string };

const SIGNED = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** Undefined while the school's key is not here: it is sealed later, and saving never waits for that. */
export async function seal(inside: unknown, outside: Outside, { school, staff, sign, intake }: Sealing): Promise<Sealed | undefined> {
  if (!intake) return undefined;
  const { what, id, phone, number, made_at } = outside;
  const info = utf8(`lanyard intake 1|${school}|${staff}|${phone}|${what}|${id}`);
  const bytes = await sealTo(intake.public, info, asJson(inside));
  const hash = toText(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
  const said = utf8(`lanyard signed 1|${school}|${staff}|${phone}|${what}|${id}|${number}|${made_at}|${hash}`);
  return { kid: intake.kid, bytes, signature: new Uint8Array(await crypto.subtle.sign(SIGNED, sign, said)) };
}

export async function newSigning(): Promise<{ pair: CryptoKeyPair; public: string }> {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])) as CryptoKeyPair;
  return { pair, public: toText(new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))) };
}

// ── Which keys are the school's ──────────────────────────────────────────────────────────────

/** Which keys the school opens, when it said so, and by which key it signed that. */
export type Intake = { keys: { kid: string; public: string }[]; made_at: number; by: string };

/** The list as the school signed it; undefined when it was not signed by the key that this phone learnt when its person last signed in. */
export async function intakeKeys(signedList: string, pinned: string, school: string): Promise<Intake | undefined> {
  try {
    const [head = '', claims = '', signature = ''] = signedList.split('.');
    if (read64(head).alg !== 'ES256') return undefined;
    const key = await crypto.subtle.importKey('raw', toBytes(pinned), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
    if (!(await crypto.subtle.verify(SIGNED, key, toBytes(signature), utf8(`${head}.${claims}`)))) return undefined;
    const { iss, aud, iat, keys } = read64(claims) as { iss?: unknown; aud?: unknown; iat?: unknown; keys?: { kid: string; public: string }[] };
    if (iss !== school || aud !== 'lanyard:intake' || typeof iat !== 'number' || !Array.isArray(keys) || keys.length === 0 || !keys.every(isKey)) return undefined;
    // One that nothing can be sealed to would keep everything from being saved.
    for (const { public: point } of keys) await crypto.subtle.importKey('raw', toBytes(point), { name: 'ECDH', namedCurve: 'P-256' }, false, []);
    return { keys: keys.map(({ kid, public: point }) => ({ kid, public: point })), made_at: iat, by: pinned };
  } catch {
    return undefined;
  }
}

/** A list that is older than the one known, under the same key, is an old answer told again. */
export const isNewer = (list: Intake, known: { made_at: number; by: string } | undefined): boolean => known?.by !== list.by || list.made_at >= known.made_at;

const read64 = (part: string): Record<string, unknown> => fromJson(toBytes(part)) as Record<string, unknown>;
const isKey = (key: { kid: string; public: string }): boolean => typeof key?.kid === 'string' && typeof key.public === 'string' && toBytes(key.public).length === 65;
