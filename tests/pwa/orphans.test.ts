// What was written under a PIN that is gone, or before there was one, or under a key that had not come yet: it reaches the school
// all the same, and where it cannot, that is said.

import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { diskOf, onlyByPin, waitingOnDisk, type OutboxRow, type Stored } from '../../pwa/src/local/disk';
import type { Draft } from '../../pwa/src/local/drafts';
import { Database } from '../../pwa/src/local/database';
import { orphansWanted } from '../../pwa/src/exchange/orphans';
import type { Ask, Heard } from '../../pwa/src/school';
import type { Answer } from '../../pwa/src/wire';
import { setting, settle } from '../../pwa/src/local/stores';
import { answered, Door, startApp } from './door';
import { quicken } from './keys';
import { Network } from './network';
import { Phone } from './phone';
import { School } from './school';

const PIN = '604913';
const A_DAY_MS = 86_400_000;

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
  vi.useRealTimers();
});

/** Signed in, with a PIN; what is written before `schoolsKeyComes` cannot be sealed. */
async function signIn(name = 'amira', forgot = false): Promise<void> {
  await app.signIn(name, 'right', door.ask, forgot);
  if (app.standing() === 'new') await app.choosePin(PIN, door.ask);
  else if (app.standing() === 'locked') await app.unlockWith(PIN, door.ask);
}

const schoolsKeyComes = async () => {
  const key = await door.intake.key;
  await app.mine().writing(['settings'], (tx) => tx.objectStore('settings').put([key], 'intake'));
};
const write = (category: string, record = 'r1') => app.write({ record, kind: 'incident', values: { category }, seen: null });
const exchange = (ask: Ask = door.ask) => app.exchangeForEverybody(ask, 'test');
const draft = (text: string, changed_at = '2026-11-17T09:00:00.000Z'): Draft => ({ id: 'd1', kind: 'incident', record: 'r2', seen: null, values: { account: text }, opened_at: changed_at, changed_at });
const categories = () => [...door.school.edits.values()].map(({ edit }) => edit.values.category).sort();

async function onDisk<T>(look: (disk: Database<Stored>) => Promise<T>, staff = 'amira'): Promise<T> {
  const disk = diskOf('northgate', staff);
  return await look(disk).finally(() => disk.close());
}

const outbox = () => onDisk((disk) => disk.reading(['outbox'], (tx) => tx.objectStore('outbox').getAll()));
const gone = () => onDisk((disk) => disk.reading(['settings'], (tx) => tx.objectStore('settings').get('gone')));

// ── Sealed as soon as it can be ────────────────────────────────────────────────────────────

test.each([
  ['at the next exchange', async () => void (await exchange(async () => ({ heard: 'not heard', why: 'no signal', status: null })))],
  ['before the phone locks', () => app.mine().settled()],
  ['before another PIN is chosen', () => signIn('amira', true)],
  ['before somebody signs out', () => app.signOut(door.ask)],
])('what was written before the school’s key was here is sealed %s', async (_, moment) => {
  await signIn();
  await write('early');
  await app.keep(draft('early too'));
  expect((await outbox()).map(({ sealed }) => sealed)).toEqual([undefined]);
  await schoolsKeyComes();
  await moment();
  expect((await outbox()).every(({ sealed }) => sealed)).toBe(true);
  expect(await onDisk(onlyByPin)).toBe(0);
});

test('what only the forgotten PIN could open is told beforehand, named to the school, and told to its author', async () => {
  await signIn();
  await write('sent');
  await exchange();
  await write('never sealed');
  app = await startApp(); // killed before the school’s key came
  expect(await onDisk(onlyByPin)).toBe(1);
  await signIn('amira', true);
  await schoolsKeyComes();
  await write('afterwards');
  await exchange();
  expect(categories()).toEqual(['afterwards', 'sent']);
  expect(await onDisk(waitingOnDisk)).toMatchObject({ count: 0 });
  expect([...door.school.lost.get(phoneId())!]).toEqual([2]);
  expect(await gone()).toMatchObject({ count: 1, at: expect.stringMatching(/^20/) });
});

