// When to exchange with the school, and what to tell the person about it.

import { useEffect, useState } from 'preact/hooks';
import type { Ended, Trouble } from './exchange/exchange';
import { noteLeft } from './local/evicted';
import { letGo } from './local/outbox';
import { waitingOnDisk } from './local/disk';
import { me, mine, myDisk, standing, watchMe } from './local/session';
import { setting, type Gone } from './local/stores';
import { StorageTrouble } from './local/trouble';
import { ask } from './school';

/** Not needed for the first paint. */
const exchanging = () => import('./exchange/exchanging');

export type Reason = 'start' | 'save' | 'online' | 'visible' | 'hidden' | 'timer' | 'tap' | 'push' | 'hint' | 'retry';

export type Status = {
  state: 'draft' | 'waiting' | 'sending' | 'sent' | 'needs';
  waiting: number;
  oldest: string | null; // when the oldest waiting edit was made
  sending: { done: number; of: number } | null;
  needs: number; // held edits of mine that nobody has settled
  drafts: number;
  lastContact: string | null; // when the school last answered in its own words
  lastSent: string | null; // when it last gave a receipt for something written on this phone
  gone: Gone | null; // what was written here, and nobody has any more
  reached: boolean; // whether it answered the last time it was asked
  problem: string | null; // what is in the way, in words
  signedOut: boolean; // the school no longer knows us: sign in again; nothing is lost
};

const LOOK_EVERY_MS = 60_000;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 5 * 60_000;
const REFERENCE_EVERY_MS = 5 * 60_000;

const WORDS: Record<Trouble, string> = {
  'no signal': 'No signal: the school cannot be reached.',
  'too slow': 'The school did not answer in time.',
  'somebody else': 'This network answers instead of the school. It may want you to sign in to its own page first.',
  garbled: 'The school’s answer did not arrive whole.',
  busy: 'The school is busy. It is tried again by itself.',
  failing: 'Something went wrong at the school. It is tried again by itself.',
  storage: 'Storage full or silent: nothing can be sent until this phone’s own storage answers. Make some room. What is in it stays.',
  unsendable: 'One record cannot be sent yet; all the others have been. It is tried again by itself.',
  'sign in': 'Sign in again to see what is new. What you wrote is safe.',
  revoked: 'The school has taken this phone off its list. What you wrote goes to it closed, and somebody there looks at it before it stands in a record.',
  update: 'Update Lanyard to send. What you wrote is safe on this phone.',
};

// ── When ───────────────────────────────────────────────────────────────────────────────────

let running: Promise<void> | null = null;
let next: Promise<void> | null = null;
let retry_ms = FIRST_RETRY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
let trouble: Trouble | null = null;
let reached = false;
let triedAt = -Infinity;

/** Begins to exchange whenever it may help. Call it once, when somebody is signed in or may be. */
export function start(): void {
  addEventListener('online', () => void syncNow('online'));
  addEventListener('pageshow', () => void syncNow('visible'));
  document.addEventListener('visibilitychange', () => {
    listenForHints();
    void syncNow(document.hidden ? 'hidden' : 'visible');
  });
  addEventListener('pointerdown', () => void (retryIsFarOff() && syncNow('retry')), { passive: true });
  // With something in the way our own timer comes back, ever later; a browser that believes itself online would wake us without end.
  navigator.serviceWorker?.addEventListener('message', ({ data }) => void (data === 'exchange' && !trouble && syncNow('push')));
  watchMe(() => void (whoStands() !== whose && begin()));
  begin();
}

let whose: string | undefined;

const whoStands = (): string => `${myDisk()?.name} ${standing()}`;

function begin(): void {
  whose = whoStands();
  trouble = null;
  retry_ms = FIRST_RETRY_MS;
  follow();
  void syncNow('start');
}

/** Somebody is looking at the phone: no need to sit out the longer pauses. */
const retryIsFarOff = (): boolean => trouble !== null && retry_ms > FIRST_RETRY_MS && performance.now() - triedAt > FIRST_RETRY_MS;

/** Resolves when an exchange that began after the call has ended, well or badly; `status()` says which. */
export function syncNow(reason: Reason): Promise<void> {
  if (reason === 'tap' || reason === 'hidden') letGo();
  if (reason !== 'timer' && reason !== 'hint') retry_ms = FIRST_RETRY_MS;
  if (!running) return (running = run(reason).finally(() => (running = null)));
  // Whoever has just written something must not be told that somebody else is already sending.
  return (next ??= running.then(() => ((next = null), syncNow(reason))));
}

async function run(reason: Reason): Promise<void> {
  clearTimeout(timer);
  triedAt = performance.now();
  let ended: Ended | null = null;
  try {
    const [people] = me() ? await begun() : [];
    ended = await (await exchanging()).exchangeForEverybody(ask, BUILD, count);
    await people;
    trouble = ended?.trouble ?? null;
    reached = ended?.reached ?? false;
    if (ended && !trouble) await refreshWhatIsDue(reason === 'start' || reason === 'tap' || ended.rebuilds > 0);
  } catch (error) {
    const isStorage = error instanceof StorageTrouble; // nothing was sent that is not still here
    if (me() && !isStorage) console.error(error);
    trouble = !me() ? null : isStorage ? 'storage' : 'failing'; // or somebody signed out meanwhile
  }
  sending = null;
  schedule(ended);
  listenForHints();
  await tellAll();
}

