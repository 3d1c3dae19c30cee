// Laying this phone's unsent edits over the school's records. Pure: no database, no clock.

import type { Edit, Head, Json, Kind, WireRecord } from '../wire';

/** Where what is shown of a record is: only here, on its way, with the school, or with a person who must decide. */
export type Delivery = 'waiting' | 'sending' | 'sent' | 'needs';

export type ShownRecord = {
  id: string;
  kind: string;
  version: string | null; // what to name as `seen`; null: the school has not told us of it yet
  state: string; // open, closed, void
  delivery: Delivery;
  author: string;
  made_at: string;
  received_at: string | null;
  at: string; // when it happened, or was begun
  edits: number;
  gaps: string[];
  body: Record<string, Json>;
  disputes: Record<string, Head[]>;
  disputed: Record<string, number>;
  mine: boolean;
  unsent: string[]; // ids of the edits that the school has not heard
};

export function overlay(_kinds: Kind[], records: WireRecord[], edits: Edit[], me = ''): ShownRecord[] {
  return records.map((record) => ({
    ...record,
    disputed: record.disputed ?? {},
    delivery: 'sent',
    at: record.made_at,
    mine: record.author === me,
    unsent: edits.filter((edit) => edit.record === record.id).map((edit) => edit.id),
  }));
}
