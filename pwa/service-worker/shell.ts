// Keeping the app's own files, and serving them from this version's cache and no other.

import { orAside } from './aside';

declare const self: ServiceWorkerGlobalScope;

/** Filled in by the build: every file that the app needs with no signal, with the hash it must have. */
declare const SHELL: { build: string; files: { path: string; integrity: string }[] };

const CACHE = `lanyard ${SHELL.build}`;
const KEPT = new Set(SHELL.files.map(({ path }) => path));

/** All of them, each with the hash that the build gave it, or the installation fails and the version before goes on. */
export async function keepShell(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.files.map(({ path, integrity }) => new Request(path, { integrity, cache: 'no-cache' })));
}

/**
 * What is said to the school goes past the worker, where the browser can be told so. Each word of it would wake the worker, and one
 * that is woken while the next version takes over goes on for minutes.
 */
export async function letPast(event: InstallEvent): Promise<void> {
  await event.addRoutes?.({ condition: { urlPattern: '/api/*' }, source: 'network' }).catch(() => {});
}

export async function dropOldShells(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('lanyard ') && name !== CACHE).map((name) => caches.delete(name)));
}

/** Only the app itself: its own files, and the addresses inside it. */
export function isOurs(request: Request): boolean {
  if (request.method !== 'GET' || !isInside(request.url)) return false;
  return request.mode === 'navigate' || KEPT.has(new URL(request.url).pathname);
}

/** Never what the school says, and never the desk. */
export function isInside(url: string): boolean {
  const { origin, pathname } = new URL(url);
  return origin === self.location.origin && !/^\/(api|console|schema)(\/|$)/.test(pathname);
}

/** Every address inside the app is the same page. What the browser has thrown away of the cache comes from the school. */
export async function fromShell(request: Request): Promise<Response> {
  try {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(request.mode === 'navigate' ? '/' : new URL(request.url).pathname);
    if (kept) return kept;
  } catch {
    // The cache itself cannot be opened: the school may still be there.
  }
  return await orAside(fetch(request));
}
