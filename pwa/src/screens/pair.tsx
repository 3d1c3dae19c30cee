// Pairing: the desk showed a square, and this phone has looked at it. One tap, and then a PIN.

import { useEffect, useState } from 'preact/hooks';
import { pair, standing } from '../local/session';
import { announce } from '../look/announce';
import { focusOn, go } from '../look/address';
import { Screen } from '../look/screen';
import { toast } from '../look/toast';

export function Pair() {
  const [code] = useState(() => location.hash.slice(1));
  const [refused, setRefused] = useState<string>();
  const [asking, setAsking] = useState(false);
  // It is good once, and for minutes; it need not stay in the address even so long.
  useEffect(() => history.replaceState(history.state, '', location.pathname), []);

  async function begin(): Promise<void> {
    if (asking) return;
    setAsking(true);
    const answer = await pair(code);
    setAsking(false);
    if ('refused' in answer) {
      setRefused(answer.refused);
      announce(answer.refused, 'assertive');
      requestAnimationFrame(() => focusOn('problem'));
    } else {
      if (answer.told) toast(answer.told);
      go('/', 'replace');
    }
  }

  return (
    <Screen home title="Pair this phone" dock={code ? <button type="button" class="button main" onClick={begin}>{asking ? 'Asking the school' : 'Pair'}</button> : <a class="button main" href="/sign-in">Sign in</a>}>
      {refused && (
        <div class="problems" id="problem" tabIndex={-1}>
          <h2>There is a problem</h2>
          <a href="/sign-in">{refused}</a>
        </div>
      )}
      <p>{code ? 'The school has made this code for one person. Tap Pair: then it says who that is, and you choose the PIN that opens Lanyard on this phone.' : 'There is no code in this address any more. Look at the square at the desk again, or sign in with your password.'}</p>
      {standing() === 'locked' && <p>Somebody uses Lanyard on this phone already. What is theirs stays here, locked, and what they wrote is sent.</p>}
      {standing() === 'locked' && <a class="button whole" href="/">Back to the locked phone</a>}
    </Screen>
  );
}
