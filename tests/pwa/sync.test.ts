// When the phone exchanges with the school, and what it tells the person meanwhile.

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ciphering, Shares } from './keys';
import { Network, type Fault } from './network';
import { School, SCHOOL_ANSWER } from './school';

class Page extends EventTarget {
  hidden = false;
}

class Hints extends EventTarget {
  static open: Hints[] = [];
  static readonly CLOSED = 2;
  readyState = 1;
  constructor(readonly address: string) {
    super();
    Hints.open.push(this);
  }
  close(): void {
    this.readyState = 2;
    Hints.open = Hints.open.filter((one) => one !== this);
  }
}

let page: Page;
let tabs: EventTarget;
let network: Network;
let app: Awaited<ReturnType<typeof startApp>>;

async function startApp() {
  vi.resetModules();
  const [session, outbox, sync, { signIn }] = await Promise.all([
    import('../../pwa/src/local/session'),
    import('../../pwa/src/local/outbox'),
    import('../../pwa/src/sync'),
    import('../../pwa/src/local/sign-in'),
    import('../../pwa/src/exchange/exchanging'), // which would come at its first use
  ]);
  await signIn('amira', 'x', signedIn);
  await session.choosePin('604913', async () => answered(shares.put('phone', '')));
  return { ...session, ...outbox, ...sync, signIn };
}

const shares = new Shares();
const answered = (json: unknown) => ({ heard: 'answered', status: 200, json, etag: null, retryAfter_s: null }) as const;
const signedIn = async () => answered({ staff: { id: 'amira', name: 'Amira', role: 'teacher' }, school: SCHOOL_ANSWER.school, phone: 'phone' });

beforeEach(async () => {
  page = new Page();
  tabs = new EventTarget();
  Hints.open = [];
  network = new Network(new School());
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', tabs.addEventListener.bind(tabs));
  vi.stubGlobal('EventSource', Hints);
  vi.stubGlobal('navigator', {});
  vi.stubGlobal('BUILD', 'test');
  vi.stubGlobal('fetch', network.fetch);
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  app = await startApp();
});

afterEach(async () => {
  await quiet();
  app.mine().close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** Until nothing is going on any more, without any time passing. */
async function quiet(): Promise<void> {
  for (let still = 0, asked = -1; still < 60; still++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (network.requests.length !== asked || ciphering() > 0) still = 0;
    asked = network.requests.length;
  }
}

async function wait(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1_000);
  await quiet();
}

const letters = () => network.letters.length;
const failing = (times: number) => (network.faults = Array<Fault>(times).fill('no signal'));
const write = () => app.write({ record: 'r1', kind: 'incident', values: { category: 'x' }, seen: null });

async function begin(): Promise<void> {
  app.start();
  await quiet();
}

// ── When ───────────────────────────────────────────────────────────────────────────────────

test('it exchanges at the start, and fetches what the school is and who is there', async () => {
  await begin();
  expect(letters()).toBe(1);
  expect(network.requests.map(({ path }) => path)).toEqual(expect.arrayContaining(['/api/school', '/api/people', '/api/sync']));
});

for (const [event, target] of [['online', 'tabs'], ['pageshow', 'tabs'], ['visibilitychange', 'page']] as const) {
  test(`it exchanges on ${event}`, async () => {
    await begin();
    (target === 'tabs' ? tabs : page).dispatchEvent(new Event(event));
    await quiet();
    expect(letters()).toBe(2);
  });
}

test('it looks every minute while somebody may be looking, and not while the app is hidden', async () => {
  await begin();
  await wait(61);
  expect(letters()).toBe(2);
  page.hidden = true;
  page.dispatchEvent(new Event('visibilitychange'));
  await quiet();
  const before = letters();
  await wait(600);
  expect(letters()).toBe(before);
});

test('it exchanges when the school hints that something moved, and listens only while it answers', async () => {
  await begin();
  expect(Hints.open.map(({ address }) => address)).toEqual(['/api/live']);
  Hints.open[0]!.dispatchEvent(new Event('moved'));
  await quiet();
  expect(letters()).toBe(2);
  failing(2);
  await app.syncNow('tap');
  expect(Hints.open).toEqual([]);
});

test('without an answer it tries again after two seconds, then twice as long each time, five minutes at most', async () => {
  failing(100);
  await begin();
  const pauses: number[] = [];
  for (let at = 0; at < 11; at++) {
    const before = letters();
    let seconds = 0;
    while (letters() === before && seconds < 400) {
      await wait(1);
      seconds++;
    }
    pauses.push(seconds);
  }
  expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
});

test('no two phones come back at the same moment', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);
  failing(100);
  await begin();
  await wait(1);
  expect(letters()).toBe(2);
});

test('a tap anywhere ends the longer pauses', async () => {
  failing(100);
  await begin();
  for (const pause of [2, 4, 8, 16]) await wait(pause);
  const before = letters();
  tabs.dispatchEvent(new Event('pointerdown'));
  await quiet();
  expect(letters()).toBe(before);
  await wait(3);
  tabs.dispatchEvent(new Event('pointerdown'));
  await quiet();
  expect(letters()).toBe(before + 1);
  await wait(2);
  expect(letters()).toBe(before + 2);
});