/** The first time of all: without kinds there is nothing to show records by, and names should not wait for a term's records. */
async function begun(): Promise<[Promise<boolean>?]> {
  const [school, people] = await mine().reading(['settings'], async (tx) => [await setting(tx, 'school_at'), await setting(tx, 'people')]);
  const { refreshPeople, refreshSchool } = await exchanging();
  if (!school) await refreshSchool(mine(), ask);
  return people ? [] : [refreshPeople(mine(), ask)];
}

async function refreshWhatIsDue(all: boolean): Promise<void> {
  const [schoolAt, people] = await mine().reading(['settings'], async (tx) => [await setting(tx, 'school_at'), await setting(tx, 'people')]);
  const { refreshPeople, refreshSchool } = await exchanging();
  const isDue = (at = 0) => all || Math.abs(Date.now() - at) > REFERENCE_EVERY_MS;
  if (isDue(schoolAt)) await refreshSchool(mine(), ask);
  if (isDue(people?.at)) await refreshPeople(mine(), ask);
}

function schedule(ended: Ended | null): void {
  const wait_ms = trouble ? Math.max(backOff(), (ended?.retryAfter_s ?? 0) * 1_000) : ended?.backIn_ms ? ended.backIn_ms + 50 : LOOK_EVERY_MS;
  clearTimeout(timer);
  if (document.hidden && !ended?.backIn_ms) return void wakeLater();
  timer = setTimeout(() => void (running ?? syncNow('timer')), wait_ms);
  if (trouble) void wakeLater();
}

/** Twice as long each time, and never at the same moment as every other phone of the school. */
function backOff(): number {
  const wait_ms = retry_ms * (0.5 + Math.random());
  retry_ms = Math.min(retry_ms * 2, LAST_RETRY_MS);
  return Math.min(wait_ms, LAST_RETRY_MS);
}

/** Where the browser can, it wakes the worker when there is signal, with the app closed. An extra only. */
async function wakeLater(): Promise<void> {
  if (shown.waiting === 0) return;
  try {
    const worker = (await navigator.serviceWorker?.ready) as (ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } }) | undefined;
    await worker?.sync?.register('exchange');
  } catch {
    // Not allowed, or not known here: the other ways remain.
  }
}

// ── Hints: something moved at the school ─────────────────────────────────────────────────────

let hints: EventSource | null = null;

/** Only while somebody looks and the school can be reached: the browser would go on knocking every three seconds. */
function listenForHints(): void {
  const isWanted = me() !== null && !document.hidden && reached && trouble === null;
  if (isWanted && hints && hints.readyState !== EventSource.CLOSED) return;
  hints?.close();
  hints = isWanted ? new EventSource('/api/live') : null;
  hints?.addEventListener('moved', () => void syncNow('hint'));
}

// ── What to tell ───────────────────────────────────────────────────────────────────────────

const QUIET: Status = {
  state: 'sent',
  waiting: 0,
  oldest: null,
  sending: null,
  needs: 0,
  drafts: 0,
  lastContact: null,
  lastSent: null,
  gone: null,
  reached: false,
  problem: null,
  signedOut: false,
};

let shown = QUIET;
let sending: Status['sending'] = null;
let unfollow = () => {};
const watchers = new Set<(status: Status) => void>();

export const status = (): Status => shown;

export function useStatus(): Status {
  const [known, setKnown] = useState(shown);
  useEffect(() => {
    watchers.add(setKnown);
    setKnown(shown);
    return () => void watchers.delete(setKnown);
  }, []);
  return known;
}

function follow(): void {
  unfollow();
  unfollow = myDisk()?.listen((stores) => void (stores.some((store) => TELLING.has(store)) && tellAll())) ?? (() => {});
  void tellAll();
}

const TELLING = new Set(['edits', 'drafts', 'held_a', 'held_b', 'contact']);

function count(receipts: number, waiting: number): void {
  if (navigator.onLine === false) return; // nothing leaves now, though it is tried: that one word of the browser can be believed
  const done = (sending?.done ?? 0) + receipts;
  sending = done + waiting > 0 ? { done, of: done + waiting } : null;
  void tellAll();
}

let tellings = 0;

async function tellAll(): Promise<void> {
  const telling = ++tellings;
  try {
    const latest = await read();
    if (telling !== tellings) return; // A newer one is on its way.
    shown = latest;
  } catch {
    return; // Signed out meanwhile, or the storage is away: what was shown stays until it is back.
  }
  for (const watcher of watchers) watcher(shown);
}

/** What waits is counted on the disk: it can be told while the phone is locked, and what nobody can read here any more waits too. */
async function read(): Promise<Status> {
  const disk = myDisk();
  if (!disk) return QUIET;
  const { count: waiting, drafts, oldest, phone, number, gone, lastContact, lastSent } = await waitingOnDisk(disk);
  noteLeft(disk.name, { phone, number, waiting, oldest, gone });
  const needs = me() ? (await (await exchanging()).needsMe()).length : 0;
  const isSending = sending !== null && waiting > 0;
  return {
    state: isSending ? 'sending' : waiting > 0 ? 'waiting' : needs > 0 ? 'needs' : 'sent',
    waiting,
    oldest,
    sending: isSending ? sending : null,
    needs,
    drafts,
    lastContact,
    lastSent,
    gone,
    reached,
    problem: trouble ? WORDS[trouble] : null,
    signedOut: trouble === 'sign in',
  };
}
