// The worker's last version, which a school can serve in place of it if one should ever misbehave: it removes itself and the
// app's kept files, so that the next load comes from the school. What people wrote is elsewhere, and stays.

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('install', (event) => event.waitUntil(self.skipWaiting()));
self.addEventListener('activate', (event) => event.waitUntil(leave()));

async function leave(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('lanyard ')).map((name) => caches.delete(name)));
  await self.registration.unregister();
}

export {};
