// Where somebody's timetable has them: by the school's own times, and only while the lesson lasts.

import { expect, test } from 'vitest';
import { lessonAt } from '../../pwa/src/screens/timetable';
import type { SchoolAnswer } from '../../pwa/src/wire';

const first = { starts_at: '2026-11-18T09:00:00.000Z', ends_at: '2026-11-18T10:00:00.000Z', place: 'b12', words: '9X2 History' };
const next = { ...first, starts_at: first.ends_at, ends_at: '2026-11-18T11:00:00.000Z', place: 'yard' };
const at = (time: string) => lessonAt({ lessons: [first, next] } as SchoolAnswer, Date.parse(`2026-11-18T${time}:00Z`))?.place;

test('a lesson is on from its first minute until the next begins', () => {
  expect(['08:59', '09:00', '09:59', '10:00', '11:00'].map(at)).toEqual([undefined, 'b12', 'b12', 'yard', undefined]);
  expect(lessonAt({} as SchoolAnswer, Date.parse(first.starts_at))).toBeUndefined(); // a school before it kept timetables
});
