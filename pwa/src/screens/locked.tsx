// Locked: no name, nothing of the school; what waits, that it is safe and sends by itself, and the PIN.

import { useEffect, useRef, useState } from 'preact/hooks';
import { onlyByPin } from '../local/disk';
import { myDisk, unlockWith, type Unlocked } from '../local/session';
import { SHORTEST_PIN } from '../local/pin';
import type { Opened } from '../local/vault';
import { announce } from '../look/announce';
import { focusOn, go } from '../look/address';
import { CopyButton } from '../look/copy';
import { CallWaits } from '../look/gone';
import { Icon } from '../look/icon';
import { Strip } from '../look/strip';
import { toast } from '../look/toast';
import { count, patience } from '../look/words';
import { FULL } from '../local/trouble';
import { useStatus } from '../sync';

export function Locked({ onGone }: { onGone: (because: 'ten wrong' | 'the school' | 'revoked') => void }) {
  const { waiting, drafts } = useStatus();
  const pin = useRef<HTMLInputElement>(null);
  const [opening, setOpening] = useState(false);
  const [wrong, setWrong] = useState<string>();
  const [pause, setPause] = useCountdown();
  const [passwordWanted, setPasswordWanted] = useState(false);
  const byPin = useOnlyByPin(waiting);

  useEffect(() => {
    document.title = 'Locked · Lanyard';
    document.getElementById('title')?.focus({ preventScroll: true });
  }, []);

  async function open(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (opening || pause > 0) return;
    const typed = pin.current!.value;
    if (typed.length < SHORTEST_PIN) return refuse(typed ? `A PIN has ${SHORTEST_PIN} digits or more. No try was counted.` : 'Type your PIN.');
    setOpening(true);
    const answer = await unlockWith(typed).catch((why: Error) => why.message);
    setOpening(false);
    if (pin.current) pin.current.value = ''; // it has gone where it opened
    if (typeof answer === 'string') return refuse(answer === FULL ? NO_ROOM : SILENT);
    if (answer.is === 'open') return opened(answer);
    if (answer.is === 'gone') return onGone(answer.because);
    if ('pause_s' in answer) setPause(answer.pause_s);
    setPasswordWanted(answer.is === 'lease over' && answer.because === 'sign in');
    refuse(wordsFor(answer, byPin));
  }

  function refuse(words: string): void {
    setWrong(words);
    announce(words, 'assertive');
    focusOn('pin');
  }

  return (
    <div class="phone">
      <header><div class="top"><Strip still /></div></header>
      <main class="locked">
        <div class="stack">
          <Icon name="lock" size="big" />
          <h1 id="title" tabIndex={-1}>Locked</h1>
          <CallWaits />
          <p class="lede">{whatWaits(waiting, byPin)}</p>
          {drafts > 0 && <p>{count(drafts, 'draft')} {drafts === 1 ? 'is' : 'are'} not finished: closed with your PIN, and still here.</p>}
          {waiting + drafts > 0 && <div class="stack"><CopyButton /></div>}
        </div>
        <form class="stack bottom" noValidate onSubmit={open}>
          <div class={wrong ? 'field wrong' : 'field'}>
            <label for="pin">Your PIN</label>
            {wrong && <p class="why" id="pin-why"><Icon name="needs" /><span>{wrong}</span></p>}
            <input ref={pin} id="pin" class="input pin num" type="password" inputMode="numeric" autocomplete="off" enterkeyhint="go" aria-invalid={wrong ? true : undefined} aria-describedby={wrong ? 'pin-why' : undefined} />
          </div>
          <button class="button main" aria-disabled={opening || pause > 0}>{opening ? 'Opening' : pause > 0 ? `Wait ${patience(pause)}` : 'Unlock'}</button>
          {passwordWanted && <a class="button whole" href="/sign-in">Sign in</a>}
          <div class="tiles pair">
            <a class="button link" href="/sign-in?forgot=1">I forgot my PIN</a>
            <a class="button link" href="/sign-in">Somebody else</a>
          </div>
          <a class="button help whole" href="/help"><Icon name="hand" />Call for help</a>
        </form>
      </main>
    </div>
  );
}

/** `byPin`: so much is not closed to the school yet. */
function whatWaits(waiting: number, byPin: number) {
  if (waiting === 0) return 'Nothing is waiting to be sent.';
  const [is, it] = waiting === 1 ? ['is', 'It'] : ['are', 'They'];
  return <><b>{count(waiting, 'record')} {is} waiting.</b> {it} {is} locked{byPin ? `: ${byPin} of what was written here can only be sent once you unlock.` : ` and safe. ${it} will send when you are online, even if you do not unlock.`}</>;
}

const SILENT = 'This phone’s storage is not answering. What was written is still in it. Try again in a moment.';
const NO_ROOM = 'This phone has no room left: delete a few photos or downloads, then try again.';

function wordsFor(answer: Exclude<Opened, { is: 'open' | 'gone' }>, byPin: number): string {
  switch (answer.is) {
    case 'wrong':
      return `That is not the PIN. ${answer.left === 1 ? 'One try is' : `${answer.left} tries are`} left; then what the school has sent is removed from this phone${byPin ? `, and ${byPin} of what was written can be opened by nobody` : '. What was written is never removed'}.`;
    case 'pause':
      return 'That was too many tries. Wait as long as it says below, or tap “I forgot my PIN” and sign in.';
    case 'lease over':
      return answer.because === 'sign in'
        ? 'The school wants your password again before this phone opens. What was written is locked and safe.'
        : 'It is too long since this phone was last in touch with the school: with the next signal it opens. What was written is still here.';
  }
}

function opened({ password_by, told }: Unlocked & { is: 'open' }): void {
  announce('Unlocked');
  if (told) toast(told);
  if (password_by) go('/sign-in'); // which says why
}

export function useOnlyByPin(waiting = 0): number {
  const [byPin, setByPin] = useState(0);
  useEffect(() => {
    const disk = myDisk();
    if (disk) onlyByPin(disk).then(setByPin, () => {});
  }, [waiting]);
  return byPin;
}

function useCountdown(): [number, (seconds: number) => void] {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (left <= 0) return;
    const timer = setTimeout(() => setLeft(left - 1), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return [left, setLeft];
}
