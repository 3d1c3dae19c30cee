// A call for help from a locked phone: sealed to the school at once, and read here by nobody, its author included.

import type { Edit, Values } from '../wire';
import { toBytes } from './bytes';
import { newEpoch, NOBODYS, note, noted, type Disk, type Sealed, type Signing } from './disk';
import { newId } from './ids';
import { seal } from './seal';
import { myDisk, whose } from './session';
import { NotSaved } from './trouble';

const MOST_TRIES = 5; // other tabs wrote in between so often
const LONGEST = 300; // letters of a line
const UNSEALABLE = 'This phone cannot seal anything yet.';
/** The school must not take it for what the owner of this phone is known to have said. */
const FROM_A_LOCKED_PHONE = 'From a locked phone, by whoever had it in hand: ';

export type Call = { where: string; isDanger: boolean };

/** Which call it is: the same again, where it is tried again, so that nothing is called twice. */
export const newCall = () => ({ id: newId(), record: newId() });

/** The id of the edit, once it is on the disk; throws NotSaved, and may have got there all the same. */
export async function callWhileLocked({ where, isDanger }: Call, which = newCall()): Promise<string> {
  const [disk, { school, staff }] = [myDisk()!, whose()!];
  const made_at = new Date().toISOString();
  const values: Values = {
    asked_at: { at: made_at, precision: 'exact' },
    urgency: isDanger ? 'danger' : 'now',
    note: `${FROM_A_LOCKED_PHONE}${where}`.slice(0, LONGEST),
  };
  const call = { ...which, kind: 'call_out', made_at, seen: null, values };
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { phone, number, sign, intake } = await reading(disk);
    if (!phone || !sign || !intake) break;
    const edit: Edit = { ...call, phone, number: number + 1 };
    const sealed = await seal(edit, { what: 'edit', id: edit.id, phone, number: edit.number, made_at }, { school, staff, sign, intake });
    if (!sealed) break;
    if (await put(disk, edit, sealed)) return edit.id;
  }
  throw new NotSaved(UNSEALABLE);
}

async function reading(disk: Disk) {
  return await disk.reading(['settings', 'keys'], async (tx) => {
    const [first] = (await noted(tx, 'intake')) ?? [];
    const signing = (await tx.objectStore('keys').get('signing')) as Signing | undefined;
    return {
      phone: await noted(tx, 'phone'),
      number: (await noted(tx, 'number')) ?? 0,
      sign: signing?.pair.privateKey,
      intake: first && { kid: first.kid, public: toBytes(first.public) },
    };
  });
}

/** False when its number was given to another edit meanwhile. Safe to repeat. */
function put(disk: Disk, { id, phone, number, made_at }: Edit, sealed: Sealed): Promise<boolean> {
  return disk.writing(
    ['settings', 'outbox'],
    async (tx) => {
      if ((await tx.objectStore('outbox').get(id)) !== undefined) return true;
      if (((await noted(tx, 'number')) ?? 0) !== number - 1) return false;
      const order = ((await noted(tx, 'order')) ?? 0) + 1;
      await tx.objectStore('outbox').add({ id, order, phone, number, made_at, unsent: order, sealed, call: true, vault: NOBODYS, copy: NOTHING, changed: await newEpoch(tx) });
      await note(tx, 'number', number);
      await note(tx, 'order', order);
      return true;
    },
    () => ['edits'],
  );
}

const NOTHING = { iv: new Uint8Array(), bytes: new Uint8Array() };

/** Whether the school has it. */
export async function isSent(id: string): Promise<boolean> {
  const row = await myDisk()!.reading(['outbox'], (tx) => tx.objectStore('outbox').get(id));
  return row !== undefined && (row.unsent === undefined || row.kept_at !== undefined);
}
