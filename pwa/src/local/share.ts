// The school's half of the key: asked for with what is made of the PIN, and never kept.

import { refusal, type Ask, type Heard } from '../school';
import { PROTOCOL, type IntakeAnswer } from '../wire';
import { toBytes, type Bytes } from './bytes';
import { noted, type Disk } from './disk';

const A_BUSY_SCHOOLS_PAUSE_S = 60;

/** Whom the school hands the share to: this phone, signed in. */
export type Door = { ask: Ask; phone: string };

export type Share = { share: Bytes; lease_until: number; now: number };

export type Asked =
  | { is: 'share'; share: Share }
  | { is: 'wrong'; left: number }
  | { is: 'unknown' } // it keeps nothing for this phone: ten were wrong, or it went back to a backup
  | { is: 'revoked' }
  | { is: 'pause'; pause_ms: number }
  | { is: 'not now'; because: 'no signal' | 'sign in' | 'busy' };

export const openShare = async ({ ask, phone }: Door, auth: string, offline_failures: number): Promise<Asked> =>
  meant(await ask('/api/vault', { method: 'POST', phone, json: { phone, auth, offline_failures } }));

/** The school keeps the one before as well, until this one was opened once: its answer may be lost. */
export const newShare = async ({ ask, phone }: Door, auth: string): Promise<Asked> => meant(await ask('/api/vault', { method: 'PUT', phone, json: { phone, auth } }));

/** Where nobody is signed in, or somebody else: the grant may still ask whether this phone was switched off. */
export async function isSwitchedOff(disk: Disk, ask: Ask): Promise<boolean> {
  const [grant, phone] = await disk.reading(['settings'], async (tx) => [await noted(tx, 'grant'), await noted(tx, 'session_phone')]);
  if (!grant) return false;
  const heard = await ask('/api/intake', { method: 'POST', grant, json: { protocol: PROTOCOL, build: '', phone, sent_at: new Date().toISOString(), sealed: [] } });
  return heard.heard === 'answered' && heard.status === 200 && (heard.json as IntakeAnswer).revoked === true;
}

function meant(heard: Heard): Asked {
  if (heard.heard === 'not heard') return { is: 'not now', because: 'no signal' };
  const share = heard.status === 200 ? shareIn(heard.json) : null;
  if (share) return { is: 'share', share };
  const { refusal: said, left } = refusal(heard.json) as { refusal: string; left?: number };
  if (said === 'wrong_pin') return { is: 'wrong', left: left ?? Infinity };
  if (said === 'no_vault') return { is: 'unknown' };
  if (said === 'phone_revoked') return { is: 'revoked' };
  if (heard.status === 429) return { is: 'pause', pause_ms: (heard.retryAfter_s ?? A_BUSY_SCHOOLS_PAUSE_S) * 1_000 };
  return { is: 'not now', because: heard.status === 401 ? 'sign in' : 'busy' };
}

function shareIn(json: unknown): Share | null {
  try {
    const { share, lease_until, now } = json as { share: string; lease_until: string; now: string };
    const read = { share: toBytes(share), lease_until: Date.parse(lease_until), now: Date.parse(now) };
    return read.share.length === 32 && read.lease_until >= 0 && read.now >= 0 ? read : null;
  } catch {
    return null;
  }
}
