// Changing the PIN, for whoever knows the one they have: what is on the phone stays as it is.

import { useRef, useState } from 'preact/hooks';
import { changePin } from '../local/session';
import type { Changed } from '../local/vault';
import { lockNow } from '../lock';
import { focusOn, go } from '../look/address';
import { Screen } from '../look/screen';
import { toast } from '../look/toast';
import { patience } from '../look/words';
import { NewPinFields, PinField, Problems, problemWith, type Problem } from './pin-fields';

export function ChangePin() {
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<Problem>();
  const [changing, setChanging] = useState(false);
  const [passwordWanted, setPasswordWanted] = useState(false);

  async function change(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (changing) return;
    const given = new FormData(form.current!);
    const [old, pin, again] = ['old-pin', 'new-pin', 'again'].map((name) => String(given.get(name) ?? '')) as [string, string, string];
    const wrong = old ? problemWith(pin, again) : { words: 'Type the PIN you have now.', field: 'old-pin' };
    if (wrong) return refuse(wrong);
    setChanging(true);
    const changed = await changePin(old, pin).catch(() => null);
    setChanging(false);
    if (!changed) return refuse({ words: SILENT, field: 'old-pin' });
    if (changed.is === 'gone') return void lockNow(); // which says why
    if (changed.is !== 'changed') return refuse(problemIn(changed), 'because' in changed && changed.because === 'sign in');
    toast('Your PIN is changed.');
    go('/this-phone', 'replace');
  }

  function refuse(problem: Problem, wantsPassword = false): void {
    setProblem(problem);
    setPasswordWanted(wantsPassword);
    requestAnimationFrame(() => focusOn('problem'));
  }

  return (
    <Screen title="Change PIN" upTo="/this-phone" dock={<button type="submit" form="change-pin" class="button main">{changing ? 'Changing it' : 'Change PIN'}</button>}>
      <Problems problem={problem} />
      {passwordWanted && <a class="button whole" href="/sign-in?then=change-pin">Sign in</a>}
      <form id="change-pin" class="stack wide" ref={form} noValidate onSubmit={change}>
        <PinField id="old-pin" label="Your PIN now" problem={problem} />
        <NewPinFields label="Your new PIN, six digits or more" problem={problem} />
      </form>
      <p class="meta">Everything on this phone stays as it is. If you do not know the PIN you have, lock the phone and tap “I forgot my PIN”.</p>
    </Screen>
  );
}

function problemIn(changed: Exclude<Changed, { is: 'changed' | 'gone' }>): Problem {
  switch (changed.is) {
    case 'wrong':
      return { words: `That is not the PIN you have now. ${changed.left === 1 ? 'One try is' : `${changed.left} tries are`} left; then what the school has sent is removed from this phone.${changed.pause_s > 0 ? ` Wait ${patience(changed.pause_s)} before the next.` : ''}`, field: 'old-pin' };
    case 'pause':
      return { words: `That was too many tries. Wait ${patience(changed.pause_s)}, then try again.`, field: 'old-pin' };
    case 'lease over':
    case 'refused':
      return { words: REFUSED[changed.because], field: 'new-pin' };
  }
}

/** It may be on the disk all the same. */
const SILENT = 'This phone’s storage is not answering. Try again; if it says that this is not your PIN, the new one is set.';

const REFUSED = {
  'no signal': 'The school cannot be reached. Changing a PIN needs it once.',
  'sign in': 'The school wants your password first. Sign in, then change the PIN within a quarter of an hour.',
  revoked: 'The school has taken this phone off its list. Ask at the desk.',
  busy: 'The school could not do it just now. Your PIN is the one you had. Try again in a minute.',
};
