// Choosing a PIN: once, after the password. It opens what the school sends to this phone, and nothing else does.

import { useEffect, useRef, useState } from 'preact/hooks';
import { choosePin, signOut, whoArrived } from '../local/session';
import { lockOthers } from '../lock';
import { announce } from '../look/announce';
import { focusOn, go } from '../look/address';
import { Screen } from '../look/screen';
import { OnlyByPin } from './only-by-pin';
import { NewPinFields, Problems, problemWith, type Problem } from './pin-fields';
import { needsWelcome } from './welcome';

const REFUSED = {
  'no signal': 'The school cannot be reached. Choosing a PIN needs it once.',
  'sign in': 'It is too long since you gave your password. Load this page again, and sign in.',
  revoked: 'The school has taken this phone off its list. Ask at the desk.',
  storage: 'This phone’s storage is not answering. Try again in a minute.',
  busy: 'The school could not do it just now. Try again in a minute.',
};

export function ChoosePin() {
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<Problem>();
  const [choosing, setChoosing] = useState(false);
  const whose = whoArrived();
  useEffect(() => document.getElementById('title')?.focus({ preventScroll: true }), []);

  async function choose(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (choosing) return;
    const given = new FormData(form.current!);
    const pin = String(given.get('new-pin') ?? '');
    const wrong = problemWith(pin, String(given.get('again') ?? ''));
    if (wrong) return refuse(wrong);
    setChoosing(true);
    const chosen = await choosePin(pin).catch(() => ({ is: 'refused', because: 'storage' }) as const);
    setChoosing(false);
    if (chosen.is === 'refused') return refuse({ words: REFUSED[chosen.because], field: 'new-pin' });
    lockOthers();
    announce('Your PIN is set');
    go(needsWelcome() ? '/sign-in?install=1' : '/', 'replace');
  }

  function refuse(problem: Problem): void {
    setProblem(problem);
    requestAnimationFrame(() => focusOn('problem'));
  }

  return (
    <Screen home title="Choose a PIN" meta={whose && `For ${whose.name}, ${whose.school.name}`} dock={<button type="submit" form="choose-pin" class="button main">{choosing ? 'Setting it' : 'Set PIN'}</button>}>
      <Problems problem={problem} />
      <OnlyByPin />
      <p>It opens what the school sends to this phone. Without it nobody who finds the phone can read a name.</p>
      <form id="choose-pin" class="stack wide" ref={form} noValidate onSubmit={choose}>
        <NewPinFields problem={problem} />
      </form>
      <p class="meta">If you forget it, sign in with your password and choose another. Ten wrong PINs remove what the school has sent from this phone; what you wrote is sent all the same.</p>
      <button type="button" class="button whole" onClick={() => void signOut()}>That is not me</button>
    </Screen>
  );
}
