// Reading what this phone holds, once or whenever it changes.

import { me, mine, watchMe, type Me } from './session';
import type { Names } from './shelves';
import type { MyReading } from './stores';

/** What a query may read; it notes which stores were read, so that the screen follows them. */
export type Local = {
  me: Me | null;
  read<T>(stores: Names, work: (tx: MyReading) => Promise<T> | T): Promise<T>;
};

/** For reading once, without following. */
export const local: Local = {
  get me() {
    return me();
  },
  read: (stores, work) => mine().reading(stores, work),
};

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
