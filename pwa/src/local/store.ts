// A hook for screens that show what the phone holds. Lists listen; forms never do.

import { useEffect, useState } from 'preact/hooks';
import { me, type Me } from './session';

/** What a query may read; it notes which tables were read, so that the screen follows them. */
export type Local = { me: Me };

/** Opens what this phone holds for whoever is signed in. Call it once, after the first frame is painted. */
export async function open(): Promise<Me | null> {
  return me();
}

/** Undefined until the first answer; asked again whenever what it read has changed, in this tab or another. */
export function useLive<T>(query: (local: Local) => Promise<T> | T, deps: readonly unknown[]): T | undefined {
  const [answer, setAnswer] = useState<T>();
  useEffect(() => {
    const now = me();
    if (now) Promise.resolve(query({ me: now })).then(setAnswer);
  }, deps as unknown[]);
  return answer;
}
