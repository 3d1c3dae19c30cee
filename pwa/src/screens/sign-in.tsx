// Signing in: once, with signal. After that Lanyard works without.

import { useEffect, useRef, useState } from 'preact/hooks';
import { hasPasskeys, show } from '../local/passkey';
import { passwordBy, standing, turnTo } from '../local/session';
import { signIn, signInByPasskey, type Refused, type Second, type SignedIn } from '../local/sign-in';
import { NotSaved } from '../local/trouble';
import { focusOn, go } from '../look/address';
import { Icon } from '../look/icon';
import { CallWaits, EvictedNote } from '../look/gone';
import { Note, ThereIsAProblem } from '../look/note';
import { Screen } from '../look/screen';
import { count, when } from '../look/words';
import { ask } from '../school';
import { useStatus } from '../sync';
import { saved } from '../look/strip';
import { toast } from '../look/toast';
import { OnlyByPin } from './only-by-pin';
import { needsWelcome } from './welcome';
import { useMe } from './world';

export type Because = 'forgot' | 'no pin' | 'ten wrong' | 'the school' | 'revoked';

/** Why somebody who was signed in has to give the password. */
const BECAUSE: Record<Because, string> = {
  forgot: 'Sign in with your password, then choose another PIN.',
  'no pin': 'Sign in, then choose the PIN that opens Lanyard on this phone.',
  'ten wrong': 'Ten wrong PINs: what the school had sent has been removed from this phone. Sign in with your password, then choose another PIN.',
  'the school': 'The school does not take this PIN any more. Sign in with your password, then choose another.',
  revoked: 'The school has taken this phone off its list, and what it had sent has been removed. What you wrote goes to the school closed, and somebody there looks at it before it stands in a record. Ask at the desk.',
};

export function SignIn({ because }: { because?: Because | undefined } = {}) {
  const me = useMe();
  const { waiting } = useStatus();
  const form = useRef<HTMLFormElement>(null);
  const [refused, setRefused] = useState<Refused>();
  const [second, setSecond] = useState<Second>();
  const [wait, setWait] = useState(0);
  const [asking, setAsking] = useState(false);

  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1000);
    return () => clearTimeout(timer);
  }, [wait]);

  const forgot = because === 'forgot';
  const then = new URLSearchParams(location.search).get('then') === 'change-pin' ? '/change-pin' : '/';

  function enter(event: SubmitEvent): void {
    event.preventDefault();
    if (wait > 0) return;
    const given = new FormData(form.current!);
    const typed = (name: string) => String(given.get(name) ?? '');
    void attempt(() => (second ? second.byCode(typed('code')) : signIn(typed('username'), typed('password'), ask, forgot)));
  }

  async function attempt(way: () => Promise<SignedIn | Refused>): Promise<void> {
    if (asking) return;
    setAsking(true);
    const answer = await way().catch((why: Error) => ({ refused: why instanceof NotSaved ? why.message : 'This phone could not do it just now. Try again.' }));
    setAsking(false);
    if ('refused' in answer) return refuse(answer);
    if (answer.told) toast(answer.told);
    go(standing() === 'open' && needsWelcome() ? '/sign-in?install=1' : then, 'replace');
  }

  function refuse(answer: Refused): void {
    setWait(answer.wait_s ?? 0);
    setRefused(answer.second ? undefined : answer);
    if (answer.second) setSecond(answer.second);
    requestAnimationFrame(() => focusOn(answer.second ? 'title' : 'problem'));
  }

  async function openLocked(): Promise<void> {
    await turnTo(refused!.locked!);
    go('/', 'replace');
  }

  const main = asking ? 'Asking the school' : wait > 0 ? `Wait ${wait} seconds` : 'Sign in';
  const forgottenBy = me && passwordBy();
  return (
    <Screen home title={second ? 'One more step' : 'Sign in to Lanyard'} dock={second && !byCode(second) ? undefined : <button type="submit" form="sign-in" class="button main">{main}</button>}>
      {because && !second && <p>{BECAUSE[because]}</p>}
      {forgottenBy && !second && <Note state="needs"><b>The school has forgotten your PIN.</b> It went back to a backup. Sign in with your password, then unlock once more. Without that the PIN opens this phone until <span class="num">{when(forgottenBy)}</span>. Nothing that is here is lost.</Note>}
      {because === 'forgot' && <OnlyByPin />}
      {!me && <CallWaits />}
      {!me && <EvictedNote />}
      {!me && waiting > 0 && <Note state="waiting"><b>{count(waiting, 'record')} {waiting === 1 ? 'is' : 'are'} waiting.</b> Locked and safe: nobody can read {waiting === 1 ? 'it' : 'them'} on this phone. {waiting === 1 ? 'It' : 'They'} will send when you are online.</Note>}
      {me && waiting > 0 && <Note state="waiting"><b>{saved(waiting)}.</b> Sign in as {me.name}, and they are sent. Nothing is lost if you do it later.</Note>}
      {refused && (
        <ThereIsAProblem words={refused.refused} field={second ? 'code' : 'username'}>
          {refused.locked && <button type="button" class="button whole" onClick={openLocked}>Open with your PIN</button>}
        </ThereIsAProblem>
      )}
      <form id="sign-in" class="stack wide" ref={form} noValidate onSubmit={enter}>
        {second ? <SecondFields second={second} wrong={Boolean(refused)} /> : <NameAndPassword wrong={Boolean(refused)} />}
      </form>
      {second
        ? <>
            {second.ways.includes('passkey') && hasPasskeys() && <button type="button" class={byCode(second) ? 'button whole' : 'button main'} onClick={() => void attempt(() => second.byPasskey(show))}>Use your passkey</button>}
            <button type="button" class="button whole" onClick={() => { setSecond(undefined); setRefused(undefined); }}>Begin again</button>
          </>
        : <>
            {hasPasskeys() && <button type="button" class="button whole" onClick={() => void attempt(() => signInByPasskey(show, ask, forgot))}>Sign in with a passkey</button>}
            <p class="meta">It needs signal once. After that Lanyard works without: what you write is kept on this phone until the school has it.</p>
          </>}
      {me && <a class="button whole" href="/">Not now: go on writing</a>}
      {standing() === 'locked' && <a class="button whole" href="/">Back to the locked phone</a>}
      {standing() === 'new' && <a class="button help whole" href="/help"><Icon name="hand" />Call for help</a>}
    </Screen>
  );
}

