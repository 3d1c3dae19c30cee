// The morning’s list as this phone knows it: whose families, in what order, who is ringing them and who has; and whom to ring in a family. Pure.

import { isEmpty, momentOf, type Entries } from '../form/say';
import type { ShownRecord } from '../local/overlay';
import type { Contact, Statement } from '../wire';

/** So long after dialling, somebody who has not said how it went is taken to be at it. */
const AT_IT_MS = 15 * 60_000;

type Claim = { by: string; at: string };

export type Family = {
  row: ShownRecord;
  pupils: string[];
  callers: string[]; // who shares it
  claims: Claim[]; // who has dialled, the last first
  rang: ShownRecord[]; // each call, the first first
};

/** `mine`, `anybodys` and `others`: still to be rung, in the list's order; mine end with those who did not answer me. */
export type Morning = { day: number; mine: Family[]; anybodys: Family[]; others: Family[]; rung: Family[]; off: Family[]; nextDay: number | undefined };

/** Of all the lists on this phone that of `day`, or else the first that is not over; undefined where there is none. */
export function morningOf(rows: ShownRecord[], calls: ShownRecord[], me: string, now: number, day?: number): Morning | undefined {
  const days = [...new Set(rows.map(dayOf))].filter((each) => each >= midnight(now)).sort((one, other) => one - other);
  const on = day ?? days[0];
  if (on === undefined) return undefined;
  const made = callsOf(calls);
  const listed = rows.filter((row) => dayOf(row) === on).sort(inOrder).map((row) => familyOf(row, made.get(row.id) ?? []));
  const isOff = ({ row }: Family) => row.state !== 'open' || !isEmpty(row.body.off_list);
  const again = listed.filter((family) => isAgain(family, me) && !isOff(family));
  const rung = listed.filter((family) => family.rang.length > 0 && !again.includes(family));
  const toRing = listed.filter((family) => family.rang.length === 0 && !isOff(family));
  return {
    day: on,
    mine: [...toRing.filter(({ callers }) => callers.includes(me)), ...again],
    anybodys: toRing.filter(({ callers }) => callers.length === 0),
    others: toRing.filter(({ callers }) => callers.length > 0 && !callers.includes(me)),
    rung,
    off: listed.filter((family) => family.rang.length === 0 && isOff(family)),
    nextDay: days.find((each) => each > on),
  };
}

/** Mine, then nobody's, and last of all whoever did not answer me; but none that somebody else is ringing. */
export const myQueue = ({ mine, anybodys }: Morning, me: string, now: number): Family[] =>
  [...mine, ...anybodys].filter((family) => !ringing(family, me, now)).sort((one, other) => one.rang.length - other.rang.length);

/** Rung once, by me, and nobody answered: they are rung once more, when the others are done. */
export const isAgain = ({ rang: [call, ...more] }: Family, me: string): boolean => call?.author === me && call.body.outcome === 'no_answer' && more.length === 0;

/** Who else has dialled and has not said yet how it went. */
export const ringing = ({ claims, rang }: Family, me: string, now: number): Claim | undefined =>
  claims.find(({ by, at }) => by !== me && now - Date.parse(at) < AT_IT_MS && !rang.some(({ author }) => author === by));

/** Two people have rung one family, and neither may know of the other. */
export const isOverlap = ({ rang }: Family): boolean => new Set(rang.map(({ author }) => author)).size > 1;

export const allOf = ({ mine, anybodys, others, rung, off }: Morning): Family[] => [...mine, ...anybodys, ...others, ...rung, ...off];

export const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0);

export const dayOf = ({ body, at }: ShownRecord): number => midnight(Date.parse(momentOf(body.for_day)?.at ?? at));

const placeOf = ({ body }: ShownRecord): number => Number.parseInt(String(body.place_in_list), 10) || Infinity;

const inOrder = (one: ShownRecord, other: ShownRecord): number => {
  const [before, after] = [placeOf(one), placeOf(other)];
  return before === after ? (one.id < other.id ? -1 : 1) : before - after;
};

const familyOf = (row: ShownRecord, rang: ShownRecord[]): Family => ({
  row,
  pupils: Object.keys((row.body.pupils ?? {}) as Entries),
  callers: Object.keys((row.body.caller ?? {}) as Entries),
  claims: Object.entries((row.body.claimed ?? {}) as Record<string, Statement>)
    .flatMap(([by, { value }]) => momentOf(value) ? [{ by, at: momentOf(value)!.at }] : [])
    .sort((one, other) => (one.at < other.at ? 1 : -1)),
  rang,
});

/** By the family they were made to; one that was written by mistake, or says nothing of how it went, rang nobody. */
function callsOf(calls: ShownRecord[]): Map<string, ShownRecord[]> {
  const made = new Map<string, ShownRecord[]>();
  for (const call of [...calls].sort((one, other) => (one.at < other.at ? -1 : 1))) {
    const { listed, outcome } = call.body;
    if (typeof listed === 'string' && call.state !== 'void' && !isEmpty(outcome)) made.set(listed, [...(made.get(listed) ?? []), call]);
  }
  return made;
}

// ── Whom to ring ───────────────────────────────────────────────────────────────────────────

const whoIs = ({ person, id }: Contact): string => person ?? id;

/** The same adult beside each sibling is rung once. Whoever must not be rung for one is not rung for any. */
export function onceEach(contacts: Contact[]): Contact[] {
  const people = new Map<string, Contact>();
  for (const contact of contacts) {
    const before = people.get(whoIs(contact));
    people.set(whoIs(contact), before && (before.do_not_contact || !contact.do_not_contact) ? before : contact);
  }
  return [...people.values()].sort((one, other) => one.position - other.position);
}

/** As the card was opened, whatever has come since; but whoever must not be rung from now on, is not. */
export function asOpened(opened: Contact[], now: Contact[]): Contact[] {
  const never = new Map(now.filter(({ do_not_contact }) => do_not_contact).map((contact) => [whoIs(contact), contact]));
  return opened.map((contact) => never.get(whoIs(contact)) ?? contact);
}
