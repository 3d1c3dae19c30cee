// A copy of what waits, in a file that only the school can open: from any screen, the locked one too.

import { useState } from 'preact/hooks';
import { saveCopy } from '../local/phone';
import { StorageTrouble } from '../local/trouble';
import { announce } from './announce';
import { Icon } from './icon';
import { toast } from './toast';

export function CopyButton() {
  const [problem, setProblem] = useState<string>();
  async function copy(): Promise<void> {
    setProblem(undefined);
    try {
      await give(await saveCopy());
    } catch (why) {
      const words = why instanceof StorageTrouble ? why.message : 'This phone could not write the file. Try again in a moment.';
      setProblem(words);
      announce(words, 'assertive');
    }
  }
  return (
    <>
      <button type="button" class="button" onClick={copy}><Icon name="copy" size="small" />Save a copy</button>
      {problem && <p class="note" role="alert" data-state="needs"><Icon name="needs" /><span>{problem}</span></p>}
    </>
  );
}

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
  toast('A copy is in your downloads.', file.name);
}
