// A hook for screens that show what the phone holds. Lists listen; forms never do.

import { useEffect, useState } from 'preact/hooks';
import { lock } from '../lock';
import { follow, type Local } from './reading';
import { isStillMe, me, resume, standing, watchMe, type Me, type Standing } from './session';
import { shared } from './stores';

export { local, type Local } from './reading';

/** Finds whoever was signed in last, and whether they have a PIN. Call it once, after the first frame is painted. */
export async function open(): Promise<Standing> {
  const standing = await resume();
  followOtherTabs();
  return standing;
}

/** Where this phone stands: signed out, a PIN to choose, locked, or open. */
export function useStanding(): Standing {
  const [known, setKnown] = useState(standing());
  useEffect(() => {
    const tell = () => setKnown(standing());
    tell();
    return watchMe(tell);
  }, []);
  return known;
}

/** Somebody else signed in, or this person out, in another tab: this one must not go on under a name that is not theirs. */
function followOtherTabs(): void {
  shared.listen(async (_, elsewhere) => {
    if (elsewhere && !(await isStillMe())) await lock();
  });
}

/** Whoever is signed in now, in a screen that follows it. */
export function useMe(): Me | null {
  const [known, setKnown] = useState(me());
  useEffect(() => watchMe(() => setKnown(me())), []);
  return known;
}

/**
 * Undefined until the first answer; asked again whenever a store that it read through `local` has changed, in this tab, another
 * or the worker. A query that reads without `local` is asked again at every change.
 */
export function useLive<T>(query: (local: Local) => Promise<T> | T, deps: readonly unknown[]): T | undefined {
  const [answer, setAnswer] = useState<T>();
  useEffect(() => follow(query, setAnswer), deps as unknown[]);
  return answer;
}