const phoneId = (): string => door.cookie!.phone;

// ── Under a PIN that was forgotten ───────────────────────────────────────────────────────────

test('one that is too large goes last and is said; the others go', async () => {
  await signIn();
  await schoolsKeyComes();
  for (const category of ['one', 'huge', 'three']) await write(category);
  await app.keep(draft('not finished'));
  const huge = (await outbox()).find(({ order }) => order === 2)!.id;
  const ask: Ask = async (path, question = {}) => {
    const sealed = (question.json as { sealed?: { id: string }[] })?.sealed ?? [];
    return sealed.some(({ id }) => id === huge) ? answered(413, { refusal: 'too_large' }) : await door.ask(path, question);
  };
  app = await startApp();
  await signIn('amira', true);
  expect(await exchange(ask)).toMatchObject({ trouble: 'unsendable' });
  expect(categories()).toEqual(['one', 'three']);
  expect(door.intake.stored.has('d1')).toBe(true);
  await exchange();
  expect(categories()).toEqual(['huge', 'one', 'three']);
});

test('the numbers of what went sealed are never named as lost: a school that went back to a backup gets them again', async () => {
  await signIn();
  await schoolsKeyComes();
  const backup = door.school.backup();
  await write('under the first PIN');
  app = await startApp();
  await signIn('amira', true);
  await exchange();
  expect(categories()).toEqual(['under the first PIN']);
  await write('under the second');
  await exchange();
  backup();
  expect(categories()).toEqual([]);
  for (let at = 0; at < 3; at++) await exchange();
  expect(categories()).toEqual(['under the first PIN', 'under the second']);
  expect(door.school.lost.get(phoneId()) ?? new Set()).toEqual(new Set());
  expect(await gone()).toBeUndefined();
});

test('what went sealed under a forgotten PIN goes once more after the next cursor: a twin and a backup together lose nothing', async () => {
  await signIn();
  await schoolsKeyComes();
  await exchange();
  const twins = { id: 'the twin’s', phone: phoneId(), number: 1, record: 'twin', kind: 'incident', made_at: '', seen: null, values: {} };
  door.school.exchange({ protocol: 1, build: '', phone: phoneId(), sent_at: '', cursor: null, receipted: 0, waiting: 0, lost: [], edits: [twins] }, 'amira');
  const backup = door.school.backup();
  const { id } = await write('under the first PIN');
  app = await startApp();
  await signIn('amira', true);
  await exchange(async (path, question) => (path === '/api/sync' ? { heard: 'not heard', why: 'no signal', status: null } : await door.ask(path, question)));
  expect(door.school.edits.has(id)).toBe(true);
  backup();
  await exchange();
  expect(door.school.edits.has(id)).toBe(true);
  const before = door.intake.sizes.length;
  for (let at = 0; at < 3; at++) await exchange();
  expect(door.intake.sizes).toHaveLength(before);
});

test('so does a call for help from the locked phone', async () => {
  await signIn();
  await schoolsKeyComes();
  await exchange();
  app = await startApp();
  await app.callWhileLocked({ where: 'B12', isDanger: true });
  for (let at = 0; at < 2; at++) await exchange(); // locked: the intake has kept it, and no cursor comes
  expect((await outbox()).map(({ repeated }) => repeated)).toEqual([undefined]);
  await signIn();
  await exchange();
  expect((await outbox()).map(({ repeated }) => repeated)).toEqual([true]);
});

test('a page that dies as it keeps a new history offers all of it there', async () => {
  const school = new School();
  const network = new Network(school);
  network.grants.set('grant', 'amira');
  let has: string | null | undefined;
  for (let steps = 0; !has || steps < 12; steps++) {
    let phone = await Phone.of(school, network);
    await phone.db.writing(['settings'], (tx) => tx.objectStore('settings').put('grant', 'grant'));
    await phone.write({ category: 'sealed' });
    phone = await phone.forgetsPin();
    for (let at = 0; at < 2; at++) await phone.sendSealed('orphans'), await phone.sync(); // kept, and kept again after a cursor
    const lying = () => phone.db.disk.reading(['outbox'], (tx) => tx.objectStore('outbox').getAll());
    expect(await lying()).toMatchObject([{ repeated: true }]);
    await phone.db.writing(['settings'], (tx) => settle(tx, 'cursor', null));
    await phone.killedWhile((doomed) => doomed.sync(), steps);
    has = await phone.db.reading(['settings'], (tx) => setting(tx, 'cursor'));
    if (has) expect((await lying())[0]!.unsent, `after ${steps} steps`).toBeDefined();
    phone.close();
  }
});

