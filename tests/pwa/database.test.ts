// This phone's own storage: what only looks saved is never called saved, and a lost connection is found again.

import 'fake-indexeddb/auto';
import type { DBSchema } from 'idb';
import { afterEach, expect, test, vi } from 'vitest';
import { Database, type Step } from '../../pwa/src/local/database';
import { FULL, NotSaved, SILENT, UPDATED } from '../../pwa/src/local/trouble';

interface Notes extends DBSchema {
  notes: { key: string; value: { id: string; text: string } };
  more: { key: string; value: string };
}

const first: Step<Notes> = (db) => void db.createObjectStore('notes', { keyPath: 'id' });
const second: Step<Notes> = (db) => void db.createObjectStore('more');

const open: Database<Notes>[] = [];
let names = 0;

function notebook(name = `notebook ${++names}`, steps = [first]): Database<Notes> {
  const db = new Database<Notes>(name, steps);
  open.push(db);
  return db;
}

const write = (db: Database<Notes>, id: string, text = 'x') => db.writing(['notes'], (tx) => tx.objectStore('notes').put({ id, text }));
const read = (db: Database<Notes>) => db.reading(['notes'], async (tx) => (await tx.objectStore('notes').getAll()).map(({ id }) => id));

afterEach(() => {
  for (const db of open.splice(0)) db.close();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('every transaction that writes asks for the disk, not for its cache', async () => {
  const asked = vi.spyOn(IDBDatabase.prototype, 'transaction');
  await write(notebook(), 'a');
  expect(asked.mock.calls.at(-1)).toEqual([['notes'], 'readwrite', { durability: 'strict' }]);
});

test('it is saved when the transaction is complete, and not when the request succeeded', async () => {
  const db = notebook();
  await write(db, 'before');
  let succeeded = false;
  // As a full disk does it: every request succeeds, and then the whole is aborted.
  const saving = db.writing(['notes'], async (tx) => {
    await tx.objectStore('notes').put({ id: 'a', text: 'x' });
    succeeded = true;
    const { transaction } = full(tx as unknown as { objectStore(name: string): unknown; abort(): void });
    transaction.abort();
  });
  await expect(saving).rejects.toThrow(NotSaved);
  await expect(saving).rejects.toThrow(FULL);
  expect(succeeded).toBe(true);
  expect(await read(db)).toEqual(['before']);
});

function full(tx: { objectStore(name: string): unknown; abort(): void }): { transaction: { abort(): void } } {
  Object.defineProperty(tx, 'error', { value: new DOMException('no room', 'QuotaExceededError') });
  return { transaction: tx };
}

test('part of a change is never kept', async () => {
  const db = notebook();
  const failing = db.writing(['notes'], async (tx) => {
    await tx.objectStore('notes').put({ id: 'a', text: 'x' });
    throw new RangeError('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect(await read(db)).toEqual([]);
});

test('a lost connection is opened again, and the change is made once', async () => {
  const db = notebook();
  await write(db, 'a');
  const real = IDBDatabase.prototype.transaction;
  let losses = 2;
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (this: IDBDatabase, ...args) {
    if (losses-- > 0) throw new DOMException('Connection to Indexed Database server lost. Refresh the page to try again', 'UnknownError');
    return real.apply(this, args);
  });
  await write(db, 'b');
  expect(await read(db)).toEqual(['a', 'b']);
});

test('a connection that stays lost is said, in words, and nothing was saved', async () => {
  const db = notebook();
  await write(db, 'a');
  vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(() => {
    throw new DOMException('closing', 'InvalidStateError');
  });
  await expect(write(db, 'b')).rejects.toThrow(SILENT);
  vi.restoreAllMocks();
  expect(await read(db)).toEqual(['a']);
}, 20_000);

test('callbacks that never come end in words, not in a screen that waits for ever', async () => {
  const db = notebook();
  await write(db, 'a');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const saving = db.writing(['notes'], () => new Promise<void>(() => {}));
  const said = expect(saving).rejects.toThrow(SILENT);
  for (let at = 0; at < 8; at++) {
    await vi.advanceTimersByTimeAsync(9_000);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  await said;
});

test('whoever goes on answering has as long as they need', async () => {
  const db = notebook();
  await write(db, 'a');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const reading = db.reading(['notes'], async (tx, heard) => {
    for (let at = 0; at < 5; at++) {
      await tx.objectStore('notes').getAll();
      vi.advanceTimersByTime(5_000);
      heard();
    }
    return 'all';
  });
  expect(await reading).toBe('all');
});

test('a newer version in another tab is not kept waiting, and loses nothing', async () => {
  const db = notebook('updated');
  await write(db, 'a');
  const newer = notebook('updated', [first, second]);
  expect(await read(newer)).toEqual(['a']);
  await expect(write(db, 'b')).rejects.toThrow(UPDATED);
  await write(newer, 'c');
  expect(await read(newer)).toEqual(['a', 'c']);
});

test('everybody who listens is told, in this tab and in others, and not of what did not happen', async () => {
  const [one, other] = [notebook('shared'), notebook('shared')];
  const told: [string, readonly string[], boolean][] = [];
  one.listen((stores, elsewhere) => told.push(['one', stores, elsewhere]));
  other.listen((stores, elsewhere) => told.push(['other', stores, elsewhere]));
  await one.writing(['notes'], () => Promise.reject(new Error('no'))).catch(() => {});
  await write(one, 'a');
  await vi.waitFor(() => expect(told).toHaveLength(2));
  expect(told).toEqual([
    ['one', ['notes'], false],
    ['other', ['notes'], true],
  ]);
});
