// Addresses taken along on a visit: on the phone for a day at most, whatever its clock is set to, and gone from the disk when let go.

import { afterEach, expect, test, vi } from 'vitest';
import type { Local } from '../../pwa/src/local/reading';
import { letGo, letGoOfWhatIsOver, takeAlong, takenAlong as along } from '../../pwa/src/local/taken-along';
import { lookAt } from '../../pwa/src/local/vault';
import type { Ask } from '../../pwa/src/school';
import type { TakenAlong } from '../../pwa/src/wire';
import { Phone } from './phone';
import { School } from './school';

const HOUR = 60 * 60_000;
const START = Date.parse('2026-11-23T09:00:00Z');

afterEach(() => vi.useRealTimers());

let takenAlong: (record: string, from: Local) => ReturnType<typeof along>;

async function unpacked(): Promise<{ phone: Phone; from: Local }> {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  const phone = await Phone.of(new School());
  takenAlong = (record, from) => along(record, from, phone.db);
  return { phone, from: { me: null, read: (stores, work) => phone.db.reading(stores, work) } };
}

const answers =
  (hours: number): Ask =>
  async (_path, question) => {
    const json: TakenAlong = {
      record: (question!.json as { record: string }).record,
      until: new Date(START + hours * HOUR).toISOString(),
      now: new Date(START).toISOString(),
      pupils: [{ id: 'zoe', name: 'Zoë Ångström', address: '2 Quay Street', address_withheld: false }],
      other_address: null,
      contacts: [],
      plan: {},
    };
    return { heard: 'answered', status: 200, json, etag: null, retryAfter_s: null };
  };

const noSignal: Ask = async () => ({ heard: 'not heard', why: 'no signal', status: null });

test('an address is there until its hour, and let go then', async () => {
  const { phone, from } = await unpacked();
  expect(await takeAlong('r1', answers(4), phone.db)).toBeNull();
  expect((await takenAlong('r1', from))?.pupils[0]!.address).toBe('2 Quay Street');
  expect(await takenAlong('r2', from)).toBeUndefined();
  vi.setSystemTime(START + 4 * HOUR - 1);
  await letGoOfWhatIsOver(phone.db);
  expect(await takenAlong('r1', from)).toBeDefined();
  vi.setSystemTime(START + 4 * HOUR);
  expect(await takenAlong('r1', from)).toBeUndefined();
  await letGoOfWhatIsOver(phone.db);
  expect(await phone.db.reading(['school'], (tx) => tx.objectStore('school').get('along'))).toEqual({});
});

test.each([['set back', -100], ['right', 0]])('with a clock that is %s when it is taken along, and set back again and again, it is not there longer', async (_, wrong) => {
  const { phone, from } = await unpacked();
  const clock = START + wrong * HOUR;
  vi.setSystemTime(clock);
  await takeAlong('r1', answers(4), phone.db);
  for (let minutes = 0; minutes < 4 * 60; minutes += 8) {
    expect(await takenAlong('r1', from)).toBeDefined();
    vi.setSystemTime(clock + 8 * 60_000);
    await lookAt(phone.db.disk); // as the lock does, each minute
    vi.setSystemTime(clock);
    await lookAt(phone.db.disk);
  }
  expect(await takenAlong('r1', from)).toBeUndefined();
  await letGoOfWhatIsOver(phone.db);
  expect(await phone.db.reading(['school'], (tx) => tx.objectStore('school').get('along'))).toEqual({});
});

test('with a clock that is ahead of the school’s it is not shown, and that is said', async () => {
  const { phone, from } = await unpacked();
  vi.setSystemTime(START + 5 * HOUR);
  expect(await takeAlong('r1', answers(4), phone.db)).toContain('clock is ahead');
  expect(await takenAlong('r1', from)).toBeUndefined();
});

test('a school that says a year means a day', async () => {
  const { phone, from } = await unpacked();
  await takeAlong('r1', answers(24 * 365), phone.db);
  vi.setSystemTime(START + 24 * HOUR);
  expect(await takenAlong('r1', from)).toBeUndefined();
});

test('let go, it has left the disk', async () => {
  const { phone, from } = await unpacked();
  await phone.db.tidy();
  const before = await pages(phone);
  await takeAlong('r1', answers(4), phone.db);
  const taken = (await pages(phone)).filter((page) => !before.includes(page));
  expect(taken).not.toEqual([]);
  await letGo('r1', phone.db);
  expect(await takenAlong('r1', from)).toBeUndefined();
  expect((await pages(phone)).filter((page) => taken.includes(page))).toEqual([]);
});

const pages = async (phone: Phone): Promise<unknown[]> => await phone.db.disk.reading(['pages'], (tx) => tx.objectStore('pages').getAllKeys());

test('with no signal it says so, and nothing is kept', async () => {
  const { phone, from } = await unpacked();
  expect(await takeAlong('r1', noSignal, phone.db)).toMatch(/^The school cannot be reached/);
  expect(await takenAlong('r1', from)).toBeUndefined();
});