async function startAndExchange(): Promise<void> {
  app = await startApp();
  await signIn();
  await exchange();
}

test('a full intake is left in peace for as long as it asks, and nothing else waits for it', async () => {
  await signIn();
  await schoolsKeyComes();
  await write('mine');
  await signIn('amira', true);
  let asked = 0;
  const full: Ask = async (path, question) =>
    path === '/api/intake' ? (asked++, { ...answered(429, { refusal: 'too_much' }), retryAfter_s: 3_600 } as Heard) : await door.ask(path, question);
  for (let at = 0; at < 3; at++) expect(await exchange(full)).toMatchObject({ trouble: null, reached: true });
  expect(asked).toBe(1);
  app = await startApp();
  await signIn();
  await exchange();
  expect(categories()).toEqual(['mine']);
});

test('what the school has and goes on wanting is offered again once an hour, not at every exchange', async () => {
  await signIn();
  await schoolsKeyComes();
  await write('mine');
  await signIn('amira', true);
  await exchange();
  const { phone, number } = (await outbox())[0]!;
  const wants = { receipts: [], records: [], held: [], gone: [], wanted: [number], forked: null, cursor: null, more: false, rebuild: null, now: '' } as Answer;
  const asked = () => onDisk((disk) => orphansWanted(disk, phone, wants));
  const isOffered = async () => (await outbox())[0]!.unsent !== undefined;
  expect(await asked()).toEqual(new Set([number])); // it is here, and not lost
  expect(await isOffered()).toBe(false);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3_600_000 });
  await asked();
  expect(await isOffered()).toBe(true);
});

test('what nobody can read here stays sealed for thirty days after the school kept it, and then goes', async () => {
  await signIn();
  await schoolsKeyComes();
  await write('sealed');
  app = await startApp();
  await exchange(); // locked: the intake keeps it
  await signIn('amira', true);
  await exchange();
  expect(await outbox()).toHaveLength(1);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 29 * A_DAY_MS });
  await startAndExchange();
  expect(await outbox()).toHaveLength(1);
  vi.setSystemTime(Date.now() + 2 * A_DAY_MS);
  await startAndExchange();
  expect(await outbox()).toHaveLength(0);
});

test('what the intake has kept of a phone that was taken off the list stays sealed, goes once more after thirty days, and thirty days later it is let go', async () => {
  await signIn();
  await schoolsKeyComes();
  const backup = door.school.backup();
  await write('sealed');
  app = await startApp();
  await exchange(); // locked: the intake keeps it
  await signIn();
  door.isRevoked = true;
  await exchange();
  expect([app.standing(), (await outbox()).length]).toEqual(['out', 1]);
  backup();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  for (const [days, has] of [[29, []], [2, ['sealed']], [29, ['sealed']]] as const) {
    vi.setSystemTime(Date.now() + days * A_DAY_MS);
    app = await startApp();
    for (let at = 0; at < 2; at++) await exchange();
    expect([categories(), (await outbox()).length]).toEqual([has, 1]);
  }
  vi.setSystemTime(Date.now() + 2 * A_DAY_MS);
  app = await startApp();
  await exchange();
  expect(await outbox()).toEqual([]);
});

test('numbers that neither side has any more are named as lost, and told to their author', async () => {
  await signIn();
  const backup = door.school.backup();
  await write('long ago');
  await exchange();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31 * A_DAY_MS });
  await write('lately');
  await exchange();
  backup(); // from before both
  for (let at = 0; at < 3; at++) await exchange();
  expect(categories()).toEqual(['lately']);
  expect([...door.school.lost.get(phoneId())!]).toEqual([1]);
  expect(await gone()).toEqual({ count: 1, at: null });
});

