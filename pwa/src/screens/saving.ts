// Saving with one tap: an answer that needs no form, and ten seconds to take it back.

import { NotSaved, undo, write, type Written } from '../local/outbox';
import { announce } from '../look/announce';
import { toast, UNDO_MS } from '../look/toast';
import { syncNow } from '../sync';
import type { Edit } from '../wire';

/** Of two taps in a row the second is not meant for what stands in the same place by then. */
export const isSecondTap = ({ detail }: MouseEvent): boolean => detail > 1;

/** True once it is on the disk. Otherwise it says so, and nothing has changed. `undone`: what to do when it was taken back; null: it goes at once, for good. */
export async function saveTap(written: Written[], about: string, undone?: (() => void) | null): Promise<boolean> {
  const edits: Edit[] = [];
  try {
    for (const each of written) edits.push(await write(each, undone === null ? {} : { undoFor: UNDO_MS }));
  } catch (why) {
    toast('Not saved yet.', why instanceof NotSaved ? why.message : 'Try again.');
    if (!(why instanceof NotSaved)) throw why;
    return false;
  }
  toast('Saved on this phone.', about, undone === null ? undefined : async () => void ((await takeBack(edits)) && undone?.()));
  void syncNow('save');
  return true;
}

async function takeBack(edits: Edit[]): Promise<boolean> {
  let taken = 0;
  for (const edit of [...edits].reverse()) if (await undo(edit.id)) taken += 1;
  if (taken === edits.length) announce('Taken back.');
  else toast('The school already has it.', 'Open the record to correct it.');
  return taken === edits.length;
}
