// A saved copy holds all that waits, closed so that only the school can open it: from a locked phone too, and without the disk.

import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Draft } from '../../pwa/src/local/drafts';
import type { Blob, Edit } from '../../pwa/src/wire';
import { Door, startApp } from './door';
import { quicken } from './keys';

const PIN = '604913';

let door: Door;
let app: Awaited<ReturnType<typeof startApp>>;

beforeEach(async () => {
  quicken();
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  door = new Door();
  app = await startApp();
  await app.signIn('amira', 'right', door.ask);
  await app.choosePin(PIN, door.ask);
  await app.refreshSchool(app.mine(), door.ask);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

type Copy = { lanyard: string; school: string; staff: string; phone: string; saved_at: string; sealed: Blob[]; edits: Edit[] };

const write = (category: string) => app.write({ record: 'r1', kind: 'incident', values: { category }, seen: null });
const draft = (text: string): Draft => ({ id: 'd1', kind: 'incident', record: 'r2', seen: null, values: { account: text }, opened_at: 'a', changed_at: 'b' });

/** As the file says it, and as the school opens it. */
async function copied(): Promise<{ copy: Copy; inside: unknown[] }> {
  const text = await (await app.saveCopy()).file.text();
  expect(text).not.toMatch(/fight|stairwell/);
  const copy = JSON.parse(text) as Copy;
  expect(copy).toMatchObject({ lanyard: 'waiting edits', protocol: 1, school: 'northgate', staff: 'amira', phone: door.cookie!.phone });
  await door.intake.take({ protocol: 1, build: '', phone: copy.phone, sent_at: '', sealed: copy.sealed }, 'amira', 'amira');
  return { copy, inside: copy.sealed.map(({ id }) => (door.intake.opened.get(id) as Edit | Draft).values) };
}

const BOTH = [{ category: 'fight' }, { account: 'in the stairwell' }];

test('the edits that wait, and what is not finished', async () => {
  await write('fight');
  await app.keep(draft('in the stairwell'));
  const { copy, inside } = await copied();
  expect(inside).toEqual(BOTH);
  expect(copy.edits).toEqual([]);
});

test('from a locked phone', async () => {
  await write('fight');
  await app.keep(draft('in the stairwell'));
  app = await startApp();
  expect(app.standing()).toBe('locked');
  expect((await copied()).inside).toEqual(BOTH);
});

/** From now on nothing that the disk is asked comes back. */
function silence(): void {
  for (const { prototype } of [IDBRequest, IDBTransaction]) vi.spyOn(prototype, 'addEventListener').mockImplementation(() => {});
}

test('when the storage does not answer: also what was typed since and could not be kept', async () => {
  await write('fight');
  silence();
  void app.keep(draft('in the stairwell')).catch(() => {});
  expect((await copied()).inside).toEqual(BOTH);
}, 60_000);

test('locked, with storage that does not answer, it says so', async () => {
  await write('fight');
  app = await startApp();
  silence();
  await expect(app.saveCopy()).rejects.toThrow('storage is not answering');
}, 60_000);

test('what could not be sealed yet and cannot be read is left out, and that is said', async () => {
  await app.mine().writing(['settings'], (tx) => tx.objectStore('settings').delete('intake'));
  await write('fight');
  await app.keep(draft('in the stairwell'));
  expect(await app.saveCopy()).toMatchObject({ open: 1, left: 1 }); // a draft is never in it unsealed
  app = await startApp();
  expect(await app.saveCopy()).toMatchObject({ open: 0, left: 2 });
});

test('what could not be sealed yet is in it as it is', async () => {
  await app.mine().writing(['settings'], (tx) => tx.objectStore('settings').delete('intake'));
  await write('damage');
  const { copy } = await copied();
  expect(copy.sealed).toEqual([]);
  expect(copy.edits.map(({ values }) => values)).toEqual([{ category: 'damage' }]);
});
