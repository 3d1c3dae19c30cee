// The worker: listeners only.

import { openAlert, showAlert, tell } from './alerts';
import { orAside, stepAside } from './aside';
import { exchangeInBackground } from './background';
import { dropOldShells, fromShell, isOurs, keepShell, letPast } from './shell';

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('install', (event) => event.waitUntil(Promise.all([keepShell(), letPast(event)])));
self.addEventListener('activate', (event) => event.waitUntil(dropOldShells().then(() => self.clients.claim())));
self.addEventListener('fetch', (event) => {
  if (isOurs(event.request)) event.respondWith(fromShell(event.request));
});
self.addEventListener('message', (event) => {
  // Sent only when the person has tapped Update: never under somebody's thumbs.
  if (event.data === 'step aside') stepAside(), event.ports[0]?.postMessage('aside');
  if (event.data === 'take over') event.waitUntil(self.skipWaiting());
  if (event.data.marks) event.waitUntil(tell(event.data.marks, event.data.what));
});
self.addEventListener('push', (event) => event.waitUntil(showAlert(event)));
self.addEventListener('notificationclick', (event) => event.waitUntil(openAlert(event.notification)));
self.addEventListener('sync', (event) => {
  if (event.tag === 'exchange') event.waitUntil(orAside(exchangeInBackground()));
});
