// Choosing a PIN: once, after the password. It opens what the school sends to this phone, and nothing else does.

import { useEffect, useRef, useState } from 'preact/hooks';
import { choosePin, signOut, whoArrived } from '../local/session';
import { wrongWith } from '../local/pin';
import { lockOthers } from '../lock';
import { announce } from '../look/announce';
import { focusOn, go } from '../look/address';
import { Screen } from '../look/screen';
import { needsWelcome } from './welcome';

const REFUSED = {
  'no signal': 'The school cannot be reached. Choosing a PIN needs it once.',
  'sign in': 'It is too long since you gave your password. Load this page again, and sign in.',
  revoked: 'The school has taken this phone off its list. Ask at the desk.',
  busy: 'The school could not do it just now. Try again in a minute.',
};

export function ChoosePin() {
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<{ words: string; field: string }>();
  const [choosing, setChoosing] = useState(false);
  useEffect(() => document.getElementById('title')?.focus({ preventScroll: true }), []);

  async function choose(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (choosing) return;
    const given = new FormData(form.current!);
    const [pin, again] = [String(given.get('pin') ?? ''), String(given.get('again') ?? '')];
    const wrong = wrongWith(pin);
    if (wrong) return refuse(wrong, 'new-pin');
    if (pin !== again) return refuse('The two are not the same.', 'again');
    setChoosing(true);
    const chosen = await choosePin(pin).catch(() => ({ is: 'refused', because: 'busy' }) as const);
    setChoosing(false);
    if (chosen.is === 'refused') return refuse(REFUSED[chosen.because], 'new-pin');
    lockOthers();
    announce('Your PIN is set');
    go(needsWelcome() ? '/sign-in?install=1' : '/', 'replace');
  }

  function refuse(words: string, field: string): void {
    setProblem({ words, field });
    requestAnimationFrame(() => focusOn('problem'));
  }

  const whose = whoArrived();
  return (
    <Screen home title="Choose a PIN" meta={whose && `For ${whose.name}, ${whose.school.name}`} dock={<button type="submit" form="choose-pin" class="button main">{choosing ? 'Setting it' : 'Set PIN'}</button>}>
      {problem && (
        <div class="problems" id="problem" role="alert" tabIndex={-1}>
          <h2>There is a problem</h2>
          <a href={`#${problem.field}`} onClick={(event) => { event.preventDefault(); focusOn(problem.field); }}>{problem.words}</a>
        </div>
      )}
      <p>It opens what the school sends to this phone. Without it nobody who finds the phone can read a name.</p>
      <form id="choose-pin" class="stack wide" ref={form} noValidate onSubmit={choose}>
        <div class="field">
          <label for="new-pin">Six digits or more</label>
          <input id="new-pin" name="pin" class="input pin num" type="password" inputMode="numeric" autocomplete="off" enterkeyhint="next" aria-invalid={problem?.field === 'new-pin' ? true : undefined} />
        </div>
        <div class="field">
          <label for="again">The same again</label>
          <input id="again" name="again" class="input pin num" type="password" inputMode="numeric" autocomplete="off" enterkeyhint="go" aria-invalid={problem?.field === 'again' ? true : undefined} />
        </div>
      </form>
      <p class="meta">If you forget it, sign in with your password and choose another: nothing that you wrote is lost. Ten wrong PINs remove what the school has sent from this phone, and never what you wrote.</p>
      <button type="button" class="button whole" onClick={() => void signOut()}>That is not me</button>
    </Screen>
  );
}
