// The morning's list: whose families, in what order, who is ringing them and who has.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allOf, asOpened, isAgain, isOverlap, morningOf, myQueue, onceEach, ringing, type Morning } from '../../pwa/src/screens/morning';
import type { ShownRecord } from '../../pwa/src/local/overlay';
import type { Contact, Json } from '../../pwa/src/wire';
import { runs } from './chance';

const NOW = new Date(2026, 10, 23, 7, 40).getTime(); // a Monday, by this machine's own clock
const DAY = 24 * 60 * 60_000;
const at = (ms: number) => new Date(ms).toISOString();

let made = 0;
const record = (kind: string, author: string, happened: number, body: Record<string, Json>, more: Partial<ShownRecord> = {}): ShownRecord => ({
  id: `${kind}-${String(++made).padStart(6, '0')}`, kind, version: 'v1', state: 'open', delivery: 'sent', author, made_at: at(happened), received_at: at(happened), at: at(happened), edits: 1, gaps: [], body, disputes: {}, disputed: {}, mine: author === 'olu', unsent: [], ...more,
});
const row = (place: number | string, body: Record<string, Json> = {}, day = 0): ShownRecord =>
  record('listed_family', 'school', NOW, { for_day: { at: at(NOW + day * DAY), precision: 'exact' }, place_in_list: String(place), pupils: { [`pupil-${place}`]: {} }, ...body });
const call = (listed: ShownRecord, author: string, minutes: number, body: Record<string, Json> = { outcome: 'no_answer' }, more: Partial<ShownRecord> = {}): ShownRecord =>
  record('attendance_call', author, NOW + minutes * 60_000, { listed: listed.id, ...body }, more);
const claimed = (by: string, minutes: number): Record<string, Json> => ({ claimed: { [by]: { value: { at: at(NOW + minutes * 60_000), precision: 'exact' }, at: at(NOW), versions: 1 } } });
const places = (families: { row: ShownRecord }[]) => families.map(({ row: { body } }) => body.place_in_list);
const morning = (rows: ShownRecord[], calls: ShownRecord[] = []): Morning => morningOf(rows, calls, 'olu', NOW)!;

test('the order is the list’s own, counted and not spelt, and who has no place comes last', () => {
  expect(places(morning([row('10'), row('x'), row('2'), row('1')]).anybodys)).toEqual(['1', '2', '10', 'x']);
});

test('mine come first, then nobody’s; other people’s are theirs', () => {
  const list = morning([row(1, { caller: { carol: {} } }), row(2), row(3, { caller: { olu: {}, carol: {} } })]);
  expect([places(list.mine), places(list.anybodys), places(list.others)]).toEqual([['3'], ['2'], ['1']]);
  expect(places(myQueue(list, 'olu', NOW))).toEqual(['3', '2']);
});

test('a family is rung by a call that says how it went, and by no other', () => {
  const rows = [row(1), row(2), row(3), row(4)] as const;
  const list = morning([...rows], [call(rows[0], 'carol', -5), call(rows[1], 'olu', -4, {}), call(rows[2], 'olu', -4, { outcome: 'answered' }, { state: 'void' })]);
  expect([places(list.rung), places(list.anybodys)]).toEqual([['1'], ['2', '3', '4']]);
});

test('every call to a family is kept, the first first, and two people’s are told as an overlap', () => {
  const twice = row(1);
  const again = row(2);
  const list = morning([twice, again], [call(twice, 'carol', -2), call(twice, 'olu', -6), call(again, 'olu', -5), call(again, 'olu', -1)]);
  expect(list.rung.map(({ rang }) => rang.map(({ author }) => author))).toEqual([['olu', 'carol'], ['olu', 'olu']]);
  expect(list.rung.map(isOverlap)).toEqual([true, false]);
});

test('whom somebody else is ringing is left to them for a while; one’s own claim, an old one and one that came to a call are not', () => {
  const [theirs, mine, old, done] = [row(1, claimed('carol', -3)), row(2, claimed('olu', -3)), row(3, claimed('carol', -40)), row(4, claimed('carol', -3))] as const;
  const list = morning([theirs, mine, old, done], [call(done, 'carol', -1)]);
  expect(places(myQueue(list, 'olu', NOW))).toEqual(['2', '3']);
  expect(allOf(list).map((family) => ringing(family, 'olu', NOW)?.by)).toEqual(['carol', undefined, undefined, undefined]);
});

