// Two members of staff on one phone: neither sees anything of the other, and what both wrote is sent.

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { diskOf } from '../../pwa/src/local/disk';
import type { Ask, Heard, Question } from '../../pwa/src/school';
import type { Letter, SealedLetter } from '../../pwa/src/wire';
import { Intake, Shares, signedList, SIGNING } from './keys';
import { School, SCHOOL_ANSWER } from './school';

type Asked = { path: string } & Question;

/** The school as the app asks it: each thing by whoever the cookie or the grant belongs to. */
class Door {
  school = new School();
  intake = new Intake(this.school);
  shares = new Shares();
  isRevoked = false;
  isFresh = true; // the password was given a moment ago
  cookie: { staff: string; phone: string } | null = null;
  asked: Asked[] = [];
  signal = true;

  ask: Ask = async (path, question = {}) => {
    this.asked.push({ path, ...question });
    if (!this.signal) return { heard: 'not heard', why: 'no signal', status: null };
    if (path === '/api/session' && question.method === 'POST') return this.signIn(question.json as Parameters<Door['signIn']>[0]);
    const isOther = question.phone !== undefined && question.phone !== this.cookie?.phone;
    if (path === '/api/session') {
      if (!isOther) this.cookie = null;
      return answered(204, null);
    }
    if (path === '/api/intake') {
      const author = question.grant!.replace('grant of ', '');
      return answered(200, await this.intake.take(structuredClone(question.json) as SealedLetter, author));
    }
    if (this.isRevoked && !question.grant) return answered(403, { refusal: 'phone_revoked' });
    if (path === '/api/vault') return isOther || !this.cookie ? answered(401, { refusal: 'sign_in' }) : this.vault(question);
    if (path === '/api/school') {
      const list = await signedList((await SIGNING).pair.privateKey, 'northgate', [await this.intake.key]);
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

  private async signIn({ username, password, phone }: { username: string; password: string; phone: { id: string; public: string } }): Promise<Heard> {
    if (password !== 'right') return answered(401, { refusal: 'sign_in' });
    this.cookie = { staff: username, phone: phone.id };
    this.intake.publics.set(phone.id, phone.public);
    return answered(200, { keys: { public: (await SIGNING).public }, staff: { id: username, name: username, role: 'teacher' }, school: { id: 'northgate', name: 'Northgate' }, phone: phone.id, grant: `grant of ${username}` });
  }
}

const answered = (status: number, json: unknown): Heard => ({ heard: 'answered', status, json, etag: null, retryAfter_s: null });

/** The app as it starts on this handset: its own modules, the handset's storage. */
async function startApp() {
  vi.resetModules();
  const [session, outbox, everybody, view, drafts, reference] = await Promise.all([
    import('../../pwa/src/local/session'),
    import('../../pwa/src/local/outbox'),
    import('../../pwa/src/exchange/everybody'),
    import('../../pwa/src/local/view'),
    import('../../pwa/src/local/drafts'),
    import('../../pwa/src/exchange/reference'),
  ]);
  await session.resume();
  return { ...session, ...outbox, ...everybody, ...view, ...drafts, ...reference };
}

let door: Door;
let app: Awaited<ReturnType<typeof startApp>>;

beforeEach(async () => {
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  door = new Door();
  app = await startApp();
});

afterEach(() => vi.unstubAllGlobals());

const PIN = '604913';

/** As on the phone: the password, then a PIN, chosen the first time and asked for after that; then the school's keys come. */
async function signIn(name: string): Promise<unknown> {
  const answer = await app.signIn(name, 'right', door.ask);
  if ('refused' in answer) return answer;
  if (answer.standing === 'new') await app.choosePin(PIN, door.ask);
  else await app.unlockWith(PIN, door.ask);
  if (door.signal) await app.refreshSchool(app.mine(), door.ask);
  return answer;
}

const write = (category: string, record = 'r1') => app.write({ record, kind: 'incident', values: { category }, seen: null });
const exchange = () => app.exchangeForEverybody(door.ask, 'test');
const authors = () => Object.fromEntries([...door.school.edits.values()].map(({ edit, author }) => [edit.values.category, author]));

test('somebody who signs in once goes on without any signal', async () => {
  await signIn('Amira ');
  expect(app.me()).toMatchObject({ id: 'amira', school: { id: 'northgate' } });
  door.signal = false;
  app = await startApp();
  expect(app.me()).toBeNull();
  expect((await app.unlockWith(PIN, door.ask)).is).toBe('open');
  expect(app.me()).toMatchObject({ id: 'amira' });
  await write('in the dark');
  expect((await app.waiting()).count).toBe(1);
});

test('why one cannot sign in is said in words', async () => {
  expect(await app.signIn('amira', 'wrong', door.ask)).toEqual({ refused: 'That name and password do not go together. Check both, then try again.' });
  expect(await app.signIn('amira', '', door.ask)).toMatchObject({ refused: expect.stringContaining('password') });
  door.signal = false;
  expect(await signIn('amira')).toMatchObject({ refused: expect.stringContaining('cannot be reached') });
  expect(await app.signIn('amira', 'right', async () => answered(500, null))).toMatchObject({ refused: expect.stringContaining('Try again') });
  const busy: Heard = { heard: 'answered', status: 429, json: null, etag: null, retryAfter_s: 30 };
  expect(await app.signIn('amira', 'right', async () => busy)).toMatchObject({ wait_s: 30 });
  expect(app.me()).toBeNull();
});

test('signing out forgets what the school sent, and nothing that was written', async () => {
  door.school.write('r9', 'carol', { category: 'seen' });
  await signIn('amira');
  await exchange();
  await write('mine');
  await app.keep({ id: 'd', kind: 'incident', record: 'r2', seen: null, values: {}, opened_at: '', changed_at: '' });
  door.signal = false;
  await app.signOut(door.ask);
  expect(app.me()).toBeNull();
  const disk = diskOf('northgate', 'amira');
  const left = await disk.reading(['pages', 'outbox', 'drafts'], async (tx) => [await tx.objectStore('pages').count(), await tx.objectStore('outbox').count(), await tx.objectStore('drafts').count()]);
  expect(left).toEqual([0, 1, 1]);
  disk.close();
});

test('an answer that comes after the sign-out is not kept', async () => {
  await signIn('amira');
  door.school.write('r9', 'carol', { category: 'seen' });
  const asked: Ask = async (path, question) => {
    const heard = await door.ask(path, question);
    if (path === '/api/sync') await app.signOut(door.ask);
    return heard;
  };
  await app.exchangeForEverybody(asked, 'test').catch(() => {});
  await signIn('amira');
  expect(await app.mine().reading(['records_a'], (tx) => tx.objectStore('records_a').count())).toBe(0);
});

test('a sign-out without signal is told to the school as soon as it can be', async () => {
  await signIn('amira');
  door.signal = false;
  await app.signOut(door.ask);
  expect(door.cookie).toMatchObject({ staff: 'amira' });
  door.signal = true;
  app = await startApp();
  await exchange();
  expect(door.cookie).toBeNull();
});

test('it does not sign out whoever has signed in since', async () => {
  await signIn('amira');
  door.signal = false;
  await app.signOut(door.ask);
  door.signal = true;
  await signIn('ben');
  await exchange();
  expect(door.cookie).toMatchObject({ staff: 'ben' });
});

test('the second person sees nothing of the first', async () => {
  await signIn('amira');
  door.school.write('r9', 'carol', { category: 'for amira' });
  await exchange();
  await write('amira’s');
  await app.signOut(door.ask);
  await signIn('ben');
  expect((await app.waiting()).count).toBe(0);
  expect(await app.records()).toEqual([]);
  expect(await app.drafts()).toEqual([]);
  expect((await write('ben’s')).number).toBe(1);
});

test('both outboxes are sent, each under its author’s name', async () => {
  await signIn('amira');
  door.signal = false;
  await write('amira’s');
  await app.signOut(door.ask);
  door.signal = true;
  await signIn('ben');
  await write('ben’s', 'r2');
  await exchange();
  expect(authors()).toEqual({ 'amira’s': 'amira', 'ben’s': 'ben' });
  const sending = door.asked.filter(({ grant }) => grant);
  expect(sending.map(({ path, grant, phone }) => [path, grant, phone])).toEqual([['/api/intake', 'grant of amira', undefined]]);
});

test('an outbox is sent with nobody signed in', async () => {
  await signIn('amira');
  await write('amira’s');
  await app.signOut(door.ask);
  app = await startApp();
  await exchange();
  expect(authors()).toEqual({ 'amira’s': 'amira' });
});

test('one person’s broken storage never holds up another’s words, and is said', async () => {
  for (const name of ['amira', 'ben']) {
    await signIn(name);
    await write('fight', name);
    await app.signOut(door.ask);
  }
  const open = indexedDB.open.bind(indexedDB);
  vi.spyOn(indexedDB, 'open').mockImplementation((name, version) => {
    if (name.endsWith('amira')) throw new DOMException('no room', 'QuotaExceededError');
    return open(name, version);
  });
  expect(await app.exchangeForEverybody(door.ask, 'test')).toMatchObject({ trouble: 'failing' });
  expect([...door.school.edits.values()].map(({ author }) => author)).toEqual(['ben']);
});

test('the first person finds their own again, with their numbers going on', async () => {
  await signIn('amira');
  await write('one');
  await app.signOut(door.ask);
  await signIn('ben');
  await exchange();
  await app.signOut(door.ask);
  await signIn('amira');
  expect((await app.waiting()).count).toBe(0);
  expect((await write('two')).number).toBe(2);
  await exchange();
  expect(authors()).toEqual({ one: 'amira', two: 'amira' });
  const letters = door.asked.filter(({ path }) => path === '/api/sync').map(({ json }) => json as Letter);
  expect(new Set(letters.filter(({ edits }) => edits.length > 0).map(({ phone }) => phone))).toHaveLength(1);
});

test('each person is another phone to the school', async () => {
  await signIn('amira');
  await app.signOut(door.ask);
  await signIn('ben');
  const phones = door.asked.filter(({ method, path }) => path === '/api/session' && method === 'POST').map(({ json }) => (json as { phone: { id: string } }).phone.id);
  expect(new Set(phones)).toHaveLength(2);
});

test('a tab left open for one person never acts for another who signs in', async () => {
  await signIn('amira');
  await write('amira’s');
  const amirasTab = app;
  app = await startApp();
  await signIn('ben');
  expect(amirasTab.me()).toMatchObject({ id: 'amira' });
  const ended = await amirasTab.exchangeForEverybody(door.ask, 'test');
  expect(ended).toMatchObject({ trouble: 'sign in' });
  expect(authors()).toEqual({ 'amira’s': 'amira' });
  expect(await amirasTab.records()).toHaveLength(1);
});

test('a session that has run out still sends, and says that it wants the password', async () => {
  await signIn('amira');
  await write('mine');
  door.cookie = null;
  expect(await exchange()).toMatchObject({ trouble: 'sign in', receipts: 1 });
  expect((await app.waiting()).count).toBe(0);
});

test('a held edit that is let rest needs nobody any more, also when the school does not let its record begin', async () => {
  await signIn('amira');
  door.school.holds = () => ({ record: 'this is not yours to write in' });
  await write('not mine');
  await exchange();
  const [held] = await app.needsMe();
  expect(held).toMatchObject({ values: { category: 'not mine' } });
  await app.setAside(held!, 'written in the wrong record');
  expect(await app.needsMe()).toEqual([]);
  await exchange();
  expect(await app.needsMe()).toEqual([]);
  expect([...door.school.edits.values()].at(-1)!.edit).toMatchObject({ amends: held!.edit, set_aside: 'written in the wrong record' });
});

test('a held edit that is corrected is answered at once', async () => {
  await signIn('amira');
  await write('refuse me');
  await exchange();
  const [held] = await app.needsMe();
  await app.write({ record: 'r1', kind: 'incident', values: { category: 'better' }, seen: null, amends: held!.edit });
  expect(await app.needsMe()).toEqual([]);
});

// ── Locked, forgotten, revoked ───────────────────────────────────────────────────────────────

const draft = { id: 'd', kind: 'incident', record: 'r2', seen: null, values: { account: 'not finished' }, opened_at: '', changed_at: '' };
const onDisk = async () => {
  const disk = diskOf('northgate', 'amira');
  const left = await disk.reading(['outbox', 'drafts', 'pages', 'keys'], async (tx) => ({
    outbox: await tx.objectStore('outbox').count(),
    drafts: await tx.objectStore('drafts').count(),
    pages: await tx.objectStore('pages').count(),
    vault: (await tx.objectStore('keys').get('vault')) !== undefined,
  }));
  disk.close();
  return left;
};

test('a phone taken off the list sends what was written, sealed, and then holds nothing any more', async () => {
  await signIn('amira');
  await write('mine');
  await app.keep(draft);
  door.isRevoked = true;
  await exchange();
  expect(authors()).toEqual({ mine: 'amira' });
  expect(door.intake.drafts.get('amira')!.size).toBe(1);
  expect(app.standing()).toBe('out');
  expect(await onDisk()).toMatchObject({ pages: 0, vault: false });
});

test('if what was written cannot go yet, a phone taken off the list keeps that, sealed, and forgets the rest', async () => {
  await signIn('amira');
  door.school.write('r9', 'carol', { category: 'seen' });
  await exchange();
  await write('mine');
  door.isRevoked = true;
  const asked: Ask = (path, question) => (path === '/api/intake' ? Promise.resolve({ heard: 'not heard', why: 'no signal', status: null }) : door.ask(path, question));
  await app.exchangeForEverybody(asked, 'test');
  expect(await app.records()).toHaveLength(1); // one's own, still laid over nothing
  expect((await onDisk()).outbox).toBe(1);
  await exchange();
  expect(authors()).toMatchObject({ mine: 'amira' });
  expect(app.standing()).toBe('out');
});

test('a forgotten PIN loses nothing: what waits goes sealed, drafts come back, and the school is read afresh', async () => {
  door.school.write('r9', 'carol', { category: 'seen' });
  await signIn('amira');
  await exchange();
  for (const category of ['a', 'b', 'c']) await write(category);
  await app.keep(draft);
  app = await startApp();
  await app.signIn('amira', 'right', door.ask, true);
  await app.choosePin('271828', door.ask);
  expect(await app.records()).toEqual([]);
  await app.refreshSchool(app.mine(), door.ask);
  for (let at = 0; at < 2; at++) await exchange();
  expect(Object.keys(authors())).toEqual(expect.arrayContaining(['a', 'b', 'c']));
  expect(await app.drafts()).toEqual([draft]);
  expect((await app.records()).map(({ id }) => id).sort()).toEqual(['r1', 'r9']);
  expect((await write('d')).number).toBe(4);
});

test('choosing another PIN wants the password given a moment ago', async () => {
  await signIn('amira');
  await write('mine');
  app = await startApp();
  await app.signIn('amira', 'right', door.ask, true);
  door.isFresh = false;
  expect(await app.choosePin('271828', door.ask)).toEqual({ is: 'refused', because: 'sign in' });
  app = await startApp();
  expect((await app.unlockWith(PIN, door.ask)).is).toBe('open');
  expect((await app.waiting()).count).toBe(1);
});