test('a summer away and a school that went back meanwhile: all that was here is offered again before any of it is let go', async () => {
  await signIn();
  const backup = door.school.backup();
  await write('before the summer');
  await exchange();
  backup();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60 * A_DAY_MS });
  for (let at = 0; at < 3; at++) await exchange();
  expect(categories()).toEqual(['before the summer']);
  expect(await gone()).toBeUndefined();
});

test('drafts that went up from another phone come back at the next start, and what was typed here since stands', async () => {
  await signIn();
  await exchange();
  door.intake.drafts.set('amira', new Map([['d1', draft('as it was sent', '2026-11-17T09:00:00.000Z')], ['d2', { ...draft('from elsewhere'), id: 'd2' }]]));
  await app.keep(draft('typed here since', '2026-11-17T10:00:00.000Z'));
  app = await startApp();
  await signIn();
  await exchange();
  expect((await app.drafts()).map(({ id, values }) => [id, values.account]).sort()).toEqual([['d1', 'typed here since'], ['d2', 'from elsewhere']]);
  expect(door.intake.drafts.get('amira')!.size).toBe(0);
  const asked = () => door.asked.filter(({ path }) => path.startsWith('/api/drafts')).length;
  const before = asked();
  await exchange();
  expect(asked()).toBe(before); // once is enough for a while
});

test('a phone taken off the list is not left before what could not be sealed has gone', async () => {
  await signIn();
  await app.keep(draft('not sealed'));
  door.isRevoked = true;
  await exchange();
  expect(app.standing()).toBe('open');
  await schoolsKeyComes();
  await exchange();
  expect(door.intake.opened.get('d1')).toMatchObject({ values: { account: 'not sealed' } });
  expect(app.standing()).toBe('out');
});

/** The first in the outbox cannot be opened, until what this answers is called. */
const tear = (): Promise<() => Promise<void>> =>
  onDisk(async (disk) => {
    const put = (row: OutboxRow) => onDisk((disk) => disk.writing(['outbox'], async (tx) => void (await tx.objectStore('outbox').put(row))));
    const [row] = await disk.reading(['outbox'], (tx) => tx.objectStore('outbox').getAll());
    await put({ ...row!, copy: { ...row!.copy, iv: new Uint8Array(12) } });
    return () => put(row!);
  });

const hasVault = () => onDisk((disk) => disk.reading(['keys'], async (tx) => (await tx.objectStore('keys').get('vault')) !== undefined));

/** Not sealed and not to be opened, on a phone that has the school's key by now, and that starts anew. */
async function leavesTorn(): Promise<() => Promise<void>> {
  await signIn();
  await write('torn');
  const mend = await tear();
  await onDisk(async (disk) => {
    const key = await door.intake.key;
    await disk.writing(['settings'], (tx) => tx.objectStore('settings').put([key], 'intake'));
  });
  app = await startApp();
  return mend;
}

test('on a phone that was switched off the key stays for what cannot be opened just now, and seals it when it can', async () => {
  const mend = await leavesTorn();
  door.isRevoked = true;
  expect(await app.unlockWith(PIN, door.ask)).toEqual({ is: 'gone', because: 'revoked' });
  expect(await hasVault()).toBe(true);
  await mend();
  app = await startApp();
  expect(await app.unlockWith(PIN, door.ask)).toEqual({ is: 'gone', because: 'revoked' });
  expect(await hasVault()).toBe(false);
  await exchange();
  expect(categories()).toEqual(['torn']);
});

test('for what can never be opened it stays no longer than the lease', async () => {
  await leavesTorn();
  door.isRevoked = true;
  await app.unlockWith(PIN, door.ask);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + A_DAY_MS });
  app = await startApp();
  expect(await app.unlockWith(PIN, door.ask)).toEqual({ is: 'gone', because: 'revoked' });
  expect(await hasVault()).toBe(false);
});

