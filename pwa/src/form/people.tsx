// Who: found by two or three letters of any name, added by one tap, each with a part.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { find, type Match } from '../local/people';
import { announce } from '../look/announce';
import { Icon } from '../look/icon';
import { Found, PersonLine } from '../look/person';
import { count } from '../look/words';
import type { Option } from '../wire';
import { Chip } from './chips';
import type { Asked } from './controls';
import { outcomesOf, personNamed, type Entries } from './say';

const FOUND_LIMIT = 8;
const AT_ONCE = 4; // as many as there is room for above the keyboard: the rest are drawn when the typing pauses
const PAUSE_MS = 250;

type Props = Asked & { among: 'pupil' | 'staff' };

export function PeopleControl({ id, field, school, value, wrong, brief = false, among, onAnswer }: Props) {
  const [entries, setEntries] = useState((value ?? {}) as Entries);
  const [searching, setSearching] = useState(Object.keys(entries).length === 0);
  const parts = field.shape.parts ?? [];
  const outcomes = outcomesOf(school, field.shape).filter(({ retired }) => !retired);

  function change(now: Entries): void {
    setEntries(now);
    onAnswer(now);
  }

  function add({ person }: Match): void {
    change({ ...entries, [person.id]: entries[person.id] ?? {} });
    setSearching(false);
    announce(`${personNamed(person.id)} added`);
  }

  function take(person: string): void {
    const { [person]: _, ...others } = entries;
    change(others);
    if (Object.keys(others).length === 0) setSearching(true);
    announce(`${personNamed(person)} taken off`);
  }

  const said = (person: string, what: 'part' | 'outcome', code: string | undefined) => {
    const { [what]: _, ...rest } = entries[person] ?? {};
    change({ ...entries, [person]: code ? { ...rest, [what]: code } : rest });
  };

  return (
    <div class="stack">
      {Object.keys(entries).length > 0 && (
        <ul class="card rows">
          {Object.entries(entries).map(([person, entry]) => (
            <li key={person} class="pad stack">
              <PersonLine id={person}>
                <button type="button" class="tap out" aria-label={`Take ${personNamed(person)} off`} onClick={() => take(person)}><Icon name="close" /></button>
              </PersonLine>
              {parts.length > 0 && <Parts label={`${personNamed(person)}’s part`} parts={parts} chosen={entry.part} onChosen={(code) => said(person, 'part', code)} />}
              {outcomes.length > 0 && (!brief || entry.outcome) && <Outcome person={person} outcomes={outcomes} chosen={entry.outcome} onChosen={(code) => said(person, 'outcome', code)} />}
            </li>
          ))}
          {!searching && (
            <li>
              <button type="button" class="row add" onClick={() => setSearching(true)}><Icon name="plus" />{among === 'pupil' ? 'Add a pupil' : 'Add somebody'}</button>
            </li>
          )}
        </ul>
      )}
      {searching && <Search id={id} label={among === 'pupil' ? 'Find a pupil' : 'Find a member of staff'} wrong={wrong} among={among} taken={Object.keys(entries)} eager={Object.keys(entries).length > 0} onAdd={add} />}
    </div>
  );
}

function Parts({ label, parts, chosen, onChosen }: { label: string; parts: Option[]; chosen: string | undefined; onChosen: (code: string | undefined) => void }) {
  const name = useId();
  return (
    <div class="chips even" role="group" aria-label={label}>
      {parts.map(({ code, label: words }) => (
        <Chip key={code} name={name} label={words} on={chosen === code} onChange={(on) => onChosen(on ? code : undefined)} />
      ))}
    </div>
  );
}

/** What came of it for this pupil is asked only when somebody wants to say, so that standing up stays one screen. */
function Outcome({ person, outcomes, chosen, onChosen }: { person: string; outcomes: Option[]; chosen: string | undefined; onChosen: (code: string | undefined) => void }) {
  const [open, setOpen] = useState(chosen !== undefined);
  if (!open) return <button type="button" class="button link" onClick={() => setOpen(true)}>What came of it for {personNamed(person)}?</button>;
  return <Parts label={`What came of it for ${personNamed(person)}`} parts={outcomes} chosen={chosen} onChosen={onChosen} />;
}

type SearchProps = { id: string; label: string; icon?: 'plus' | 'next'; wrong?: boolean; among?: 'pupil' | 'staff'; taken?: string[]; eager?: boolean; onAdd: (match: Match) => void };

/** Search is in the page, results under it; one tap adds. */
export function Search({ id, label, icon = 'plus', wrong = false, among, taken = [], eager = false, onAdd }: SearchProps) {
  const [letters, setLetters] = useState('');
  const [paused, setPaused] = useState(false);
  const pause = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (eager) input.current?.focus();
  }, []);
  const found = letters.trim() ? find(letters, FOUND_LIMIT, among ? { only: among } : {}).filter(({ person }) => !taken.includes(person.id)) : [];
  const said = letters.trim() ? (found.length === 0 ? 'Nobody found' : `${count(found.length, 'person', 'people')} found`) : '';
  useEffect(() => {
    if (paused && said) announce(said);
  }, [paused]);
  useEffect(() => () => clearTimeout(pause.current), []);

  return (
    <>
      <div class="field search">
        <label class="hidden" for={id}>{label}</label>
        <Icon name="search" />
        <input
          ref={input}
          id={id}
          class="input"
          type="text"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          enterkeyhint="search"
          placeholder="Two or three letters of a name"
          aria-invalid={wrong || undefined}
          aria-describedby={wrong ? `${id}-why` : undefined}
          onInput={(event) => {
            setLetters(event.currentTarget.value);
            setPaused(false);
            clearTimeout(pause.current);
            pause.current = setTimeout(() => setPaused(true), PAUSE_MS);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault(); // Enter adds the first, and never saves the form by mistake
            if (found[0]) onAdd(found[0]);
          }}
        />
      </div>
      {found.length > 0 && (
        <ul class="card rows" aria-label={said}>
          {found.slice(0, paused ? FOUND_LIMIT : AT_ONCE).map((match) => (
            <li key={match.person.id}>
              <button type="button" class="row" onClick={() => onAdd(match)}><Found match={match} /><Icon name={icon} /></button>
            </li>
          ))}
        </ul>
      )}
      {letters.trim() && found.length === 0 && <p class="meta">Nobody here has those letters in a name or a form. People come from the school: as at the last time it answered.</p>}
    </>
  );
}
