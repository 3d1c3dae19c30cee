// At the door: locked, signing in, choosing a PIN. Everything else is inside, and comes a moment after the first paint.

import { useEffect, useRef, useState } from 'preact/hooks';
import { hasArrived, wasTakenOff } from './local/session';
import { open, useMe, useStanding } from './local/store';
import { followLinks, go, isBack, useAddress, type Address } from './look/address';
import { Announcer } from './look/announce';
import { fetchTheRest, later } from './look/later';
import { Screen } from './look/screen';
import { Locked } from './screens/locked';
import { SignIn } from './screens/sign-in';
import { start } from './sync';

const ChoosePin = later(() => import('./inside').then(({ ChoosePin }) => ChoosePin));
const Pair = later(() => import('./inside').then(({ Pair }) => Pair));
const LockedHelp = later(() => import('./inside').then(({ LockedHelp }) => LockedHelp));
const Inside = later(() => import('./inside').then(({ Inside }) => Inside));

// An alert was tapped. The browser keeps that for a page that is still loading, until its scripts have run once.
navigator.serviceWorker?.addEventListener('message', ({ data }) => void (data?.open && go(data.open)));

export function App() {
  const [ready, setReady] = useState(false);
  const me = useMe();
  const address = useAddress();

  useEffect(() => {
    followLinks();
    // The frame is painted before any store is opened.
    open().finally(() => {
      setReady(true);
      start();
      fetchTheRest();
    });
  }, []);
  useArrival(address.path + (address.asked.get('edit') ?? ''), ready);

  return (
    <>
      {!ready ? <Screen home title="Lanyard">{null}</Screen> : me ? <Inside key={me.id} me={me} address={address} /> : <Door address={address} />}
      <Announcer />
    </>
  );
}

/** Whoever is not inside: locked, or to sign in, or to choose a PIN. The address stays: unlocked, they are where they were. */
function Door({ address: { path, asked } }: { address: Address }) {
  const standing = useStanding();
  const [gone, setGone] = useState<'ten wrong' | 'the school' | 'revoked'>();
  if (standing === 'new' && hasArrived()) return <ChoosePin />;
  if (path === '/pair') return <Pair />;
  if (standing !== 'out' && path === '/help') return <LockedHelp />;
  if (standing === 'locked' && path !== '/sign-in') return <Locked onGone={setGone} />;
  return <SignIn because={asked.has('forgot') ? 'forgot' : (gone ?? (standing === 'new' ? 'no pin' : wasTakenOff() ? 'revoked' : undefined))} />;
}

/** A new screen is read from its top, title first; one that somebody comes back to is where they left it. */
function useArrival(where: string, ready: boolean): void {
  const was = useRef<string | undefined>(undefined);
  const left = useRef(new Map<string, number>());
  // Noted while the screen before is still drawn: the next one may be shorter, and scrolls by itself.
  if (was.current !== undefined && was.current !== where) left.current.set(was.current, scrollY);
  const first = was.current === undefined;
  if (ready) was.current = where;
  useEffect(() => {
    if (!ready) return;
    const frame = requestAnimationFrame(() => {
      scrollTo(0, isBack() ? (left.current.get(where) ?? 0) : 0);
      // Whoever is writing in the new screen already is not to be taken out of it.
      if (!first && !document.activeElement?.closest('input, textarea')) document.getElementById('title')?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [where, ready]);
}
