// The school as an app asks it that several members of staff share a phone for: each thing by whoever the cookie or the grant belongs to.

import { vi } from 'vitest';
import { fromJson, toBytes, toText, utf8 } from '../../pwa/src/local/bytes';

import type { Ask, Heard, Question } from '../../pwa/src/school';
import type { Letter, SealedLetter, ShownPasskey } from '../../pwa/src/wire';
import { Intake, Shares, signedList, SIGNING } from './keys';
import { School, SCHOOL_ANSWER } from './school';

type Asked = { path: string } & Question;

export class Door {
  school = new School();
  intake = new Intake(this.school);
  shares = new Shares();
  isRevoked = false;
  off = new Set<string>(); // whose phones were switched off while they were not signed in
  isFresh = true; // the password was given a moment ago
  cookie: { staff: string; phone: string } | null = null;
  phones = new Map<string, { staff: string; public: string }>();
  signsWith = SIGNING; // the list of its intake keys
  listed_at = 0;
  wantsSecond = false; // beside the password
  asked: Asked[] = [];
  signal = true;

  ask: Ask = async (path, question = {}) => {
    this.asked.push({ path, ...question });
    if (!this.signal) return { heard: 'not heard', why: 'no signal', status: null };
    if (path === '/api/session' && question.method === 'POST') return this.signIn(question.json as Parameters<Door['signIn']>[0]);
    if (path === '/api/passkeys/sign-in') return answered(200, { ticket: 'a ticket', publicKey: { challenge: 'AAAA' } });
    const isOther = question.phone !== undefined && question.phone !== this.cookie?.phone;
    if (path === '/api/session') {
      if (!isOther) this.cookie = null;
      return answered(204, null);
    }
    if (path === '/api/intake') {
      const author = question.grant!.replace('grant of ', '');
      const kept = await this.intake.take(structuredClone(question.json) as SealedLetter, author);
      return answered(200, this.isRevoked || this.off.has(author) ? { ...kept, revoked: true } : kept);
    }
    if (this.isRevoked && !question.grant) return answered(403, { refusal: 'phone_revoked' });
    if (path === '/api/vault') return isOther || !this.cookie ? answered(401, { refusal: 'sign_in' }) : this.vault(question);
    if (path === '/api/school') {
      const list = await signedList((await this.signsWith).pair.privateKey, 'northgate', [await this.intake.key], { iat: this.listed_at });
      return answered(200, { ...SCHOOL_ANSWER, me: { ...SCHOOL_ANSWER.me, id: this.cookie!.staff }, intake: list, vault: { lease_hours: 12, hidden_s: 60, idle_s: 180 } });
    }
    if (path.startsWith('/api/drafts')) return this.drafts(path, question.method);
    const staff = question.grant ? question.grant.replace('grant of ', '') : isOther ? undefined : this.cookie?.staff;
    if (!staff) return answered(401, { refusal: 'sign_in' });
    return answered(200, this.school.exchange(structuredClone(question.json) as Letter, staff, Boolean(question.grant)));
  };

  private vault({ method, json }: Question): Heard {
    const { phone, auth, offline_failures = 0 } = json as { phone: string; auth: string; offline_failures?: number };
    if (method === 'PUT') return this.isFresh ? answered(200, this.shares.put(phone, auth)) : answered(401, { refusal: 'sign_in_again' });
    const { status, json: said } = this.shares.open(phone, auth, offline_failures);
    return answered(status, said);
  }

  private drafts(path: string, method = 'GET'): Heard {
    const mine = this.intake.drafts.get(this.cookie?.staff ?? '') ?? new Map<string, unknown>();
    if (method === 'DELETE') mine.delete(decodeURIComponent(path.slice('/api/drafts/'.length)));
    return answered(200, [...mine].map(([id, draft]) => ({ id, draft })));
  }

  /** Another key than the one known for a phone, or somebody else's phone, is another phone. */
  private async signIn({ username, password, pairing, ticket, code, passkey, phone }: Given): Promise<Heard> {
    if (username !== undefined && password !== 'right') return answered(401, { refusal: 'sign_in' });
    if (username !== undefined && this.wantsSecond) return answered(401, { refusal: 'second_factor', words: 'One more thing.', ticket: `for ${username}`, ways: ['code'], publicKey: null });
    if (ticket !== undefined && code !== undefined && code !== '123 456') return answered(401, { refusal: 'wrong_factor' });
    const who = username ?? (pairing ? whoFor(pairing) : passkey ? fromUserHandle(passkey) : ticket!.replace('for ', ''));
    const known = this.phones.get(phone.id);
    const id = known && (known.staff !== who || known.public !== phone.public) ? `another than ${phone.id}` : phone.id;
    this.phones.set(id, { staff: who, public: phone.public });
    this.cookie = { staff: who, phone: id };
    this.intake.publics.set(id, phone.public);
    return answered(200, { keys: { public: (await this.signsWith).public }, staff: { id: who, name: who, role: 'teacher' }, school: { id: 'northgate', name: 'Northgate' }, phone: id, grant: `grant of ${who}` });
  }
}

type Given = { username?: string; password?: string; pairing?: string; ticket?: string; code?: string; passkey?: ShownPasskey; phone: { id: string; public: string } };
const fromUserHandle = ({ response }: ShownPasskey): string => new TextDecoder().decode(toBytes(response.userHandle as string));

/** A code as the desk makes it: who it is for stands in it, for anybody to read. */
export const codeFor = (staff: string): string => `head.${toText(utf8(JSON.stringify({ iss: 'northgate', sub: staff })))}.signature`;
const whoFor = (code: string): string => (fromJson(toBytes(code.split('.')[1]!)) as { sub: string }).sub;

export const answered = (status: number, json: unknown): Heard => ({ heard: 'answered', status, json, etag: null, retryAfter_s: null });

/** The app as it starts on this handset: its own modules, the handset's storage. */
export async function startApp() {
  vi.resetModules();
  const [session, outbox, everybody, view, drafts, reference, { shared }, { saveCopy }, call, signing] = await Promise.all([
    import('../../pwa/src/local/session'),
    import('../../pwa/src/local/outbox'),
    import('../../pwa/src/exchange/everybody'),
    import('../../pwa/src/local/view'),
    import('../../pwa/src/local/drafts'),
    import('../../pwa/src/exchange/reference'),
    import('../../pwa/src/local/stores'),
    import('../../pwa/src/local/phone'),
    import('../../pwa/src/local/call'),
    import('../../pwa/src/local/sign-in'),
  ]);
  await session.resume();
  return { ...session, ...outbox, ...everybody, ...view, ...drafts, ...reference, ...call, ...signing, shared, saveCopy };
}
