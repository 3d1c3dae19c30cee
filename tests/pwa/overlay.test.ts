// Unsent edits over the school's records, by the four rules.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { overlay, type ShownRecord } from '../../pwa/src/local/overlay';
import type { Edit, Head, Json, Kind, Values, WireRecord } from '../../pwa/src/wire';
import { runs } from './chance';
import { KINDS, School } from './school';

const BASE: WireRecord = {
  id: 'r1',
  kind: 'incident',
  version: 'v1',
  state: 'open',
  author: 'ben',
  made_at: '2026-11-21T08:00:00Z',
  received_at: '2026-11-21T08:00:01Z',
  edits: 2,
  gaps: [],
  body: { category: 'fighting', injury: 'serious', pupils: { zoe: { part: 'harmed' } }, account: { ben: { value: 'I saw it', at: 'x', versions: 1 } } },
  disputes: {},
};

let number = 0;
const edit = (values: Values, seen: string | null = 'v1', record = 'r1'): Edit => ({ id: `e${++number}`, phone: 'p', number, record, kind: 'incident', made_at: '2026-11-21T09:00:00Z', seen, values });

const shown = (edits: Edit[], base: WireRecord | null = BASE, kinds: Kind[] = KINDS): ShownRecord => overlay(kinds, base ? [base] : [], edits, 'amira')[0]!;

const head = (value: Json, by: string): Head => ({ value, by, at: 'x', edit: `of ${by}` });
const disputed: WireRecord = { ...BASE, disputes: { category: [head('fighting', 'ben'), head('defiance', 'carol')] } };

test('without edits a record is shown as the school says, and counts as sent', () => {
  expect(shown([])).toMatchObject({ body: BASE.body, delivery: 'sent', mine: false, version: 'v1', unsent: [] });
});

test('latest: what was written stands', () => {
  const one = edit({ category: 'defiance' });
  expect(shown([one])).toMatchObject({ body: { category: 'defiance' }, delivery: 'waiting', unsent: [one.id] });
});

test('latest: null clears, and a needed field that is cleared is a gap again', () => {
  expect(shown([edit({ category: null })])).toMatchObject({ body: { category: null }, gaps: ['category'] });
});

test('what was not touched is not changed', () => {
  const { category: _, ...rest } = shown([edit({ category: 'x' })]).body;
  const { category: __, ...before } = BASE.body;
  expect(rest).toEqual(before);
});

test('gather: a put adds its key and leaves the others, drops come first', () => {
  expect(shown([edit({ pupils: { put: { conor: { part: 'witness' } } } })]).body.pupils).toEqual({ zoe: { part: 'harmed' }, conor: { part: 'witness' } });
  expect(shown([edit({ pupils: { put: { zoe: { part: 'witness' } }, drop: ['zoe'] } })]).body.pupils).toEqual({ zoe: { part: 'witness' } });
  expect(shown([edit({ pupils: { drop: ['zoe'] } })]).body.pupils).toEqual({});
});

test('own: one’s statement stands beside the others’, and every version is counted', () => {
  const account = shown([edit({ account: 'So did I' }), edit({ account: 'So did I, nearly' })]).body.account;
  expect(account).toEqual({ ben: { value: 'I saw it', at: 'x', versions: 1 }, amira: { value: 'So did I, nearly', at: '2026-11-21T09:00:00Z', versions: 2 } });
});

test('own: a cleared statement stays as cleared', () => {
  expect((shown([edit({ account: null })]).body.account as Record<string, Json>).amira).toMatchObject({ value: null });
});

test('gravest: whoever has seen it may lower it; whoever has not, may only raise it', () => {
  expect(shown([edit({ injury: 'minor' }, 'v1')]).body.injury).toBe('minor');
  expect(shown([edit({ injury: 'minor' }, 'v0')]).body.injury).toBe('serious');
  expect(shown([edit({ injury: 'serious' }, null)], { ...BASE, body: { injury: 'minor' } }).body.injury).toBe('serious');
});

test('whoever has seen a dispute and writes the field decides it', () => {
  expect(shown([edit({ category: 'defiance' })], disputed).disputes).toEqual({});
});

test('whoever has not seen it adds an answer of their own', () => {
  const { disputes } = shown([edit({ category: 'vandalism' }, 'v0')], disputed);
  expect(disputes.category!.map(({ value, by }) => [value, by])).toEqual([
    ['vandalism', 'amira'],
    ['fighting', 'ben'],
    ['defiance', 'carol'],
  ]);
});

test('a dispute about another field stays', () => {
  expect(shown([edit({ injury: 'minor' })], disputed).disputes).toEqual(disputed.disputes);
});

