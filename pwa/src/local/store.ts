// A hook for screens that show what the phone holds. Lists listen; forms never do.

import { useEffect, useState } from 'preact/hooks';
import type { Names } from './database';
import { peopleKnown, peopleReady, watchPeople } from './people';
import { followOtherTabs, me, mine, resume, watchMe, type Me } from './session';
import type { MyReading, Theirs } from './stores';

/** What a query may read; it notes which stores were read, so that the screen follows them. */
export type Local = {
  me: Me | null;
  read<T>(stores: Names<Theirs>, work: (tx: MyReading) => Promise<T>): Promise<T>;
};

/** For reading once, without following. */
export const local: Local = {
  get me() {
    return me();
  },
  read: (stores, work) => mine().reading(stores, work),
};

/** Opens what this phone holds for whoever was signed in last. Call it once, after the first frame is painted. */
export async function open(): Promise<Me | null> {
  const known = await resume();
  followOtherTabs();
  await peopleReady();
  return known;
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

/** Never two at a time, and never one too few: a change while a query runs has it run once more. */
export function follow<T>(query: (local: Local) => Promise<T> | T, tell: (answer: T) => void): () => void {
  let over = false;
  let running = false;
  let stale = false;
  const read = new Set<string>();
  const noting: Local = {
    get me() {
      return me();
    },
    read: (stores, work) => {
      for (const store of stores) read.add(store);
      return mine().reading(stores, work);
    },
  };

  async function run(): Promise<void> {
    if (running || over) return void (stale = true);
    running = true;
    do {
      stale = false;
      try {
        if (!me()) break;
        const answer = await query(noting);
        if (!over) tell(answer);
      } catch (error) {
        if (me()) console.error(error); // Signed out while it ran: there is nothing to show, and nobody to show it to.
      }
    } while (stale && !over);
    running = false;
  }

  let unfollow = () => {};
  const listen = () => {
    unfollow();
    unfollow = me() ? mine().listen((stores) => (read.size === 0 || stores.some((store) => read.has(store))) && void run()) : () => {};
    void run();
  };
  const unwatch = watchMe(listen);
  listen();
  return () => {
    over = true;
    unfollow();
    unwatch();
  };
}
