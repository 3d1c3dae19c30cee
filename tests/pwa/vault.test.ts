// The vault: what a PIN opens, what a wrong one costs, and what is on the disk meanwhile.

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { diskOf, type Disk } from '../../pwa/src/local/disk';
import { wrongWith } from '../../pwa/src/local/pin';
import { change, choose, destroy, endLease, lookAt, unlock, type Keys, type Vault } from '../../pwa/src/local/vault';
import type { Ask, Heard } from '../../pwa/src/school';
import { quicken, Shares } from './keys';

const PIN = '604913';
const HOUR_MS = 60 * 60 * 1_000;

let disk: Disk;
let shares: Shares;
let signal: 'there' | 'no signal' | 'answers get lost' | 'signed out' | 'password too old' | 'revoked' | 'too many';

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
  if (method === 'PUT') return signal === 'password too old' ? answered(401, { refusal: 'sign_in_again' }) : answered(200, shares.put(phone, auth));
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
  expect(await lookAt(disk)).toBeDefined();
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
  expect(await lookAt(disk)).toBeUndefined();
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

// ── Tries of which nothing came to light ─────────────────────────────────────────────────────

/** Ended in the middle, as often as that. */
async function endedWhileTrying(times: number, pin = '999111'): Promise<void> {
  for (let at = 0; at < times; at++) {
    await sitOut();
    const before = (await vault())!.begun?.length ?? 0;
    void unlock(disk, pin, { ask: () => new Promise(() => {}), phone: 'the phone' });
    await vi.waitFor(async () => expect((await vault())!.begun).toHaveLength(Math.min(before + 1, 10)));
  }
}

test('a phone that is switched off while it tries a PIN forgets nothing, however often', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await chosen();
  await endedWhileTrying(12, PIN);
  expect(await vault()).toMatchObject({ failures: 0 });
  await sitOut();
  expect((await tried()).is).toBe('open');
  expect(await vault()).toMatchObject({ failures: 0, begun: [], paused_until: 0 });
});

test('and whoever switches it off gains no try: each counts towards the pauses', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await chosen();
  await endedWhileTrying(5);
  expect(await tried()).toEqual({ is: 'pause', pause_s: 30 });
  await endedWhileTrying(1);
  expect(await tried()).toEqual({ is: 'pause', pause_s: 60 });
});

test.each(['no signal', 'signed out'] as const)('a try that nobody could judge, %s, does not count', async (how) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await chosen();
  await endLease(disk);
  signal = how;
  for (let at = 0; at < 12; at++) expect((await tried('999111')).is).toBe('lease over');
  expect(await vault()).toMatchObject({ failures: 0, begun: [], paused_until: 0 });
});

test('nor does one that this phone itself could not make', async () => {
  await chosen();
  vi.spyOn(SubtleCrypto.prototype, 'importKey').mockRejectedValue(new DOMException('no memory', 'OperationError'));
  await expect(tried()).rejects.toThrow('no memory');
  vi.mocked(SubtleCrypto.prototype.importKey).mockRestore();
  expect(await vault()).toMatchObject({ failures: 0, begun: [] });
});

test('a wrong PIN is counted once, also when the storage has to be asked twice', async () => {
  await chosen();
  signal = 'no signal';
  const writing = disk.writing.bind(disk);
  disk.writing = (async (stores, work, told) => {
    await writing(stores, work, told); // saved, and the connection lost before that was heard
    return await writing(stores, work, told);
  }) as typeof disk.writing;
  expect(await tried('999111')).toMatchObject({ is: 'wrong', left: 9 });
  expect(await vault()).toMatchObject({ failures: 1 });
});

// ── A school that went back to a backup ──────────────────────────────────────────────────────

/** What the school has forgotten: this phone altogether, the PIN it has now, or the share that belongs to it. */
const BACKUPS: [string, () => void][] = [
  ['knows nothing of this phone', () => shares.vaults.clear()],
  ['knows another PIN', () => (shares.vaults.get('the phone')!.shares = [{ auth: 'of before', share: 'of before' }])],
  ['has another share', () => (shares.vaults.get('the phone')!.shares[0]!.share = 'A'.repeat(43))],
];

test.each(BACKUPS)('a school that went back to a backup and %s: the lease opens, and the school learns the PIN again', async (_, goBack) => {
  const first = await chosen();
  goBack();
  const again = await tried();
  expect(again).not.toHaveProperty('password_by');
  expect(await opensTheSame(first, again)).toBe(true);
  await endLease(disk);
  expect(await opensTheSame(first, await tried())).toBe(true); // with the new share alone
});

test.each(BACKUPS)('the same, %s, when it is too long since the password: it is asked for, and nothing is destroyed', async (_, goBack) => {
  const first = await chosen();
  await putPage();
  goBack();
  signal = 'password too old';
  for (let at = 0; at < 20; at++) {
    const again = await tried();
    expect(again).toMatchObject({ is: 'open', password_by: (await vault())!.lease_until });
    expect(await opensTheSame(first, again)).toBe(true);
  }
  expect(await vault()).toMatchObject({ failures: 0, isForgotten: true });
  signal = 'there'; // the password was given
  expect(await tried()).not.toHaveProperty('password_by');
  expect((await vault())!.isForgotten).toBeFalsy();
  expect(await pages()).toBe(1);
});

test.each(BACKUPS)('the same, %s, with the lease over: it is said, and nothing is destroyed', async (name, goBack) => {
  await chosen();
  await putPage();
  await endLease(disk);
  goBack();
  expect(await tried()).toEqual(name === 'knows another PIN' ? { is: 'wrong', left: 9, pause_s: 0 } : { is: 'gone', because: 'the school' });
  expect(await pages()).toBe(1);
});

