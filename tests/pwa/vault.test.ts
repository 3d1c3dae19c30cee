// The vault: what a PIN opens, what a wrong one costs, and what is on the disk meanwhile.

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { diskOf, type Disk } from '../../pwa/src/local/disk';
import { choose, destroy, endLease, isThere, unlock, wrongWith, type Vault } from '../../pwa/src/local/vault';
import type { Ask, Heard } from '../../pwa/src/school';
import { quicken, Shares } from './keys';

const PIN = '604913';
const HOUR_MS = 60 * 60 * 1_000;

let disk: Disk;
let shares: Shares;
let signal: 'there' | 'no signal' | 'answers get lost' | 'signed out' | 'revoked' | 'too many';

let stretching: { rounds: number };

beforeEach(() => {
  stretching = quicken();
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  disk = diskOf('northgate', 'amira');
  shares = new Shares();
  signal = 'there';
});

afterEach(() => {
  disk.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const answered = (status: number, json: unknown, retryAfter_s: number | null = null): Heard => ({ heard: 'answered', status, json, etag: null, retryAfter_s });

const ask: Ask = async (_path, { method, json } = {}) => {
  const { phone, auth, offline_failures = 0 } = json as { phone: string; auth: string; offline_failures?: number };
  if (signal === 'no signal') return { heard: 'not heard', why: 'no signal', status: null };
  if (signal === 'signed out') return answered(401, { refusal: 'sign_in' });
  if (signal === 'revoked') return answered(403, { refusal: 'phone_revoked' });
  if (signal === 'too many') return answered(429, { refusal: 'too_many' }, 900);
  if (method === 'PUT') return answered(200, shares.put(phone, auth));
  const { status, json: said } = shares.open(phone, auth, offline_failures);
  if (signal === 'answers get lost') return { heard: 'not heard', why: 'too slow', status: null };
  return answered(status, said);
};

const door = { ask, phone: 'the phone' };
const chosen = () => choose(disk, PIN, door);
const tried = (pin = PIN) => unlock(disk, pin, door);
const vault = () => disk.reading(['keys'], async (tx) => (await tx.objectStore('keys').get('vault')) as Vault | undefined);

/** The pauses after many wrong PINs are sat out. */
async function sitOut(): Promise<void> {
  const { paused_until = 0 } = (await vault()) ?? {};
  if (paused_until > Date.now()) vi.setSystemTime(paused_until + 1);
}

test.each(['12345', '', '1234567a', '123456', '987654', '111111', '121212', '123123', '234567', '000000', '654321', '112233', '909090', ' 604913'])('%j is refused as a PIN', (pin) => {
  expect(wrongWith(pin)).not.toBeNull();
});

test.each(['604913', '271828', '13579246', '0000001'])('%j may be a PIN', (pin) => {
  expect(wrongWith(pin)).toBeNull();
});

test('the PIN opens with the school, and without it while the lease lasts; each time the same key', async () => {
  const first = await chosen();
  const withSchool = await tried();
  signal = 'no signal';
  const without = await tried();
  if (first.is !== 'open' || withSchool.is !== 'open' || without.is !== 'open') throw new Error('it did not open');
  const iv = new Uint8Array(12);
  const closed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, first.keys.data, new Uint8Array([7]));
  for (const { keys } of [withSchool, without]) expect(new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, keys.data, closed))).toEqual(new Uint8Array([7]));
});

test('a PIN is stretched as long as agreed', async () => {
  await chosen();
  expect(stretching.rounds).toBe(600_000);
});

test('neither the key nor the PIN can be taken out', async () => {
  const opened = await chosen();
  if (opened.is !== 'open') throw new Error('it did not open');
  for (const key of [opened.keys.data, opened.keys.sign]) expect(key.extractable).toBe(false);
  expect(JSON.stringify(await vault())).not.toContain(PIN);
});

test('with the lease over and no signal it does not open, and says so; with signal it does', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await chosen();
  vi.setSystemTime(Date.now() + 13 * HOUR_MS);
  signal = 'no signal';
  expect(await tried()).toEqual({ is: 'lease over', because: 'no signal' });
  signal = 'signed out';
  expect(await tried()).toEqual({ is: 'lease over', because: 'sign in' });
  expect((await vault())!.failures).toBe(0);
  signal = 'there';
  expect((await tried()).is).toBe('open');
});

test('a lease that is over is taken off the disk at the next look', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await chosen();
  expect((await vault())!.offline).toBeDefined();
  vi.setSystemTime(Date.now() + 13 * HOUR_MS);
  expect(await isThere(disk)).toBe(true);
  expect((await vault())!.offline).toBeUndefined();
});

test('a clock set back does not make the lease longer than the school meant', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const now = Date.now();
  await chosen();
  shares.clock = () => now + 11 * HOUR_MS;
  shares.lease_ms = 0;
  await tried();
  vi.setSystemTime(now - 100 * HOUR_MS);
  signal = 'no signal';
  expect((await tried()).is).toBe('lease over');
});

test('a school that gives no lease keeps nothing that opens without it', async () => {
  shares.lease_ms = 0;
  await chosen();
  expect((await vault())!.offline).toBeUndefined();
});

test('signed out, only the school can open it', async () => {
  await chosen();
  await endLease(disk);
  signal = 'no signal';
  expect((await tried()).is).toBe('lease over');
});

