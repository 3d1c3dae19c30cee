// What was written here, and neither this phone nor the school has any more: said until somebody has read it.

import { evicted } from '../local/evicted';
import { forgetGone } from '../local/outbox';
import { useStatus } from '../sync';
import { announce } from './announce';
import { Icon } from './icon';
import { count, lower, nearDay } from './words';

export function GoneBanner() {
  const { gone } = useStatus();
  if (!gone) return null;
  async function read(): Promise<void> {
    await forgetGone();
    announce('Noted');
  }
  return (
    <section class="banner" aria-label="Not received" data-state="needs">
      <p><b>{wordsFor(gone)}</b> {gone.count === 1 ? 'It is' : 'They are'} not on this phone any more. Write {gone.count === 1 ? 'it' : 'them'} again as well as you remember; the desk sees the number too.</p>
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
    <p class="note" data-state="needs">
      <Icon name="needs" />
      <span><b>The browser has removed what Lanyard kept here.</b> {count(waiting, 'record')} written {since && onDay(since)} had not been sent when this phone last looked. Sign in, and the school says which of them it has.</span>
    </p>
  );
}
