// The phone's half of the exchange, rule by rule.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { inTurn } from '../../pwa/src/exchange/turns';
import { settle } from '../../pwa/src/local/stores';
import { Network, type Fault } from './network';
import { Phone } from './phone';
import { School } from './school';

let school: School;
let network: Network;
let phone: Phone;

beforeEach(async () => {
  school = new School();
  network = new Network(school);
  phone = await Phone.of(school, network);
});

afterEach(() => {
  phone.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const letters = () => network.letters;
const lastLetter = () => network.letters.at(-1)!;

// ── Sending ────────────────────────────────────────────────────────────────────────────────

test('what was written reaches the school once, and its record comes back', async () => {
  const edit = await phone.write({ category: 'defiance' });
  expect(await phone.waiting()).toHaveLength(1);
  expect((await phone.sync()).trouble).toBeNull();
  expect(await phone.waiting()).toHaveLength(0);
  expect([...school.edits.keys()]).toEqual([edit.id]);
  expect((await phone.records())[0]!.body).toEqual({ category: 'defiance' });
});

test('one save takes one letter', async () => {
  await phone.write({ category: 'defiance' });
  await phone.sync();
  expect(letters()).toHaveLength(1);
});

test('a letter says what the phone holds: its number of receipts, what waits, its cursor', async () => {
  await phone.write({ category: 'a' });
  await phone.write({ category: 'b' });
  await phone.sync();
  await phone.write({ category: 'c' });
  await phone.sync();
  const { cursor } = letters()[1]!;
  expect(letters()[0]).toMatchObject({ protocol: 1, build: 'test', phone: phone.name, cursor: null, receipted: 0, waiting: 2, lost: [] });
  expect(letters()[1]).toMatchObject({ receipted: 2, waiting: 1 });
  expect(cursor).toMatch(/^2\|/);
});

test('every request shows that it is the app that asks, and from which phone', async () => {
  await phone.sync();
  expect(network.requests[0]!.headers).toMatchObject({ 'X-Lanyard': '1', 'Lanyard-Phone': phone.name, 'Content-Type': 'application/json' });
});

test('a long letter goes packed', async () => {
  await phone.write({ account: 'He would not leave the stairwell. '.repeat(100) });
  await phone.sync();
  expect(network.requests[0]!.headers['Content-Encoding']).toBe('gzip');
  expect(await phone.waiting()).toHaveLength(0);
});

test('two hundred and fifty edits take three letters, in the order of their numbers', async () => {
  for (let at = 0; at < 250; at++) await phone.write({ category: `c${at}` }, `r${at % 7}`);
  await phone.sync();
  expect(letters().filter(({ edits }) => edits.length > 0).map(({ edits }) => edits.length)).toEqual([100, 100, 50]);
  expect(letters().flatMap(({ edits }) => edits.map(({ number }) => number))).toEqual(Array.from({ length: 250 }, (_, at) => at + 1));
});

test('a letter stays under a megabyte however long the notes are', async () => {
  for (let at = 0; at < 30; at++) await phone.write({ account: 'x'.repeat(60_000) }, `r${at}`);
  await phone.sync();
  expect(Math.max(...letters().map((letter) => JSON.stringify(letter).length))).toBeLessThan(1_000_000);
  expect(await phone.waiting()).toHaveLength(0);
});

test('an edit is marked as offered before it leaves', async () => {
  const edit = await phone.write({ category: 'a' });
  network.onTheWay = async () => expect((await phone.kept())[0]!.offered).toBe(true);
  network.faults = ['no signal'];
  await phone.sync();
  expect(await phone.undo(edit)).toBe(false);
  expect(await phone.waiting()).toHaveLength(1);
});

// ── What counts as reached ───────────────────────────────────────────────────────────────────

const NOT_REACHED: [Fault, string][] = [
  ['no signal', 'no signal'],
  ['answer lost', 'no signal'],
  ['stalled', 'too slow'],
  ['truncated', 'garbled'],
  ['garbage', 'garbled'],
  ['portal', 'somebody else'],
  ['portal in json', 'somebody else'],
  ['502 of a proxy', 'somebody else'],
  ['wrong receipts', 'garbled'],
  ['500', 'failing'],
  ['500 after commit', 'failing'],
  ['400', 'failing'],
];

for (const [fault, trouble] of NOT_REACHED) {
  test(`${fault}: nothing counts as sent, and it is sent once when it can be`, async () => {
    const edit = await phone.write({ category: 'defiance' });
    network.faults = [fault, fault];
    const ended = await phone.sync();
    expect(ended).toMatchObject({ trouble, reached: false });
    expect(await phone.waiting()).toHaveLength(1);
    expect((await phone.syncAll()).trouble).toBeNull();
    expect([...school.edits.keys()]).toEqual([edit.id]);
    expect(await phone.waiting()).toHaveLength(0);
  });
}

test('a busy school names when to come back', async () => {
  await phone.write({ category: 'defiance' });
  network.faults = ['429'];
  expect(await phone.sync()).toMatchObject({ trouble: 'busy', retryAfter_s: 1 });
  expect(letters()).toHaveLength(1);
});

test('a repeat of a letter is taken in once', async () => {
  await phone.write({ category: 'defiance' });
  network.faults = ['asked twice'];
  await phone.sync();
  expect(school.seq).toBe(1);
});

// ── One that cannot be sent ──────────────────────────────────────────────────────────────────

test('too large means smaller at once, until every edit has arrived', async () => {
  for (let at = 0; at < 10; at++) await phone.write({ category: `c${at}` }, `r${at}`);
  network.poison = ({ edits }) => (edits.length > 3 ? '413' : 'none');
  expect((await phone.sync()).trouble).toBeNull();
  expect(await phone.waiting()).toHaveLength(0);
  expect(school.edits.size).toBe(10);
});

test('a proxy that says too large is believed too', async () => {
  for (let at = 0; at < 4; at++) await phone.write({ category: `c${at}` }, `r${at}`);
  network.poison = ({ edits }) => (edits.length > 1 ? '413 of a proxy' : 'none');
  expect((await phone.sync()).trouble).toBeNull();
  expect(school.edits.size).toBe(4);
});

test('a batch that fails three times is halved, and the lone offender goes last', async () => {
  const edits = [];
  for (let at = 0; at < 8; at++) edits.push(await phone.write({ category: at === 2 ? 'poison' : 'fine' }, `r${at}`));
  network.poison = ({ edits }) => (edits.some(({ values }) => values.category === 'poison') ? '500' : 'none');
  const sizes: number[] = [];
  for (let at = 0; at < 12; at++) await phone.sync();
  for (const letter of letters()) if (letter.edits.length > 0) sizes.push(letter.edits.length);
  expect(sizes.slice(0, 6)).toEqual([8, 8, 8, 4, 4, 4]);
  expect((await phone.waiting()).map(({ id }) => id)).toEqual([edits[2]!.id]);
  expect(school.edits.size).toBe(7);
  expect((await phone.sync()).trouble).toBe('unsendable');
});

test('two offenders take turns, and what is written later still goes', async () => {
  for (let at = 0; at < 5; at++) await phone.write({ category: at < 2 ? 'poison' : 'fine' }, `r${at}`);
  network.poison = ({ edits }) => (edits.some(({ values }) => values.category === 'poison') ? '500' : 'none');
  for (let at = 0; at < 20; at++) await phone.sync();
  await phone.write({ category: 'later' }, 'r9');
  await phone.sync();
  expect(school.edits.size).toBe(4);
  network.poison = () => 'none';
  expect((await phone.syncAll()).trouble).toBeNull();
  expect(school.edits.size).toBe(6);
});

test('receiving never waits for sending', async () => {
  school.write('r7', 'ben', { category: 'seen by ben' });
  await phone.write({ category: 'poison' });
  network.poison = ({ edits }) => (edits.length > 0 ? '500' : 'none');
  await phone.sync();
  expect((await phone.records()).map(({ id }) => id)).toEqual(['r7']);
});

test('having no signal says nothing against an edit', async () => {
  await phone.write({ category: 'fine' });
  await phone.write({ category: 'fine' }, 'r2');
  network.faults = Array<Fault>(40).fill('no signal');
  for (let at = 0; at < 20; at++) await phone.sync();
  await phone.sync();
  expect(lastLetter().edits).toHaveLength(2);
});

// ── Receipts, numbers, forks ─────────────────────────────────────────────────────────────────

test('a held edit is no part of its record; it waits for a person, and holds up nothing', async () => {
  await phone.write({ category: 'refuse me' });
  await phone.write({ category: 'fine' }, 'r2');
  await phone.sync();
  expect(await phone.waiting()).toHaveLength(0);
  expect([...(await phone.shown()).keys()]).toEqual(['r2']);
  expect(await phone.held()).toMatchObject([{ because: { category: 'not in the list' }, settled: null }]);
});

test('a number the school never received is offered again', async () => {
  await phone.write({ category: 'a' });
  await phone.sync();
  school.received.get(phone.name)!.delete(1);
  school.edits.clear();
  await phone.write({ category: 'b' }, 'r2');
  await phone.sync();
  expect([...school.edits.values()].map(({ edit }) => edit.number).sort()).toEqual([1, 2]);
});

test('a number that is not here any more is named as lost, once', async () => {
  await phone.write({ category: 'a' });
  await phone.sync();
  school.received.get(phone.name)!.delete(1);
  await phone.db.writing(['edits'], (tx) => tx.objectStore('edits').clear());
  await phone.sync();
  await phone.sync();
  expect(letters().map(({ lost }) => lost)).toEqual([[], [], [1], []]);
});

test('a school that wants the same number for ever is not asked for ever', async () => {
  await phone.write({ category: 'a' });
  await phone.sync();
  school.exchange = ((real) => (...letter: Parameters<School['exchange']>) => ({ ...real.apply(school, letter), wanted: [7] }))(school.exchange);
  await phone.sync();
  expect(letters().length).toBeLessThan(6);
});

test('a handset restored from a copy numbers what is unsent from 1 under an id of its own, and nothing is lost', async () => {
  await phone.write({ category: 'a' });
  await phone.sync();
  school.owners.set(phone.name, [...school.owners.get(phone.name)!, { phone: phone.name, number: 2, edit: 'written on the other handset' }]);
  school.received.get(phone.name)!.add(2);
  for (let at = 0; at < 3; at++) await phone.write({ category: `b${at}` }, `r${at}`);
  network.poison = ({ edits }) => (edits.length > 1 ? '413' : 'none');
  await phone.sync();
  network.poison = () => 'none';
  await phone.sync();
  expect(lastLetter().phone).toBe(`${phone.name}+1`);
  const numbers = [...school.edits.values()].filter(({ edit }) => edit.phone !== phone.name).map(({ edit }) => edit.number);
  expect(numbers).toEqual([1, 2]);
  expect(school.edits.size).toBe(4);
  const next = await phone.write({ category: 'later' });
  expect(next).toMatchObject({ phone: `${phone.name}+1`, number: 3 });
});

test('a number that collides is taken all the same', async () => {
  school.owners.set(phone.name, [{ phone: phone.name, number: 1, edit: 'elsewhere' }]);
  const edit = await phone.write({ category: 'a' });
  await phone.sync();
  expect(school.edits.has(edit.id)).toBe(true);
  expect((await phone.write({ category: 'b' })).number).toBe(1);
});

test('edits stay thirty days after their receipt, by the school’s clock, and then go', async () => {
  await phone.write({ category: 'a' });
  await phone.sync();
  const days = (count: number) => count * 24 * 60 * 60 * 1_000;
  school.exchange = ((real) => (...letter: Parameters<School['exchange']>) => ({ ...real.apply(school, letter), now: new Date(Date.now() + later).toISOString() }))(school.exchange);
  let later = days(29);
  await phone.write({ category: 'b' });
  await phone.sync();
  expect(await phone.kept()).toHaveLength(2);
  later = days(31);
  await phone.write({ category: 'c' });
  await phone.sync();
  expect((await phone.kept()).map(({ edit }) => edit.values.category)).toEqual(['b', 'c']);
});

test('an edit without a receipt never goes, whatever the clocks say', async () => {
  await phone.write({ category: 'a' });
  await phone.write({ category: 'poison' });
  network.poison = ({ edits }) => (edits.some(({ values }) => values.category === 'poison') ? '413' : 'none');
  school.exchange = ((real) => (...letter: Parameters<School['exchange']>) => ({ ...real.apply(school, letter), now: '2066-01-01T00:00:00Z' }))(school.exchange);
  for (let at = 0; at < 5; at++) await phone.sync();
  expect((await phone.waiting()).map(({ values }) => values.category)).toEqual(['poison']);
});

// ── Receiving ──────────────────────────────────────────────────────────────────────────────

test('a long answer comes page by page', async () => {
  for (let at = 0; at < 10; at++) school.write(`r${at}`, 'ben', { category: 'x' });
  await phone.sync();
  expect(await phone.records()).toHaveLength(10);
  expect(letters()).toHaveLength(4);
});

test('what one wrote is seen without a gap while its record lies on a later page', async () => {
  for (let at = 0; at < 7; at++) school.write(`r${at}`, 'ben', { category: 'x' });
  await phone.write({ category: 'mine' }, 'mine');
  const seen: unknown[] = [];
  network.onTheWay = async () => void seen.push((await phone.shown()).get('mine')?.body.category);
  await phone.sync();
  seen.push((await phone.shown()).get('mine')?.body.category);
  expect(letters().length).toBeGreaterThan(2);
  expect(new Set(seen)).toEqual(new Set(['mine']));
  expect((await phone.kept())[0]!.over).toBeUndefined();
});

test('a record that is not ours to hold any more is forgotten; what one wrote in it still arrives', async () => {
  school.write('r1', 'ben', { category: 'x' });
  await phone.sync();
  await phone.write({ account: 'mine' });
  school.hide('r1');
  await phone.sync();
  expect(await phone.records()).toHaveLength(0);
  expect([...school.edits.values()].map(({ author }) => author)).toContain('amira');
});

test('an answer that another tab has overtaken brings its receipts and nothing older', async () => {
  const tab = phone.tab();
  school.write('r1', 'ben', { category: 'first' });
  network.faults = ['none', 'none', 'no signal', 'no signal'];
  network.onTheWay = async () => {
    network.onTheWay = async () => {};
    school.write('r1', 'ben', { category: 'second' });
    await tab.sync();
  };
  await phone.write({ account: 'mine' }, 'r2');
  await phone.sync();
  expect((await phone.records()).find(({ id }) => id === 'r1')!.body.category).toBe('second');
  expect(await phone.waiting()).toHaveLength(0);
  tab.close();
});

test('rights withdrawn: the school’s records are read afresh beside the old ones, and swapped when complete', async () => {
  for (let at = 0; at < 8; at++) school.write(`r${at}`, 'ben', { category: 'x' });
  await phone.sync();
  await phone.write({ account: 'mine' }, 'r3');
  school.rights = 2;
  school.changed.delete('r0');
  const held: number[] = [];
  network.onTheWay = async () => void held.push((await phone.records()).length);
  const ended = await phone.sync();
  expect(ended).toMatchObject({ trouble: null, rebuilds: 1 });
  expect(new Set(held)).toEqual(new Set([8]));
  expect(await phone.records()).toHaveLength(7);
  expect([...school.edits.values()].filter(({ author }) => author === 'amira')).toHaveLength(1);
});

test('a rebuild that was broken off goes on where it was', async () => {
  for (let at = 0; at < 8; at++) school.write(`r${at}`, 'ben', { category: 'x' });
  await phone.sync();
  school.rights = 2;
  network.faults = ['none', 'none', 'no signal'];
  expect((await phone.sync()).trouble).toBe('no signal');
  expect(await phone.records()).toHaveLength(8);
  const before = letters().length;
  await phone.sync();
  expect(letters()[before]!.cursor).toMatch(/\|/);
  expect(await phone.records()).toHaveLength(8);
});

test('a school restored from a backup is offered thirty days of edits again', async () => {
  await phone.write({ category: 'before' }, 'r1');
  await phone.sync();
  const restore = school.backup();
  await phone.write({ category: 'after' }, 'r1');
  await phone.write({ category: 'another' }, 'r2');
  await phone.sync();
  restore();
  expect(school.edits.size).toBe(1);
  await phone.sync();
  expect(school.edits.size).toBe(3);
  expect((await phone.shown()).get('r1')!.body.category).toBe('after');
  expect((await phone.shown()).get('r2')!.body.category).toBe('another');
  expect(await phone.waiting()).toHaveLength(0);
});

test('what such a school may have lost waits again, until it has said once more that it has it', async () => {
  twinUses(1); // so that its number alone is not missed
  const restore = school.backup();
  await phone.write({ category: 'lost' });
  await phone.sync();
  restore();
  network.faults = ['none', 'no signal', 'no signal'];
  await phone.sync();
  expect(await phone.waiting()).toHaveLength(1);
  await phone.sync();
  expect(await phone.waiting()).toHaveLength(0);
});

/** Another handset, restored from a copy of this one, was quicker with these numbers: the school misses none of them. */
function twinUses(...numbers: number[]): void {
  const edits = numbers.map((number) => ({ id: `the twin’s ${number}`, phone: phone.name, number, record: 'twin', kind: 'incident', made_at: '', seen: null, values: {} }));
  school.exchange({ protocol: 1, build: '', phone: phone.name, sent_at: '', cursor: null, receipted: 0, waiting: 0, lost: [], edits }, 'amira');
}

async function hasGrant(): Promise<void> {
  network.grants.set('grant', 'amira');
  await phone.db.writing(['settings'], (tx) => settle(tx, 'grant', 'grant'));
}

test('what the intake has kept goes once more in a letter, and a twin and a backup together lose nothing', async () => {
  twinUses(1);
  await phone.sync();
  const restore = school.backup();
  await hasGrant();
  const edit = await phone.write({ category: 'sealed' });
  await phone.sendSealed();
  restore();
  expect(await phone.waiting()).toHaveLength(0);
  await phone.sync();
  expect(school.edits.has(edit.id)).toBe(true);
});

test('so does what has its receipt from an answer that another tab had overtaken', async () => {
  twinUses(1);
  await phone.sync();
  const tab = phone.tab();
  const arriving: (() => void)[] = [];
  network.onTheWay = () => new Promise<void>((arrive) => arriving.push(arrive));
  school.write('r9', 'ben', { category: 'x' });
  const first = tab.sync();
  await vi.waitFor(() => expect(arriving).toHaveLength(1));
  const restore = school.backup();
  const edit = await phone.write({ category: 'mine' });
  const second = phone.sync();
  await vi.waitFor(() => expect(arriving).toHaveLength(2));
  network.onTheWay = async () => {};
  arriving[0]!();
  await first;
  arriving[1]!();
  await second;
  expect(await phone.waiting()).toHaveLength(0);
  expect(await phone.db.disk.reading(['outbox'], (tx) => tx.objectStore('outbox').getAllKeys())).toEqual([edit.id]); // a forgotten PIN takes nothing from there
  restore();
  await phone.sync();
  expect(school.edits.has(edit.id)).toBe(true);
  tab.close();
});

test('a history that was begun anew proves nothing of what was sent before: all of it goes once more', async () => {
  twinUses(1, 2, 3);
  await phone.sync();
  const restore = school.backup();
  for (let at = 0; at < 3; at++) await phone.write({ category: `c${at}` }, `r${at}`);
  await phone.sync();
  school.rights++;
  network.faults = ['none', 'no signal', 'no signal'];
  await phone.sync();
  restore();
  await phone.db.writing(['settings'], (tx) => settle(tx, 'plan', { size: 1, failures: 0, aside: [] }));
  await phone.sync();
  expect([...school.edits.values()].map(({ edit }) => edit.values.category).sort()).toEqual(['c0', 'c1', 'c2', undefined, undefined, undefined]);
});

test('what the school has had lies on nobody’s newer word, where all is read afresh and not all of it has gone once more', async () => {
  for (const record of ['r1', 'r2']) await phone.write({ category: 'mine' }, record);
  await phone.sync();
  for (const record of ['r1', 'r2']) school.write(record, 'ben', { category: 'newer' });
  await phone.sync();
  school.rights++;
  await phone.db.writing(['settings'], (tx) => settle(tx, 'plan', { size: 1, failures: 0, aside: [] }));
  network.faults = ['none', 'none', 'no signal', 'no signal'];
  await phone.sync();
  expect((await phone.kept()).filter(({ again }) => again)).toHaveLength(1);
  expect([...(await phone.shown()).values()].map(({ body }) => body.category)).toEqual(['newer', 'newer']);
});

test('all of it is marked in pieces, the last of them before that history is kept', async () => {
  await phone.sync();
  const edit = (number: number) => ({ id: `e${number}`, phone: phone.name, number, record: 'r1', kind: 'incident', made_at: '', seen: null, values: { category: 'x' } });
  await phone.db.writing(['edits', 'settings'], async (tx) => {
    for (let at = 1; at <= 120; at++) tx.objectStore('edits').put({ edit: edit(at), order: at, outcome: 'taken', receipted_at: at });
    await settle(tx, 'cursor', null);
    await settle(tx, 'plan', { size: 10, failures: 0, aside: [] });
  });
  const { disk } = phone.db;
  const states: [has: boolean, marked: number][] = [];
  const writing = disk.writing.bind(disk);
  disk.writing = (async (...given: Parameters<typeof writing>) => {
    const answer = await writing(...given);
    states.push(await disk.reading(['settings', 'outbox'], async (tx) => [typeof (await tx.objectStore('settings').get('cursor')) === 'string', await tx.objectStore('outbox').count()]));
    return answer;
  }) as typeof writing;
  network.faults = ['none', 'no signal', 'no signal'];
  await phone.sync();
  const began = states.findIndex(([has]) => has);
  expect(states.slice(0, began + 1).map(([, marked]) => marked).filter((marked) => marked > 0)).toEqual([50, 100, 110, 110]);
});

test('in ordinary use nothing is sent twice, but once what had gone sealed', async () => {
  for (let at = 0; at < 5; at++) {
    await phone.write({ category: `c${at}` });
    await phone.sync();
    school.write('r9', 'ben', { category: `${at}` });
  }
  expect(letters().flatMap(({ edits }) => edits)).toHaveLength(5);
  await hasGrant();
  await phone.write({ category: 'sealed' });
  await phone.sendSealed();
  expect(await phone.waiting()).toHaveLength(0);
  for (let at = 0; at < 3; at++) await phone.sync();
  expect(letters().flatMap(({ edits }) => edits)).toHaveLength(6);
});

test('so are those that were numbered before a fork', async () => {
  const restore = school.backup();
  await phone.write({ category: 'old' }, 'r1');
  await phone.sync();
  school.owners.get(phone.name)!.push({ phone: phone.name, number: 2, edit: 'elsewhere' });
  await phone.write({ category: 'collides' }, 'r2');
  await phone.sync();
  await phone.write({ category: 'new' }, 'r3');
  await phone.sync();
  expect(lastLetter().phone).toBe(`${phone.name}+1`);
  restore();
  await phone.sync();
  expect(school.edits.size).toBe(3);
});

test('a school that begins again for ever is left alone for now', async () => {
  await phone.write({ category: 'a' });
  await phone.sync();
  school.exchange = ((real) => (...letter: Parameters<School['exchange']>) => ({ ...real.apply(school, letter), records: [], held: [], gone: [], cursor: null, rebuild: 'unknown' as const }))(school.exchange);
  expect((await phone.sync()).trouble).toBe('failing');
  expect(letters().length).toBeLessThan(10);
});

test('nothing new writes nothing and wakes nobody', async () => {
  await phone.sync();
  const woken: unknown[] = [];
  phone.db.listen((stores) => woken.push(stores));
  await phone.sync();
  expect(woken).toEqual([]);
});

// ── Signing out, revoked, outdated ─────────────────────────────────────────────────────────────

test('signed out: the outbox waits, and its seal and the grant send it without reading anything', async () => {
  school.write('r9', 'ben', { category: 'not to be read' });
  await phone.write({ category: 'mine' });
  network.cookie = null;
  expect((await phone.sync()).trouble).toBe('sign in');
  expect(await phone.waiting()).toHaveLength(1);
  await phone.db.writing(['settings'], (tx) => tx.objectStore('settings').put('grant-of-amira', 'grant'));
  network.grants.set('grant-of-amira', 'amira');
  expect((await phone.sendSealed()).trouble).toBeNull();
  expect(network.requests.at(-1)!.headers.Authorization).toBe('Bearer grant-of-amira');
  expect(await phone.waiting()).toHaveLength(0);
  expect(await phone.records()).toHaveLength(0);
  expect((await phone.shown()).get('r1')!.body.category).toBe('mine');
});

test('what went sealed is still laid over until the records come', async () => {
  await phone.write({ category: 'mine' });
  await phone.db.writing(['settings'], (tx) => tx.objectStore('settings').put('g', 'grant'));
  network.grants.set('g', 'amira');
  await phone.sendSealed();
  expect((await phone.kept())[0]!.over).toBeDefined();
  await phone.sync();
  expect((await phone.kept())[0]!.over).toBeUndefined();
  expect((await phone.shown()).get('r1')!.body.category).toBe('mine');
});

test('a revoked phone stops, forgets what the school sent, and keeps what was written', async () => {
  school.write('r9', 'ben', { category: 'x' });
  await phone.sync();
  await phone.write({ category: 'mine' });
  network.revoked.add(phone.name);
  expect((await phone.sync()).trouble).toBe('revoked');
  const asked = letters().length;
  expect((await phone.sync()).trouble).toBe('revoked');
  expect(letters()).toHaveLength(asked);
  expect(await phone.records()).toHaveLength(0);
  expect(await phone.waiting()).toHaveLength(1);
});

test('a school that speaks another protocol asks for an update, and the outbox waits', async () => {
  await phone.write({ category: 'mine' });
  vi.stubGlobal('fetch', async () => Response.json({ refusal: 'protocol', speaks: [2] }, { status: 400, headers: { 'Lanyard-Protocol': '1' } }));
  expect((await phone.sync()).trouble).toBe('update');
  expect(await phone.waiting()).toHaveLength(1);
});

// ── Two tabs ───────────────────────────────────────────────────────────────────────────────

test('two tabs that send at once send everything once', async () => {
  const tab = phone.tab();
  for (let at = 0; at < 20; at++) await (at % 2 ? phone : tab).write({ category: `c${at}` }, `r${at}`);
  await Promise.all([phone.sync(), tab.sync(), phone.sync(), tab.sync()]);
  expect(school.seq).toBe(20);
  expect((await phone.kept()).map(({ edit }) => edit.number).sort((one, other) => one - other)).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
  tab.close();
});

test('a frozen tab that has the turn loses it, and work goes on', async () => {
  vi.useFakeTimers();
  vi.stubGlobal('navigator', { locks: new Turns() });
  const frozen = inTurn('x', () => new Promise(() => {}));
  const done = inTurn('x', async () => 'sent');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await done).toBe('sent');
  void frozen;
});

test('whoever loses the turn while working finishes all the same', async () => {
  vi.stubGlobal('navigator', { locks: new Turns() });
  let finish = (_: string) => {};
  const slow = inTurn('x', () => new Promise<string>((resolve) => (finish = resolve)));
  await new Promise((resolve) => setTimeout(resolve));
  void navigator.locks.request('x', { steal: true }, async () => {});
  finish('kept');
  expect(await slow).toBe('kept');
});

test('what goes wrong in one’s turn is told to whoever asked', async () => {
  vi.stubGlobal('navigator', { locks: new Turns() });
  await expect(inTurn('x', () => Promise.reject(new Error('storage')))).rejects.toThrow('storage');
});

/** A small Web Locks: exclusive, first come first served, with a signal and with stealing. */
class Turns {
  private holder: { lose: (why: Error) => void; done: Promise<unknown> } | null = null;

  async request(_name: string, { signal, steal }: { signal?: AbortSignal; steal?: boolean }, work: () => Promise<unknown>): Promise<unknown> {
    if (steal) this.holder?.lose(new DOMException('stolen', 'AbortError'));
    else {
      // AbortSignal.timeout is not among the timers a test can turn.
      const tooLong = new Promise((_, reject) => setTimeout(() => reject(new DOMException('waited', 'TimeoutError')), signal ? 45_000 : 0));
      tooLong.catch(() => {});
      while (this.holder) await Promise.race([this.holder.done, tooLong]);
    }
    let lose = (_: Error) => {};
    const lost = new Promise((_, reject) => (lose = reject));
    const done = Promise.race([work(), lost]);
    const holder = { lose, done: done.catch(() => {}) };
    this.holder = holder;
    return done.finally(() => this.holder === holder && (this.holder = null));
  }
}
