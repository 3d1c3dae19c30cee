// A hook for screens that show what the phone holds. Lists listen; forms never do.

import { useEffect, useState } from 'preact/hooks';
import { follow, type Local } from './reading';
import { peopleKnown, watchPeople } from './people';
import { isStillMe, me, resume, watchMe, type Me } from './session';
import { shared } from './stores';

export { local, type Local } from './reading';

/** Opens what this phone holds for whoever was signed in last. Call it once, after the first frame is painted. */
export async function open(): Promise<Me | null> {
  const known = await resume();
  followOtherTabs();
  return known;
}

/** Somebody else signed in, or this person out, in another tab: this one must not go on under a name that is not theirs. */
function followOtherTabs(): void {
  shared.listen(async (_, elsewhere) => {
    if (elsewhere && !(await isStillMe())) location.reload();
  });
}

/** Whoever is signed in now, in a screen that follows it. */
export function useMe(): Me | null {
  const [known, setKnown] = useState(me());
  useEffect(() => watchMe(() => setKnown(me())), []);
  return known;
}

/** How many people are known; a screen that shows names draws itself again when they have been read. */
export function usePeople(): number {
  const [known, setKnown] = useState(0);
  const [, redraw] = useState({});
  useEffect(() => {
    const tell = () => (setKnown(peopleKnown()), redraw({}));
    tell();
    return watchPeople(tell);
  }, []);
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
