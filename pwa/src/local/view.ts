// What a person sees: the school's records with this phone's unsent edits laid over them.

import type { Edit, HeldEdit, Json, SchoolAnswer } from '../wire';
import type { ShownRecord } from './overlay';
import type { Local } from './store';

export type Filter = {
  kind?: string;
  pupil?: string;
  state?: string; // open, closed, void
  mine?: boolean; // begun by me
  disputed?: boolean;
  linked?: string; // records that name this one: a sweep's sightings, an incident's statements
  before?: string; // the `at` of the last one shown, for the next page
  limit?: number; // 50
};

/** One thing known about a record's past on this phone: one's own edits in full; from the school, its beginning and its statements. */
export type Happening = { at: string; by: string; edit: Edit | null; values: Record<string, Json>; delivery: 'waiting' | 'sent' | 'held'; received_at: string | null };

export type RecordView = {
  record: ShownRecord;
  history: Happening[]; // newest first
  unsent: Edit[];
  held: HeldEdit[];
  disputes: ShownRecord['disputes'];
};

/** Newest first, a page at a time. */
export async function records(_filter: Filter = {}, _local?: Local): Promise<ShownRecord[]> {
  return [];
}

export async function record(_id: string, _local?: Local): Promise<RecordView | undefined> {
  return undefined;
}

/** One's own held edits that nobody has settled yet: *Needs you*. */
export async function needsMe(_local?: Local): Promise<HeldEdit[]> {
  return [];
}

/** Kinds, lists, periods and codes as the school last said them; undefined until it has. */
export async function school(_local?: Local): Promise<SchoolAnswer | undefined> {
  return undefined;
}
