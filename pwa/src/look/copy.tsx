// A copy of what waits, in a file that only the school can open: from any screen, the locked one too.

import { useState } from 'preact/hooks';
import { saveCopy, type Copy } from '../local/phone';
import { StorageTrouble } from '../local/trouble';
import { announce } from './announce';
import { Icon } from './icon';
import { Note } from './note';
import { toast } from './toast';
import { count } from './words';

export function CopyButton() {
  const [problem, setProblem] = useState<string>();
  async function copy(): Promise<void> {
    setProblem(undefined);
    try {
      const copy = await saveCopy();
      await give(copy.file);
      tell(wordsOf(copy));
    } catch (why) {
      tell(why instanceof StorageTrouble ? why.message : 'This phone could not write the file. Try again in a moment.');
    }
  }
  function tell(words: string): void {
    setProblem(words);
    if (words) announce(words, 'assertive');
  }
  return (
    <>
      <button type="button" class="button" onClick={copy}><Icon name="copy" size="small" />Save a copy</button>
      {problem && <Note state="needs" alert>{problem}</Note>}
    </>
  );
}

/** What is wrong with it, if anything. */
const wordsOf = ({ open, left }: Copy): string =>
  [
    left > 0 && `${count(left, 'thing')} could not be put in it, not being closed to the school yet. Unlock this phone near a signal, then save another.`,
    open > 0 && `${count(open, 'record')} in it can be read by anybody who has the file. Give it to nobody but the desk.`,
  ]
    .filter(Boolean)
    .join(' ');

async function give(file: File): Promise<void> {
  if (navigator.canShare?.({ files: [file] })) {
    await navigator.share({ files: [file], title: file.name }).catch(() => {}); // closed without sharing: nothing to say
    return;
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  toast('A copy is made. Look in your downloads.', file.name);
}
