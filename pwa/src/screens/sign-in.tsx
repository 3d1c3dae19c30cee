// Signing in: once, with signal. After that Lanyard works without.

import { useEffect, useRef, useState } from 'preact/hooks';
import { passwordBy, signIn, standing, turnTo } from '../local/session';
import type { Owner } from '../local/stores';
import { announce } from '../look/announce';
import { focusOn, go } from '../look/address';
import { Icon } from '../look/icon';
import { Screen } from '../look/screen';
import { count, when } from '../look/words';
import { ask } from '../school';
import { useStatus } from '../sync';
import { saved } from '../look/strip';
import { toast } from '../look/toast';
import { needsWelcome } from './welcome';
import { useMe } from './world';

export type Because = 'forgot' | 'no pin' | 'ten wrong' | 'the school' | 'revoked';

/** Why somebody who was signed in has to give the password. */
const BECAUSE: Record<Because, string> = {
  forgot: 'Sign in with your password, then choose another PIN.',
  'no pin': 'Sign in, then choose the PIN that opens Lanyard on this phone.',
  'ten wrong': 'Ten wrong PINs: what the school had sent has been removed from this phone. Sign in with your password, then choose another PIN.',
  'the school': 'The school does not take this PIN any more. Sign in with your password, then choose another.',
  revoked: 'The school has taken this phone off its list, and what it had sent has been removed. Ask at the desk.',
};

export function SignIn({ because }: { because?: Because } = {}) {
  const me = useMe();
  const { waiting } = useStatus();
  const form = useRef<HTMLFormElement>(null);
  const [refused, setRefused] = useState<string>();
  const [locked, setLocked] = useState<Owner>();
  const [wait, setWait] = useState(0);
  const [asking, setAsking] = useState(false);
  const [seen, setSeen] = useState(false);

  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  async function enter(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (asking || wait > 0) return;
    const given = new FormData(form.current!);
    setAsking(true);
    const answer = await signIn(String(given.get('username') ?? ''), String(given.get('password') ?? ''), ask, because === 'forgot');
    setAsking(false);
    if ('refused' in answer) {
      setRefused(answer.refused);
      setLocked(answer.locked);
      setWait(answer.wait_s ?? 0);
      announce(answer.refused, 'assertive');
      focusOn('problem');
    } else {
      if (answer.told) toast(answer.told);
      go(standing() === 'open' && needsWelcome() ? '/sign-in?install=1' : then, 'replace');
    }
  }

  async function open(): Promise<void> {
    await turnTo(locked!);
    go('/', 'replace');
  }

  const forgottenBy = me && passwordBy();
  const then = new URLSearchParams(location.search).get('then') === 'change-pin' ? '/change-pin' : '/';
  return (
    <Screen home title="Sign in to Lanyard" dock={<button type="submit" form="sign-in" class="button main">{asking ? 'Asking the school' : wait > 0 ? `Wait ${wait} seconds` : 'Sign in'}</button>}>
      {because && <p>{BECAUSE[because]}</p>}
      {forgottenBy && <p class="note" data-state="needs"><Icon name="needs" /><span><b>The school has forgotten your PIN.</b> It went back to a backup. Sign in with your password, then unlock once more. Without that the PIN opens this phone until <span class="num">{when(forgottenBy)}</span>. Nothing that is here is lost.</span></p>}
      {!me && waiting > 0 && <p class="note" data-state="waiting"><Icon name="waiting" /><span><b>{count(waiting, 'record')} {waiting === 1 ? 'is' : 'are'} waiting.</b> Locked and safe: nobody can read {waiting === 1 ? 'it' : 'them'} on this phone. {waiting === 1 ? 'It' : 'They'} will send when you are online.</span></p>}
      {me && waiting > 0 && <p class="note" data-state="waiting"><Icon name="waiting" /><span><b>{saved(waiting)}.</b> Sign in as {me.name}, and they are sent. Nothing is lost if you do it later.</span></p>}
      {refused && (
        <div class="problems" id="problem" tabIndex={-1}>
          <h2>There is a problem</h2>
          <a href="#username" onClick={(event) => { event.preventDefault(); focusOn('username'); }}>{refused}</a>
          {locked && <button type="button" class="button whole" onClick={open}>Open with your PIN</button>}
        </div>
      )}
      <form id="sign-in" class="stack wide" ref={form} noValidate onSubmit={enter}>
        <div class="field">
          <label for="username">Your name at school</label>
          <input id="username" name="username" class="input" type="text" autocomplete="username" autocapitalize="none" spellcheck={false} enterkeyhint="next" aria-invalid={refused ? true : undefined} />
        </div>
        <div class="field">
          <label for="password">Password</label>
          <div class="line">
            <input id="password" name="password" class="input grow" type={(seen ? 'text' : 'password') as 'password'} autocomplete="current-password" autocapitalize="none" spellcheck={false} enterkeyhint="go" aria-invalid={refused ? true : undefined} />
            <button type="button" class="button" aria-label={seen ? 'Hide what you typed' : 'Show what you typed'} onClick={() => setSeen(!seen)}><Icon name="eye" size="small" />{seen ? 'Hide' : 'Show'}</button>
          </div>
        </div>
      </form>
      <p class="meta">It needs signal once. After that Lanyard works without: what you write is kept on this phone until the school has it.</p>
      {me && <a class="button whole" href="/">Not now: go on writing</a>}
      {standing() === 'locked' && <a class="button whole" href="/">Back to the locked phone</a>}
    </Screen>
  );
}
