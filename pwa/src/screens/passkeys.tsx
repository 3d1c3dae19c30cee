// One's own passkeys: what may be shown instead of the password. Adding or removing one wants the password.

import { useEffect, useRef, useState } from 'preact/hooks';
import { askAsMe } from '../as-me';
import { hasPasskeys, make } from '../local/passkey';
import { phoneName } from '../local/sign-in';
import { announce } from '../look/announce';
import { focusOn } from '../look/address';
import { Icon } from '../look/icon';
import { Screen } from '../look/screen';
import { toast } from '../look/toast';
import { when } from '../look/words';
import { refusal, type Heard } from '../school';
import { Problems, type Problem } from './pin-fields';
import type { WantedPasskey } from '../wire';

type Passkey = { id: string; name: string; made_at: string; used_at: string | null };

const NOT_HEARD = 'The school cannot be reached. Passkeys are kept there.';

export function Passkeys() {
  const password = useRef<HTMLInputElement>(null);
  const [passkeys, setPasskeys] = useState<Passkey[]>();
  const [problem, setProblem] = useState<Problem>();
  const [asking, setAsking] = useState(false);
  useEffect(() => void list(), []);

  async function list(): Promise<void> {
    const heard = await askAsMe('/api/passkeys');
    if (heard.heard === 'answered' && heard.status === 200) setPasskeys(heard.json as Passkey[]);
    else refuse(heard);
  }

  /** `deed` answers what the school said, or null when there was nothing to ask it. */
  async function withPassword(deed: (password: string) => Promise<Heard | null>, done: string): Promise<void> {
    if (asking) return;
    const given = password.current!.value;
    if (!given) return say('Type your password.');
    setAsking(true);
    const heard = await deed(given);
    setAsking(false);
    if (!heard) return say('No passkey was made. Try again.');
    if (heard.heard !== 'answered' || heard.status >= 300) return refuse(heard);
    password.current!.value = '';
    setProblem(undefined);
    toast(done);
    await list();
  }

  async function add(given: string): Promise<Heard | null> {
    const heard = await askAsMe('/api/passkeys/new', { method: 'POST', json: { password: given } });
    if (heard.heard !== 'answered' || heard.status !== 200) return heard;
    const { ticket, publicKey } = heard.json as { ticket: string; publicKey: WantedPasskey };
    const passkey = await make(publicKey);
    return passkey && (await askAsMe('/api/passkeys', { method: 'POST', json: { ticket, name: phoneName(), passkey } }));
  }

  function refuse(heard: Heard): void {
    say(heard.heard === 'answered' ? (refusal(heard.json).words ?? 'The school could not do it just now. Try again in a minute.') : NOT_HEARD);
  }

  function say(words: string): void {
    setProblem({ words, field: 'password' });
    announce(words, 'assertive');
    requestAnimationFrame(() => focusOn('problem'));
  }

  const remove = (id: string) => void withPassword((given) => askAsMe('/api/passkeys/remove', { method: 'POST', json: { password: given, id } }), 'The passkey is removed.');
  return (
    <Screen title="Passkeys" upTo="/this-phone" dock={hasPasskeys() && <button type="submit" form="passkeys" class="button main">{asking ? 'Asking the school' : 'Add a passkey'}</button>}>
      <Problems problem={problem} />
      <p>A passkey signs you in with this phone’s own lock, instead of your password. The PIN still opens what the school sends.</p>
      {passkeys && passkeys.length === 0 && <p class="card pad">You have none yet.</p>}
      {passkeys && passkeys.length > 0 && (
        <ul class="card rows">
          {passkeys.map(({ id, name, made_at, used_at }) => (
            <li key={id} class="row wraps">
              <span class="lead"><Icon name="lock" /></span>
              <span class="grow"><b>{name || 'A passkey'}</b><span class="meta num">Made {when(made_at)}{used_at && `, last used ${when(used_at)}`}</span></span>
              <button type="button" class="button" aria-label={`Remove ${name || 'the passkey'}`} onClick={() => remove(id)}>Remove</button>
            </li>
          ))}
        </ul>
      )}
      {!hasPasskeys() && <p>This browser has no passkeys.</p>}
      <form id="passkeys" class="stack wide" noValidate onSubmit={(event) => { event.preventDefault(); void withPassword(add, 'The passkey is added.'); }}>
        <div class="field">
          <label for="password">Your password, to add or remove one</label>
          <input ref={password} id="password" class="input" type="password" autocomplete="current-password" enterkeyhint="go" aria-invalid={problem ? true : undefined} />
        </div>
      </form>
    </Screen>
  );
}
