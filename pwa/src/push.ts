// Alerts: whether the school can ring this phone, turning that on, and seeing at every open that it still can.

import { askAsMe } from './as-me';
import { toBytes, toText } from './local/bytes';
import { isApple, isInstalled } from './screens/install';
import { refusal, type Ask, type Heard } from './school';
import type { PushCard, TestCard } from './wire';

/** `cannot`: not on this device, or not as it is set; the words say what to do. `unknown`: the school was not reached. */
export type Ringing = { is: 'on' | 'off' | 'cannot' | 'unknown'; words: string; test: TestCard | null };

const SUBSCRIBES_WITHIN_MS = 20_000; // a browser whose push service does not answer keeps the promise pending for ever
const ENDS_WITHIN_MS = 1_500; // nobody who signs out is kept waiting
const LOOK_EVERY_MS = 1_000;
const SHOWN_WITHIN_MS = 30_000;

const ON = 'The school can ring this phone.';
const OFF = 'Alerts are off on this phone.';
const AWAY = 'The school cannot be reached, so nobody knows just now whether it can ring this phone.';
const SLOW = 'The service that rings this browser does not answer. School Wi-Fi may be in its way: try again on mobile data.';
const BROKEN = 'This browser could not do it just now. Close Lanyard, open it again and try once more.';
const PRIVATE = 'This browser does not let itself be rung. A private window never does: open Lanyard in an ordinary one.';

/** How a browser says no of its own accord, whatever its person has allowed. */
const REFUSED = new Set(['NotAllowedError', 'SecurityError', 'AbortError']);

class Cannot extends Error {}

// ── At every open ──────────────────────────────────────────────────────────────────────────

/** Compares what this browser has with what the school knows, and mends it: changed, gone, made under an old key. */
export async function lookAtAlerts(school: Ask = askAsMe): Promise<Ringing> {
  return await said(async () => {
    const device = problemHere();
    if (device) return cannot(device);
    const its = await existing();
    if (Notification.permission !== 'granted') return await withoutLeave(school);
    const card = its ? await tell(school, its) : await asked(school);
    if (!its && !card.endpoint) return { is: 'off', words: OFF, test: card.test };
    return on(its && isGood(its, card) ? card : await renew(school, its, card));
  });
}

/** Call it once, when somebody has unlocked: looks now, and whenever the app is looked at again and it was not known. */
export function keepRinging(): () => void {
  let known = false;
  const look = () => void (!document.hidden && !known && lookAtAlerts().then(({ is }) => (known = is !== 'unknown')));
  look();
  addEventListener('online', look);
  document.addEventListener('visibilitychange', look);
  return () => {
    removeEventListener('online', look);
    document.removeEventListener('visibilitychange', look);
  };
}

/** The school must not think that it rings a phone which may not say a word. */
async function withoutLeave(school: Ask): Promise<Ringing> {
  const card = await asked(school);
  if (card.endpoint) await school('/api/push', { method: 'DELETE' });
  return Notification.permission === 'denied' ? cannot(howToAllow()) : { is: 'off', words: OFF, test: null };
}

// ── From a tap ─────────────────────────────────────────────────────────────────────────────

export async function turnOn(school: Ask = askAsMe): Promise<Ringing> {
  return await said(async () => {
    const device = problemHere();
    if (device) return cannot(device);
    const answer = await Notification.requestPermission();
    if (answer === 'denied') return cannot(howToAllow());
    if (answer !== 'granted') return { is: 'off', words: 'You were asked and have not said yes. Tap again, and choose Allow.', test: null };
    return on(await renew(school, await existing(), await asked(school)));
  });
}

/** A real one, by the way that every alert takes. `news` hears how far it has come. */
export async function testThisPhone(news: (ringing: Ringing) => void, school: Ask = askAsMe): Promise<Ringing> {
  return await said(async () => {
    const began = Date.now();
    let card = read(await school('/api/push/test', { method: 'POST', json: {} }));
    const id = card.test?.id;
    while (!card.test?.shown_at && Date.now() - began < SHOWN_WITHIN_MS) {
      news(on(card));
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      card = await asked(school);
      if (card.test?.id !== id || !card.endpoint) break; // another was asked for, or its push service says that it is gone
    }
    return card.endpoint ? on(card) : await lookAtAlerts(school);
  });
}

/** What a test came to, with its seconds: *Sent 08:41:02, shown 08:41:03*. */
export function outcome({ sent_at, shown_at, asked_at, failed }: TestCard, now: number): string {
  if (sent_at && shown_at) return `Sent ${second(sent_at)}, shown ${second(shown_at)}.`;
  if (failed && !sent_at) return `Asked for at ${second(asked_at)}, not sent: ${failed}.`;
  const late = now - Date.parse(asked_at) > SHOWN_WITHIN_MS;
  if (!sent_at) return late ? `Asked for at ${second(asked_at)}, and not sent.` : 'Sending a test.';
  return late ? `Sent ${second(sent_at)}, not shown. Is the phone set not to disturb, or to save its battery? Change that, then test again.` : `Sent ${second(sent_at)}. Waiting for it to be shown.`;
}

