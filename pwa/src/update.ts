// A new version of the app: it waits until the person says so, or until the app is started afresh. The worker itself is one
// file with a list in it; it changes whenever any file of the app does.

import { useEffect, useState } from 'preact/hooks';

const WORKER = '/service-worker.js';
const LOOK_EVERY_MS = 60 * 60_000;
const ANSWERS_WITHIN_MS = 1_000;
/** Held, shared, by every tab with a form that has something in it. */
const FORM_IS_OPEN = 'lanyard form is open';
const FORM_IS_OPEN_ELSEWHERE = 'Something is being written, here or in another tab. Save it first, then update.';

let registration: ServiceWorkerRegistration | undefined;
let ready = false;
const watchers = new Set<(ready: boolean) => void>();

/** Installs the worker that keeps the app's own files. Call it once. */
export function installWorker(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  navigator.serviceWorker.register(address(WORKER), { updateViaCache: 'none' }).then(watch, () => {
    // No room, or a browser that forbids it: the app works, but only with signal.
  });
}

/** Where the browser checks what may become a script, this is the one string that may. */
function address(path: string): string {
  const { trustedTypes } = window as { trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } } };
  const policy = trustedTypes?.createPolicy('lanyard', {
    createScriptURL(url) {
      if (url !== WORKER) throw new TypeError(`${url} is no script of ours`);
      return url;
    },
  });
  return policy?.createScriptURL(path) ?? path;
}

function watch(installed: ServiceWorkerRegistration): void {
  registration = installed;
  tell();
  installed.addEventListener('updatefound', () => installed.installing?.addEventListener('statechange', tell));
  const look = () => void (!document.hidden && installed.update().catch(() => {}));
  document.addEventListener('visibilitychange', look);
  setInterval(look, LOOK_EVERY_MS);
}

/** The first worker of all is no update: there is nothing older running. */
function tell(): void {
  ready = Boolean(registration?.waiting && navigator.serviceWorker.controller);
  for (const watcher of watchers) watcher(ready);
}

/** True when a new version lies ready. */
export function useUpdate(): boolean {
  const [known, setKnown] = useState(ready);
  useEffect(() => {
    watchers.add(setKnown);
    setKnown(ready);
    return () => void watchers.delete(setKnown);
  }, []);
  return known;
}

/** Starts the new version and loads this page again. Answers why not, in words, when a form is open anywhere. */
export async function takeUpdate(): Promise<string | null> {
  if (await formIsOpen()) return FORM_IS_OPEN_ELSEWHERE;
  const { waiting, active } = registration ?? {};
  if (!waiting) return tell(), null;
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  if (active) await awake(active);
  waiting.postMessage('take over');
  return null;
}

/** The worker that is there steps aside, or the browser waits for whatever it has begun. It runs then: of one that is just starting Chromium does not ask to end. */
function awake(active: ServiceWorker): Promise<unknown> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((resolve) => (port1.onmessage = resolve));
  active.postMessage('step aside', [port2]);
  return Promise.race([answer, new Promise((resolve) => setTimeout(resolve, ANSWERS_WITHIN_MS))]);
}

async function formIsOpen(): Promise<boolean> {
  if (!navigator.locks) return held > 0;
  const { held: locks = [] } = await navigator.locks.query();
  return locks.some(({ name }) => name === FORM_IS_OPEN);
}

let held = 0;

/** While a form has something unsaved in it, no update starts in any tab. Call the answer when it is closed. */
export function holdUpdates(): () => void {
  held++;
  let letGo = () => {};
  const until = new Promise<void>((resolve) => (letGo = resolve));
  navigator.locks?.request(FORM_IS_OPEN, { mode: 'shared' }, () => until).catch(() => {});
  return () => {
    if (letGo !== NOTHING) held--;
    letGo();
    letGo = NOTHING;
  };
}

const NOTHING = () => {};
