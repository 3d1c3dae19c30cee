// A person: the same pass for everybody, and a name that is never cut short.

import type { ComponentChildren } from 'preact';
import { nameOf, pupil, staff, type Marks, type Match } from '../local/people';
import { initials } from './words';

export function Pass({ name, of = 'pupil' }: { name: string; of?: 'pupil' | 'staff' }) {
  return <span class={of === 'staff' ? 'pass staff' : 'pass'} aria-hidden="true">{initials(name)}</span>;
}

/** Somebody by id, with whatever stands beside them. */
export function PersonLine({ id, meta, children }: { id: string; meta?: ComponentChildren; children?: ComponentChildren }) {
  const found = pupil(id) ?? staff(id);
  const name = found ? nameOf(found) : 'Somebody not on this phone';
  const form = found && 'form' in found ? found.form : undefined;
  return (
    <div class="line keep">
      <span class="who grow">
        <Pass name={found ? name : '?'} of={found && !('form' in found) ? 'staff' : 'pupil'} />
        <span class="grow">
          <span class="name">{name}</span>
          {(form || meta) && <span class="meta">{form}{form && meta ? ' · ' : ''}{meta}</span>}
        </span>
      </span>
      {children}
    </div>
  );
}

/** Somebody found, with the letters that were typed underlined. */
export function Found({ match: { person, name, marks, also } }: { match: Match }) {
  const form = person.is === 'pupil' ? person.form : undefined;
  return (
    <span class="who grow">
      <Pass name={name} of={person.is} />
      <span class="grow">
        <span class="name"><Marked text={name} marks={marks.name} /></span>
        <span class="meta">
          {form ? <Marked text={form} marks={marks.form} /> : 'Staff'}
          {also && <> · on the register as <Marked text={also} marks={marks.also} /></>}
        </span>
      </span>
    </span>
  );
}

function Marked({ text, marks }: { text: string; marks: Marks }) {
  const pieces: ComponentChildren[] = [];
  let at = 0;
  for (const [from, to] of marks) {
    pieces.push(text.slice(at, from), <mark key={from}>{text.slice(from, to)}</mark>);
    at = to;
  }
  return <>{pieces}{text.slice(at)}</>;
}
