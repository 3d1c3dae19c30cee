// Whether this phone can be rung: at every open its browser and the school are compared, and whatever stands in the way is said.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { toText } from '../../pwa/src/local/bytes';
import { lookAtAlerts, outcome, silence, testThisPhone, turnOn } from '../../pwa/src/push';
import type { Heard, Question } from '../../pwa/src/school';
import type { PushCard, TestCard } from '../../pwa/src/wire';

const ANDROID = 'Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36';
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Mobile/15E148 Safari/604.1';
const [OLD, NEW] = [toText(new Uint8Array(65).fill(4)), toText(new Uint8Array(65).fill(5))];

type Its = { endpoint: string; options: { applicationServerKey: ArrayBuffer }; toJSON(): unknown; unsubscribe(): Promise<boolean> };

/** A browser with one subscription at most, whose push service may never answer. */
class Browser {
  its: Its | null = null;
  made = 0;
  answers = true;
  asks: NotificationPermission = 'granted'; // what the person says when they are asked
  readonly notification = { permission: 'default' as NotificationPermission, requestPermission: async () => (this.notification.permission = this.asks) };

  constructor(agent: string, { canPush = true, installed = false } = {}) {
    const pushManager = { getSubscription: async () => this.its, subscribe: async (asked: { applicationServerKey: Uint8Array<ArrayBuffer> }) => (this.answers ? this.subscribe(asked.applicationServerKey) : await new Promise(() => {})) };
    vi.stubGlobal('navigator', { userAgent: agent, maxTouchPoints: 5, serviceWorker: { ready: Promise.resolve({ pushManager }) } });
    vi.stubGlobal('window', canPush ? { PushManager: true, Notification: true } : {});
    vi.stubGlobal('Notification', this.notification);
    vi.stubGlobal('matchMedia', () => ({ matches: installed }));
    vi.stubGlobal('document', { hidden: false });
  }

  subscribe(key: Uint8Array<ArrayBuffer>): Its {
    const endpoint = `https://push/${++this.made}`;
    const its: Its = {
      endpoint,
      options: { applicationServerKey: key.slice().buffer },
      toJSON: () => ({ endpoint, keys: { p256dh: 'p', auth: 'a' } }),
      unsubscribe: async () => (this.its === its && (this.its = null), true),
    };
    return (this.its = its);
  }
}

/** Keeps what is made under its key of today, unless its push service has said that it is gone. */
class School {
  key = OLD;
  endpoint: string | null = null;
  why: string | null = null;
  test: TestCard | null = null;
  gone = new Set<string>();
  away = false;
  asked: string[] = [];

  hear = async (path: string, { method = 'GET', json }: Question = {}): Promise<Heard> => {
    if (this.away) return { heard: 'not heard', why: 'no signal', status: null };
    this.asked.push(`${method} ${path}`);
    const its = json as { endpoint: string; key: string };
    if (method === 'PUT' && its.key === this.key && !this.gone.has(its.endpoint)) [this.endpoint, this.why] = [its.endpoint, null];
    if (method === 'DELETE') this.endpoint = null;
    if (method === 'POST') this.test = { id: `t${this.asked.length}`, asked_at: '2026-11-23T08:41:01Z', sent_at: null, shown_at: null, opened_at: null, failed: null };
    const card: PushCard = { key: this.key, endpoint: this.endpoint, why: this.why, test: this.test };
    return { heard: 'answered', status: 200, json: structuredClone(card), etag: null, retryAfter_s: null };
  };

  forgets(endpoint: string): void {
    this.gone.add(endpoint);
    [this.endpoint, this.why] = [null, 'its browser has ended the subscription'];
  }
}

let school: School;
beforeEach(() => {
  school = new School();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function rung(): Promise<Browser> {
  const browser = new Browser(ANDROID);
  expect(await turnOn(school.hear)).toMatchObject({ is: 'on' });
  expect(school.endpoint).toBe('https://push/1');
  return browser;
}

test('it is off until somebody turns it on, and then the school knows where', async () => {
  new Browser(ANDROID);
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'off' });
  await rung();
  school.asked = [];
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'on' });
  expect(school.asked).toEqual(['PUT /api/push']); // at every open, and no more than that
});

test('under a new key of the school it subscribes again at the next open', async () => {
  const browser = await rung();
  school.key = NEW;
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'on' });
  expect([school.endpoint, toText(new Uint8Array(browser.its!.options.applicationServerKey))]).toEqual(['https://push/2', NEW]);
});

test('what its push service has forgotten, and what the browser has lost, is made again', async () => {
  const browser = await rung();
  school.forgets('https://push/1');
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'on' });
  expect(school.endpoint).toBe('https://push/2');
  browser.its = null;
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'on' });
  expect(school.endpoint).toBe('https://push/3');
});

