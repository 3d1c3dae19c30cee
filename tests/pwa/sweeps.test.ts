// A sweep on the phone: when it is on, and whoever is on it.

import { expect, test } from 'vitest';
import { overlay } from '../../pwa/src/local/overlay';
import { isOn, isSweptNow } from '../../pwa/src/screens/on';
import type { Edit, Field, Kind, WireRecord } from '../../pwa/src/wire';

const AT = '2026-11-18T09:30:00Z';
const NOW = Date.parse('2026-11-18T10:40:00Z');

test('a sweep that was closed while phones are out goes on for them; one made in error, or of yesterday, does not', () => {
  expect(isSweptNow({ state: 'open', at: AT }, NOW)).toBe(true);
  expect(isSweptNow({ state: 'closed', at: AT }, NOW)).toBe(true);
  expect(isOn({ state: 'closed', at: AT }, NOW)).toBe(false); // Now says only what anybody may still join
  expect(isSweptNow({ state: 'void', at: AT }, NOW)).toBe(false);
  expect(isSweptNow({ state: 'open', at: '2026-11-17T09:30:00Z' }, NOW)).toBe(false);
});

test('whoever joins without signal is on it beside those who joined meanwhile', () => {
  const team = { name: 'team', question: 'Who is on it?', shape: { control: 'staff' }, merge: 'gather', needed: true } as Field;
  const sweep = { name: 'sweep', label: 'Truancy sweep', fields: [team] } as Kind;
  const kept = { id: 's1', kind: 'sweep', version: 'v2', state: 'open', author: 'olu', made_at: AT, received_at: AT, edits: 2, gaps: [], body: { team: { olu: { part: 'leads' }, carol: { part: 'goes' } } }, disputes: {} } as WireRecord;
  const joined = { id: 'e1', phone: 'ben', number: 1, record: 's1', kind: 'sweep', made_at: AT, seen: 'v1', values: { team: { put: { ben: { part: 'goes' } }, drop: [] } } } as Edit;
  const [shown] = overlay([sweep], [kept], [joined], 'ben', new Set(['e1']));
  expect(Object.keys(shown!.body.team as object).sort()).toEqual(['ben', 'carol', 'olu']);
  expect(shown!.delivery).toBe('waiting');
});
