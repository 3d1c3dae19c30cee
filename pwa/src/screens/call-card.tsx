// One family: whom to ring and whom not, one tap to dial, and one for how it went. What it shows stays as it was opened.

import { useEffect, useRef, useState } from 'preact/hooks';
import { newDraft } from '../form/draft';
import { fieldNamed, isEmpty, kindNamed, personNamed, say, type Entries } from '../form/say';
import { drafts, isBegun, keep } from '../local/drafts';
import type { ShownRecord } from '../local/overlay';
import { newId, write } from '../local/outbox';
import { contacts as contactsOf, pupil } from '../local/people';
import { useLive } from '../local/store';
import { go } from '../look/address';
import { announce } from '../look/announce';
import { Icon } from '../look/icon';
import { Note } from '../look/note';
import { PersonLine } from '../look/person';
import { Screen } from '../look/screen';
import { toast, UNDO_MS } from '../look/toast';
import { clock, lower, series } from '../look/words';
import { syncNow } from '../sync';
import type { Contact, Kind, SchoolAnswer, Values } from '../wire';
import { Contacts, mayRing } from './contacts';
import { asOpened, isAgain, onceEach, ringing, type Family } from './morning';
import { toForm } from './record';
import { isSecondTap, saveTap } from './saving';

/** What one tap says. */
const OUTCOMES: [string, Values][] = [
  ['Answered', { outcome: 'answered' }],
  ['No answer', { outcome: 'no_answer' }],
  ['Voicemail', { outcome: 'voicemail' }],
  ['Coming in', { outcome: 'answered', promise: 'in_today' }],
  ['In late', { outcome: 'answered', promise: 'in_late' }],
  ['Ill', { outcome: 'answered', promise: 'ill' }],
];

const LIST = '/calls';

export const cardOf = ({ row }: Family): string => `${LIST}/${row.id}`;

/** As they are called in the office: by their surnames. */
export const familyName = (pupils: string[]): string => series([...new Set(pupils.map((id) => pupil(id)?.surname ?? 'Not known'))]);
export const firstNames = (pupils: string[]): string => series(pupils.map((id) => pupil(id)?.preferred || pupil(id)?.forename || 'a pupil not on this phone'));

/** 07:41 · you · Answered, coming in */
export function toldOf(school: SchoolAnswer, kind: Kind, { at, author, body }: ShownRecord, me: string): string {
  const said = ['outcome', 'promise'].filter((name) => body[name]).map((name) => say(school, fieldNamed(kind, name)!, body[name]));
  return [clock(at), author === me ? 'you' : personNamed(author), said.map((words, n) => (n ? lower(words) : words)).join(', ') || 'nothing said yet'].join(' · ');
}

/** `family`: none, where somebody is rung who is on no list. */
type Props = { school: SchoolAnswer; kind: Kind; me: string; family: Family | undefined; pupils: string[]; meta: string; next: Family | undefined; now: number };

export function Card({ school, kind, me, family, pupils, meta, next, now }: Props) {
  const [shown] = useState({ family, pupils, name: familyName(pupils) });
  const { row } = shown.family ?? {};
  const contacts = useContacts(shown.pupils);
  const [dialling, setDialling] = useState(whomIRang);
  const first = contacts?.find(mayRing);
  const dialled = contacts?.find(({ id }) => id === dialling?.contact) ?? first;
  const number = dialled && (dialling?.other && dialled.id === dialling.contact ? dialled.other_phone : (dialled.phone ?? dialled.other_phone));
  const since = useSince(family, shown.family, me, now);

  function dial(contact: Contact, numberRung: string): void {
    const other = numberRung !== contact.phone;
    setDialling({ contact: contact.id, other });
    remember(contact.id, other);
    if (!row) return;
    const claimed = { at: new Date().toISOString(), precision: 'exact' };
    void write({ record: row.id, kind: row.kind, seen: row.version, values: { claimed } }, { undoFor: UNDO_MS }).then(() => syncNow('save'), () => {}); // only a word to the others, ten seconds late: at once, it would take along the call before, which may still be undone
  }

  const values = (): Values => ({
    pupils: { put: Object.fromEntries(shown.pupils.map((id) => [id, {}])), drop: [] },
    rung_at: { at: new Date().toISOString(), precision: 'exact' },
    ...(dialled ? { rung: named(dialled) } : {}),
    ...(number ? { number } : {}),
    ...(row ? { listed: row.id } : {}),
    ...(row?.body.reasons ? { listed_for: { put: row.body.reasons, drop: [] } } : {}),
  });

  async function went(words: string, outcome: Values): Promise<void> {
    const card = location.pathname + location.search; // with whom one has rung
    const saved = await saveTap([{ record: newId(), kind: kind.name, seen: null, values: { ...values(), ...outcome } }], `${shown.name}: ${words.toLowerCase()}.`, () => go(card, 'replace'));
    if (saved) go(row && next ? cardOf(next) : LIST, 'replace');
  }

  /** The long form, with all that is known already. */
  async function sayMore(): Promise<void> {
    const left = (await drafts()).find((one) => one.kind === kind.name && !isBegun(one)); // opened before, and nothing was typed
    const draft = newDraft(kind, left?.id ?? newId(), left?.record ?? newId(), { values: values() });
    await keep(draft).then(() => go(`/new/${kind.name}?draft=${draft.id}`), () => toast('Not opened.', 'This phone’s storage does not answer. Try again.'));
  }

  // One's own that was just taken back may still have stood there as the card opened.
  const rang = (shown.family?.rang ?? []).filter(({ id, author }) => author !== me || family?.rang.some((call) => call.id === id));
  const off = row && saidOff(school, row);
  const nobody = family?.row.body.off_list === 'nobody'; // from this moment on, whatever the card showed
  const isOver = (rang.length > 0 && !(shown.family && isAgain({ ...shown.family, rang }, me))) || off || nobody;
  const outcomes = dialled && (
    <>
      <p class="meta">How did it go? One tap saves it as a call to {named(dialled)}.</p>
      <div class="tiles">{OUTCOMES.map(([words, outcome]) => <button key={words} type="button" class="button" onClick={(event) => isSecondTap(event) || void went(words, outcome)}>{words}</button>)}</div>
    </>
  );
  return (
    <Screen
      close
      title={shown.name}
      tab="A call"
      meta={since ?? meta}
      upTo={LIST}
      taps={<a class="tap" href={LIST} aria-label="All families"><Icon name="list" /></a>}
      dock={isOver ? <a class="button main" href={next ? cardOf(next) : LIST}>{next ? `Next: ${familyName(next.pupils)}` : 'All families'}</a> : outcomes}
    >
      {nobody ? <Note state="alarm" icon="noring"><b>{saidOff(school, family.row)}</b></Note> : off && <Note state="draft" icon="list"><b>Off the list.</b> {off}.</Note>}
      <Already family={shown.family} rang={rang} school={school} kind={kind} me={me} opened={now} />
      <ul class="card rows" aria-label="Pupils in this family">
        {shown.pupils.map((id) => <li key={id} class="row"><span class="grow"><PersonLine id={id} /></span></li>)}
      </ul>
      {row && <p>{whyListed(school, row)}</p>}
      {contacts && !nobody && <Contacts contacts={contacts} main={!isOver} onRing={dial} />}
      {contacts && !nobody && (
        <div class="stack">
          {isOver && outcomes}
          <button type="button" class="button whole" onClick={() => void sayMore()}>More…</button>
          {row && !off && <a class="button link" href={toForm(row, { field: 'off_list', as: 'Take them off the list' })}>Take them off the list</a>}
        </div>
      )}
    </Screen>
  );
}

