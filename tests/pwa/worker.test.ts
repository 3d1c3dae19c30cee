// The worker makes way for the next version at once, whatever it is doing in the background, and none of that is lost.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const WORKER = '../../pwa/service-worker/worker.ts';
const PICTURES = ['icon', 'badge', 'image'];
const MARKS = { alert: 'a1', token: 't1' };

type Event = { waitUntil(work: Promise<unknown>): void };

let listeners: Record<string, (event: Event & Record<string, unknown>) => void>;
let handed: unknown[];
let shown: string[];
let told: string[];
let fetched: string[];

beforeEach(async () => {
  [listeners, handed, shown, told] = [{}, [], [], []];
  const registration = { waiting: { postMessage: (said: unknown) => handed.push(said) }, showNotification: async (title: string, options: object) => (shown.push(title), (fetched = PICTURES.filter((picture) => picture in options))) };
  vi.stubGlobal('self', { addEventListener: (name: string, listener: () => void) => (listeners[name] = listener), registration, location: { origin: 'https://school' }, clients: { matchAll: async () => [] } });
  vi.stubGlobal('SHELL', { build: 'x', files: [] });
  vi.stubGlobal('BUILD', 'x');
  vi.stubGlobal('caches', { open: async () => ({ match: async () => undefined, addAll: async () => {} }) });
  vi.stubGlobal('fetch', (path: string) => (told.push(path), new Promise(() => {}))); // a school that takes the call and says nothing
  vi.resetModules();
  await import(WORKER);
});

afterEach(() => vi.unstubAllGlobals());

/** What the browser waits for, before it may let the worker go. */
function dispatch(name: string, event: object): Promise<unknown> {
  let work: Promise<unknown> = Promise.resolve();
  listeners[name]!({ waitUntil: (given: Promise<unknown>) => (work = given), respondWith: (given: Promise<unknown>) => (work = given), ...event } as never);
  return work;
}

const push = () => dispatch('push', { data: { json: () => ({ notification: { title: 'Help', data: MARKS } }) } });

test('an alert that is being told is shown, and told by the next version', async () => {
  const telling = push();
  await vi.waitFor(() => expect(told).toHaveLength(1));
  const answered: unknown[] = [];
  dispatch('message', { data: 'step aside', ports: [{ postMessage: (said: unknown) => answered.push(said) }] });
  await telling;
  expect(answered).toHaveLength(1);
  expect([shown, handed]).toEqual([['Help'], [{ marks: MARKS, what: 'shown' }]]);
});

test('an alert is shown with nothing that has to be fetched before', async () => {
  void push();
  await vi.waitFor(() => expect(told).toHaveLength(1));
  expect([shown, fetched]).toEqual([['Help'], []]);
});

test('what is handed on is told', async () => {
  vi.stubGlobal('fetch', async (path: string) => (told.push(path), new Response()));
  await dispatch('message', { data: { marks: MARKS, what: 'shown' } });
  expect(told).toEqual(['/api/alerts/a1']);
});

test('a file that the school is slow with, and what is sent in the background, hold it no longer; the browser comes back for that', async () => {
  vi.stubGlobal('indexedDB', { open: () => ({ addEventListener: () => {} }) }); // never opens
  const work = [dispatch('sync', { tag: 'exchange' }), dispatch('fetch', { request: { method: 'GET', mode: 'navigate', url: 'https://school/' } })];
  dispatch('message', { data: 'step aside', ports: [] });
  for (const one of work) await expect(one).rejects.toThrow();
});

test('what is said to the school goes past it, where the browser can be told so', async () => {
  const past: unknown[] = [];
  await dispatch('install', { addRoutes: async (rule: unknown) => past.push(rule) });
  await dispatch('install', {});
  expect(past).toEqual([{ condition: { urlPattern: '/api/*' }, source: 'network' }]);
});
