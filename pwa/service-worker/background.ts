// Sending with the app closed, where the browser wakes the worker for it.

import { exchangeForEverybody } from '../src/exchange/everybody';
import { resume } from '../src/local/session';
import { ask } from '../src/school';

declare const self: ServiceWorkerGlobalScope;
declare const BUILD: string;

/** An open page does it itself, and shows it. Throws while something is in the way, so that the browser comes back. */
export async function exchangeInBackground(): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window' });
  if (pages.length > 0) return pages[0]!.postMessage('exchange');
  await resume();
  const ended = await exchangeForEverybody(ask, BUILD);
  if (ended?.trouble) throw new Error(ended.trouble);
}