test('who did not answer me is rung once more, when all the others are done', () => {
  const [once, twice, theirs, off, left] = [row(1, { caller: { carol: {} } }), row(2), row(3), row(4, { off_list: 'known' }), row(5)] as const;
  const list = morning([once, twice, theirs, off, left], [call(once, 'olu', -9), call(twice, 'olu', -8), call(twice, 'olu', -2), call(theirs, 'carol', -7), call(off, 'olu', -6)]);
  expect([places(myQueue(list, 'olu', NOW)), places(list.rung)]).toEqual([['5', '1'], ['2', '3', '4']]);
});

test('whom nobody rings is on no one’s list, but a call that was made is shown all the same', () => {
  const [off, closed, rung] = [row(1, { off_list: 'known' }), { ...row(2), state: 'void' }, row(3, { off_list: 'other' })] as const;
  const list = morning([off, closed, rung], [call(rung, 'olu', -1)]);
  expect([places(list.off), places(list.rung), myQueue(list, 'olu', NOW)]).toEqual([['1', '2'], ['3'], []]);
});

test('today’s list comes before tomorrow’s, yesterday’s is over, and tomorrow’s can be asked for', () => {
  const rows = [row(1, {}, 1), row(2), row(3, {}, -1)];
  const today = morning(rows);
  expect([places(today.anybodys), today.nextDay]).toEqual([['2'], new Date(2026, 10, 24).getTime()]);
  expect(places(morningOf(rows, [], 'olu', NOW, today.nextDay)!.anybodys)).toEqual(['1']);
  expect(morningOf([rows[2]!], [], 'olu', NOW)).toBeUndefined();
});

test('whatever was shared, claimed and rung, each family stands in one place, and the queue has none that was rung, but who did not answer me once', () => {
  const someone = fc.constantFrom('olu', 'carol', 'amira');
  const family = fc.record({ callers: fc.uniqueArray(someone), claim: fc.option(fc.tuple(someone, fc.integer({ min: -60, max: 0 }))), rang: fc.array(someone, { maxLength: 3 }), off: fc.boolean() });
  fc.assert(
    fc.property(fc.array(family, { minLength: 1, maxLength: 12 }), (families) => {
      const calls: ShownRecord[] = [];
      const rows = families.map(({ callers, claim, rang, off }, n) => {
        const one = row(n + 1, { caller: Object.fromEntries(callers.map((by) => [by, {}])), ...(claim ? claimed(...claim) : {}), ...(off ? { off_list: 'known' } : {}) });
        for (const by of rang) calls.push(call(one, by, -1));
        return one;
      });
      const list = morning(rows, calls);
      expect(allOf(list).map(({ row: { id } }) => id).sort()).toEqual(rows.map(({ id }) => id).sort());
      expect(myQueue(list, 'olu', NOW).every((family) => family.rang.length === 0 || isAgain(family, 'olu'))).toBe(true);
      expect(allOf(list).reduce((kept, { rang }) => kept + rang.length, 0)).toBe(calls.length);
    }),
    { numRuns: runs(200) },
  );
});

const adult = (pupil: string, person: string, position: number, more: Partial<Contact> = {}): Contact => ({ id: `${pupil}-${person}`, pupil, person, position, name: person, relationship: '', phone: '07700 900001', parental_responsibility: true, do_not_contact: false, ...more });

test('an adult of two children is rung once, and not at all if one of the children says so', () => {
  const family = [adult('zoe', 'karin', 1), adult('zoe', 'erik', 2), adult('max', 'erik', 1, { do_not_contact: true }), adult('max', 'karin', 2)];
  expect(onceEach(family).map(({ person, do_not_contact }) => [person, do_not_contact])).toEqual([['karin', false], ['erik', true]]);
});

test('a card keeps its numbers in their order, but lets go of whoever must not be rung from now on', () => {
  const opened = onceEach([adult('zoe', 'karin', 1), adult('zoe', 'erik', 2)]);
  expect(asOpened(opened, [adult('zoe', 'erik', 1), adult('zoe', 'karin', 2, { phone: '07700 900009' })])).toEqual(opened);
  const forbidden = adult('max', 'karin', 1, { do_not_contact: true, phone: null, note: 'Court order.' });
  expect(asOpened(opened, [forbidden])).toEqual([forbidden, opened[1]]);
});
