// What is done standing up and is on now: a sweep or a visit of today that nobody has closed.

import { isEmpty, momentOf, type Entries } from '../form/say';
import type { ShownRecord } from '../local/overlay';
import type { Local } from '../local/store';
import { records } from '../local/view';

const ON_FOR_MS = 16 * 60 * 60_000;
const LOOKED_THROUGH = 50; // of each kind

export const isOn = ({ state, at }: Pick<ShownRecord, 'state' | 'at'>, now = Date.now()): boolean => state === 'open' && Math.abs(now - Date.parse(at)) < ON_FOR_MS;

/** Whoever is still out when their sweep is closed goes on writing down whom they spoke to. */
export const isSweptNow = (record: Pick<ShownRecord, 'state' | 'at'>, now = Date.now()): boolean => record.state !== 'void' && isOn({ ...record, state: 'open' }, now);

/** I am on this visit: named among those who go, or its author where nobody is named. */
export function isGoing({ body, mine }: Pick<ShownRecord, 'body' | 'mine'>, me: string | undefined): boolean {
  const going = (body.going ?? {}) as Entries;
  return isEmpty(going) ? mine : me !== undefined && me in going;
}

/** Every sweep that is on, and the visits that I am on and not yet back from. */
export async function onNow(me: string | undefined, local: Local): Promise<ShownRecord[]> {
  const open = await Promise.all(['home_visit', 'sweep'].map((kind) => records({ kind, state: 'open', limit: LOOKED_THROUGH }, local)));
  return open.flat().filter((record) => isOn(record) && (record.kind === 'sweep' || (isGoing(record, me) && isEmpty(record.body.safe_at))));
}

/** Somebody is to be back from it by now, and has not said that they are. */
export const isLate = ({ body }: Pick<ShownRecord, 'body'>, now = Date.now()): boolean => isEmpty(body.safe_at) && now > Date.parse(momentOf(body.back_by)?.at ?? '');
