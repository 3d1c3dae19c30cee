// An answer in words: what stands in a record, as the school would say it. Pure, but for the names of people.

import { nameOf, pupil, staff } from '../local/people';
import type { ShownRecord } from '../local/overlay';
import { clock, count, day, nearDay, series } from '../look/words';
import type { Field, Json, Kind, Moment, Option, SchoolAnswer, Shape } from '../wire';

export type Entries = Record<string, Record<string, string>>;

export const kindNamed = (school: SchoolAnswer | undefined, name: string): Kind | undefined => school?.kinds.find((kind) => kind.name === name);
export const fieldNamed = (kind: Kind | undefined, name: string): Field | undefined => kind?.fields.find((field) => field.name === name);

/** Everything a choice may be, retired answers too: an old record still says them. */
export function optionsOf(school: SchoolAnswer, shape: Shape): (Option & { retired?: boolean })[] {
  if (shape.control === 'code') return (school.codes ?? []).map(({ code, meaning }) => ({ code, label: `${code}: ${meaning}` }));
  if (shape.list) return school.lists[shape.list] ?? [];
  if (shape.control === 'place') return school.lists.places ?? [];
  return shape.options ?? [];
}

const labelIn = (options: Option[], code: Json | undefined): string => options.find((option) => option.code === code)?.label ?? String(code ?? '');

export const personNamed = (id: string): string => {
  const found = pupil(id) ?? staff(id);
  return found ? nameOf(found) : 'Somebody not on this phone';
};

export const isEmpty = (value: Json | undefined): boolean =>
  value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

/** An answer, whole. */
export function say(school: SchoolAnswer, field: Field, value: Json | undefined): string {
  if (isEmpty(value)) return 'No answer';
  const { shape } = field;
  switch (shape.control) {
    case 'line':
    case 'note':
      return String(value);
    case 'choice':
    case 'place':
    case 'yesno':
    case 'code':
      return labelIn(optionsOf(school, shape), value as string);
    case 'choices':
      return sayChoices(school, shape, value!);
    case 'moment':
      return sayMoment(school, value as Moment | string);
    case 'duration':
      return typeof value === 'number' ? count(value, 'minute') : String(value);
    case 'pupils':
    case 'staff':
      return series(Object.entries(value as Entries).map(([id, entry]) => sayEntry(school, shape, id, entry)));
    case 'record':
      return 'Another record';
    default: {
      const newer: never = shape.control;
      return typeof value === 'string' ? value : JSON.stringify(value ?? newer);
    }
  }
}

function sayChoices(school: SchoolAnswer, shape: Shape, value: Json): string {
  const options = optionsOf(school, shape);
  if (Array.isArray(value)) return series(value.map((code) => labelIn(options, code)));
  return series(
    Object.entries(value as Entries).map(([code, entry]) => {
      const part = sayPart(school, shape, entry);
      return part ? `${labelIn(options, code)} (${part})` : labelIn(options, code);
    }),
  );
}

const sayEntry = (school: SchoolAnswer, shape: Shape, id: string, entry: Record<string, string>): string => {
  const part = sayPart(school, shape, entry);
  return part ? `${personNamed(id)} (${part})` : personNamed(id);
};

/** Somebody's part, and what came of it: "responsible · removal". */
export function sayPart(school: SchoolAnswer, shape: Shape, entry: Record<string, string> | undefined): string {
  const part = entry?.part && labelIn(shape.parts ?? [], entry.part).toLowerCase();
  const outcome = entry?.outcome && labelIn(outcomesOf(school, shape), entry.outcome).toLowerCase();
  return [part, outcome].filter(Boolean).join(' · ');
}

export const outcomesOf = (school: SchoolAnswer, shape: Shape): (Option & { retired?: boolean })[] =>
  shape.outcomes ? (school.lists[shape.outcomes.list] ?? []) : [];

export const momentOf = (value: Json | undefined): Moment | undefined => {
  if (typeof value === 'string') return { at: value, precision: 'exact' };
  return value && typeof value === 'object' && !Array.isArray(value) && typeof value.at === 'string' ? (value as Moment) : undefined;
};

export function sayMoment(school: SchoolAnswer | undefined, value: Json | undefined, now = Date.now(), dayOf = day): string {
  const moment = momentOf(value);
  if (!moment) return 'No time given';
  const { at, precision, lesson } = moment;
  if (precision === 'lesson') {
    const period = school?.periods?.find((each) => each.code === lesson);
    return `${nearDay(at, now)}, ${period?.label ?? lesson ?? 'in a lesson'}`;
  }
  return `${dayOf(at, now)}, ${precision === 'about' ? 'about ' : ''}${clock(at)}`;
}

/** What names a record in a list. While two answers disagree, neither is in the title. */
export function titleOf(school: SchoolAnswer | undefined, record: Titled): string {
  const kind = kindNamed(school, record.kind);
  if (!school || !kind) return 'A record this phone cannot read yet';
  const named = namedBy(kind, record);
  const [first] = named;
  if (!first) return kind.label;
  if (isAboutPeople(first)) return namesIn(record.body[first.name]);
  return named.filter((field) => !isAboutPeople(field)).slice(0, 2).map((field) => say(school, field, record.body[field.name])).join(', ');
}

/** What the title leaves out: who it is about, or what was done about whoever the title names. */
export function subtitleOf(school: SchoolAnswer | undefined, record: Titled): string {
  const kind = kindNamed(school, record.kind);
  if (!school || !kind) return '';
  const [first, ...rest] = namedBy(kind, record);
  if (!first) return '';
  const left = isAboutPeople(first) ? rest.filter((field) => !isAboutPeople(field)).slice(0, 1) : rest.filter(isAboutPeople).slice(0, 1);
  return left.map((field) => (isAboutPeople(field) ? namesIn(record.body[field.name]) : say(school, field, record.body[field.name]))).join('');
}

type Titled = Pick<ShownRecord, 'kind' | 'body' | 'disputes'>;

const namedBy = (kind: Kind, { body, disputes }: Titled): Field[] =>
  (kind.title ?? [])
    .map((name) => fieldNamed(kind, name))
    .filter((field) => field !== undefined)
    .filter(({ name, shape }) => !isEmpty(body[name]) && !(name in disputes) && shape.control !== 'moment' && shape.control !== 'record');

const isAboutPeople = ({ shape }: Field): boolean => shape.control === 'pupils' || shape.control === 'staff';

const namesIn = (value: Json | undefined): string => series(Object.keys((value ?? {}) as Entries).map(personNamed));

/** The pupils a record is about, by name. */
export function pupilsIn(school: SchoolAnswer | undefined, record: Pick<ShownRecord, 'kind' | 'body'>): string[] {
  const fields = kindNamed(school, record.kind)?.fields.filter(({ shape }) => shape.control === 'pupils') ?? [];
  return fields.flatMap(({ name }) => Object.keys((record.body[name] ?? {}) as Entries)).map(personNamed);
}

/** When it happened, for a list's second line. */
export function whenOf(school: SchoolAnswer | undefined, record: Pick<ShownRecord, 'kind' | 'body' | 'at'>, dayOf = day): string {
  const kind = kindNamed(school, record.kind);
  const own = kind?.moment ? momentOf(record.body[kind.moment]) : undefined;
  return sayMoment(school, own ?? record.at, Date.now(), dayOf);
}
