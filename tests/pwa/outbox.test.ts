// Writing things down: numbers, undo, drafts, and what is refused before it is saved.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepIn, written, type Draft } from '../../pwa/src/local/drafts';
import { newEpoch, note } from '../../pwa/src/local/disk';
import { newId } from '../../pwa/src/local/ids';
import { letGo, NotSaved, writeInto } from '../../pwa/src/local/outbox';
import { slowly } from '../../pwa/src/local/trouble';
import type { Edit } from '../../pwa/src/wire';
import { Network } from './network';
import { Phone } from './phone';
import { School } from './school';

let phone: Phone;
let network: Network;

beforeEach(async () => {
  network = new Network(new School());
  phone = await Phone.of(network.school, network);
});

afterEach(() => {
  letGo();
  phone.close();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const numbers = async () => (await phone.kept()).map(({ edit }) => edit.number).sort((one, other) => one - other);

// ── Numbers ────────────────────────────────────────────────────────────────────────────────

test('edits are numbered from 1 without a gap, whichever tab writes them', async () => {
  const tab = phone.tab();
  await Promise.all(Array.from({ length: 12 }, (_, at) => (at % 2 ? phone : tab).write({ category: `c${at}` })));
  expect(await numbers()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  tab.close();
});

test('an edit that was not saved leaves no gap', async () => {
  await phone.write({ category: 'a' });
  const put = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(() => {
    throw new DOMException('no room', 'QuotaExceededError');
  });
  await expect(phone.write({ category: 'b' })).rejects.toThrow(NotSaved);
  put.mockRestore();
  expect((await phone.write({ category: 'b' })).number).toBe(2);
});

test('a connection lost after the save does not save twice', async () => {
  const writing = phone.db.writing.bind(phone.db);
  phone.db.writing = (async (stores, work, told) => {
    await writing(stores, work, told);
    return await writing(stores, work, told);
  }) as typeof phone.db.writing;
  const edit = await phone.write({ category: 'a' });
  expect((await phone.kept()).map((kept) => kept.edit)).toEqual([edit]);
  expect(edit.number).toBe(1);
});

test('an edit says when it was made and what its author saw, and is not changed by the form afterwards', async () => {
  const values = { pupils: { put: { zoe: { part: 'harmed' } } } };
  const edit = await phone.write(values, 'r1', 'v7');
  values.pupils.put.zoe.part = 'witness';
  expect(edit).toMatchObject({ record: 'r1', kind: 'incident', seen: 'v7', phone: phone.name });
  expect(edit.made_at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect((await phone.kept())[0]!.edit.values).toEqual({ pupils: { put: { zoe: { part: 'harmed' } } } });
});

test('what could never be sent is refused while it is still on the screen', async () => {
  await expect(phone.write({ account: 'x'.repeat(1_000_000) })).rejects.toThrow(/two or more parts/);
  expect(await phone.kept()).toEqual([]);
});

test('ids are UUIDs of version 7 that sort by when they were made, whatever the clock says', () => {
  const id = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  for (const moment of [0, -1, 1, 2 ** 31, Date.now(), 8.64e15, Infinity, NaN]) expect(newId(moment)).toMatch(id);
  expect(newId(1_000) < newId(2_000)).toBe(true);
  expect(new Set(Array.from({ length: 1_000 }, () => newId(5)))).toHaveLength(1_000);
});

// ── Undo ───────────────────────────────────────────────────────────────────────────────────

test('an edit is kept back from the school while it can be undone', async () => {
  const edit = await phone.write({ category: 'a' }, 'r1', null, { undoFor: 10_000 });
  const ended = await phone.sync();
  expect(ended.backIn_ms).toBeGreaterThan(9_000);
  expect(network.letters[0]!.edits).toEqual([]);
  expect(await phone.undo(edit)).toBe(true);
  expect(await phone.waiting()).toEqual([]);
});

test('undo closes the gap in the numbers of what was written since', async () => {
  const first = await phone.write({ category: 'a' }, 'r1', null, { undoFor: 10_000 });
  await phone.write({ category: 'b' }, 'r2', null, { undoFor: 10_000 });
  expect(await phone.undo(first)).toBe(true);
  await phone.write({ category: 'c' }, 'r3');
  expect(await numbers()).toEqual([1, 2]);
});

test('what was followed by a call from the locked screen stays: its number is taken', async () => {
  const phone = await Phone.of(new School());
  const edit = await phone.write({ category: 'a' }, 'r1', null, { undoFor: 5_000 });
  await phone.db.disk.writing(['settings'], async (tx) => (await note(tx, 'number', 2), void (await newEpoch(tx))));
  expect(await phone.undo(edit)).toBe(false);
  expect((await phone.write({ category: 'b' })).number).toBe(3);
});

test('what cannot wait takes along what was written before it', async () => {
  const first = await phone.write({ category: 'a' }, 'r1', null, { undoFor: 10_000 });
  await phone.write({ category: 'help' }, 'r2');
  await phone.sync();
  expect(network.letters[0]!.edits.map(({ number }) => number)).toEqual([1, 2]);
  expect(await phone.undo(first)).toBe(false);
});

test('what the school may have seen cannot be undone, also when its answer was lost', async () => {
  const edit = await phone.write({ category: 'a' });
  network.faults = ['answer lost'];
  await phone.sync();
  expect(await phone.undo(edit)).toBe(false);
});

test('undoing twice undoes once', async () => {
  const edit = await phone.write({ category: 'a' });
  await phone.write({ category: 'b' });
  expect([await phone.undo(edit), await phone.undo(edit)]).toEqual([true, false]);
  expect(await numbers()).toEqual([1]);
});

// ── Drafts ─────────────────────────────────────────────────────────────────────────────────

const draft = (text: string): Draft => ({ id: 'd1', kind: 'incident', record: 'r1', seen: null, values: { account: text }, opened_at: 'x', changed_at: text });
const kept = () => phone.db.reading(['drafts'], (tx) => tx.objectStore('drafts').getAll());

test('every keystroke is kept, and the last one stands', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, at) => keepIn(phone.db, draft('he left'.padEnd(8 + at, '.')))));
  expect(await kept()).toEqual([draft('he left'.padEnd(47, '.'))]);
});