/** What others have done with this family, as it was known when the card was opened. */
function Already({ family, rang, school, kind, me, opened }: { family: Family | undefined; rang: ShownRecord[]; school: SchoolAnswer; kind: Kind; me: string; opened: number }) {
  const [other] = useState(family && ringing(family, me, opened));
  return (
    <>
      {other && <Note state="waiting" icon="ring"><b>{personNamed(other.by)} is ringing them,</b> since {clock(other.at)}.</Note>}
      {rang.length > 0 && (
        <ul class="card rows" aria-label="Rung already">
          {rang.map((call) => <li key={call.id}><a class="row num" href={`/record/${call.id}`}><Icon name="ring" size="small" /><span class="grow">{toldOf(school, kind, call, me)}</span><Icon name="next" size="small" /></a></li>)}
        </ul>
      )}
    </>
  );
}

/** What somebody else has done since it was opened: told in the line under the title, where nothing moves for it. */
function useSince(family: Family | undefined, opened: Family | undefined, me: string, now: number): string | undefined {
  const call = family?.rang.find(({ id, author }) => author !== me && !opened!.rang.some((known) => known.id === id));
  const claim = family && ringing(family, me, now);
  const isNew = claim && !opened!.claims.some(({ by, at }) => by === claim.by && at === claim.at);
  const words = call ? `${personNamed(call.author)} rang them at ${clock(call.at)}` : isNew ? `${personNamed(claim.by)} is ringing them, since ${clock(claim.at)}` : undefined;
  useEffect(() => void (words && announce(words)), [words]);
  return words;
}

function useContacts(pupils: string[]): Contact[] | undefined {
  const live = useLive(async (local) => onceEach((await Promise.all(pupils.map((id) => contactsOf(id, local)))).flat()), [pupils.join()]);
  const opened = useRef<Contact[]>(undefined);
  if (!opened.current?.length) opened.current = live; // they may still be on their way to this phone
  return opened.current && asOpened(opened.current, live ?? []);
}

/** Why nobody rings them. */
export function saidOff(school: SchoolAnswer, { kind, body }: ShownRecord): string {
  const field = fieldNamed(kindNamed(school, kind), 'off_list');
  return field && !isEmpty(body.off_list) ? say(school, field, body.off_list) : '';
}

function whyListed(school: SchoolAnswer, { kind, body }: ShownRecord): string {
  const reasons = fieldNamed(kindNamed(school, kind), 'reasons');
  return String(body.because || (reasons && Object.keys((body.reasons ?? {}) as Entries).length ? say(school, reasons, body.reasons) : ''));
}

const named = ({ name, relationship }: Contact): string => (relationship ? `${name}, ${relationship.toLowerCase()}` : name);

// Whom one has dialled stays in the address: during a long call the phone locks, and loads this page again. Ids only.

function remember(contact: string, other: boolean): void {
  const asked = new URLSearchParams(location.search);
  asked.set('rang', contact);
  if (other) asked.set('other', '1');
  else asked.delete('other');
  history.replaceState(history.state, '', `${location.pathname}?${asked}`);
}

function whomIRang(): { contact: string; other: boolean } | undefined {
  const asked = new URLSearchParams(location.search);
  return asked.has('rang') ? { contact: asked.get('rang')!, other: asked.has('other') } : undefined;
}
