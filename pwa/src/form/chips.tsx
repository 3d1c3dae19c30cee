// Choices as chips, in the order in which this person uses them: real radios and checkboxes, so keys and readers work.

import { useEffect, useId, useState } from 'preact/hooks';
import { chosen as countChoice, uses } from '../local/phone';
import { Icon } from '../look/icon';
import { announce } from '../look/announce';
import type { Option } from '../wire';
import type { Asked } from './controls';
import type { Entries } from './say';

const AT_FIRST = 5; // then More…
const WORTH_HIDING = 3; // do not hide fewer than these behind More…
const WORTH_SEARCHING = 20;

type Props = Pick<Asked, 'id' | 'field'> & {
  options: (Option & { retired?: boolean })[];
  chosen: string[];
  several?: boolean;
  parts?: Option[];
  entries?: Entries;
  onChosen: (codes: string[]) => void;
  onPart?: (code: string, part: string) => void;
};

export function Chips({ id, field, options, chosen: opened, several = false, parts = [], entries = {}, onChosen, onPart }: Props) {
  const name = useId();
  const [chosen, setChosen] = useState(opened);
  const [open, setOpen] = useState(false);
  const [letters, setLetters] = useState('');
  const list = field.shape.list ?? (field.shape.control === 'place' ? 'places' : undefined);
  const inOrder = useInOrder(options.filter(({ code, retired }) => !retired || opened.includes(code)), list);
  if (!inOrder) return <p class="meta">…</p>;

  const wanted = letters.trim().toLowerCase();
  const many = inOrder.length > AT_FIRST + WORTH_HIDING;
  const seen = inOrder.filter(({ code, label }, at) => {
    if (chosen.includes(code)) return true;
    if (wanted) return label.toLowerCase().includes(wanted);
    return open || !many || at < AT_FIRST;
  });

  function choose(code: string, on: boolean): void {
    const now = on ? (several ? [...chosen, code] : [code]) : chosen.filter((each) => each !== code);
    setChosen(now);
    onChosen(now);
    if (on && list) void countChoice(list, code);
  }

  return (
    <div class="stack">
      {open && inOrder.length > WORTH_SEARCHING && (
        <div class="field search">
          <label class="hidden" for={`${id}-letters`}>Find an answer to: {field.question}</label>
          <Icon name="search" />
          <input id={`${id}-letters`} class="input" type="text" autocomplete="off" enterkeyhint="search" placeholder="Two or three letters" onInput={(event) => setLetters(event.currentTarget.value)} />
        </div>
      )}
      <div class={shapeOf(options)} id={id} tabIndex={-1}>
        {seen.map(({ code, label }) => (
          <Chip key={code} name={name} label={label} several={several} on={chosen.includes(code)} onChange={(on) => choose(code, on)} />
        ))}
        {many && !open && (
          <button type="button" class="chip" onClick={() => { setOpen(true); announce(`${inOrder.length} answers`); }}>
            More…
          </button>
        )}
      </div>
      {wanted && seen.length === 0 && <p class="meta">Nothing in the school’s list has those letters.</p>}
      {parts.length > 0 && chosen.map((code) => (
        <fieldset key={code} class="stack">
          <legend class="meta">{options.find((option) => option.code === code)?.label ?? code}</legend>
          <div class="chips even">
            {parts.map((part) => (
              <Chip key={part.code} name={`${name}-${code}`} label={part.label} on={entries[code]?.part === part.code} onChange={(on) => on && onPart?.(code, part.code)} />
            ))}
          </div>
        </fieldset>
      ))}
    </div>
  );
}

const shapeOf = (options: Option[]): string => {
  const longest = Math.max(0, ...options.map(({ label }) => label.length));
  return longest > 34 ? 'chips wide' : options.length === 4 && longest < 16 ? 'chips even' : 'chips';
};

type ChipProps = { name: string; label: string; on: boolean; several?: boolean; onChange: (on: boolean) => void };

/** Choosing again what is chosen takes it back: an answer given by mistake is no answer. */
export function Chip({ name, label, on, several = false, onChange }: ChipProps) {
  return (
    <label class="chip">
      <input
        type={several ? 'checkbox' : 'radio'}
        name={name}
        checked={on}
        onClick={(event) => {
          if (!several && on) {
            event.currentTarget.checked = false;
            onChange(false);
          }
        }}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <Icon name="tick" size="small" />
      <span>{label}</span>
    </label>
  );
}

/** The school's order, but what this person uses most comes first. Settled when the form opens: chips never jump. */
function useInOrder<O extends Option>(options: O[], list: string | undefined): O[] | undefined {
  const [counts, setCounts] = useState<Map<string, number> | undefined>(list ? undefined : new Map());
  useEffect(() => {
    if (list) uses(list).then(setCounts, () => setCounts(new Map()));
  }, [list]);
  return counts && [...options].sort((a, b) => (counts.get(b.code) ?? 0) - (counts.get(a.code) ?? 0));
}
