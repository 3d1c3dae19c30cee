// Where the person is: the address bar, read and moved without loading a page.

import { useLayoutEffect, useState } from 'preact/hooks';

export type Address = { path: string; asked: URLSearchParams };

let cameBack = false; // by Back, to a screen that was there before
let moves = 0; // since the app was opened: with none, Back has nowhere of ours to go

const OURS = 'ours';

const here = (): Address => ({ path: location.pathname, asked: new URLSearchParams(location.search) });

export function go(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') moves += 1;
  history[how === 'push' ? 'pushState' : 'replaceState']({ moves }, '', to);
  dispatchEvent(new PopStateEvent('popstate', { state: OURS }));
}

export const isBack = (): boolean => cameBack;

export function back(otherwise = '/'): void {
  if (moves > 0) {
    moves -= 1;
    history.back();
  } else go(otherwise, 'replace');
}

export function useAddress(): Address {
  const [address, setAddress] = useState(here);
  // At once, not after the first paint: an alert may have been tapped already.
  useLayoutEffect(() => {
    const follow = ({ state }: PopStateEvent) => {
      cameBack = state !== OURS;
      setAddress(here());
    };
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  return address;
}

/** A tap on a link of ours moves the app instead of loading a page; every link is a real one all the same. */
export function followLinks(): void {
  history.scrollRestoration = 'manual'; // the browser would scroll the new screen to where the old one was
  addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (link.target || link.origin !== location.origin || link.hasAttribute('download')) return;
    if (/^\/(api|console)(\/|$)/.test(link.pathname)) return;
    event.preventDefault();
    if (link.hash && link.pathname === location.pathname) focusOn(link.hash.slice(1));
    else go(link.pathname + link.search);
  });
}

export function focusOn(id: string): void {
  const found = document.getElementById(id);
  found?.focus({ preventScroll: true });
  found?.scrollIntoView({ block: 'center' });
}