test('keystrokes that come while one is being written are written together', async () => {
  const writing = vi.spyOn(phone.db, 'writing');
  await Promise.all(Array.from({ length: 40 }, (_, at) => keepIn(phone.db, draft(`${at}`))));
  expect(writing.mock.calls.length).toBeLessThan(4);
});

test('a keystroke that could not be kept is said to whoever typed it', async () => {
  vi.spyOn(phone.db, 'writing').mockRejectedValueOnce(new NotSaved('full'));
  await expect(keepIn(phone.db, draft('a'))).rejects.toThrow(NotSaved);
  await keepIn(phone.db, draft('b'));
  expect(await kept()).toEqual([draft('b')]);
});

test('a draft becomes an edit in one transaction, and no late keystroke brings it back', async () => {
  await keepIn(phone.db, draft('a'));
  void keepIn(phone.db, draft('ab'));
  await writeInto(phone.db, { record: 'r1', kind: 'incident', values: { account: 'ab' }, seen: null }, { draft: 'd1' });
  await written('d1');
  expect(await kept()).toEqual([]);
  expect(await phone.waiting()).toHaveLength(1);
});

test('an edit that could not be saved leaves its draft where it was', async () => {
  await keepIn(phone.db, draft('a'));
  const add = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(() => {
    throw new DOMException('no room', 'QuotaExceededError');
  });
  await expect(writeInto(phone.db, { record: 'r1', kind: 'incident', values: {}, seen: null }, { draft: 'd1' })).rejects.toThrow(NotSaved);
  add.mockRestore();
  expect(await kept()).toEqual([draft('a')]);
});

// ── Storage that does not answer ───────────────────────────────────────────────────────────────

const typed = (category: string) => writeInto(phone.db, { record: 'r1', kind: 'incident', values: { category }, seen: null }, { draft: 'd1' });

/** The edit reaches the disk, and nobody hears of it. */
async function savedInSilence(category: string): Promise<Edit> {
  const real = phone.db.writing.bind(phone.db);
  vi.spyOn(phone.db, 'writing').mockImplementationOnce(async (...given) => {
    await real(...(given as Parameters<typeof real>));
    throw new NotSaved('silent');
  });
  await expect(typed(category)).rejects.toThrow(NotSaved);
  return (await phone.waiting())[0]!;
}

test('what was on the disk after all is not saved twice when its author tries again', async () => {
  const first = await savedInSilence('a');
  expect((await typed('a')).id).toBe(first.id);
  expect(await phone.waiting()).toEqual([first]);
});

test('what was written on since stands in its place, under the same number', async () => {
  const { id, number } = await savedInSilence('a');
  await keepIn(phone.db, draft('more'));
  expect(await typed('b')).toMatchObject({ id, number, values: { category: 'b' } });
  expect(await phone.waiting()).toMatchObject([{ id, number, values: { category: 'b' } }]);
  expect(await phone.db.reading(['drafts'], (tx) => tx.objectStore('drafts').count())).toBe(0);
  await phone.sync();
  expect(phone.network.school.edits.get(id)?.edit.values).toEqual({ category: 'b' });
});

test('if the school may have the first by then, what was written on since is an edit of its own', async () => {
  const first = await savedInSilence('a');
  await phone.sync();
  const second = await typed('b');
  expect(second.id).not.toBe(first.id);
  await phone.sync();
  expect([...phone.network.school.edits.values()].map(({ edit }) => edit.values.category)).toEqual(['a', 'b']);
});

test('storage that does not answer is said while it is still being tried', async () => {
  vi.useFakeTimers();
  const said: string[] = [];
  const slow = slowly(new Promise((resolve) => setTimeout(resolve, 20_000, 'saved')), () => said.push('not saved yet'));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(said).toEqual(['not saved yet']);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await slow).toBe('saved');
  vi.useRealTimers();
});
