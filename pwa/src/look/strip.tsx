// Where what was written is, in one vocabulary, on every screen. The least safe is shown first.

import { useEffect, useRef } from 'preact/hooks';
import { evicted } from '../local/evicted';
import { standing } from '../local/session';
import { useStatus, type Status } from '../sync';
import { announce } from './announce';
import { Icon, type IconName } from './icon';
import { useNow } from './now';
import { ago, count, when } from './words';

export type Shown = { state: 'draft' | 'waiting' | 'sending' | 'sent' | 'needs' | 'alarm'; icon: IconName; words: string; age: string | null; to: string };

export const saved = (n: number): string => `${n} saved on this phone, not sent`;

/** Pure: what the strip says. `drafting` is true on a form in which something has been typed. */
export function shownBy(status: Status, now: number, drafting = false): Shown {
  const { waiting, oldest, sending, needs, drafts, lastContact, lastSent, problem, signedOut } = status;
  const about = oldest ? `Oldest: ${ago(oldest, now)}` : null;
  if (drafting) return { state: 'draft', icon: 'draft', words: 'Draft on this phone', age: waiting ? saved(waiting) : null, to: '/this-phone' };
  if (sending) return { state: 'sending', icon: 'sending', words: `Sending ${Math.min(sending.done + 1, sending.of)} of ${sending.of}`, age: null, to: '/this-phone' };
  if (waiting) {
    const because = signedOut ? 'Sign in to send.' : brief(problem);
    return { state: 'waiting', icon: because ? 'offline' : 'waiting', words: saved(waiting), age: [because, about].filter(Boolean).join(' ') || null, to: signedOut ? '/sign-in' : '/this-phone' };
  }
  if (needs) return { state: 'needs', icon: 'needs', words: `Needs you: ${count(needs, 'record')}`, age: drafts ? 'Nothing else waits to be sent' : 'The school has everything else', to: '/needs-you' };
  if (signedOut) return { state: 'waiting', icon: 'offline', words: 'Not signed in', age: 'You can go on writing. Sign in to send.', to: '/sign-in' };
  if (lastSent) return { state: 'sent', icon: 'sent', words: `Sent ${when(lastSent, now)}, the school has it`, age: brief(problem), to: '/this-phone' };
  return { state: 'draft', icon: 'phone', words: 'Nothing waiting to send', age: brief(problem) ?? (lastContact ? `The school answered ${when(lastContact, now)}` : null), to: '/this-phone' };
}

/** What others have written here is theirs to know of: the strip must not say that nothing waits. */
const NOBODY: Shown = { state: 'draft', icon: 'phone', words: 'Nobody is signed in', age: 'What was written here sends by itself', to: '/sign-in' };

/** The strip has room for "No signal."; This phone says the rest. */
const brief = (problem: string | null): string | null => problem && `${problem.split(/[:.]/)[0]}.`;

/** `still`: there is nothing to open, the phone is locked. */
export function Strip({ drafting = false, still = false }: { drafting?: boolean; still?: boolean }) {
  const now = useNow();
  const known = shownBy(useStatus(), now, drafting);
  const shown = standing() !== 'out' ? known : evicted().length > 0 ? { ...NOBODY, age: null } : NOBODY;
  useTold(shown.words);
  const said = (
    <>
      <Icon name={shown.icon} />
      <span class="grow num">{shown.words}{shown.age && <span class="age">{shown.age}</span>}</span>
    </>
  );
  if (still) return <div class="strip" data-state={shown.state}>{said}</div>;
  return (
    <a class="strip" data-state={shown.state} href={shown.to}>
      {said}
      <Icon name="next" size="small" />
    </a>
  );
}

let told: string | undefined;

/** Said aloud only when the state changes: not at every screen, and not as the oldest grows older. */
function useTold(words: string): void {
  const first = useRef(told === undefined);
  useEffect(() => {
    if (!first.current && words !== told) announce(words);
    told = words;
    first.current = false;
  }, [words]);
}
