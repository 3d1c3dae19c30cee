// Two members of staff on one phone: neither sees anything of the other, and what both wrote is sent.

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { theirs } from '../../pwa/src/local/stores';
import type { Ask, Heard, Question } from '../../pwa/src/school';
import type { Letter } from '../../pwa/src/wire';
import { School } from './school';

type Asked = { path: string } & Question;

/** The school as the app asks it: sign-in, sign-out and the exchange, each by whoever the cookie or the grant belongs to. */
class Door {
  school = new School();
  cookie: { staff: string; phone: string } | null = null;
  asked: Asked[] = [];
  signal = true;

  ask: Ask = async (path, question = {}) => {
    this.asked.push({ path, ...question });
    if (!this.signal) return { heard: 'not heard', why: 'no signal', status: null };
    if (path === '/api/session' && question.method === 'POST') return this.signIn(question.json as { username: string; password: string; phone: { id: string } });
    const isOther = question.phone !== undefined && question.phone !== this.cookie?.phone;
    if (path === '/api/session') {
      if (!isOther) this.cookie = null;
      return answered(204, null);
    }
    const staff = question.grant ? question.grant.replace('grant of ', '') : isOther ? undefined : this.cookie?.staff;
    if (!staff) return answered(401, { refusal: 'sign_in' });
    return answered(200, this.school.exchange(structuredClone(question.json) as Letter, staff, Boolean(question.grant)));
  };

  private signIn({ username, password, phone }: { username: string; password: string; phone: { id: string } }): Heard {
    if (password !== 'right') return answered(401, { refusal: 'sign_in' });
    this.cookie = { staff: username, phone: phone.id };
    return answered(200, { staff: { id: username, name: username, role: 'teacher' }, school: { id: 'northgate', name: 'Northgate' }, phone: phone.id, grant: `grant of ${username}` });
  }
}

const answered = (status: number, json: unknown): Heard => ({ heard: 'answered', status, json, etag: null, retryAfter_s: null });

/** The app as it starts on this handset: its own modules, the handset's storage. */
async function startApp() {
  vi.resetModules();
  const [session, outbox, everybody, view, drafts] = await Promise.all([
    import('../../pwa/src/local/session'),
    import('../../pwa/src/local/outbox'),
    import('../../pwa/src/exchange/everybody'),
    import('../../pwa/src/local/view'),
    import('../../pwa/src/local/drafts'),
  ]);
  await session.resume();
  return { ...session, ...outbox, ...everybody, ...view, ...drafts };
}

let door: Door;
let app: Awaited<ReturnType<typeof startApp>>;

beforeEach(async () => {
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  door = new Door();
  app = await startApp();
});

afterEach(() => vi.unstubAllGlobals());

const signIn = (name: string) => app.signIn(name, 'right', door.ask);
const write = (category: string, record = 'r1') => app.write({ record, kind: 'incident', values: { category }, seen: null });
const exchange = () => app.exchangeForEverybody(door.ask, 'test');
const authors = () => Object.fromEntries([...door.school.edits.values()].map(({ edit, author }) => [edit.values.category, author]));

test('somebody who signs in once goes on without any signal', async () => {
  await signIn('Amira ');
  expect(app.me()).toMatchObject({ id: 'amira', school: { id: 'northgate' } });
  door.signal = false;
  app = await startApp();
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
  const db = theirs('northgate', 'amira');
  const left = await db.reading(['records_a', 'records_b', 'pupils', 'school', 'edits', 'drafts'], async (tx) => ({
    records: (await tx.objectStore('records_a').count()) + (await tx.objectStore('records_b').count()),
    school: await tx.objectStore('school').count(),
    edits: await tx.objectStore('edits').count(),
    drafts: await tx.objectStore('drafts').count(),
  }));
  expect(left).toEqual({ records: 0, school: 0, edits: 1, drafts: 1 });
  db.close();
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
  const db = theirs('northgate', 'amira');
  expect(await db.reading(['records_a'], (tx) => tx.objectStore('records_a').count())).toBe(0);
  db.close();
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
  expect(sending.map(({ grant, phone }) => [grant, phone])).toEqual([['grant of amira', undefined]]);
});

test('an outbox is sent with nobody signed in', async () => {
  await signIn('amira');
  await write('amira’s');
  await app.signOut(door.ask);
  app = await startApp();
  await exchange();
  expect(authors()).toEqual({ 'amira’s': 'amira' });
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
  await app.signIn('ben', 'right', door.ask);
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
