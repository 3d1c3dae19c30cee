// One control for each shape of answer. The browser owns what is typed: a control opens on a value and never listens.

import { Chips } from './chips';
import { LinkControl } from './link';
import { MomentControl } from './moment';
import { PeopleControl } from './people';
import type { Entries } from './say';
import { optionsOf } from './say';
import type { Field, Json, SchoolAnswer } from '../wire';

export type Asked = {
  id: string; // of the element that an error's link leads to
  field: Field;
  school: SchoolAnswer;
  value: Json | undefined;
  wrong: boolean;
  brief?: boolean; // standing up: only what cannot wait
  onAnswer: (value: Json | undefined) => void;
};

/** Shapes whose control is one input, so that the question can be its label; the others are groups. */
export const isSingle = ({ shape, merge }: Field): boolean => ['line', 'note', 'duration'].includes(shape.control) && merge !== 'gather';

export function Control(asked: Asked) {
  const { field, school, value, onAnswer } = asked;
  const { shape } = field;
  switch (shape.control) {
    case 'line':
      return <LineControl {...asked} />;
    case 'note':
      return <NoteControl {...asked} />;
    case 'duration':
      return <DurationControl {...asked} />;
    case 'choice':
    case 'place':
    case 'yesno':
    case 'code':
      return <Chips {...asked} options={optionsOf(school, shape)} chosen={typeof value === 'string' ? [value] : []} onChosen={([code]) => onAnswer(code)} />;
    case 'choices':
      return <ChoicesControl {...asked} />;
    case 'moment':
      return <MomentControl {...asked} />;
    case 'pupils':
    case 'staff':
      return <PeopleControl {...asked} among={shape.control === 'pupils' ? 'pupil' : 'staff'} />;
    case 'record':
      return <LinkControl {...asked} />;
    default:
      return <NewerControl control={shape.control} id={asked.id} />;
  }
}

/** A shape from a newer school than this app. What is answered elsewhere stays: an untouched field never travels. */
function NewerControl({ control, id }: { control: never; id: string }) {
  return (
    <p class="meta" id={id} tabIndex={-1} data-control={String(control)}>
      Update Lanyard on this phone to answer this. Nothing that is already written here is lost.
    </p>
  );
}

const described = (field: Field, wrong: boolean, id: string): string | undefined =>
  [wrong && `${id}-why`, field.hint && `${id}-hint`].filter(Boolean).join(' ') || undefined;

function LineControl({ id, field, value, wrong, onAnswer }: Asked) {
  return (
    <input
      id={id}
      class="input"
      type="text"
      defaultValue={typeof value === 'string' ? value : ''}
      autocomplete="off"
      enterkeyhint="done"
      aria-invalid={wrong || undefined}
      aria-describedby={described(field, wrong, id)}
      onInput={(event) => onAnswer(event.currentTarget.value)}
    />
  );
}

function NoteControl({ id, field, value, wrong, onAnswer }: Asked) {
  return (
    <textarea
      id={id}
      class={field.merge === 'own' ? 'input voice-text' : 'input'}
      defaultValue={typeof value === 'string' ? value : ''}
      rows={4}
      autocomplete="off" // or the browser keeps what was typed, in the clear, to bring back after a crash: we do that
      autocapitalize="sentences"
      aria-invalid={wrong || undefined}
      aria-describedby={described(field, wrong, id)}
      onInput={(event) => onAnswer(event.currentTarget.value)}
    />
  );
}

function DurationControl({ id, field, value, wrong, onAnswer }: Asked) {
  const read = (typed: string): Json | undefined => (/^\d+$/.test(typed.trim()) ? Number(typed) : typed.trim() || undefined);
  return (
    <span class="line">
      <input
        id={id}
        class="input short num"
        type="text"
        inputmode="numeric"
        autocomplete="off"
        defaultValue={value === undefined || value === null ? '' : String(value)}
        aria-invalid={wrong || undefined}
        aria-describedby={described(field, wrong, id)}
        onInput={(event) => onAnswer(read(event.currentTarget.value))}
      />
      <span>minutes</span>
    </span>
  );
}

/** Several answers: added to by many hands (gather), or one list as one answer. */
function ChoicesControl(asked: Asked) {
  const { field, school, value, onAnswer } = asked;
  const options = optionsOf(school, field.shape);
  if (field.merge !== 'gather') {
    const chosen = Array.isArray(value) ? (value as string[]) : [];
    return <Chips {...asked} several options={options} chosen={chosen} onChosen={(codes) => onAnswer(codes.length ? codes : undefined)} />;
  }
  const entries = (value ?? {}) as Entries;
  const entered = (codes: string[]) => Object.fromEntries(codes.map((code) => [code, entries[code] ?? firstPart(field)]));
  return (
    <Chips
      {...asked}
      several
      options={options}
      chosen={Object.keys(entries)}
      parts={field.shape.parts ?? []}
      entries={entries}
      onChosen={(codes) => onAnswer(entered(codes))}
      onPart={(code, part) => onAnswer({ ...entries, [code]: { ...entries[code], part } })}
    />
  );
}

/** Where a tag has a part (alleged, substantiated), it begins with the first: alleged until somebody has looked into it. */
const firstPart = (field: Field): Record<string, string> => (field.shape.parts?.[0] ? { part: field.shape.parts[0].code } : {});
