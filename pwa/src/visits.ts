// A visit that somebody is to come back from: what the school says of it, what this phone remembers of that, and what it may say itself.

import { fieldNamed, isEmpty, momentOf, say, type Entries } from './form/say';
import type { ShownRecord } from './local/overlay';
import { local, type Local } from './local/reading';
import { mine } from './local/session';
import type { Mine, MyReading } from './local/stores';
import type { RecordView } from './local/view';
import type { Json, Kind, SchoolAnswer, Values } from './wire';

const REMEMBERED_MS = 48 * 60 * 60_000;
const MINUTE = 60_000;

/** `help`: where to look for them, for whoever was told to, while they are late. */
export type VisitCard = {
  record: string;
  state: 'planned' | 'out' | 'overdue' | 'alarm' | 'safe' | 'over';
  words: string;
  accepted_at: string | null; // since when the school has a plan that it can watch
  leaves_at: string | null;
  due_back: string | null;
  left_at: string | null;
  heard_at: string | null;
  safe_at: string | null;
  closed_at: string | null;
  closed_by: string | null;
  taken_by: string | null;
  unsure: boolean; // they said that they are safe, but not with their closing word, or of a time to come
  goes: string[];
  buddy: string | null;
  who: Record<string, string>; // names of the staff in it
  next: { at: string; words: string } | null;
  timeline: { at: string; what: string; words: string }[];
  may: string[];
  asks_word: boolean; // I go, and close with my closing word
  help: { addresses: string[]; withheld: boolean; answers: [string, string][] } | null;
  now: string;
};

// ── Times ──────────────────────────────────────────────────────────────────────────────────

export const timeOf = (value: Json | undefined): number | undefined => {
  const at = Date.parse(momentOf(value)?.at ?? '');
  return Number.isNaN(at) ? undefined : at;
};

export const stamp = (field: string, at = Date.now()): Values => ({ [field]: { at: new Date(at).toISOString(), precision: 'exact' } });

/** More time, from when they were due, or from now where that has gone by. */
export const moreTime = (due: number | undefined, minutes: number, now = Date.now()): Values => stamp('back_by', Math.max(due ?? now, now) + minutes * MINUTE);

// ── What the school has ────────────────────────────────────────────────────────────────────

/** What this phone keeps of a card, for when there is no signal. */
export type Known = Pick<VisitCard, 'state' | 'accepted_at' | 'due_back' | 'asks_word' | 'safe_at' | 'unsure'>;

export const knownOf = ({ state, accepted_at, due_back, asks_word, safe_at, unsure }: VisitCard): Known => ({ state, accepted_at, due_back, asks_word, safe_at, unsure });

/**
 * `untimed`: it does not say when they are back, so nobody could be told. `not there`: as far as this phone knows, the school has
 * no plan. `older`: the school still goes by another time, or by other people. `there`: it has the plan as it stands here. Times alone do not tell:
 * the school reads them by its own clock, where this phone's is wrong.
 */
export type AtSchool = 'untimed' | 'not there' | 'older' | 'there';

const WHO = ['going', 'expects_call'];

export function planAtSchool({ record: { body }, unsent }: Pick<RecordView, 'unsent'> & { record: Pick<ShownRecord, 'body'> }, known: Known | null | undefined): AtSchool {
  const due = timeOf(body.back_by);
  if (due === undefined) return 'untimed';
  if (!known?.accepted_at) return 'not there';
  const isNews = (values: Values): boolean => ('back_by' in values && Date.parse(known.due_back ?? '') !== due) || WHO.some((name) => name in values);
  return unsent.some(({ values }) => isNews(values)) ? 'older' : 'there';
}

/** Whom the school tells when, if nobody is back by `due`: minutes after it, as the school counts them. */
export function tells(due: number, buddy: string): { at: number; who: string }[] {
  const lead = 'the safeguarding lead and those on duty';
  const after: [number, string][] = buddy ? [[5, 'you'], [10, buddy], [15, lead]] : [[5, 'you'], [10, lead]];
  return after.map(([minutes, who]) => ({ at: due + minutes * MINUTE, who }));
}

type AllKnown = Record<string, Known & { kept_at: number }>;

const allKnown = (tx: MyReading): AllKnown => (tx.objectStore('school').get('visits') ?? {}) as AllKnown;

export async function remembered(record: string, from: Local = local): Promise<Known | null> {
  const { [record]: found } = await from.read(['school'], allKnown);
  if (!found) return null;
  const { kept_at: _, ...known } = found;
  return known;
}

/** Null: the school does not know of it. What was over long ago goes. */
export const remember = (record: string, known: Known | null, db: Mine = mine()): Promise<void> =>
  db.writing(['school'], (tx) => {
    const { [record]: _, ...others } = allKnown(tx);
    const recent = Object.fromEntries(Object.entries(others).filter(([, { kept_at }]) => Math.abs(Date.now() - kept_at) < REMEMBERED_MS));
    tx.objectStore('school').put(known ? { ...recent, [record]: { ...known, kept_at: Date.now() } } : recent, 'visits');
  });

// ── What to be careful of ──────────────────────────────────────────────────────────────────

export type Warning = { at: string | null; words: string };

/** What this plan says, then what earlier visits to the same family left for the next, the latest first. */
export function warnings(school: SchoolAnswer, kind: Kind, visit: ShownRecord, earlier: ShownRecord[], familyOf: (pupil: string) => string): Warning[] {
  const families = new Set(pupilsOf(visit).map(familyOf));
  const before = earlier.filter((one) => one.id !== visit.id && one.state !== 'void' && one.at <= visit.at && pupilsOf(one).some((pupil) => families.has(familyOf(pupil))));
  const said = (one: ShownRecord, fields: string[]) =>
    fields.flatMap((name) => {
      const field = fieldNamed(kind, name);
      const told = field && !isEmpty(one.body[name]) ? say(school, field, one.body[name]) : '';
      return told ? [/[.!?]$/.test(told) ? told : `${told}.`] : [];
    });
  const of = (one: ShownRecord, fields: string[], at: string | null): Warning[] => {
    const words = said(one, fields).join(' ');
    return words ? [{ at, words }] : [];
  };
  return [...of(visit, ['hazards', 'hazards_note'], null), ...before.sort((one, other) => (one.at < other.at ? 1 : -1)).flatMap((one) => of(one, ['for_next_visitor', 'hazards'], one.at))];
}

const pupilsOf = ({ body }: ShownRecord): string[] => Object.keys((body.pupils ?? {}) as Entries);