const second = (at: string): string => new Date(at).toLocaleTimeString('en-GB');

/** Before somebody signs out: nobody rings them here any more, also where the school cannot be told. Where that fails, they are rung as before. */
export async function silence(signOut: () => Promise<void>, school?: Ask): Promise<void> {
  const ended = existing().then((its) => its?.unsubscribe(), () => {});
  await Promise.race([ended.catch(() => {}), new Promise((resolve) => setTimeout(resolve, ENDS_WITHIN_MS))]);
  await signOut().catch((why) => {
    void lookAtAlerts(school);
    throw why;
  });
}

// ── The browser ────────────────────────────────────────────────────────────────────────────

/** Why this browser cannot be rung at all, and what to do on this very device. */
function problemHere(): string | null {
  if ('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window) return null;
  if (!isApple()) return 'This browser cannot be rung. Open Lanyard in Chrome, Edge or Firefox, not in a private window.';
  return isInstalled()
    ? 'This iPhone or iPad is too old to be rung: it needs iOS 16.4 or later. Look in Settings, General, Software Update.'
    : 'An iPhone or iPad is rung only from the home screen. Tap Share, then Add to Home Screen, open Lanyard from there, and turn alerts on.';
}

function howToAllow(): string {
  const agent = navigator.userAgent;
  const then = 'Then come back here.';
  if (isApple()) return `Notifications are switched off for Lanyard. Open Settings, Notifications, Lanyard, and turn on Allow Notifications. ${then}`;
  if (agent.includes('Android') && isInstalled()) return `Notifications are blocked for Lanyard. Hold its icon, tap App info, then Notifications, and allow them. ${then}`;
  if (agent.includes('Android')) return `Notifications are blocked for this page. Tap the sign left of the address, then Permissions, Notifications, Allow. ${then}`;
  return `Notifications are blocked for this page. Click the sign left of the address and allow them. ${then}`;
}

const registered = () => inTime(navigator.serviceWorker.ready);

const existing = async (): Promise<PushSubscription | null> => await inTime((await registered()).pushManager.getSubscription());

const keyOf = ({ options }: PushSubscription): string => (options.applicationServerKey ? toText(new Uint8Array(options.applicationServerKey)) : '');

const isGood = (its: PushSubscription, card: PushCard): boolean => card.endpoint === its.endpoint && keyOf(its) === card.key;

/** Under the school's key of today; the old one first, for a browser has no two. */
async function renew(school: Ask, old: PushSubscription | null, card: PushCard): Promise<PushCard> {
  if (old) {
    const known = await tell(school, old);
    if (isGood(old, known)) return known;
    await inTime(old.unsubscribe());
  }
  const { pushManager } = await registered();
  const its = await inTime(pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: toBytes(card.key) }));
  const kept = await tell(school, its);
  if (kept.endpoint !== its.endpoint) throw new Cannot(kept.why ? `The school could not keep it: ${kept.why}. Try again.` : SLOW);
  return kept;
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Cannot(SLOW)), SUBSCRIBES_WITHIN_MS));
  return await Promise.race([answer, late]);
}

// ── The school ─────────────────────────────────────────────────────────────────────────────

const asked = async (school: Ask): Promise<PushCard> => read(await school('/api/push'));

async function tell(school: Ask, its: PushSubscription): Promise<PushCard> {
  const { endpoint, keys } = its.toJSON();
  return read(await school('/api/push', { method: 'PUT', json: { endpoint, public: keys?.p256dh, secret: keys?.auth, key: keyOf(its) } }));
}

class Away extends Error {}

function read(heard: Heard): PushCard {
  if (heard.heard === 'not heard') throw new Away(AWAY);
  if (heard.status === 401) throw new Away('Sign in again: then the school can say whether it rings this phone.');
  if (heard.status !== 200) throw new Cannot(refusal(heard.json).words ?? 'The school could not do it just now. Try again.');
  return heard.json as PushCard;
}

// ── In words ───────────────────────────────────────────────────────────────────────────────

const on = ({ test }: PushCard): Ringing => ({ is: 'on', words: ON, test });
const cannot = (words: string): Ringing => ({ is: 'cannot', words, test: null });

async function said(work: () => Promise<Ringing>): Promise<Ringing> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Away) return { is: 'unknown', words: error.message, test: null };
    if (error instanceof Cannot) return cannot(error.message);
    return cannot(REFUSED.has((error as Error | null)?.name ?? '') ? PRIVATE : BROKEN);
  }
}
