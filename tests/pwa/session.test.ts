// Two members of staff on one phone: neither sees anything of the other, and what both wrote is sent.

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { toText, utf8 } from '../../pwa/src/local/bytes';
import { diskOf, noted, onlyByPin } from '../../pwa/src/local/disk';
import { newSigning } from '../../pwa/src/local/seal';
import type { Owner } from '../../pwa/src/local/stores';
import type { Ask, Heard } from '../../pwa/src/school';
import type { Letter, ShownPasskey } from '../../pwa/src/wire';
import { answered, codeFor, Door, startApp } from './door';
import { quicken } from './keys';

let door: Door;
let app: Awaited<ReturnType<typeof startApp>>;

beforeEach(async () => {
  quicken();
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  door = new Door();
  app = await startApp();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

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

test('where there is no room to forget it, that is done at the next start, and the lease ends with it', async () => {
  await signIn('amira');
  door.school.write('r9', 'carol', { category: 'seen' });
  await exchange();
  await write('mine');
  const full = (['put', 'add', 'delete', 'clear'] as const).map((way) => {
    const real = IDBObjectStore.prototype[way] as (...given: unknown[]) => IDBRequest;
    return vi.spyOn(IDBObjectStore.prototype, way).mockImplementation(function (this: IDBObjectStore, ...given: unknown[]) {
      if (this.transaction.db.name === 'lanyard northgate amira') throw new DOMException('no room', 'QuotaExceededError');
      return real.apply(this, given);
    } as never);
  });
  await app.signOut(door.ask);
  for (const spy of full) spy.mockRestore();
  expect(await onDisk()).toMatchObject({ outbox: 1, vault: true });
  expect((await onDisk()).pages).toBeGreaterThan(0);
  app = await startApp();
  expect(await onDisk()).toEqual({ outbox: 1, drafts: 0, pages: 0, vault: true });
  door.signal = false;
  expect(await app.signIn('amira', 'right', door.ask)).not.toHaveProperty('locked');
});

/** A small Web Locks, which Node has not: the holders of a name, and whether they share it. */
class Locks {
  private held: { name: string; mode: string; done: Promise<unknown> }[] = [];

  async request(name: string, { mode = 'exclusive', ifAvailable }: LockOptions, work: (lock: object | null) => Promise<unknown>): Promise<unknown> {
    const inTheWay = () => this.held.find((one) => one.name === name && (mode === 'exclusive' || one.mode === 'exclusive'));
    if (ifAvailable && inTheWay()) return await work(null);
    for (let other = inTheWay(); other; other = inTheWay()) await other.done.catch(() => {});
    const one = { name, mode, done: work({}) };
    this.held.push(one);
    return await one.done.finally(() => this.held.splice(this.held.indexOf(one), 1));
  }
}

test('a tab that starts while another signs out leaves to it what stays here', async () => {
  vi.stubGlobal('navigator', { locks: new Locks() });
  await signIn('amira');
  await write('mine');
  await exchange();
  const db = app.mine();
  const reopened = db.reopened.bind(db);
  vi.spyOn(db, 'reopened').mockImplementation(() => {
    const its = reopened();
    const seal = its.sealTheRest.bind(its);
    return Object.assign(its, { sealTheRest: async () => (await startApp(), await seal()) });
  });
  await app.signOut(door.ask);
  app = await startApp();
  await signIn('amira');
  expect(await app.mine().reading(['edits'], (tx) => tx.objectStore('edits').getAll().map(({ edit }) => edit.values.category))).toEqual(['mine']);
});

test('whoever says that it is not them leaves nothing here of the one it is', async () => {
  await signIn('amira');
  door.school.write('r9', 'carol', { category: 'seen' });
  await exchange();
  await write('mine');
  app = await startApp();
  await app.pair(codeFor('amira'), door.ask);
  await app.signOut(door.ask);
  expect(await onDisk()).toMatchObject({ outbox: 1, pages: 0 });
});

test('what was forgotten leaves the disk at the next unlocking, if the app was ended in between', async () => {
  await signIn('amira');
  const { disk } = app.mine();
  const pages = async () => await disk.reading(['pages'], (tx) => tx.objectStore('pages').getAllKeys());
  const before = await pages();
  vi.spyOn(app.mine(), 'tidy').mockRejectedValue(new Error('ended'));
  await app.mine().forgetting(['school'], (tx) => tx.objectStore('school').delete('etag')).catch(() => {});
  expect(await pages()).toEqual(expect.arrayContaining(before));
  app = await startApp();
  await app.unlockWith(PIN, door.ask);
  expect((await pages()).filter((page) => before.includes(page))).toEqual([]);
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

test('a phone taken off the list sends what was written, sealed, and then holds nothing any more, and says why', async () => {
  await signIn('amira');
  await write('mine');
  await app.keep(draft);
  door.isRevoked = true;
  await exchange();
  expect(authors()).toEqual({ mine: 'amira' });
  expect(door.intake.drafts.get('amira')!.size).toBe(1);
  expect(app.standing()).toBe('out');
  expect(app.wasTakenOff()).toBe(true);
  app = await startApp();
  expect(app.wasTakenOff()).toBe(true);
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

// ── Paired ─────────────────────────────────────────────────────────────────────────────────────

const phonesTold = () => door.asked.filter(({ method, path }) => path === '/api/session' && method === 'POST').map(({ json }) => (json as { phone: { id: string; public: string } }).phone);

async function pair(staff: string): Promise<void> {
  expect(await app.pair(codeFor(staff), door.ask)).toEqual({ standing: 'new', told: undefined });
  expect(app.whoArrived()).toMatchObject({ name: staff, school: { name: 'Northgate' } });
  expect((await app.choosePin(PIN, door.ask)).is).toBe('open');
  await app.refreshSchool(app.mine(), door.ask);
}

test.each(['a new handset', 'one that they have written on'])('whoever is paired on %s, and later signs in with the password, is the same phone and keeps the PIN', async (handset) => {
  if (handset !== 'a new handset') {
    await signIn('amira');
    await write('before');
    await app.signOut(door.ask);
    app = await startApp();
  }
  await pair('amira');
  await write('paired');
  await app.signOut(door.ask);
  app = await startApp();
  expect(await app.signIn('amira', 'right', door.ask)).toMatchObject({ standing: 'locked' });
  expect((await app.unlockWith(PIN, door.ask)).is).toBe('open');
  expect(new Set(phonesTold().map(({ id, public: key }) => `${id} ${key}`))).toHaveLength(1);
  await exchange();
  app = await startApp();
  await sendsSealed('after a pairing');
});

/** What is sent sealed afterwards: the school knows its signature. */
async function sendsSealed(category: string): Promise<void> {
  await app.unlockWith(PIN, door.ask);
  await write(category, 'r3');
  app = await startApp();
  await exchange();
  expect(authors()).toMatchObject({ [category]: 'amira' });
  expect(door.intake.held).toEqual([]);
}

test('somebody else who signs in beside one who was paired is another phone', async () => {
  await pair('amira');
  await signIn('ben');
  expect(app.me()).toMatchObject({ id: 'ben' });
  expect(door.cookie!.phone).not.toBe(phonesTold()[0]!.id);
  await write('ben’s');
  app = await startApp();
  await exchange();
  expect(authors()).toEqual({ 'ben’s': 'ben' });
  expect(door.intake.held).toEqual([]);
});

test('the key that lies on the disk is the one that the school was told', async () => {
  await signIn('amira');
  await app.signOut(door.ask);
  await app.shared.writing(['owners'], (tx) => tx.objectStore('owners').clear()); // it was switched off before that was written
  app = await startApp();
  await pair('amira');
  const disk = diskOf('northgate', 'amira');
  const { public: key } = (await disk.reading(['keys'], (tx) => tx.objectStore('keys').get('signing'))) as { public: string };
  disk.close();
  expect(key).toBe(phonesTold().at(-1)!.public);
});

// ── A passkey, and a second factor ───────────────────────────────────────────────────────────────

const passkeyOf = (staff: string) => async (): Promise<ShownPasskey> => ({ id: 'p', response: { userHandle: toText(utf8(staff)) } });

test('whoever signs in by a passkey is the same phone as with the password, and keeps the PIN', async () => {
  await signIn('amira');
  await app.signOut(door.ask);
  await signIn('ben');
  app = await startApp();
  expect(await app.signInByPasskey(passkeyOf('amira'), door.ask)).toMatchObject({ standing: 'locked' });
  expect((await app.unlockWith(PIN, door.ask)).is).toBe('open');
  expect(app.me()).toMatchObject({ id: 'amira' });
  expect(new Set(phonesTold().map(({ id }) => id))).toHaveLength(2);
});

test('on a new handset a passkey is enough, and whoever shows none is told so', async () => {
  expect(await app.signInByPasskey(async () => null, door.ask)).toEqual({ refused: expect.stringContaining('No passkey') });
  expect(await app.signInByPasskey(passkeyOf('amira'), door.ask)).toMatchObject({ standing: 'new' });
  door.signal = false;
  expect(await app.signInByPasskey(passkeyOf('amira'), door.ask)).toMatchObject({ refused: expect.stringContaining('cannot be reached') });
});

test('a second factor is asked for after the password, and a wrong one may be mended', async () => {
  await signIn('amira');
  await app.signOut(door.ask);
  app = await startApp();
  door.wantsSecond = true;
  const answer = await app.signIn('amira', 'right', door.ask);
  if (!('second' in answer) || !answer.second) throw new Error('nothing more was asked for');
  expect(answer.second.ways).toEqual(['code']);
  expect(app.standing()).toBe('out');
  expect(await answer.second.byCode('999 999')).toMatchObject({ refused: expect.stringContaining('did not show') });
  expect(await answer.second.byCode('123 456')).toMatchObject({ standing: 'locked' });
  expect(new Set(phonesTold().map(({ id }) => id))).toHaveLength(1);
});

// ── Several people's phones in one ───────────────────────────────────────────────────────────────

const writeInTheDark = async (name: string) => {
  await signIn(name);
  await write(`${name}’s`, name);
};

test('with no signal everybody comes back to their own locked phone by what they sign in as, and their PIN', async () => {
  for (const name of ['amira', 'ben']) await writeInTheDark(name);
  door.signal = false;
  app = await startApp();
  for (const name of ['amira', 'ben', 'amira']) {
    const answer = await app.signIn(name, 'whatever', door.ask);
    if (!('locked' in answer) || !answer.locked) throw new Error('no way back');
    await app.turnTo(answer.locked);
    expect(app.standing()).toBe('locked');
    expect((await app.unlockWith(PIN, door.ask)).is).toBe('open');
    expect(app.me()).toMatchObject({ id: name });
    expect((await app.waiting()).edits.map(({ values }) => values.category)).toEqual([`${name}’s`]);
    app = await startApp();
  }
});

test('that the phone was taken off the list is said to nobody who turned to their own since', async () => {
  await writeInTheDark('amira');
  app = await startApp();
  await signIn('ben');
  door.off.add('ben');
  door.cookie = null;
  await exchange();
  expect(app.wasTakenOff()).toBe(true);
  door.signal = false;
  const { locked } = (await app.signIn('amira', 'any', door.ask)) as { locked: Owner };
  await app.turnTo(locked);
  await app.signOut(door.ask);
  expect(app.wasTakenOff()).toBe(false);
  app = await startApp();
  expect(app.wasTakenOff()).toBe(false);
});

test('that way is open only while the lease lasts, and to nobody who was never here', async () => {
  await writeInTheDark('amira');
  await app.signOut(door.ask); // which ends it
  door.signal = false;
  for (const name of ['amira', 'carol']) expect(await app.signIn(name, 'right', door.ask)).not.toHaveProperty('locked');
});

test('somebody else who signs in leaves the first one’s vault as it is, lease and all', async () => {
  await writeInTheDark('amira');
  app = await startApp();
  await signIn('ben');
  const disk = diskOf('northgate', 'amira');
  expect(await disk.reading(['keys'], (tx) => tx.objectStore('keys').get('vault'))).toHaveProperty('offline.bytes');
  disk.close();
});

test('a phone that was switched off while somebody else was signed in on it is opened by no PIN, and sends what was written', async () => {
  door.school.write('r9', 'carol', { category: 'seen' });
  await signIn('amira');
  await exchange();
  await write('mine');
  app = await startApp();
  await signIn('ben');
  door.signal = false;
  app = await startApp();
  const { locked } = (await app.signIn('amira', 'any', door.ask)) as { locked: Owner };
  await app.turnTo(locked);
  expect(await app.unlockWith(PIN, door.ask)).toMatchObject({ is: 'open' }); // the premise: the lease lasts
  app = await startApp();
  door.signal = true;
  door.off.add('amira');
  expect(await app.unlockWith(PIN, door.ask)).toEqual({ is: 'gone', because: 'revoked' });
  expect(await onDisk()).toMatchObject({ pages: 0, vault: false });
  await exchange();
  expect(authors()).toMatchObject({ mine: 'amira' });
});

test('a phone whose session ran out while it was open, and that was switched off since, forgets and leaves', async () => {
  await signIn('amira');
  await exchange();
  await write('mine');
  door.cookie = null;
  door.off.add('amira');
  await exchange();
  expect(authors()).toMatchObject({ mine: 'amira' });
  expect(app.standing()).toBe('out');
  expect(await onDisk()).toMatchObject({ pages: 0, vault: false });
});

/** Something was written before the school's key was here, and the app was killed before it could be sealed. */
async function leavesUnsealed(): Promise<void> {
  await app.signIn('amira', 'right', door.ask);
  await app.choosePin(PIN, door.ask);
  await write('never sealed');
  await app.keep(draft);
  const key = await door.intake.key;
  app = await startApp();
  const disk = diskOf('northgate', 'amira');
  await disk.writing(['settings'], (tx) => tx.objectStore('settings').put([key], 'intake'));
  disk.close();
}

test('the right PIN on a phone that was switched off seals what was not sealed yet, and only then is everything destroyed', async () => {
  await leavesUnsealed();
  door.isRevoked = true;
  expect(await app.unlockWith(PIN, door.ask)).toEqual({ is: 'gone', because: 'revoked' });
  expect(await onDisk()).toMatchObject({ pages: 0, vault: false });
  await exchange();
  expect(authors()).toEqual({ 'never sealed': 'amira' });
});

const THEIR_WAYS = ['to unlock', 'to change it'] as const;
const triesPin = (pin: string, way: (typeof THEIR_WAYS)[number]) => (way === 'to unlock' ? app.unlockWith(pin, door.ask) : app.changePin(pin, '271828', door.ask));

test.each(THEIR_WAYS)('a wrong PIN on a phone that was switched off, %s, takes what the school sent and counts, and the right one still seals what was written', async (way) => {
  await leavesUnsealed();
  door.isRevoked = true;
  expect(await triesPin('999111', way)).toMatchObject({ is: 'wrong', left: 9 });
  expect(await onDisk()).toEqual({ outbox: 1, drafts: 1, pages: 0, vault: true });
  expect(await triesPin(PIN, way)).toEqual({ is: 'gone', because: 'revoked' });
  expect(await onDisk()).toMatchObject({ pages: 0, vault: false });
  await exchange();
  expect(authors()).toEqual({ 'never sealed': 'amira' });
});

test('ten wrong PINs on a phone that was switched off end it, and with everything sealed the first does', async () => {
  await leavesUnsealed();
  door.isRevoked = true;
  for (let left = 9; left > 0; left--) {
    expect(await app.unlockWith('999111', door.ask)).toMatchObject({ is: 'wrong', left });
    const disk = app.myDisk()!;
    await disk.writing(['keys'], async (tx) => void (await tx.objectStore('keys').put({ ...((await tx.objectStore('keys').get('vault')) as object), paused_until: 0 }, 'vault')));
  }
  expect(await app.unlockWith('999111', door.ask)).toEqual({ is: 'gone', because: 'ten wrong' });
  expect(await onDisk()).toMatchObject({ pages: 0, vault: false });
  door.isRevoked = false;
  await signIn('ben');
  await write('sealed');
  app = await startApp();
  door.isRevoked = true;
  expect(await app.unlockWith('999111', door.ask)).toEqual({ is: 'gone', because: 'revoked' });
});

test('where it cannot be sealed, what the school sent goes all the same, and the PIN stays the way to what was written', async () => {
  await leavesUnsealed();
  const disk = diskOf('northgate', 'amira');
  await disk.writing(['settings'], (tx) => tx.objectStore('settings').delete('intake'));
  disk.close();
  door.isRevoked = true;
  expect(await app.unlockWith(PIN, door.ask)).toEqual({ is: 'gone', because: 'revoked' });
  expect(await onDisk()).toEqual({ outbox: 1, drafts: 1, pages: 0, vault: true });
});

test.each(['paired', 'a new id'])('before another PIN is chosen there is a way back to the one that alone opens what was not sealed: %s', async (how) => {
  await leavesUnsealed();
  if (how === 'a new id') door.phones.clear(), door.phones.set(door.cookie!.phone, { staff: 'ben', public: 'another' });
  if (how === 'paired') await app.pair(codeFor('amira'), door.ask);
  else await app.signIn('amira', 'right', door.ask);
  expect(app.standing()).toBe('new');
  expect(await onlyByPin(app.myDisk()!)).toBe(2);
  app.turnBack();
  expect(app.standing()).toBe('locked');
  expect((await app.unlockWith(PIN, door.ask)).is).toBe('open');
  await exchange();
  expect(authors()).toEqual({ 'never sealed': 'amira' });
});

// ── A school that went back to a backup ──────────────────────────────────────────────────────

test('a school that has forgotten this phone: everything is here, the password is asked for, and then the PIN is the school’s again', async () => {
  door.school.write('r9', 'carol', { category: 'seen' });
  await signIn('amira');
  await exchange();
  await write('mine');
  door.shares.vaults.clear();
  door.isFresh = false;
  app = await startApp();
  expect(await app.unlockWith(PIN, door.ask)).toMatchObject({ is: 'open', password_by: app.passwordBy() });
  expect(app.passwordBy()).toBeGreaterThan(Date.now());
  expect((await app.records()).map(({ id }) => id).sort()).toEqual(['r1', 'r9']);
  door.isFresh = true;
  expect(await app.signIn('amira', 'right', door.ask)).toMatchObject({ standing: 'locked' });
  expect(await app.unlockWith(PIN, door.ask)).not.toHaveProperty('password_by');
  expect(app.passwordBy()).toBeUndefined();
  expect((await app.records()).map(({ id }) => id).sort()).toEqual(['r1', 'r9']);
  expect(door.shares.vaults.size).toBe(1);
});

test('the same with the lease over: another PIN is chosen after the password, and nothing that was written is lost', async () => {
  await signIn('amira');
  await write('mine');
  await app.signOut(door.ask);
  door.shares.vaults.clear();
  app = await startApp();
  expect(await app.signIn('amira', 'right', door.ask)).toMatchObject({ standing: 'locked' });
  expect(await app.unlockWith(PIN, door.ask)).toEqual({ is: 'gone', because: 'the school' });
  expect(app.standing()).toBe('new');
  expect(await app.signIn('amira', 'right', door.ask)).toMatchObject({ standing: 'new' });
  expect((await app.choosePin(PIN, door.ask)).is).toBe('open');
  await app.refreshSchool(app.mine(), door.ask);
  await exchange();
  expect(authors()).toEqual({ mine: 'amira' });
});

// ── Another PIN ──────────────────────────────────────────────────────────────────────────────

test('another PIN leaves everything where it is, in other tabs too', async () => {
  door.school.write('r9', 'carol', { category: 'seen' });
  await signIn('amira');
  await exchange();
  await write('mine');
  const tab = app;
  expect(await app.changePin(PIN, '271828', door.ask)).toEqual({ is: 'changed' });
  app = await startApp();
  expect((await app.unlockWith(PIN, door.ask)).is).toBe('wrong');
  expect((await app.unlockWith('271828', door.ask)).is).toBe('open');
  await tab.write({ record: 'r2', kind: 'incident', values: { category: 'from another tab' }, seen: null });
  expect((await app.records()).map(({ id }) => id).sort()).toEqual(['r1', 'r2', 'r9']);
});

// ── A call for help from a locked phone ──────────────────────────────────────────────────────────

test('a call for help goes from a locked phone, sealed, and says where it came from', async () => {
  await signIn('amira');
  await write('before');
  app = await startApp();
  const id = await app.callWhileLocked({ where: 'Stairs by the gym', isDanger: true });
  expect(await app.isSent(id)).toBe(false);
  expect(app.standing()).toBe('locked');
  await exchange();
  expect(await app.isSent(id)).toBe(true);
  const { edit, author } = door.school.edits.get(id)!;
  expect(author).toBe('amira');
  expect(edit).toMatchObject({ kind: 'call_out', number: 2, values: { urgency: 'danger', note: expect.stringMatching(/^From a locked phone.*Stairs by the gym$/) } });
  expect(door.intake.held).toEqual([]);
});

test('one that is still here when the phone is unlocked is sent as it lies, and the numbers go on', async () => {
  await signIn('amira');
  app = await startApp();
  const id = await app.callWhileLocked({ where: 'B12', isDanger: false });
  await app.unlockWith(PIN, door.ask);
  expect((await write('after')).number).toBe(2);
  await exchange();
  expect(door.school.edits.has(id)).toBe(true);
  expect((await app.waiting()).count).toBe(0);
  expect([...door.school.edits.values()].map(({ edit }) => edit.number).sort()).toEqual([1, 2]);
});

test('one that is tried again is the same call', async () => {
  await signIn('amira');
  await exchange();
  app = await startApp();
  const which = app.newCall();
  const called = [await app.callWhileLocked({ where: 'B12', isDanger: false }, which), await app.callWhileLocked({ where: 'B12', isDanger: false }, which)];
  expect(called).toEqual([which.id, which.id]);
  expect((await onDisk()).outbox).toBe(1);
  expect(await app.isSent('another')).toBe(false); // one that is not here was not sent
});

test('after ten wrong PINs, too, and on a phone that somebody else has turned to, it is told that one waits', async () => {
  await signIn('amira');
  app = await startApp();
  for (let tried = 0; tried < 10; tried++) {
    const disk = app.myDisk()!;
    await disk.writing(['keys'], async (tx) => void (await tx.objectStore('keys').put({ ...((await tx.objectStore('keys').get('vault')) as object), paused_until: 0 }, 'vault')));
    await app.unlockWith('271828', door.ask);
  }
  expect(app.standing()).toBe('new');
  const { callThatWaits } = await import('../../pwa/src/local/owners');
  expect(await callThatWaits()).toBeNull();
  const id = await app.callWhileLocked({ where: 'B12', isDanger: false });
  await signIn('ben');
  app = await startApp();
  expect(await callThatWaits()).toMatch(/^20/);
  await exchange();
  expect(door.school.edits.get(id)).toMatchObject({ author: 'amira' });
  expect(await callThatWaits()).toBeNull();
});

test('a phone that has never had the school’s key says that it cannot call, and keeps nothing', async () => {
  await app.signIn('amira', 'right', door.ask);
  await app.choosePin(PIN, door.ask);
  app = await startApp();
  await expect(app.callWhileLocked({ where: 'B12', isDanger: false })).rejects.toThrow('cannot seal');
  expect((await onDisk()).outbox).toBe(0);
});

// ── A page that nobody can read ──────────────────────────────────────────────────────────────

test('a page that cannot be read keeps nobody out: it is said, and fetched again, and what was written is here', async () => {
  for (const record of ['r8', 'r9']) {
    door.school.write(record, 'carol', { category: 'seen' });
    await (app.me() ? undefined : signIn('amira'));
    await exchange();
  }
  await write('mine');
  await app.keep(draft);
  const { disk } = app.mine();
  await disk.writing(['pages'], async (tx) => {
    for (const page of await tx.objectStore('pages').getAll()) if (page.n % 2 === 0) await tx.objectStore('pages').put({ ...page, epoch: page.epoch + 1 });
  });
  app = await startApp();
  door.signal = false;
  expect(await app.unlockWith(PIN, door.ask)).toMatchObject({ is: 'open', told: expect.stringContaining('fetched again') });
  expect((await app.waiting()).count).toBe(1);
  expect(await app.drafts()).toEqual([draft]);
  door.signal = true;
  await app.refreshSchool(app.mine(), door.ask);
  await exchange();
  expect((await app.records()).map(({ id }) => id).sort()).toEqual(['r1', 'r8', 'r9']);
  app = await startApp();
  expect(await app.unlockWith(PIN, door.ask)).toMatchObject({ is: 'open', told: undefined });
  expect((await app.records()).map(({ id }) => id).sort()).toEqual(['r1', 'r8', 'r9']);
});

// ── Which keys are the school's ────────────────────────────────────────────────────────────────

const sealsTo = () => app.mine().disk.reading(['settings'], async (tx) => (await noted(tx, 'intake'))?.map(({ kid }) => kid));

test('a school that signs with another key is believed once somebody has given their password, and says so once', async () => {
  await signIn('amira');
  door.signsWith = newSigning();
  door.intake.key = door.intake.key.then((key) => ({ ...key, kid: 'another' }));
  await app.refreshSchool(app.mine(), door.ask);
  expect(await sealsTo()).toEqual(['the first']); // a mere answer changes nothing, and what is written is still sealed
  expect(await app.signIn('amira', 'right', door.ask)).toMatchObject({ told: expect.stringContaining('new seal') });
  expect(await sealsTo()).toEqual(['the first']);
  await app.refreshSchool(app.mine(), door.ask);
  expect(await sealsTo()).toEqual(['another']);
  expect(await app.signIn('amira', 'right', door.ask)).toMatchObject({ told: undefined });
});

test('an older list of keys never takes the place of a newer one', async () => {
  door.listed_at = 200;
  await signIn('amira');
  door.intake.key = door.intake.key.then((key) => ({ ...key, kid: 'another' }));
  door.listed_at = 100;
  await app.refreshSchool(app.mine(), door.ask);
  expect(await sealsTo()).toEqual(['the first']);
  door.listed_at = 300;
  await app.refreshSchool(app.mine(), door.ask);
  expect(await sealsTo()).toEqual(['another']);
});

// ── What they sign in as ─────────────────────────────────────────────────────────────────────────

const inShared = () => app.shared.reading(['owners', 'settings'], async (tx) => ({ owners: await tx.objectStore('owners').getAll(), salt: await tx.objectStore('settings').get('salt') }));
const unsalted = async (name: string) => toText(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(`lanyard signs in as ${name}`))));

test('what somebody signs in as is told by no list of hashes: every handset has a salt of its own', async () => {
  await signIn('amira');
  const first = await inShared();
  expect(JSON.stringify(first)).not.toContain(await unsalted('amira'));
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  app = await startApp();
  await signIn('amira');
  expect((await inShared()).owners[0]!.called).not.toBe(first.owners[0]!.called);
});

test('a hash of an earlier version is salted at the next start, and its owner is the same phone', async () => {
  await signIn('amira');
  const { owners: [owner] } = await inShared();
  const called = await unsalted('amira');
  await app.shared.writing(['owners'], (tx) => tx.objectStore('owners').put({ ...owner!, called }));
  app = await startApp();
  expect((await inShared()).owners[0]!.called).not.toContain(called);
  await signIn('amira');
  expect(new Set(phonesTold().map(({ id }) => id))).toHaveLength(1);
});
