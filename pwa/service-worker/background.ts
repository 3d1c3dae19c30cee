// Sending with the app closed, where the browser wakes the worker for it: sealed, for the worker can read nothing.

import { sendEverySealed } from '../src/exchange/everybody';
import { settleOwed } from '../src/local/session';
import { ask } from '../src/school';
import { isInside } from './shell';

declare const self: ServiceWorkerGlobalScope;
declare const BUILD: string;

/** A page of ours that is being looked at does it itself, and shows it. Throws while something is in the way: then the browser comes back. */
export async function exchangeInBackground(): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window' });
  const page = pages.find(({ url, visibilityState }) => visibilityState === 'visible' && isInside(url));
  if (page) return page.postMessage('exchange');
  await settleOwed(ask);
  let ended = await sendEverySealed(ask, BUILD);
  if (ended?.backIn_ms) {
    await new Promise((resolve) => setTimeout(resolve, ended!.backIn_ms)); // seconds: somebody may still undo it
    ended = await sendEverySealed(ask, BUILD);
  }
  if (ended?.trouble) throw new Error(ended.trouble);
}