test.each(['there', 'no signal'] as const)('ten wrong PINs, %s: pauses from the fifth on, and at the tenth the key is gone', async (how) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await chosen();
  signal = how;
  const pauses: number[] = [];
  for (let at = 1; at < 10; at++) {
    const answer = await tried('999111');
    expect(answer).toMatchObject({ is: 'wrong', left: 10 - at });
    if (answer.is === 'wrong') pauses.push(answer.pause_s);
    if (at >= 5) expect((await tried()).is).toBe('pause'); // also for the right one
    await sitOut();
  }
  expect(pauses).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480]);
  expect(await tried('999111')).toEqual({ is: 'gone', because: 'ten wrong' });
  expect(await vault()).toBeUndefined();
  expect(await isThere(disk)).toBe(false);
});

test('wrong PINs without signal are told to the school at the next contact, once', async () => {
  await chosen();
  signal = 'no signal';
  for (let at = 0; at < 3; at++) await tried('999111');
  signal = 'there';
  expect(await tried('999111')).toMatchObject({ is: 'wrong', left: 6 });
  expect(shares.vaults.get('the phone')!.failures).toBe(4);
  expect(await tried()).toMatchObject({ is: 'open' });
  expect(await vault()).toMatchObject({ failures: 0 });
});

test('a wrong PIN whose answer is lost is counted once, by the school and by the phone', async () => {
  await chosen();
  signal = 'answers get lost';
  for (let at = 0; at < 3; at++) await tried('999111');
  expect(shares.vaults.get('the phone')!.failures).toBe(3);
  signal = 'there';
  expect(await tried('999111')).toMatchObject({ is: 'wrong', left: 6 });
});

test.each(['right', 'wrong'])('a %s PIN that is answered late undoes nothing that another tab did meanwhile', async (which) => {
  await chosen();
  const late = { phone: 'the phone', ask: async (...question: Parameters<Ask>) => {
    const heard = await ask(...question);
    await choose(disk, '271828', door);
    return heard;
  } };
  await expect(unlock(disk, which === 'right' ? PIN : '999111', late)).rejects.toThrow();
  expect(await unlock(disk, '271828', door)).toMatchObject({ is: 'open' });
  signal = 'no signal';
  const destroying = { phone: 'the phone', ask: async (...question: Parameters<Ask>) => (await destroy(disk), ask(...question)) };
  await expect(unlock(disk, which === 'right' ? '271828' : '999111', destroying)).rejects.toThrow();
  expect(await vault()).toBeUndefined();
});

test('a phone that is switched off while it tries a PIN has used up the try', async () => {
  await chosen();
  void unlock(disk, '999111', { ask: () => new Promise(() => {}), phone: 'the phone' });
  await vi.waitFor(async () => expect((await vault())!.failures).toBe(1));
});

test('a school that asks for a pause is obeyed, and no try is counted', async () => {
  await chosen();
  signal = 'too many';
  expect(await tried()).toEqual({ is: 'pause', pause_s: 900 });
  expect(await vault()).toMatchObject({ failures: 0 });
});

test.each([['revoked', 'revoked'], ['forgotten', 'the school']] as const)('%s: the key is destroyed', async (what, because) => {
  await chosen();
  if (what === 'revoked') signal = 'revoked';
  else shares.vaults.clear();
  expect(await tried()).toEqual({ is: 'gone', because });
  expect(await isThere(disk)).toBe(false);
});

test.each([['no signal', 'no signal'], ['signed out', 'sign in'], ['revoked', 'revoked'], ['too many', 'busy']] as const)('choosing a PIN, %s: refused, and what was there stays', async (how, because) => {
  await chosen();
  const before = await vault();
  signal = how;
  expect(await choose(disk, '271828', door)).toEqual({ is: 'refused', because });
  expect(await vault()).toEqual(before);
  signal = 'there';
  expect((await tried()).is).toBe('open');
});

test('an answer that is no share opens nothing and destroys nothing', async () => {
  await chosen();
  for (const json of [null, {}, { share: 'AAAA', lease_until: '', now: '' }, { share: '***', lease_until: new Date().toISOString(), now: new Date().toISOString() }, '<h1>Wi-Fi</h1>']) {
    expect((await unlock(disk, PIN, { ask: async () => answered(200, json), phone: 'the phone' })).is).toBe('open'); // the lease lasts
    expect(await isThere(disk)).toBe(true);
  }
});

test('destroying takes the key and every page, and nothing that was written', async () => {
  await chosen();
  const closed = { iv: new Uint8Array(12), bytes: new Uint8Array(1) };
  await disk.writing(['pages', 'outbox', 'drafts', 'settings'], async (tx) => {
    await tx.objectStore('pages').put({ n: 1, epoch: 1, vault: 'v', rows: 1, closed });
    await tx.objectStore('outbox').put({ id: 'e', order: 1, phone: 'p', number: 1, made_at: '', unsent: 1, vault: 'v', copy: closed, changed: 1 });
    await tx.objectStore('drafts').put({ id: 'd', changed_at: '', phone: 'p', vault: 'v', copy: closed, changed: 1 });
    await tx.objectStore('settings').put(7, 'number');
    await tx.objectStore('settings').put('c', 'cursor');
  });
  await destroy(disk);
  const left = await disk.reading(['pages', 'outbox', 'drafts', 'settings'], async (tx) => ({
    pages: await tx.objectStore('pages').count(),
    outbox: await tx.objectStore('outbox').count(),
    drafts: await tx.objectStore('drafts').count(),
    number: await tx.objectStore('settings').get('number'),
    cursor: await tx.objectStore('settings').get('cursor'),
  }));
  expect(left).toEqual({ pages: 0, outbox: 1, drafts: 1, number: 7, cursor: undefined });
});
