// Sending with the app closed, where the browser wakes the worker for it.

import { exchangeForEverybody } from '../src/exchange/everybody';
import { resume } from '../src/local/session';
import { ask } from '../src/school';
import { isInside } from './shell';

declare const self: ServiceWorkerGlobalScope;
declare const BUILD: string;

/** A page of ours that is being looked at does it itself, and shows it. Throws while something is in the way: then the browser comes back. */
export async function exchangeInBackground(): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window' });
  const page = pages.find(({ url, visibilityState }) => visibilityState === 'visible' && isInside(url));
  if (page) return page.postMessage('exchange');
  await resume();
  const ended = await exchangeForEverybody(ask, BUILD);
  if (ended?.trouble) throw new Error(ended.trouble);
}
