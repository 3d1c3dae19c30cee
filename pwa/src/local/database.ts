// One IndexedDB of this phone: opened when needed, opened again when the browser loses it, and never called saved before it is.

import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames } from 'idb';
import { CLOSED, FULL, NotSaved, SILENT, StorageTrouble, UNREADABLE, UPDATED } from './trouble';

/** Opening, and each transaction, must answer within this: some phones never call back after a long sleep. A slow one that goes on answering has as long as it needs. */
const ANSWER_MS = 8_000;
/** How long to wait before opening again after the connection was lost. */
const PAUSES_MS = [0, 100, 500, 2_000];

/** One step of the schema. Steps are only ever added at the end; none may touch what a person wrote but to carry it over. */
export type Step<Schema extends DBSchema> = (
  db: IDBPDatabase<Schema>,
  tx: IDBPTransaction<Schema, StoreNames<Schema>[], 'versionchange'>,
) => void | Promise<void>;

export type Names<Schema extends DBSchema> = StoreNames<Schema>[];
export type Reading<Schema extends DBSchema> = IDBPTransaction<Schema, Names<Schema>, 'readonly'>;
export type Writing<Schema extends DBSchema> = IDBPTransaction<Schema, Names<Schema>, 'readwrite'>;

/** Told which stores were written to, and whether it was elsewhere: in another tab, or the worker. */
export type Listener = (stores: readonly string[], elsewhere: boolean) => void;

export class Database<Schema extends DBSchema> {
  #opened: Promise<IDBPDatabase<Schema>> | null = null;
  #listeners = new Set<Listener>();
  #tabs: BroadcastChannel | null = null;
  #isClosed = false;

  constructor(
    readonly name: string,
    private readonly steps: readonly Step<Schema>[],
  ) {}

  /** Reads in one snapshot. `work` may await nothing but this transaction's own requests; where they are many, it says when one was answered. */
  reading<T>(stores: Names<Schema>, work: (tx: Reading<Schema>, heard: () => void) => Promise<T>): Promise<T> {
    return this.#trying(UNREADABLE, StorageTrouble, async () => {
      const db = await this.#open();
      return await inTime((heard) => work(underWay(db.transaction(stores, 'readonly')), heard));
    });
  }

  /**
   * All of `work` or none of it, and on the disk once this resolves; NotSaved, in words, otherwise. `work` may be run
   * again after a lost connection, also when its first run did get saved: it must then change nothing more. Whoever listens
   * is told of all the stores, or only of those that `told` says when it is done.
   */
  async writing<T>(stores: Names<Schema>, work: (tx: Writing<Schema>) => Promise<T>, told = (_: T): readonly string[] => stores as string[]): Promise<T> {
    const answer = await this.#trying(SILENT, NotSaved, () => this.#written(stores, work));
    this.announce(told(answer));
    return answer;
  }

  async #written<T>(stores: Names<Schema>, work: (tx: Writing<Schema>) => Promise<T>): Promise<T> {
    const db = await this.#open();
    const tx = underWay(db.transaction(stores, 'readwrite', { durability: 'strict' })) as Writing<Schema>;
    // A request's success comes before a quota can still abort the whole; only `complete` is a promise.
    const complete = inTime(() => tx.done);
    complete.catch(() => {});
    try {
      const answer = await inTime(() => work(tx));
      await complete;
      return answer;
    } catch (error) {
      abort(tx);
      throw tx.error ?? error;
    }
  }

  /** Called after every change, by whichever tab or worker. */
  listen(listener: Listener): () => void {
    this.#channel();
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For good: whatever is still on its way to it fails, and is not kept. */
  close(): void {
    this.#isClosed = true;
    this.#forget();
    this.#tabs?.close();
    this.#tabs = null;
  }

  async #trying<T>(words: string, Trouble: typeof StorageTrouble, attempt: () => Promise<T>): Promise<T> {
    for (const pause of PAUSES_MS) {
      if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      await putAside;
      try {
        return await attempt();
      } catch (error) {
        if (nameOf(error) === 'QuotaExceededError') throw new Trouble(FULL, { cause: error });
        if (nameOf(error) === 'VersionError') throw new Trouble(UPDATED, { cause: error });
        if (!LOST.has(nameOf(error))) throw error;
        this.#forget();
      }
    }
    throw new Trouble(words);
  }

  #open(): Promise<IDBPDatabase<Schema>> {
    if (this.#isClosed) return Promise.reject(new StorageTrouble(CLOSED));
    this.#opened ??= inTime(() =>
      openDB<Schema>(this.name, this.steps.length, {
        upgrade: async (db, from, _to, tx) => {
          try {
            for (const step of this.steps.slice(from)) await step(db, tx);
          } catch {
            tx.done.catch(() => {});
            abort(tx); // half a schema would be taken for the whole; the opening then fails, and is tried again
          }
        },
        // A newer version in another tab wants to change the schema: it must not wait for us.
        blocking: () => this.#forget(),
        terminated: () => this.#forget(),
      }),
    );
    return this.#opened;
  }

  #forget(): void {
    this.#opened?.then((db) => db.close()).catch(() => {});
    this.#opened = null;
  }

  /** Tells every open page, this one included, that something has changed. */
  announce(stores: readonly string[]): void {
    if (stores.length === 0) return;
    this.#channel()?.postMessage(stores);
    for (const listener of this.#listeners) listener(stores, false);
  }

  #channel(): BroadcastChannel | null {
    if (this.#tabs || this.#isClosed || typeof BroadcastChannel === 'undefined') return this.#tabs;
    this.#tabs = new BroadcastChannel(this.name);
    this.#tabs.onmessage = ({ data }) => this.#listeners.forEach((listener) => listener(data, true));
    return this.#tabs;
  }
}

/** How browsers say that a connection is gone; TimeoutError is ours, for callbacks that never come. */
const LOST = new Set(['InvalidStateError', 'UnknownError', 'TimeoutError', 'AbortError']);

const nameOf = (error: unknown): string => (error as Error | null)?.name ?? '';

async function inTime<T>(work: (heard: () => void) => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let late = (_: DOMException): void => {};
  const silence = new Promise<never>((_, reject) => (late = reject));
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => late(new DOMException('The storage did not answer', 'TimeoutError')), ANSWER_MS);
  };
  heard();
  try {
    return await Promise.race([work(heard), silence]);
  } finally {
    clearTimeout(timer);
  }
}

// A page that the browser puts aside, to bring it back at a tap of Back, stops between any two steps; and every other page would
// wait for the transaction it was in. So none is left open: what was on its way is done when the page comes back.

const open = new Set<{ abort(): void }>();
let putAside: Promise<void> | null = null;

// The worker, which has no page, is never told.
if ('document' in globalThis) {
  addEventListener('pagehide', (event) => {
    if (!(event as { persisted?: boolean }).persisted) return;
    putAside ??= new Promise((resolve) => addEventListener('pageshow', () => ((putAside = null), resolve()), { once: true }));
    open.forEach(abort);
  });
}

function underWay<Transaction extends { abort(): void; done: Promise<void> }>(tx: Transaction): Transaction {
  open.add(tx);
  tx.done.catch(() => {}).finally(() => open.delete(tx));
  return tx;
}

function abort(tx: { abort(): void }): void {
  try {
    tx.abort();
  } catch {
    // Already aborted or done.
  }
}