test('a busy school is left alone for as long as it asks', async () => {
  await begin();
  vi.stubGlobal('fetch', async () => Response.json({ refusal: 'busy' }, { status: 503, headers: { 'Lanyard-Protocol': '1', 'Retry-After': '90' } }));
  await app.syncNow('tap');
  vi.stubGlobal('fetch', network.fetch);
  await wait(60);
  expect(letters()).toBe(1);
  await wait(31);
  expect(letters()).toBe(2);
});

test('whoever has just written something waits for an exchange that began after it', async () => {
  await begin();
  let letGo = () => {};
  network.onTheWay = () => new Promise((resolve) => (letGo = resolve));
  const running = app.syncNow('timer');
  await quiet();
  await write();
  const mine = app.syncNow('save');
  network.onTheWay = async () => {};
  letGo();
  await mine;
  await running;
  expect(network.school.edits.size).toBe(1);
});

test('an edit that can be undone goes when its seconds are over', async () => {
  await begin();
  await app.write({ record: 'r1', kind: 'incident', values: {}, seen: null }, { undoFor: 10_000 });
  await app.syncNow('save');
  expect(network.school.edits.size).toBe(0);
  await wait(11);
  expect(network.school.edits.size).toBe(1);
});

test('it goes at once when the phone is put away', async () => {
  await begin();
  await app.write({ record: 'r1', kind: 'incident', values: {}, seen: null }, { undoFor: 10_000 });
  page.hidden = true;
  page.dispatchEvent(new Event('visibilitychange'));
  await quiet();
  expect(network.school.edits.size).toBe(1);
});

test('where the browser can wake the worker, it is asked to while something waits and there is no signal', async () => {
  const register = vi.fn(async () => {});
  vi.stubGlobal('navigator', { serviceWorker: { ready: Promise.resolve({ sync: { register } }), addEventListener: () => {} } });
  await begin();
  expect(register).not.toHaveBeenCalled();
  failing(10);
  await write();
  await app.syncNow('save');
  await app.syncNow('save');
  expect(register).toHaveBeenCalledWith('exchange');
});

// ── What it tells ──────────────────────────────────────────────────────────────────────────

test('waiting, with a count and the age of the oldest, until the school has it', async () => {
  await begin();
  expect(app.status()).toMatchObject({ state: 'sent', waiting: 0, lastSent: null });
  failing(2);
  const edit = await write();
  await app.syncNow('save');
  await quiet();
  expect(app.status()).toMatchObject({ state: 'waiting', waiting: 1, oldest: edit.made_at, reached: false, problem: 'No signal: the school cannot be reached.' });
  await app.syncNow('tap');
  await quiet();
  expect(app.status()).toMatchObject({ state: 'sent', waiting: 0, reached: true, problem: null });
  expect(Date.parse(app.status().lastSent!)).toBeGreaterThan(0);
});

test('sending, while it is on its way', async () => {
  await begin();
  await write();
  let told: unknown;
  network.onTheWay = async () => {
    await quiet();
    told = { ...app.status() };
  };
  await app.syncNow('save');
  expect(told).toMatchObject({ state: 'sending', sending: { done: 0, of: 1 } });
});

test('what needs a person ranks below what is only here', async () => {
  await begin();
  await app.write({ record: 'r1', kind: 'incident', values: { category: 'refuse me' }, seen: null });
  await app.syncNow('save');
  await quiet();
  expect(app.status()).toMatchObject({ state: 'needs', needs: 1, waiting: 0 });
  failing(9);
  await write();
  await app.syncNow('save');
  await quiet();
  expect(app.status()).toMatchObject({ state: 'waiting', needs: 1, waiting: 1 });
});

const WORDS: [Fault, RegExp][] = [
  ['portal', /This network answers instead of the school/],
  ['stalled', /did not answer in time/],
  ['truncated', /did not arrive whole/],
  ['429', /busy/],
  ['500', /went wrong at the school/],
  ['401', /Sign in again/],
];
for (const [fault, words] of WORDS) {
  test(`${fault} is told in words`, async () => {
    await begin();
    network.faults = [fault, fault, fault];
    await app.syncNow('tap');
    await quiet();
    expect(app.status().problem).toMatch(words);
    expect(app.status().signedOut).toBe(fault === '401');
  });
}

test('a full phone is not said to be the school’s fault', async () => {
  await begin();
  await write();
  vi.spyOn(app.mine(), 'writing').mockRejectedValue(new app.NotSaved('no room'));
  await app.syncNow('tap');
  await quiet();
  expect(app.status()).toMatchObject({ waiting: 1, problem: expect.stringMatching(/^Storage full or silent: nothing can be sent/) });
});

test('with no signal nothing is said to be on its way', async () => {
  await begin();
  vi.stubGlobal('navigator', { onLine: false });
  const told: string[] = [];
  failing(9);
  network.onTheWay = async () => {
    await quiet();
    told.push(app.status().state);
  };
  await write();
  await app.syncNow('save');
  await quiet();
  expect(told.length).toBeGreaterThan(0);
  expect(told).not.toContain('sending');
});

test('signing out tells of nothing any more', async () => {
  await begin();
  failing(9);
  await write();
  await app.syncNow('save');
  const closing = app.mine();
  await app.signOut();
  await quiet();
  expect(app.status()).toMatchObject({ waiting: 0, state: 'sent', lastContact: null });
  closing.close();
  await app.signIn('amira', 'x', signedIn);
  await app.choosePin('604913', async () => answered(shares.put('phone', '')));
});