test('a phone that is taken off the list while it is open is not left for them, unless they say so', async () => {
  await leavesTorn();
  await app.unlockWith(PIN, door.ask);
  door.isRevoked = true;
  await exchange();
  expect([app.standing(), await hasVault()]).toEqual(['open', true]);
  await app.signOut(door.ask);
  expect(app.standing()).toBe('out');
});

test('what is not sealed and cannot be opened either lies here, and is not named as lost', async () => {
  await signIn();
  await write('torn');
  await tear();
  app = await startApp();
  await signIn();
  await write('whole');
  for (let at = 0; at < 2; at++) await exchange();
  expect(categories()).toEqual(['whole']);
  expect(await outbox()).toHaveLength(1);
  expect(door.school.lost.get(phoneId()) ?? new Set()).toEqual(new Set());
  expect(await gone()).toBeUndefined();
  expect((await onDisk(onlyByPin)) - app.mine().unsealed).toBe(1); // which This phone says
});

// ── The browser has thrown away what was here ────────────────────────────────────────────────

/** Written on a phone whose storage is then thrown away, but for what is noted beside it. */
async function evict(written: number): Promise<{ phone: string; number: number }> {
  await signIn();
  await schoolsKeyComes();
  for (let at = 0; at < written; at++) await write(`waits ${at}`);
  const { phone, number, count: waiting, oldest, gone: told } = await onDisk(waitingOnDisk);
  evicted.noteLeft('lanyard northgate amira', { phone, number, waiting, oldest, gone: told });
  app.mine().close();
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  door.cookie = null;
  door.phones.delete(phone);
  app = await startApp();
  evicted = await import('../../pwa/src/local/evicted');
  return { phone, number };
}

let evicted: typeof import('../../pwa/src/local/evicted');

beforeEach(async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (name: string) => kept.get(name) ?? null, setItem: (name: string, value: string) => void kept.set(name, value), removeItem: (name: string) => void kept.delete(name) });
  evicted = await import('../../pwa/src/local/evicted');
});

test('of two evictions, one after the other, all is told that was not received, and none of it twice', async () => {
  const first = await evict(2);
  const second = await evict(1); // before the school was asked about the first
  await signIn();
  for (let at = 0; at < 2; at++) await exchange();
  expect([first, second].map(({ phone }) => [...door.school.lost.get(phone)!])).toEqual([[1, 2], [1]]);
  expect(await gone()).toMatchObject({ count: 3 });
  const third = await evict(1); // and before anybody has read it
  await signIn();
  for (let at = 0; at < 2; at++) await exchange();
  expect([...door.school.lost.get(third.phone)!]).toEqual([1]);
  expect(await gone()).toMatchObject({ count: 4 });
});

/** As the school answers when it cannot open yet, of each of these phones, that many. */
const cannotOpen = (waits: Record<string, number[]>): Ask => async (path, question) => {
  const heard = await door.ask(path, question);
  const unopened = path === '/api/sync' && waits[(question?.json as { phone: string }).phone];
  return unopened && heard.heard === 'answered' ? { ...heard, json: { ...(heard.json as Answer), unopened } } : heard;
};

test('what waits at the school to be opened is not told of as lost', async () => {
  const { phone } = await evict(3);
  await signIn();
  for (let at = 0; at < 2; at++) await exchange(cannotOpen({ [phone]: [2] }));
  expect([...door.school.lost.get(phone)!]).toEqual([1, 3]);
  expect(await gone()).toMatchObject({ count: 2, unopened: 1 });
});

test('of several evictions all is told that waits at the school, and none of it twice', async () => {
  const waits: Record<string, number[]> = {};
  for (const numbers of [[1, 2], [3]]) waits[(await evict(3)).phone] = numbers;
  await signIn();
  for (let at = 0; at < 2; at++) await exchange(cannotOpen(waits));
  expect(await gone()).toMatchObject({ count: 3, unopened: 3 });
  waits[(await evict(2)).phone] = [2]; // and before anybody has read it
  await signIn();
  for (let at = 0; at < 2; at++) await exchange(cannotOpen(waits));
  expect(await gone()).toMatchObject({ count: 4, unopened: 4 });
});