const byCode = ({ ways }: Second): boolean => ways.includes('code') || ways.includes('recovery');

function NameAndPassword({ wrong }: { wrong: boolean }) {
  const [seen, setSeen] = useState(false);
  return (
    <>
      <div class="field">
        <label for="username">Your name at school</label>
        <input id="username" name="username" class="input" type="text" autocomplete="username" autocapitalize="none" spellcheck={false} enterkeyhint="next" aria-invalid={wrong ? true : undefined} />
      </div>
      <div class="field">
        <label for="password">Password</label>
        <div class="line">
          <input id="password" name="password" class="input grow" type={(seen ? 'text' : 'password') as 'password'} autocomplete="current-password" autocapitalize="none" spellcheck={false} enterkeyhint="go" aria-invalid={wrong ? true : undefined} />
          <button type="button" class="button" aria-label={seen ? 'Hide what you typed' : 'Show what you typed'} onClick={() => setSeen(!seen)}><Icon name="eye" size="small" />{seen ? 'Hide' : 'Show'}</button>
        </div>
      </div>
    </>
  );
}

/** The password was right; what only its owner has is shown beside it. */
function SecondFields({ second, wrong }: { second: Second; wrong: boolean }) {
  if (!byCode(second)) return <p>Your password is right. {hasPasskeys() ? 'Show your passkey as well.' : 'Your passkey is wanted as well, which this browser cannot show. Ask at the desk for a code to pair it.'}</p>;
  return (
    <>
      <p>Your password is right. Show one thing more that only you have.</p>
      <div class="field">
        <label for="code">{second.ways.includes('code') ? 'The code in your authenticator app, or a recovery code' : 'A recovery code'}</label>
        <input id="code" name="code" class="input num" type="text" autocomplete="one-time-code" autocapitalize="none" spellcheck={false} enterkeyhint="go" aria-invalid={wrong ? true : undefined} />
      </div>
    </>
  );
}
