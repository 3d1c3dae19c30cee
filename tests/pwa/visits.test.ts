// A visit that is on: what this phone may say of the school, and what is to be careful of.

import { expect, test } from 'vitest';
import type { ShownRecord } from '../../pwa/src/local/overlay';
import type { Local } from '../../pwa/src/local/reading';
import { isGoing, isLate, isOn } from '../../pwa/src/screens/on';
import { moreTime, planAtSchool, remember, remembered, tells, timeOf, warnings, type Known } from '../../pwa/src/visits';
import type { Edit, Kind, SchoolAnswer, Values } from '../../pwa/src/wire';
import { Phone } from './phone';
import { School } from './school';

const at = (time: string) => ({ at: `2026-11-23T${time}:00.000Z`, precision: 'exact' as const });
const visit = (body: ShownRecord['body'], more: Partial<ShownRecord> = {}) => ({ id: 'v', kind: 'home_visit', state: 'open', at: at('14:00').at, mine: true, body, ...more }) as ShownRecord;
const known: Known = { state: 'out', accepted_at: at('13:58').at, due_back: '2026-11-23T14:50:00Z', asks_word: false, safe_at: null, unsure: false };

test('only a plan that the school has accepted, with the time as it stands here, is said to be there', () => {
  const view = (body: ShownRecord['body'], ...unsent: Values[]) => ({ record: visit(body), unsent: unsent.map((values) => ({ values }) as Edit) });
  const planned = view({ back_by: at('14:50') });
  expect(planAtSchool(view({}), known)).toBe('untimed');
  expect(planAtSchool(planned, undefined)).toBe('not there');
  expect(planAtSchool(planned, null)).toBe('not there');
  expect(planAtSchool(planned, { ...known, accepted_at: null })).toBe('not there');
  expect(planAtSchool(planned, known)).toBe('there');
  expect(planAtSchool(view({ back_by: at('15:05') }, { arrived_at: at('14:20') }, { back_by: at('15:05') }), known)).toBe('older');
});

test('a time that the school has, and reads by its own clock, is not said to be on its way', () => {
  expect(planAtSchool({ record: visit({ back_by: at('15:50') }), unsent: [{ values: { arrived_at: at('15:20') } } as unknown as Edit] }, known)).toBe('there');
});

test('more time counts from the time given, or from now where that has gone by', () => {
  const due = Date.parse(at('14:50').at);
  const later = (minutes: number) => timeOf(moreTime(due, 15, due + minutes * 60_000).back_by);
  expect(later(-10)).toBe(due + 15 * 60_000);
  expect(later(20)).toBe(due + 35 * 60_000);
});

test('those who lead are told instead of a buddy where there is none', () => {
  const due = Date.parse(at('14:50').at);
  const told = (buddy: string) => tells(due, buddy).map(({ at, who }) => [(at - due) / 60_000, who]);
  expect(told('Ben Price')).toEqual([[5, 'you'], [10, 'Ben Price'], [15, 'the safeguarding lead and those on duty']]);
  expect(told('')).toEqual([[5, 'you'], [10, 'the safeguarding lead and those on duty']]);
});

test('whoever is named as going is on the visit; its author only where nobody is named', () => {
  expect(isGoing(visit({}), 'olu')).toBe(true);
  expect(isGoing(visit({ going: { ben: {} } }), 'olu')).toBe(false);
  expect(isGoing(visit({ going: { ben: {} } }, { mine: false }), 'ben')).toBe(true);
  expect(isGoing(visit({}, { mine: false }), 'ben')).toBe(false);
});

test('a visit of today is on until it is closed', () => {
  const now = Date.parse(at('16:00').at);
  expect(isOn(visit({}), now)).toBe(true);
  expect(isOn(visit({}, { state: 'closed' }), now)).toBe(false);
  expect(isOn(visit({}), now + 24 * 60 * 60_000)).toBe(false);
});

test('somebody is late from the time they gave until they say that they are safe', () => {
  const now = Date.parse(at('15:00').at);
  expect(isLate(visit({ back_by: at('14:50') }), now)).toBe(true);
  expect(isLate(visit({ back_by: at('14:50'), safe_at: at('14:55') }), now)).toBe(false);
  expect(isLate(visit({ back_by: at('15:10') }), now)).toBe(false);
  expect(isLate(visit({}), now)).toBe(false);
});

test('earlier visits to the same family warn the next visitor, the latest first; others, later ones and mistakes do not', () => {
  const kind = { name: 'home_visit', fields: [{ name: 'for_next_visitor', shape: { control: 'line' } }, { name: 'hazards_note', shape: { control: 'note' } }] } as unknown as Kind;
  const on = (day: string) => `2026-10-${day}T10:00:00.000Z`;
  const before = (id: string, pupil: string, words: string, more: Partial<ShownRecord> = {}) => visit({ pupils: { [pupil]: {} }, for_next_visitor: words }, { id, at: on('01'), ...more });
  const earlier = [
    before('1', 'siobhan', 'Ring first'),
    before('2', 'conor', 'Mind the dog.', { at: on('05') }),
    before('3', 'li', 'Another family'),
    before('4', 'conor', 'Written by mistake', { state: 'void' }),
    before('5', 'conor', 'Planned for later', { at: '2027-01-01T10:00:00.000Z' }),
    before('6', 'conor', ''),
  ];
  const family = (pupil: string) => (pupil === 'li' ? 'wu' : 'oneill');
  const planned = visit({ pupils: { conor: {} }, hazards_note: 'Stairs are dark' });
  expect(warnings({ lists: {} } as SchoolAnswer, kind, planned, [planned, ...earlier], family)).toEqual([
    { at: null, words: 'Stairs are dark.' },
    { at: on('05'), words: 'Mind the dog.' },
    { at: on('01'), words: 'Ring first.' },
  ]);
});

test('what the school said last is kept for when there is no signal, and goes when the school knows nothing of it', async () => {
  const phone = await Phone.of(new School());
  const from: Local = { me: null, read: (stores, work) => phone.db.reading(stores, work) };
  await remember('v', known, phone.db);
  await remember('w', known, phone.db);
  expect(await remembered('v', from)).toEqual(known);
  await remember('v', null, phone.db);
  expect(await remembered('v', from)).toBeNull();
  expect(await remembered('w', from)).toEqual(known);
});
