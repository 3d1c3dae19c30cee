// Two words to close a visit with: one says that I am safe, and with the other it only looks so. The school keeps them, this phone does not.

import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../look/announce';
import { Note } from '../look/note';
import { Screen } from '../look/screen';
import { toast } from '../look/toast';
import { asked } from '../oncall';

const PATH = '/api/closing-words';

export function ClosingWords() {
  const [isSet, setIsSet] = useState<boolean>();
  const [problem, setProblem] = useState('');
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => void asked<{ set: boolean }>(PATH).then(({ json, problem }) => (setIsSet(json?.set), setProblem(problem))), []);

  async function keep(words: { safe: string; alarm: string }): Promise<void> {
    const password = String(new FormData(form.current!).get('password') ?? '');
    const said = await asked(PATH, { method: 'PUT', json: { password, ...words } });
    setProblem(said.problem);
    if (said.problem) return announce(said.problem, 'assertive');
    form.current!.reset();
    setIsSet(words.safe !== '');
    toast(words.safe ? 'Your closing words are set.' : 'Your closing words are removed.');
  }

  function set(event: Event): void {
    event.preventDefault();
    const typed = new FormData(form.current!);
    const [safe, alarm] = ['safe', 'alarm'].map((name) => String(typed.get(name) ?? '').trim()) as [string, string];
    if (!safe || !alarm) return setProblem('Write both words.');
    void keep({ safe, alarm });
  }

  return (
    <Screen title="Closing words" upTo="/visit" dock={<button type="submit" form="closing-words" class="button main">Set these words</button>}>
      {problem && <Note state="needs" alert><b>{problem}</b></Note>}
      <p>Coming back from a visit you are asked for a word. With the first one the visit is over. With the second the screen looks the same, and the safeguarding lead, those on duty and whoever expects your call are told at once.</p>
      {isSet !== undefined && <p><b>{isSet ? 'Your words are set. New ones take their place.' : 'You have set none: a visit is over with one tap.'}</b></p>}
      <form id="closing-words" class="stack wide" ref={form} noValidate onSubmit={set} autocomplete="off">
        <Word id="safe" label="When you are safe" />
        <Word id="alarm" label="When you need help" />
        <input hidden type="text" autocomplete="username" value="Lanyard" readOnly />{/* or a password manager takes the word above for the name, and keeps it */}
        <div class="field"><label for="password">Your password</label><input id="password" name="password" class="input" type="password" autocomplete="current-password" enterkeyhint="go" /></div>
      </form>
      {isSet && <button type="button" class="button whole" onClick={() => void keep({ safe: '', alarm: '' })}>Remove them, with your password</button>}
    </Screen>
  );
}

const Word = ({ id, label }: { id: string; label: string }) => (
  <div class="field"><label for={id}>{label}</label><input id={id} name={id} class="input" type="text" autocomplete="off" autocapitalize="none" spellcheck={false} enterkeyhint="next" /></div>
);
