// What the screens share on which a PIN is chosen: the fields, and what is wrong with what was typed.

import { wrongWith } from '../local/pin';
import { ThereIsAProblem } from '../look/note';

export type Problem = { words: string; field: string };

/** The first thing that is wrong with a new PIN, typed twice. */
export function problemWith(pin: string, again: string): Problem | null {
  const wrong = wrongWith(pin);
  if (wrong) return { words: wrong, field: 'new-pin' };
  return pin === again ? null : { words: 'The two are not the same.', field: 'again' };
}

export const Problems = ({ problem }: { problem: Problem | undefined }) => problem && <ThereIsAProblem {...problem} />;

export function PinField({ id, label, problem, last = false }: { id: string; label: string; problem: Problem | undefined; last?: boolean }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} name={id} class="input pin num" type="password" inputMode="numeric" autocomplete="off" enterkeyhint={last ? 'go' : 'next'} aria-invalid={problem?.field === id ? true : undefined} />
    </div>
  );
}

export const NewPinFields = ({ label = 'Six digits or more', problem }: { label?: string; problem: Problem | undefined }) => (
  <>
    <PinField id="new-pin" label={label} problem={problem} />
    <PinField id="again" label="The same again" problem={problem} last />
  </>
);
