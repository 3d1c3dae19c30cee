// What lies on the disk, and what another tab makes of it: closed, in one place only, and never moved to another.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { asJson, close, toText } from '../../pwa/src/local/bytes';
import { keepIn, type Draft } from '../../pwa/src/local/drafts';
import { waitingOnDisk } from '../../pwa/src/local/disk';
import { compare, Rows, Sheet, type Key } from '../../pwa/src/local/rows';
import { intakeKeys } from '../../pwa/src/local/seal';
import { setting, settle } from '../../pwa/src/local/stores';
import { KEYS, signedList, SIGNING } from './keys';
import { Network } from './network';
import { Phone } from './phone';
import { School } from './school';

let school: School;
let network: Network;
let phone: Phone;

beforeEach(async () => {
  school = new School();
  network = new Network(school);
  phone = await Phone.of(school, network);
  network.grants.set('grant', 'amira');
  await phone.db.writing(['settings'], (tx) => settle(tx, 'grant', 'grant'));
});

afterEach(() => {
  phone.close();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const draft = (text: string): Draft => ({ id: 'd1', kind: 'incident', record: 'r1', seen: null, values: { account: text }, opened_at: 'x', changed_at: 'x' });

/** Everything on the disk, in the order of its stores, as text that shows every byte. */
const onDisk = (): Promise<string> =>
  phone.db.disk.reading(['outbox', 'drafts', 'pages', 'settings', 'keys'], async (tx) => {
    const all = await Promise.all((['outbox', 'drafts', 'pages', 'settings', 'keys'] as const).map((store) => tx.objectStore(store).getAll()));
    return JSON.stringify(all, (_, value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value));
  });

const counts = () => phone.db.disk.reading(['outbox', 'pages'], async (tx) => [await tx.objectStore('outbox').count(), await tx.objectStore('pages').count()]);

// ── On the disk ────────────────────────────────────────────────────────────────────────────

test('no word of what was written, or came from the school, can be read there', async () => {
  school.write('r9', 'ben', { category: 'quillfeather' });
  await phone.write({ account: 'quillfeather sent' });
  await phone.sync();
  await phone.write({ account: 'quillfeather waits' });
  await keepIn(phone.db, draft('quillfeather is typing'));
  expect(JSON.stringify(await phone.kept())).toContain('quillfeather waits');
  expect(await onDisk()).not.toContain('quillfeather');
});

test('it is all there again at the next unlocking', async () => {
  school.write('r9', 'ben', { category: 'x' });
  await phone.write({ category: 'sent' });
  await phone.sync();
  await phone.write({ category: 'waits' }, 'r2');
  await keepIn(phone.db, draft('typing'));
  const [kept, records] = [await phone.kept(), await phone.records()];
  const again = phone.tab();
  expect(await again.kept()).toEqual(kept);
  expect(await again.records()).toEqual(records);
  expect(await again.db.reading(['drafts'], (tx) => tx.objectStore('drafts').getAll())).toEqual([draft('typing')]);
  again.close();
});

test('an edit lies in the outbox until its receipt, then in the pages, and never in both', async () => {
  await phone.write({ category: 'a' });
  expect((await counts())[0]).toBe(1);
  await phone.sync();
  expect((await counts())[0]).toBe(0);
  expect(await phone.tab().kept()).toHaveLength(1);
});

const pagesOnDisk = () => phone.db.disk.reading(['pages'], (tx) => tx.objectStore('pages').getAll());
const flipped = (bytes: Uint8Array) => bytes.map((byte, at) => (at === 5 ? byte ^ 1 : byte));

test.each(['changed', 'put in another place', 'another person’s'])('a page that was %s opens nothing, and keeps nobody out', async (how) => {
  await phone.write({ category: 'sent' });
  await phone.sync();
  await phone.write({ category: 'waits' }, 'r2');
  school.write('r9', 'ben', { category: 'x' });
  await phone.sync();
  await phone.write({ category: 'waits too' }, 'r3');
  expect((await phone.records()).map(({ id }) => id)).toContain('r9');
  const page = (await pagesOnDisk()).at(-1)!;
  const bens = await close((await KEYS).data, asJson([['records_a', 'r9', { id: 'r9' }]]), `northgate|ben|pages|${page.n}|${page.epoch}`);
  const changed = { changed: { closed: { ...page.closed, bytes: flipped(page.closed.bytes) } }, 'put in another place': { epoch: page.epoch + 1 }, 'another person’s': { closed: bens } }[how];
  await phone.db.disk.writing(['pages'], async (tx) => void (await tx.objectStore('pages').put({ ...page, ...changed })));
  const again = phone.tab();
  expect((await again.records()).map(({ id }) => id)).not.toContain('r9');
  expect((await again.waiting()).map(({ values }) => values.category)).toEqual(['waits too']);
  expect(await again.db.reading(['settings'], (tx) => setting(tx, 'unreadable'))).toBe(true);
  expect((await pagesOnDisk()).map(({ n }) => n)).not.toContain(page.n);
  again.close();
});

test('what was written and cannot be read here any more goes to the school as it lies there, sealed', async () => {
  const edit = await phone.write({ category: 'a' });
  await phone.write({ category: 'b' }, 'r2');
  await keepIn(phone.db, draft('typing'));
  await phone.db.disk.writing(['outbox', 'drafts'], async (tx) => {
    const [row, typed] = [(await tx.objectStore('outbox').get(edit.id))!, (await tx.objectStore('drafts').get('d1'))!];
    await tx.objectStore('outbox').put({ ...row, copy: { ...row.copy, bytes: flipped(row.copy.bytes) } });
    await tx.objectStore('drafts').put({ ...typed, copy: { ...typed.copy, bytes: flipped(typed.copy.bytes) } });
  });
  const again = phone.tab();
  expect((await again.waiting()).map(({ values }) => values.category)).toEqual(['b']);
  await again.sendSealed('orphans');
  expect([...network.intake.opened.values()]).toMatchObject([{ id: edit.id, values: { category: 'a' } }, { id: 'd1', values: { account: 'typing' } }]);
  expect(await waitingOnDisk(phone.db.disk)).toMatchObject({ count: 1, drafts: 0 });
  again.close();
});

test('a key that fails once, for want of memory, has lost nothing', async () => {
  await phone.write({ category: 'a' });
  school.write('r9', 'ben', { category: 'x' });
  await phone.sync();
  vi.spyOn(SubtleCrypto.prototype, 'decrypt').mockRejectedValueOnce(new DOMException('no memory', 'OperationError'));
  const again = phone.tab();
  expect(await again.records()).toHaveLength(2);
  expect(await again.db.reading(['settings'], (tx) => setting(tx, 'unreadable'))).toBeUndefined();
  again.close();
});

test('a phone that takes long over many pages, but goes on answering, is not shut out', async () => {
  for (let at = 0; at < 100; at++) await phone.db.writing(['uses'], (tx) => tx.objectStore('uses').put({ list: 'places', code: `${at}`, times: 1 }));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const real = IDBObjectStore.prototype.getAll;
  let asked = 0;
  vi.spyOn(IDBObjectStore.prototype, 'getAll').mockImplementation(function (this: IDBObjectStore, ...given) {
    if (this.name === 'pages') asked++, vi.advanceTimersByTime(5_000); // of the eight after which a storage is given up
    return real.apply(this, given);
  });
  expect(await phone.tab().db.reading(['uses'], (tx) => tx.objectStore('uses').count())).toBe(100);
  expect(asked).toBeGreaterThan(4);
  vi.useRealTimers();
});

test('what is written over and over is tidied up, and what was forgotten is gone from the disk', async () => {
  for (let at = 0; at < 700; at++) await phone.db.writing(['uses'], (tx) => tx.objectStore('uses').put({ list: 'places', code: 'yard', times: at }));
  await vi.waitFor(async () => expect((await counts())[1]).toBeLessThan(300));
  expect(await phone.tab().db.reading(['uses'], (tx) => tx.objectStore('uses').getAll())).toEqual([{ list: 'places', code: 'yard', times: 699 }]);
});

// ── Other tabs ─────────────────────────────────────────────────────────────────────────────

test('a tab sees what another wrote, moved, threw away and tidied', async () => {
  const tab = phone.tab();
  const edit = await phone.write({ category: 'a' });
  await keepIn(phone.db, draft('typing'));
  expect(await tab.kept()).toHaveLength(1);
  await tab.undo(edit);
  expect(await phone.kept()).toEqual([]);
  await phone.write({ category: 'b' });
  await tab.sync();
  await phone.db.writing(['drafts'], (tx) => tx.objectStore('drafts').delete('d1'));
  await phone.db.tidy();
  expect(await tab.kept()).toEqual(await phone.kept());
  expect(await tab.records()).toEqual(await phone.records());
  expect(await tab.db.reading(['drafts'], (tx) => tx.objectStore('drafts').count())).toBe(0);
  tab.close();
});

test('a tab whose key is no longer the phone’s writes nothing', async () => {
  await phone.write({ category: 'a' });
  await phone.db.disk.writing(['keys', 'settings'], async (tx) => {
    await tx.objectStore('keys').put({ id: 'another vault' }, 'vault');
    await tx.objectStore('settings').put(99, 'epoch');
  });
  await expect(phone.write({ category: 'b' })).rejects.toThrow();
  expect((await counts())[0]).toBe(1);
});

// ── Sealed ─────────────────────────────────────────────────────────────────────────────────

test('what waits goes sealed from a locked phone, is opened at the school, and is laid over the records until they come', async () => {
  const edit = await phone.write({ category: 'mine' });
  expect(await phone.sendSealed()).toMatchObject({ trouble: null, kept: 1 });
  expect(network.intake.opened.get(edit.id)).toEqual(edit);
  expect(network.intake.held).toEqual([]);
  const unlocked = phone.tab();
  expect(await unlocked.waiting()).toEqual([]);
  expect((await unlocked.shown()).get('r1')!.body.category).toBe('mine');
  await unlocked.db.writing(['edits', 'uses'], (tx) => tx.objectStore('uses').put({ list: 'places', code: 'yard', times: 1 }));
  expect((await counts())[0]).toBe(1); // until a letter has carried it, too
  await unlocked.sync();
  expect((await unlocked.kept())[0]!.over).toBeUndefined();
  expect((await unlocked.shown()).get('r1')!.body.category).toBe('mine');
  expect((await counts())[0]).toBe(0);
  unlocked.close();
});

test('sealed or plain, an edit arrives once', async () => {
  for (let at = 0; at < 5; at++) await phone.write({ category: `c${at}` }, `r${at}`);
  network.faults = ['answer lost'];
  await phone.sendSealed();
  await Promise.all([phone.sync(), phone.sendSealed(), phone.tab().sync()]);
  expect(school.seq).toBe(5);
  expect(await phone.waiting()).toEqual([]);
});

test('a hundred at a time, and fewer where that is too large', async () => {
  for (let at = 0; at < 120; at++) await phone.write({ category: `c${at}` }, `r${at}`);
  network.faults = ['413'];
  expect(await phone.sendSealed()).toMatchObject({ trouble: null, kept: 120 });
  expect(network.intake.sizes).toEqual([50, 50, 20]);
});

test.each(['no signal', 'answer lost', 'stalled', 'truncated', 'garbage', 'portal', 'portal in json', '502 of a proxy', 'wrong receipts', '500', '500 after commit', '400', '429'] as const)('%s: nothing sealed counts as kept', async (fault) => {
  await phone.write({ category: 'a' });
  network.faults = [fault];
  const { trouble, kept } = await phone.sendSealed();
  expect({ isTrouble: trouble !== null, kept }).toEqual({ isTrouble: true, kept: 0 });
  expect(await phone.waiting()).toHaveLength(1);
  expect(await phone.undo((await phone.waiting())[0]!)).toBe(false); // it may have left
});

test('what can still be undone is kept back, unless something that cannot wait was written after it', async () => {
  await phone.write({ category: 'a' }, 'r1', null, { undoFor: 10_000 });
  const { kept, backIn_ms } = await phone.sendSealed();
  expect(kept).toBe(0);
  expect(backIn_ms).toBeGreaterThan(5_000);
  await phone.write({ category: 'help' }, 'r2');
  expect(await phone.sendSealed()).toMatchObject({ kept: 2 });
});

test('without the school’s key an edit is saved all the same, and sealed when the key comes', async () => {
  await phone.db.writing(['settings'], (tx) => settle(tx, 'intake', undefined));
  await phone.write({ category: 'a' });
  expect(await phone.sendSealed()).toMatchObject({ kept: 0, trouble: null });
  const key = await network.intake.key;
  await phone.db.writing(['settings'], (tx) => settle(tx, 'intake', [key]));
  await phone.db.sealTheRest();
  expect(await phone.sendSealed()).toMatchObject({ kept: 1 });
});

test('an edit that is numbered anew is sealed anew', async () => {
  const first = await phone.write({ category: 'a' });
  await phone.write({ category: 'b' }, 'r2');
  await phone.undo(first);
  await phone.sendSealed();
  expect([...network.intake.opened.values()]).toMatchObject([{ number: 1, values: { category: 'b' } }]);
  expect(network.intake.held).toEqual([]);
});

test('only a list of keys that the school itself signed is believed', async () => {
  const { pair, public: pinned } = await SIGNING;
  const other = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])) as CryptoKeyPair;
  const keys = [await network.intake.key];
  const list = await signedList(pair.privateKey, 'northgate', keys);
  expect(await intakeKeys(list, pinned, 'northgate')).toEqual({ keys, made_at: 0, by: pinned });
  const [head, claims, signature] = list.split('.');
  const forged = [
    await signedList(other.privateKey, 'northgate', keys),
    await signedList(pair.privateKey, 'southfield', keys),
    await signedList(pair.privateKey, 'northgate', keys, { aud: 'lanyard:pair' }),
    await signedList(pair.privateKey, 'northgate', keys, {}, { alg: 'none' }),
    await signedList(pair.privateKey, 'northgate', [{ kid: 'x', public: 'AAAA' }]),
    await signedList(pair.privateKey, 'northgate', [{ kid: 'x', public: toText(new Uint8Array(65).fill(4)) }]),
    await signedList(pair.privateKey, 'northgate', []),
    `${head}.${claims}.`,
    `${head}.${claims!.slice(0, -2)}AA.${signature}`,
    'no list at all',
  ];
  for (const one of forged) expect(await intakeKeys(one, pinned, 'northgate')).toBeUndefined();
});

