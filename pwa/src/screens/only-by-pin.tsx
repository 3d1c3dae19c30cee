// Before another PIN is chosen: what only the one before can open, and the way back to it.

import { turnBack } from '../local/session';
import { go } from '../look/address';
import { Note } from '../look/note';
import { count } from '../look/words';
import { useOnlyByPin } from './locked';

export function OnlyByPin() {
  const locked = useOnlyByPin();
  if (locked === 0) return null;
  function back(): void {
    turnBack();
    go('/', 'replace');
  }
  return (
    <>
      <Note state="needs" alert><b>{count(locked, 'thing')} you wrote here can only be opened with the PIN you had.</b> {locked === 1 ? 'It was' : 'They were'} written before this phone had the school’s key, and another PIN loses {locked === 1 ? 'it' : 'them'}.</Note>
      <button type="button" class="button whole" onClick={back}>Go back to the PIN you had</button>
    </>
  );
}
