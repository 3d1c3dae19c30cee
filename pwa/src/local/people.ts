// Finding people by any part of any name, in memory.

import type { Contact, Pupil, Staff } from '../wire';
import type { Local } from './store';

export type Person = ({ is: 'pupil' } & Pupil) | ({ is: 'staff' } & Staff);

/** Where in `name`, `also` and `form` the typed letters stand, as [from, to) pairs, to underline. */
export type Marks = [number, number][];

export type Match = {
  person: Person;
  name: string; // as shown: the forename they go by, and the surname
  marks: { name: Marks; also: Marks; form: Marks };
  also: string | null; // the forename on the register, where it is another
};

export type FindOptions = { only?: 'pupil' | 'staff' };

/** Best first. Synchronous: the index was built when the people were read. */
export function find(_text: string, _limit = 20, _options: FindOptions = {}): Match[] {
  return [];
}

export function pupil(_id: string): Pupil | undefined {
  return undefined;
}

export function staff(_id: string): Staff | undefined {
  return undefined;
}

/** In the order in which they are to be rung; those who must not be rung are among them, and say so. */
export async function contacts(_pupil: string, _local?: Local): Promise<Contact[]> {
  return [];
}

export const nameOf = (person: Pupil | Staff): string =>
  'surname' in person ? `${person.preferred || person.forename} ${person.surname}` : person.name;