// ── In memory ──────────────────────────────────────────────────────────────────────────────

test('keys stand in the order in which IndexedDB has them', () => {
  const keys: Key[] = [['b'], 'b', 2, ['a', 'z'], '', 10, ['a'], 'a', ['a', 1], 'B'];
  expect([...keys].sort(compare)).toEqual([...keys].sort((one, other) => indexedDB.cmp(one, other)));
});

test('an index mended by changes is the index made afresh', () => {
  const rows = new Rows<{ id: string; by: number[] }>({ key: ({ id }) => id, indexes: { by: ({ by }) => by } });
  rows.line('by');
  for (let step = 0; step < 500; step++) {
    const sheet = new Sheet(rows, true);
    const id = `${step % 17}`;
    if (step % 5 === 0) sheet.delete(id);
    else sheet.put({ id, by: [...new Set([step % 7, (step * 3) % 11])] });
    const within = sheet.index('by').getAll(IDBKeyRange.bound(2, 6, true, false)).map((row) => row.id);
    rows.apply(sheet.changes);
    const afresh = new Rows(rows.filing);
    afresh.apply(new Map(rows.rows));
    expect(rows.line('by')).toEqual(afresh.line('by'));
    expect(new Sheet(rows, false).index('by').getAll(IDBKeyRange.bound(2, 6, true, false)).map((row) => row.id)).toEqual(within);
  }
});
