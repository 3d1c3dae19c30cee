// Before another PIN is chosen: what only the one before can open, and the way back to it.

import { useEffect, useState } from 'preact/hooks';
import { onlyByPin } from '../local/disk';
import { myDisk, turnBack } from '../local/session';
import { go } from '../look/address';
import { Icon } from '../look/icon';
import { count } from '../look/words';

export function OnlyByPin() {
  const [locked, setLocked] = useState(0);
  useEffect(() => {
    const disk = myDisk();
    if (disk) onlyByPin(disk).then(setLocked, () => {});
  }, []);
  if (locked === 0) return null;
  function back(): void {
    turnBack();
    go('/', 'replace');
  }
  return (
    <>
      <p class="note" role="alert" data-state="needs">
        <Icon name="needs" />
        <span><b>{count(locked, 'thing')} you wrote here can only be opened with the PIN you had.</b> {locked === 1 ? 'It was' : 'They were'} written before this phone had the school’s key, and another PIN loses {locked === 1 ? 'it' : 'them'}.</span>
      </p>
      <button type="button" class="button whole" onClick={back}>Go back to the PIN you had</button>
    </>
  );
}
