// Which period it is, and which lesson of mine: as far as the school has told this phone.

import { clock } from '../look/words';
import type { Lesson, SchoolAnswer } from '../wire';

export function periodAt(school: SchoolAnswer | undefined, at: number): string | undefined {
  const time = clock(at);
  return school?.periods?.find(({ starts, ends }) => starts <= time && time < ends)?.code;
}

export const lessonAt = (school: SchoolAnswer, at: number): Lesson | undefined =>
  school.lessons?.find(({ starts_at, ends_at }) => Date.parse(starts_at) <= at && at < Date.parse(ends_at));