test('what the browser has changed by itself is told', async () => {
  const browser = await rung();
  browser.subscribe(new Uint8Array(65).fill(4));
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'on' });
  expect(school.endpoint).toBe('https://push/2');
});

test('a push service that never answers is not waited for for ever', async () => {
  const browser = new Browser(ANDROID);
  browser.answers = false;
  vi.useFakeTimers();
  const turning = turnOn(school.hear);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await turning).toMatchObject({ is: 'cannot', words: expect.stringContaining('does not answer. School Wi-Fi may be in its way') });
});

test.each([
  ['an iPhone in a tab', IPHONE, { canPush: false }, 'only from the home screen. Tap Share, then Add to Home Screen'],
  ['an iPhone that is too old', IPHONE, { canPush: false, installed: true }, 'needs iOS 16.4'],
  ['another browser', 'Mozilla/5.0 Something', { canPush: false }, 'Open Lanyard in Chrome, Edge or Firefox'],
])('%s is told what to do on this very device', async (_, agent, can, words) => {
  new Browser(agent, can);
  expect(await turnOn(school.hear)).toMatchObject({ is: 'cannot', words: expect.stringContaining(words) });
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'cannot' });
});

test.each([
  ['an iPhone', IPHONE, true, 'Open Settings, Notifications, Lanyard'],
  ['an installed Android app', ANDROID, true, 'tap App info'],
  ['an Android browser', ANDROID, false, 'Tap the sign left of the address'],
  ['a computer', 'Mozilla/5.0 (X11; Linux x86_64)', false, 'Click the sign left of the address'],
])('where somebody has said no, %s is told where to say yes, and the school that it cannot ring', async (_, agent, installed, words) => {
  const browser = new Browser(agent, { installed });
  await turnOn(school.hear);
  expect(school.endpoint).not.toBeNull();
  browser.notification.permission = 'denied';
  browser.asks = 'denied';
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'cannot', words: expect.stringContaining(words) });
  expect(school.endpoint).toBeNull();
  expect(await turnOn(school.hear)).toMatchObject({ is: 'cannot', words: expect.stringContaining(words) });
});

test('who does not answer the question is asked again by a tap, and not refused', async () => {
  const browser = new Browser(ANDROID);
  browser.asks = 'default';
  expect(await turnOn(school.hear)).toMatchObject({ is: 'off', words: expect.stringContaining('choose Allow') });
});

test('without the school nobody knows, and nothing is thrown away', async () => {
  const browser = await rung();
  school.away = true;
  expect(await lookAtAlerts(school.hear)).toMatchObject({ is: 'unknown' });
  expect(browser.its?.endpoint).toBe('https://push/1');
});

test('a test is followed until it is shown, and says its seconds', async () => {
  await rung();
  vi.useFakeTimers();
  const news: (string | undefined)[] = [];
  const testing = testThisPhone(({ test }) => news.push(test?.sent_at ? 'sent' : 'asked'), school.hear);
  await vi.advanceTimersByTimeAsync(1_500);
  school.test!.sent_at = '2026-11-23T08:41:02Z';
  await vi.advanceTimersByTimeAsync(1_000);
  school.test!.shown_at = '2026-11-23T08:41:03Z';
  await vi.advanceTimersByTimeAsync(1_000);
  const { test } = await testing;
  expect(news).toEqual(['asked', 'asked', 'sent']);
  expect(outcome(test!, Date.parse('2026-11-23T08:41:04Z'))).toMatch(/^Sent \d\d:41:02, shown \d\d:41:03\.$/);
});

test('a test that is never shown is no success', async () => {
  await rung();
  vi.useFakeTimers();
  const testing = testThisPhone(() => {}, school.hear);
  await vi.advanceTimersByTimeAsync(31_000);
  const late = Date.parse('2026-11-23T08:42:00Z');
  const { test } = await testing;
  expect(outcome(test!, late)).toContain('and not sent.');
  expect(outcome({ ...test!, sent_at: test!.asked_at }, late)).toContain('not shown. Is the phone set not to disturb');
  expect(outcome({ ...test!, failed: 'its push service did not answer' }, late)).toContain('not sent: its push service did not answer.');
});

// ── Signing out ────────────────────────────────────────────────────────────────────────────

test('whoever signs out is rung no more; where that fails they are rung as before', async () => {
  const browser = await rung();
  await expect(silence(() => Promise.reject(new Error('storage')), school.hear)).rejects.toThrow('storage');
  await vi.waitFor(() => expect(school.endpoint).toBe('https://push/2'));
  expect(browser.its?.endpoint).toBe('https://push/2');
  await silence(async () => {}, school.hear);
  expect(browser.its).toBeNull();
});
