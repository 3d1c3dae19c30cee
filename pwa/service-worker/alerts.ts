// Showing an alert, whatever it is and whatever fails; telling the school that it was shown, and tapped; opening the right screen.

import { orAside } from './aside';
import { isInside } from './shell';

declare const self: ServiceWorkerGlobalScope;

type Marks = { alert?: string; token?: string; opens?: string; urgent?: boolean };
type What = 'shown' | 'opened';
type Said = { title: string; body: string; tag: string | undefined; marks: Marks };

const ANSWER_WITHIN_MS = 10_000;
const TRIES_AFTER_MS = [0, 2_000, 8_000]; // a phone that has just been rung may still be finding its network
const SOMETHING: Said = { title: 'Lanyard', body: 'Open to see what is new.', tag: undefined, marks: {} };

/**
 * Always shows something: a phone that is rung and shows nothing is not rung any more. No picture: the browser fetches it before it
 * shows anything, and where the line is poor that is a minute and a half.
 */
export async function showAlert(event: PushEvent): Promise<void> {
  const { title, body, tag, marks } = understood(event);
  const loud = { requireInteraction: marks.urgent === true, renotify: tag !== undefined, vibrate: [300, 150, 300] };
  await self.registration.showNotification(title, { body, lang: 'en-GB', data: marks, ...(tag && { tag }), ...loud } as NotificationOptions);
  await tell(marks, 'shown');
}

/** A browser that reads the declared shape itself gives what it would show instead. */
function understood(event: PushEvent): Said {
  try {
    const declared = (event as { notification?: Notification }).notification;
    const said = event.data ? (event.data.json() as { notification: Notification }).notification : declared;
    if (!said?.title) return SOMETHING;
    return { title: said.title, body: said.body ?? '', tag: said.tag || undefined, marks: said.data ?? {} };
  } catch {
    return SOMETHING;
  }
}

/** Somebody tapped it: the screen it is about, in a window that is there, or a new one. Locked, they are there once they have unlocked. */
export async function openAlert(notification: Notification): Promise<void> {
  const marks = (notification.data ?? {}) as Marks;
  notification.close();
  await Promise.all([openScreen(marks.opens ?? '/'), tell(marks, 'opened')]);
}

async function openScreen(opens: string): Promise<void> {
  const address = isInside(new URL(opens, self.location.origin).href) ? opens : '/';
  const pages = (await self.clients.matchAll({ type: 'window', includeUncontrolled: true })).filter(({ url }) => isInside(url));
  const page = pages.find(({ visibilityState }) => visibilityState === 'visible') ?? pages[0];
  try {
    if (!page) throw new Error('none is open');
    await page.focus();
    page.postMessage({ open: address });
  } catch {
    await self.clients.openWindow(address);
  }
}

/** By the alert's own token: whoever holds the phone may not be signed in. */
export const tell = (marks: Marks, what: What): Promise<void> => orAside(tried(marks, what)).catch(() => self.registration.waiting?.postMessage({ marks, what }));

async function tried({ alert, token }: Marks, what: What): Promise<void> {
  if (!alert || !token) return;
  for (const after_ms of TRIES_AFTER_MS) {
    await new Promise((resolve) => setTimeout(resolve, after_ms));
    try {
      const heard = await fetch(`/api/alerts/${encodeURIComponent(alert)}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Lanyard': '1' },
        body: JSON.stringify({ token, what }),
        credentials: 'omit',
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (heard.status < 500) return;
    } catch {
      // no signal: once more
    }
  }
}
