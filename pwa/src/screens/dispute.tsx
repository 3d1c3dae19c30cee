// Two answers to one question: the same width, size and weight, in the order in which they were written.

import { useRef, useState } from 'preact/hooks';
import { Chip } from '../form/chips';
import { fieldNamed, outcomesOf, personNamed, say, sayPart } from '../form/say';
import { same, type ShownRecord } from '../local/overlay';
import { Icon } from '../look/icon';
import { count, lower, when } from '../look/words';
import type { Field, Head, Json, Kind, SchoolAnswer } from '../wire';
import { saveTap } from './saving';
import { useMe } from './world';

type Props = { school: SchoolAnswer; kind: Kind; record: ShownRecord; name: string; heads: Head[] };

export function Dispute({ school, kind, record, name, heads }: Props) {
  const me = useMe();
  const sheet = useRef<HTMLDialogElement>(null);
  const [fieldName, key] = name.split('/') as [string, string?];
  const field = fieldNamed(kind, fieldName);
  if (!field) return null;
  const question = key === undefined ? lower(field.question) : `${personNamed(key)}’s part`;
  const standing = key === undefined ? record.body[fieldName] : (record.body[fieldName] as Record<string, Json> | undefined)?.[key];
  const sides = [...heads].sort((a, b) => (a.at < b.at ? -1 : 1));
  const more = (record.disputed[name] ?? heads.length) - heads.length;
  const id = `two-${name.replace(/\W/g, '-')}`;
  const mayDecide = me?.may.includes('settle') ?? false;

  return (
    <section class="dispute" aria-labelledby={id}>
      <header><Icon name="two" /><h2 id={id} class="label">{sides.length === 2 ? 'Two answers' : count(sides.length + more, 'answer')}: {question}</h2></header>
      <div class="sides">
        {sides.map((head) => (
          <div key={head.edit} class="side">
            <p class="value">{inWords(school, field, key, head.value)}</p>
            <p class="meta num">{head.by === me?.id ? 'You' : personNamed(head.by)}, {when(head.at)}</p>
            {same(head.value, standing) && <p class="meta">{field.merge === 'gravest' ? 'Shown for now: it is the more serious' : 'Shown for now: it is newer'}</p>}
          </div>
        ))}
      </div>
      <footer>
        <p class="meta">{more > 0 && `And ${count(more, 'more answer')}. `}Neither had seen the other’s answer. {mayDecide ? 'You can decide;' : 'Somebody who may decide will;'} both stay in the history.</p>
        {mayDecide && <button type="button" class="button" onClick={() => sheet.current?.showModal()}>Decide</button>}
      </footer>
      {mayDecide && <Decide sheet={sheet} title={`${field.question}${key === undefined ? '' : ` ${personNamed(key)}`}`} choices={sides.map((head) => ({ value: head.value, words: inWords(school, field, key, head.value) }))} onDecide={(value) => decide(record, kind, field, key, value)} />}
    </section>
  );
}

function inWords(school: SchoolAnswer, field: Field, key: string | undefined, value: Json): string {
  if (key === undefined) return say(school, field, value);
  return sayPart(school, { ...field.shape, outcomes: outcomesOf(school, field.shape).length ? field.shape.outcomes : undefined }, value as Record<string, string>) || 'Named, with no part';
}

/** An ordinary edit by somebody who has seen them all: so two people deciding at once are themselves told apart. */
const decide = (record: ShownRecord, kind: Kind, field: Field, key: string | undefined, value: Json): Promise<boolean> =>
  saveTap([{ record: record.id, kind: kind.name, seen: record.version, values: { [field.name]: key === undefined ? value : { put: { [key]: value }, drop: [] } } }], 'Your decision.');

function Decide({ sheet, title, choices, onDecide }: { sheet: { current: HTMLDialogElement | null }; title: string; choices: { value: Json; words: string }[]; onDecide: (value: Json) => Promise<boolean> }) {
  const [chosen, setChosen] = useState<number>();
  const [asked, setAsked] = useState(false);
  async function take(): Promise<void> {
    setAsked(true);
    if (chosen !== undefined && (await onDecide(choices[chosen]!.value))) sheet.current?.close();
  }
  return (
    <dialog class="sheet" ref={sheet} aria-label={title}>
      <fieldset class="stack">
        <legend>{title}</legend>
        {asked && chosen === undefined && <p class="why" role="alert"><Icon name="needs" /><span>Choose the answer that should stand</span></p>}
        <div class="chips wide">
          {choices.map(({ words }, at) => <Chip key={at} name={`decide-${title}`} label={words} on={chosen === at} onChange={(on) => setChosen(on ? at : undefined)} />)}
        </div>
        <p class="meta">Every answer stays in the history, with who gave it and when.</p>
        <button type="button" class="button main" onClick={take}>Decide</button>
        <button type="button" class="button whole" onClick={() => sheet.current?.close()}>Not now</button>
      </fieldset>
    </dialog>
  );
}
