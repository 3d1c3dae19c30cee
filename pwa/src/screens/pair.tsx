// Pairing: the desk showed a square, and this phone has looked at it; or its letters are typed. One tap, and then a PIN.

import { useEffect, useRef, useState } from 'preact/hooks';
import { standing } from '../local/session';
import { pair } from '../local/sign-in';
import { NotSaved } from '../local/trouble';
import { focusOn, go } from '../look/address';
import { ThereIsAProblem } from '../look/note';
import { Screen } from '../look/screen';
import { toast } from '../look/toast';

export function Pair() {
  const [square] = useState(() => location.hash.slice(1));
  const typed = useRef<HTMLInputElement>(null);
  const [refused, setRefused] = useState<string>();
  const [asking, setAsking] = useState(false);
  const [spent, setSpent] = useState(false); // what the square said: from then on there are only the letters
  // It is good once, and for minutes; it need not stay in the address even so long.
  useEffect(() => history.replaceState(history.state, '', location.pathname), []);
  const bySquare = square !== '' && !spent;

  async function begin(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (asking) return;
    const code = bySquare ? square : typed.current!.value.trim();
    if (!code) return refuse('Type the letters that the desk shows.');
    setAsking(true);
    const answer = await pair(code).catch((why: Error) => ({ refused: why instanceof NotSaved ? why.message : 'This phone could not do it just now. Ask for another code.' }));
    setAsking(false);
    if ('refused' in answer) {
      setSpent(true);
      return refuse(answer.refused);
    }
    if (answer.told) toast(answer.told);
    go('/', 'replace');
  }

  function refuse(words: string): void {
    setRefused(words);
    requestAnimationFrame(() => focusOn('problem'));
  }

  return (
    <Screen home title="Pair this phone" dock={<button type="submit" form="pair" class="button main">{asking ? 'Asking the school' : 'Pair'}</button>}>
      {refused && <ThereIsAProblem words={refused} field="letters" />}
      <p>The school makes a code for one person. Tap Pair: then it says who that is, and you choose the PIN that opens Lanyard on this phone.</p>
      <form id="pair" class="stack wide" noValidate onSubmit={begin}>
        {!bySquare && (
          <div class="field">
            <label for="letters">The eight letters beside the square at the desk</label>
            <input ref={typed} id="letters" class="input num" type="text" autocomplete="off" autocapitalize="characters" spellcheck={false} enterkeyhint="go" aria-invalid={refused ? true : undefined} />
          </div>
        )}
      </form>
      {standing() !== 'out' && <p>Somebody uses Lanyard on this phone already. What is theirs stays here, locked, and what they wrote is sent.</p>}
      {standing() === 'locked' || standing() === 'open' ? <a class="button whole" href="/">{standing() === 'locked' ? 'Back to the locked phone' : 'Not now'}</a> : <a class="button whole" href="/sign-in">Sign in with your password</a>}
    </Screen>
  );
}