// ── From before there were PINs ──────────────────────────────────────────────────────────────

/** A phone of the version before, on which Amira wrote and Ben is to sign in. */
async function theVersionBefore(): Promise<void> {
  const edit = (number: number, category: string) => ({ id: `e${number}`, phone: 'phone', number, record: 'r1', kind: 'incident', made_at: '2026-11-17T09:00:00.000Z', seen: null, values: { category } });
  const db = await openDB('lanyard northgate amira', 1, {
    upgrade: (older) => {
      older.createObjectStore('edits', { keyPath: 'edit.id' });
      older.createObjectStore('drafts', { keyPath: 'id' });
      older.createObjectStore('settings');
    },
  });
  await db.put('edits', { edit: edit(1, 'sent'), order: 1, outcome: 'taken', receipted_at: Date.now() });
  await db.put('edits', { edit: edit(2, 'waiting'), order: 2, unsent: 2, over: 2 });
  await db.put('drafts', draft('older'));
  for (const [name, value] of Object.entries({ phone: 'phone', session_phone: 'phone', number: 2, order: 2, receipted: 1, grant: 'grant of amira' })) await db.put('settings', value, name);
  db.close();
  const shared = await openDB('lanyard', 1, {
    upgrade: (older) => {
      older.createObjectStore('owners', { keyPath: 'key' });
      older.createObjectStore('settings');
    },
  });
  await shared.put('owners', { key: 'northgate amira', school: 'northgate', staff: 'amira', username: 'amira', phone: 'phone' });
  await shared.put('settings', 'northgate amira', 'current');
  shared.close();
  door.school.exchange({ protocol: 1, build: '', phone: 'phone', sent_at: '', cursor: null, receipted: 0, waiting: 0, lost: [], edits: [edit(1, 'sent')] }, 'amira');
  app = await startApp();
}

const older = () => onDisk((disk) => disk.reading(['older'], (tx) => tx.objectStore('older').getAll()));

test('what a colleague wrote before there were PINs goes to the school at once, and none of it stays to be read', async () => {
  await theVersionBefore();
  await signIn('ben');
  await schoolsKeyComes();
  await exchange();
  expect(categories()).toEqual(['sent', 'waiting']);
  expect(await older()).toEqual([]);
  await app.signOut(door.ask);
  await signIn('amira');
  for (let at = 0; at < 2; at++) await exchange();
  expect((await app.drafts()).map(({ values }) => values.account)).toEqual(['older']);
});

test('a colleague whose phone was taken off the list: what they wrote goes sealed', async () => {
  await theVersionBefore();
  await signIn('ben');
  await schoolsKeyComes();
  await exchange(async (path, question = {}) => (question.grant === 'grant of amira' && path === '/api/sync' ? answered(403, { refusal: 'phone_revoked' }) : await door.ask(path, question)));
  expect(await older()).toEqual([]);
  await exchange();
  expect(door.intake.stored.has('e2')).toBe(true);
});

test('what one wrote oneself goes before the PIN is chosen, and is carried over all the same', async () => {
  await theVersionBefore();
  await exchange();
  expect(categories()).toEqual(['sent', 'waiting']);
  await signIn('amira');
  await exchange();
  const kept = await app.mine().reading(['edits'], (tx) => tx.objectStore('edits').getAll());
  expect(kept.map(({ edit, unsent }) => [edit.id, unsent])).toEqual([['e1', undefined], ['e2', undefined]]);
  expect((await app.drafts()).map(({ values }) => values.account)).toEqual(['older']);
});

test('a draft of before is not laid over one that was written on since', async () => {
  await theVersionBefore();
  await signIn('amira');
  await app.keep(draft('newer', '2026-11-18T09:00:00.000Z'));
  await onDisk((disk) => disk.writing(['older'], (tx) => tx.objectStore('older').add({ draft: draft('older') })));
  app = await startApp();
  await signIn('amira');
  expect((await app.drafts()).map(({ values }) => values.account)).toEqual(['newer']);
});
