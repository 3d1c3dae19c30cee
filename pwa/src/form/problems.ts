// What is wrong with what was written, in a teacher's words, before it is saved. Pure. The school judges again.

import type { Field, Json, Kind, Moment, SchoolAnswer, Values } from '../wire';
import { fieldNamed, isEmpty, momentOf, optionsOf } from './say';

/** `words` stand under the question, so they never say it over again; `missing`: there is no answer yet. */
export type Problem = { field: Field; words: string; missing?: boolean };

const LINE_LIMIT = 300; // characters, where the school does not say
const NOTE_LIMIT = 60_000; // bytes
const MINUTES_LIMIT = 7 * 24 * 60;
const PLANNED = new Set(['home_visit', 'sweep']); // whose moment may lie ahead
const AHEAD_MS = 5 * 60_000; // a phone's clock may be a little slow

/** `asked`: the fields on this screen. `needed` is asked of a record being begun, and never of a correction. */
export function problemsWith(school: SchoolAnswer, kind: Kind, asked: Field[], answer: (field: Field) => Json | undefined, beginning: boolean): Problem[] {
  return asked.flatMap((field): Problem[] => {
    const value = answer(field);
    if (isEmpty(value)) return beginning && isMissing(kind, field, answer) ? [{ field, words: missingWords(kind, field), missing: true }] : [];
    const words = misfit(school, kind, field, value!);
    return words ? [{ field, words }] : [];
  });
}

/** A time that came by itself and a link to where the form was opened from say nothing yet: a record of those alone would be an empty one. */
export const saysSomething = (kind: Kind, values: Values): boolean =>
  kind.fields.some(({ name, shape }) => name !== kind.moment && shape.control !== 'record' && !isEmpty(values[name]));

function isMissing(kind: Kind, field: Field, answer: (field: Field) => Json | undefined): boolean {
  if (!field.needed) return false;
  const instead = kind.fields.find(({ name }) => name === field.instead);
  return !instead || isEmpty(answer(instead));
}

function missingWords(kind: Kind, { shape: { control }, instead }: Field): string {
  if (control === 'pupils') return fieldNamed(kind, instead ?? '') ? 'Choose at least one pupil, or say who it was' : 'Choose at least one pupil';
  if (control === 'staff') return 'Choose somebody';
  if (control === 'line' || control === 'note') return 'Write an answer';
  if (control === 'moment') return 'Give a day and a time';
  return 'Choose one';
}

function misfit(school: SchoolAnswer, kind: Kind, field: Field, value: Json): string | undefined {
  const { shape } = field;
  switch (shape.control) {
    case 'line': {
      const most = shape.longest ?? LINE_LIMIT;
      const length = [...String(value)].length;
      return length > most ? `Make it shorter: ${length.toLocaleString('en-GB')} characters, where ${most} is the most` : undefined;
    }
    case 'note': {
      const most = shape.longest_bytes ?? NOTE_LIMIT;
      return new TextEncoder().encode(String(value)).length > most ? 'Make it shorter, or write the rest in another record' : undefined;
    }
    case 'duration':
      return typeof value === 'number' && value <= MINUTES_LIMIT ? undefined : 'Give whole minutes, such as 25';
    case 'moment':
      return momentMisfit(kind, field, momentOf(value));
    case 'choice':
    case 'place':
    case 'yesno':
      return optionsOf(school, shape).some(({ code }) => code === value) ? undefined : 'That answer is no longer in the school’s list. Choose another';
    default:
      return undefined;
  }
}

function momentMisfit(kind: Kind, field: Field, moment: Moment | undefined): string | undefined {
  if (!moment || Number.isNaN(Date.parse(moment.at))) return 'Give a day and a time';
  if (moment.precision === 'lesson' && !moment.lesson) return 'Choose the lesson';
  const planned = PLANNED.has(kind.name);
  if (field.name === kind.moment && !planned && Date.parse(moment.at) > Date.now() + AHEAD_MS) return 'Enter a time that is not in the future';
  return undefined;
}