test('one key of a gather may be disputed and decided by itself', () => {
  const base = { ...BASE, disputes: { 'pupils/zoe': [head({ part: 'harmed' }, 'ben'), head({ part: 'witness' }, 'carol')] } };
  expect(shown([edit({ pupils: { put: { zoe: { part: 'harmed' } } } })], base).disputes).toEqual({});
  expect(shown([edit({ pupils: { put: { conor: {} } } })], base).disputes).toEqual(base.disputes);
});

test('a record begun on this phone is there at once, with its gaps', () => {
  expect(shown([edit({ account: 'He ran' }, null, 'new')], null)).toMatchObject({ id: 'new', version: null, mine: true, author: 'amira', gaps: ['category'], delivery: 'waiting', state: 'open' });
});

test('it stands where it happened, if its kind says when that was', () => {
  expect(shown([]).at).toBe(BASE.made_at);
  expect(shown([edit({ happened_at: { at: '2026-11-20T10:00:00Z', precision: 'about' } })]).at).toBe('2026-11-20T10:00:00Z');
});

test('closing is an edit like any other', () => {
  expect(shown([edit({ state: 'closed' })]).state).toBe('closed');
});

test('an edit with a receipt is laid over until its record comes, and counts as sent', () => {
  const one = edit({ category: 'x' });
  expect(overlay(KINDS, [BASE], [one], 'amira', new Set())[0]).toMatchObject({ body: { category: 'x' }, delivery: 'sent', unsent: [] });
});

test('a kind or a field that this build does not know is shown as it was written', () => {
  expect(shown([edit({ brand_new: { deep: [1] } })]).body.brand_new).toEqual({ deep: [1] });
  expect(shown([{ ...edit({ thing: 'x' }), kind: 'unheard of' }], null)).toMatchObject({ kind: 'unheard of', body: { thing: 'x' } });
});

test('names like __proto__ and constructor are names like any other', () => {
  const nasty = JSON.parse('{"pupils":{"put":{"__proto__":{"part":"harmed"},"constructor":{}}},"toString":"x"}') as Values;
  const { body } = shown([edit(nasty)]);
  expect(Object.keys(body.pupils as object)).toContain('constructor');
  expect(({} as Record<string, unknown>).part).toBeUndefined();
});

test('laying over changes neither the records nor the edits', () => {
  const before = structuredClone(disputed);
  const one = edit({ category: 'x', pupils: { put: { a: {} }, drop: ['zoe'] }, account: 'y' });
  const untouched = structuredClone(one);
  shown([one, edit({ category: 'z' })], disputed);
  expect(disputed).toEqual(before);
  expect(one).toEqual(untouched);
});

// ── And it agrees with the school ──────────────────────────────────────────────────────────────

const values: fc.Arbitrary<Values> = fc.oneof(
  fc.record({ category: fc.constantFrom('a', 'b', null) }),
  fc.record({ account: fc.string() }),
  fc.record({ injury: fc.constantFrom('none', 'minor', 'serious') }),
  fc.record({ state: fc.constantFrom('open', 'closed', 'void') }),
  fc.record({ pupils: fc.record({ put: fc.dictionary(fc.constantFrom('p1', 'p2', 'p3'), fc.constantFrom({}, { part: 'harmed' })), drop: fc.array(fc.constantFrom('p1', 'p2', 'p3')) }) }),
) as fc.Arbitrary<Values>;

test('what is shown before sending is what the school makes of it, when nobody else wrote meanwhile', () => {
  fc.assert(
    fc.property(fc.array(values, { maxLength: 6 }), fc.array(values, { minLength: 1, maxLength: 8 }), (bens, mine) => {
      const school = new School();
      for (const one of bens) school.write('r1', 'ben', one);
      const base = school.record('r1');
      const edits = mine.map((one) => edit(one, base?.version ?? null));
      const before = overlay(KINDS, base ? [base] : [], edits, 'amira')[0]!;
      school.exchange({ protocol: 1, build: '', phone: 'p', sent_at: '', cursor: null, receipted: 0, waiting: 0, lost: [], edits }, 'amira');
      const after = school.record('r1')!;
      expect(before.body).toEqual(after.body);
      expect(before.state).toEqual(after.state);
      expect(before.gaps).toEqual(after.gaps);
    }),
    { numRuns: runs(500) },
  );
});

test('laying edits over one by one is the same as all at once', () => {
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 8 }), fc.nat(8), (mine, at) => {
      const edits = mine.map((one) => edit(one));
      const half = overlay(KINDS, [BASE], edits.slice(0, at), 'amira')[0]!;
      const rest = overlay(KINDS, [{ ...BASE, body: half.body, disputes: half.disputes }], edits.slice(at), 'amira')[0]!;
      expect(rest.body).toEqual(shown(edits).body);
    }),
  );
});
