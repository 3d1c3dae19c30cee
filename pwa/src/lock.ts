// Locking: by a tap, when nobody has touched the phone for a while, or when it was put away. All tabs lock together.
//
// A locked page is a page loaded again: the one before took the key and everybody's names with it.

import { render } from 'preact';
import { isPast } from './local/clock';
import { allWritten, keep, notOnDisk } from './local/drafts';
import { hasArrived, me, mine, myDisk, standing, watchMe } from './local/session';
import { setting, type Settings } from './local/stores';
import { lookAt } from './local/vault';

const LOOK_EVERY_MS = 2_000;
/** What time it is, is kept now and then: a clock set back later gains no more than this. */
const KEEP_TIME_EVERY_MS = 60_000;
/** What is on its way to the disk is waited for, but not for ever: it is blanked meanwhile. */
const PATIENCE_MS = 1_500;
const LONGEST_MS = 15_000; // for what was typed
const AT_FIRST: Settings['locks'] = { hidden_s: 60, idle_s: 180 };

/** When somebody last touched any tab of this phone, and when one was last in sight. Times, and nothing else, are kept in the clear. */
const TOUCHED = 'lanyard.touched';
const SEEN = 'lanyard.seen';

let locks = AT_FIRST;
let channel: BroadcastChannel | null = null;
let isLocking = false;
const remembered = new Map<string, number>(); // where the browser keeps nothing

/** Call it once. */
export function keepWatch(): void {
  channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('lanyard lock');
  if (channel) channel.onmessage = () => void hear();
  for (const touch of ['pointerdown', 'keydown', 'input', 'wheel', 'touchmove']) addEventListener(touch, () => remember(TOUCHED), { passive: true, capture: true });
  document.addEventListener('visibilitychange', () => {
    document.documentElement.toggleAttribute('data-blank', document.hidden && standing() === 'open'); // nothing is left for the list of open apps to show
    look();
  });
  addEventListener('pageshow', look);
  setInterval(look, LOOK_EVERY_MS);
  watchMe(begin);
  begin();
}

/** Another tab has locked; or somebody has chosen a PIN there, and this one still asks for a password. */
function hear(): void {
  if (standing() === 'open') void lock();
  else if (standing() === 'new' && !hasArrived()) location.reload();
}

/** All tabs of this phone, at once. */
export async function lockNow(): Promise<void> {
  lockOthers();
  await lock();
}

/** The key has changed: they hold the one before. */
export const lockOthers = (): void => channel?.postMessage('lock');

export async function lock(): Promise<void> {
  if (isLocking) return;
  isLocking = true;
  document.documentElement.toggleAttribute('data-blank', true);
  const app = document.getElementById('app')!;
  app.inert = true; // nothing is typed from now on
  await Promise.race([settled(), pause(PATIENCE_MS)]);
  const begun = performance.now();
  while (me() && notOnDisk().length > 0 && performance.now() - begun < LONGEST_MS) await Promise.all([Promise.race([Promise.allSettled(notOnDisk().map(keep)), pause(PATIENCE_MS)]), pause(100)]);
  render(null, app);
  location.reload();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function settled(): Promise<void> {
  await allWritten();
  if (me()) await mine().settled();
}

let wasOpen = false;

function begin(): void {
  const isOpen = standing() === 'open';
  if (isOpen) void mine().reading(['settings'], (tx) => setting(tx, 'locks')).then((kept) => (locks = kept ?? AT_FIRST), () => {});
  if (isOpen && !wasOpen) remember(TOUCHED), remember(SEEN);
  wasOpen = isOpen;
}

let wasHidden = false;

/** A clock that jumps, either way, locks: it is only a PIN. */
function look(): void {
  keepTime();
  if (standing() !== 'open') return;
  const wasAway = document.hidden || wasHidden;
  wasHidden = document.hidden;
  if (isPast(recalled(TOUCHED), locks.idle_s * 1_000) || (wasAway && isPast(recalled(SEEN), locks.hidden_s * 1_000))) return void lockNow();
  if (!document.hidden) remember(SEEN);
}

let timeKept = 0;

/** And a lease that is over ends, whether the phone is open or not. */
function keepTime(): void {
  const disk = myDisk();
  if (!disk || !isPast(timeKept, KEEP_TIME_EVERY_MS)) return;
  timeKept = Date.now();
  void lookAt(disk).catch(() => {});
}

function remember(what: string): void {
  if (isLocking) return;
  remembered.set(what, Date.now());
  try {
    localStorage.setItem(what, String(Date.now()));
  } catch {
    // No room, or storage is off: this tab remembers it for itself.
  }
}

function recalled(what: string): number {
  try {
    return Number(localStorage.getItem(what)) || remembered.get(what) || 0;
  } catch {
    return remembered.get(what) ?? 0;
  }
}
