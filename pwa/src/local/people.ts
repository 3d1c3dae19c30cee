// Who is at the school: reading them from this phone, and finding them by any part of any name.

import type { Contact, Pupil, Staff } from '../wire';
import { indexOf, search, type Index, type Marks, type Named } from './names';
import { me, mine, watchMe } from './session';
import { local, type Local } from './reading';

export type { Marks };
export type Person = ({ is: 'pupil' } & Pupil) | ({ is: 'staff' } & Staff);

export type Match = {
  person: Person;
  name: string; // as shown: the forename they go by, and the surname
  also: string | null; // the forename on the register, where it is another
  marks: { name: Marks; also: Marks; form: Marks }; // where the typed letters stand, to underline
};

export type FindOptions = { only?: 'pupil' | 'staff' };

/** What is held in memory of the people of the school. */
type Everybody = { people: Map<string, Person>; index: Index };

const nobody = (): Everybody => ({ people: new Map(), index: indexOf([]) });

let everybody = nobody();
let unfollow = () => {};

/** Best first. Synchronous: the index was built when the people were read. */
export function find(text: string, limit = 20, { only }: FindOptions = {}): Match[] {
  const wanted = (id: string) => !only || everybody.people.get(id)?.is === only;
  return search(everybody.index, text, limit, wanted).map(({ id, marks }) => {
    const person = everybody.people.get(id)!;
    return { person, name: nameOf(person), also: alsoOf(person), marks };
  });
}

export function pupil(id: string): Pupil | undefined {
  const person = everybody.people.get(id);
  return person?.is === 'pupil' ? person : undefined;
}

export function staff(id: string): Staff | undefined {
  const person = everybody.people.get(id);
  return person?.is === 'staff' ? person : undefined;
}

/** In the order in which they are to be rung; those who must not be rung are among them, and say so. */
export async function contacts(pupilId: string, from: Local = local): Promise<Contact[]> {
  const kept = await from.read(['contacts'], (tx) => tx.objectStore('contacts').index('pupil').getAll(pupilId));
  return kept.sort((one, other) => one.position - other.position);
}

export const nameOf = (person: Pupil | Staff): string =>
  'surname' in person ? `${person.preferred || person.forename} ${person.surname}` : person.name;

const alsoOf = (person: Person): string | null =>
  person.is === 'pupil' && person.preferred && person.preferred !== person.forename ? person.forename : null;

// ── Reading them ───────────────────────────────────────────────────────────────────────────

const watchers = new Set<() => void>();

/** Called whenever everybody has been read again. */
export function watchPeople(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const peopleKnown = (): number => everybody.people.size;

let begin = () => {};
const begun = new Promise<void>((resolve) => (begin = resolve));

/** Call it once the first screen stands: reading everybody takes longer than drawing it. */
export const readPeople = (): void => begin();

let whose: string | undefined;
let ready: Promise<void> = Promise.resolve();

/** Once everybody has been read, or could not be, for whoever has unlocked. */
export const peopleReady = (): Promise<void> => ready;

/** Nobody stays in memory of a person who has signed out; whenever the school sends somebody, all are read again. */
function follow(): void {
  const now = me() ? mine().name : undefined;
  if (now === whose) return;
  whose = now;
  unfollow();
  everybody = nobody();
  if (!now) return;
  unfollow = mine().listen((stores) => (stores.includes('pupils') || stores.includes('staff')) && void read());
  ready = begun.then(read).catch(() => {}); // locked meanwhile; or the storage is away, and whoever looks for a name is told of that
}

watchMe(follow);
follow();

async function read(): Promise<void> {
  if (!me()) return; // Signed out meanwhile.
  const db = mine();
  const [pupils, colleagues] = await db.reading(['pupils', 'staff'], (tx) => [tx.objectStore('pupils').getAll(), tx.objectStore('staff').getAll()] as const);
  const people: Person[] = [...pupils.map((one) => ({ is: 'pupil' as const, ...one })), ...colleagues.map((one) => ({ is: 'staff' as const, ...one }))];
  if (db.name !== whose) return; // Signed out meanwhile.
  everybody = { people: new Map(people.map((one) => [one.id, one])), index: indexOf(people.map(asNamed)) };
  for (const watcher of watchers) watcher();
}

function asNamed(person: Person): Named {
  const name = nameOf(person);
  if (person.is === 'pupil') {
    const { id, form, year, surname, forename } = person;
    return { id, name, also: alsoOf(person) ?? '', form, year, sortedBy: `${surname} ${forename}` };
  }
  return { id: person.id, name, also: '', form: '', year: '', sortedBy: `${name.slice(name.lastIndexOf(' ') + 1)} ${name}` };
}
