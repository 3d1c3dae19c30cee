// Before another PIN is chosen: what only the one before can open.

import { useEffect, useState } from 'preact/hooks';
import { onlyByPin } from '../local/disk';
import { myDisk } from '../local/session';
import { Icon } from '../look/icon';
import { count } from '../look/words';

export function OnlyByPin() {
  const [locked, setLocked] = useState(0);
  useEffect(() => {
    const disk = myDisk();
    if (disk) onlyByPin(disk).then(setLocked, () => {});
  }, []);
  if (locked === 0) return null;
  return (
    <p class="note" role="alert" data-state="needs">
      <Icon name="needs" />
      <span><b>{count(locked, 'record')} here can only be opened with the PIN you have forgotten.</b> {locked === 1 ? 'It was' : 'They were'} written before this phone had the school’s key, and another PIN loses {locked === 1 ? 'it' : 'them'}. If you may remember it, <a href="/">go back to the PIN</a>.</span>
    </p>
  );
}
