// What was written here, and neither this phone nor the school has any more: said until somebody has read it.

import { useEffect, useState } from 'preact/hooks';
import { evicted } from '../local/evicted';
import { forgetGone } from '../local/outbox';
import { callThatWaits } from '../local/owners';
import { useStatus } from '../sync';
import { announce } from './announce';
import { Note } from './note';
import { useNow } from './now';
import { count, lower, nearDay, when } from './words';

const LOOK_EVERY_MS = 5_000;

export function GoneBanner() {
  const { gone } = useStatus();
  if (!gone) return null;
  async function read(): Promise<void> {
    await forgetGone();
    announce('Noted');
  }
  return (
    <section class="banner" aria-label="Not received" data-state="needs">
      {gone.count > 0 && <p><b>{wordsFor(gone)}</b> {gone.count === 1 ? 'It is' : 'They are'} not on this phone any more. Write {gone.count === 1 ? 'it' : 'them'} again as well as you remember; the desk sees the number too.</p>}
      {gone.unopened && <p><b>{count(gone.unopened, 'record')} written here {gone.unopened === 1 ? 'waits' : 'wait'} at the school, still closed.</b> {gone.unopened === 1 ? 'It is' : 'They are'} not lost: the administrator sees {gone.unopened === 1 ? 'it' : 'them'} under Held.</p>}
      <button type="button" class="button" onClick={read}>I know</button>
    </section>
  );
}

const wordsFor = ({ count: n, at }: { count: number; at: string | null }): string =>
  at ? `${count(n, 'record')} written here ${onDay(at)} ${n === 1 ? 'was' : 'were'} not received.` : `The school does not have ${count(n, 'record')} that ${n === 1 ? 'was' : 'were'} written here.`;

function onDay(at: string): string {
  const near = nearDay(at);
  return near === 'Today' || near === 'Yesterday' ? lower(near) : `on ${near}`;
}

/** Before anybody has signed in again: what is known without asking the school. */
export function EvictedNote() {
  const left = evicted();
  const waiting = left.reduce((all, one) => all + one.waiting, 0);
  if (waiting === 0) return null;
  const [since] = left.flatMap(({ oldest }) => oldest ?? []).sort();
  return (
    <Note state="needs"><b>The browser has removed what Lanyard kept here.</b> {count(waiting, 'record')} written {since && onDay(since)} had not been sent when this phone last looked. Sign in, and the school says which of them it has.</Note>
  );
}

/** Whoever wrote it may not be whose phone it is. */
export function CallWaits() {
  const [since, setSince] = useState<string | null>(null);
  const now = useNow(LOOK_EVERY_MS);
  const { waiting } = useStatus();
  useEffect(() => void callThatWaits().then(setSince, () => {}), [now, waiting]);
  if (!since) return null;
  return <Note state="alarm" alert><b>A call for help, written here at <span class="num">{when(since)}</span>, is not sent.</b> Nobody at the school knows of it yet.</Note>;
}