test('ten wrong PINs are ten, also where the school has forgotten this phone', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  await chosen();
  shares.vaults.clear();
  for (let at = 1; at < 10; at++) {
    expect(await tried('999111')).toMatchObject({ is: 'wrong', left: 10 - at });
    await sitOut();
  }
  expect(await tried('999111')).toEqual({ is: 'gone', because: 'ten wrong' });
});

const putPage = () =>
  disk.writing(['pages'], async (tx) => void (await tx.objectStore('pages').put({ n: 1, epoch: 1, vault: 'v', rows: 1, closed: { iv: new Uint8Array(12), bytes: new Uint8Array(1) } })));
const pages = () => disk.reading(['pages'], (tx) => tx.objectStore('pages').count());

async function opensTheSame(one: { is: string }, other: { is: string }): Promise<boolean> {
  if (!hasKeys(one) || !hasKeys(other)) throw new Error('it did not open');
  const iv = new Uint8Array(12);
  const closed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, one.keys.data, new Uint8Array([7]));
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, other.keys.data, closed))[0] === 7;
}

const hasKeys = (one: object): one is { keys: Keys } => 'keys' in one;

// ── Another PIN ──────────────────────────────────────────────────────────────────────────────

test('another PIN opens the same, and the one before opens nothing more', async () => {
  const first = await chosen();
  expect(await change(disk, PIN, '271828', door)).toEqual({ is: 'changed' });
  expect(await tried()).toMatchObject({ is: 'wrong', left: 9 });
  expect(await opensTheSame(first, await tried('271828'))).toBe(true);
  signal = 'no signal';
  expect(await opensTheSame(first, await tried('271828'))).toBe(true);
});

test('another PIN wants the one before, and a wrong one counts', async () => {
  await chosen();
  expect(await change(disk, '999111', '271828', door)).toMatchObject({ is: 'wrong', left: 9 });
  expect((await tried()).is).toBe('open');
});

test.each([['no signal', 'no signal'], ['password too old', 'sign in']] as const)('another PIN, %s: refused, and the one before opens', async (how, because) => {
  await chosen();
  signal = how;
  expect(await change(disk, PIN, '271828', door)).toEqual({ is: 'refused', because });
  expect((await tried()).is).toBe('open');
  signal = 'there';
  expect((await tried()).is).toBe('open');
});

test('another PIN whose answer gets lost changes nothing: the one before opens, with the school and without', async () => {
  await chosen();
  const lost: Ask = async (path, question) => ((await ask(path, question)), question?.method === 'PUT' ? { heard: 'not heard', why: 'too slow', status: null } : ask(path, question));
  expect(await change(disk, PIN, '271828', { ask: lost, phone: 'the phone' })).toMatchObject({ is: 'refused' });
  await endLease(disk);
  expect((await tried()).is).toBe('open');
});

// ── Clocks ─────────────────────────────────────────────────────────────────────────────────────

test('a clock that is set back before every look makes no lease longer', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const start = Date.now();
  await chosen();
  signal = 'no signal';
  for (let hour = 0; hour < 12; hour++) {
    vi.setSystemTime(start - 100 * HOUR_MS);
    await lookAt(disk);
    vi.setSystemTime(start - 99 * HOUR_MS); // an hour goes by
    await lookAt(disk);
  }
  expect(await tried()).toEqual({ is: 'lease over', because: 'no signal' });
});

test('a moment once looked at is not undone by setting the clock back', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const start = Date.now();
  await chosen();
  vi.setSystemTime(start + 11.9 * HOUR_MS);
  await lookAt(disk);
  vi.setSystemTime(start);
  signal = 'no signal';
  expect((await tried()).is).toBe('open');
  vi.setSystemTime(start + 0.2 * HOUR_MS);
  expect(await tried()).toEqual({ is: 'lease over', because: 'no signal' });
});

test('a clock that once stood a year ahead is forgotten when the school says what time it is', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const start = Date.now();
  await chosen();
  vi.setSystemTime(start + 365 * 24 * HOUR_MS);
  await lookAt(disk);
  vi.setSystemTime(start);
  await tried();
  signal = 'no signal';
  expect((await tried()).is).toBe('open');
});

test('a pause that was set under a clock a year ahead, or by an earlier version, lasts no longer than a pause may', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const start = Date.now();
  await chosen();
  signal = 'no signal';
  vi.setSystemTime(start + 365 * 24 * HOUR_MS);
  await disk.writing(['keys'], async (tx) => void (await tx.objectStore('keys').put({ ...(await tx.objectStore('keys').get('vault')) as Vault, paused_until: Date.now() + 30_000 }, 'vault')));
  vi.setSystemTime(start);
  expect((await tried()).is).toBe('pause');
  vi.setSystemTime(start + 1.1 * HOUR_MS);
  expect((await tried()).is).toBe('open');
});

test('a school that asks for a pause is obeyed, and no try is counted', async () => {
  await chosen();
  signal = 'too many';
  expect(await tried()).toEqual({ is: 'pause', pause_s: 900 });
  expect(await vault()).toMatchObject({ failures: 0 });
});

test('revoked: the key is destroyed', async () => {
  await chosen();
  signal = 'revoked';
  expect(await tried()).toEqual({ is: 'gone', because: 'revoked' });
  expect(await lookAt(disk)).toBeUndefined();
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
    expect(await lookAt(disk)).toBeDefined();
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
