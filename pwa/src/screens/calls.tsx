// The morning's calls: one family at a time, whom to ring and whom not, and one tap for how it went.

import { useState } from 'preact/hooks';
import { fieldNamed, isEmpty, say, type Entries } from '../form/say';
import { Search } from '../form/people';
import type { ShownRecord } from '../local/overlay';
import { newId } from '../local/outbox';
import { contacts as contactsOf, nameOf, pupil } from '../local/people';
import { useLive } from '../local/store';
import { records } from '../local/view';
import { go } from '../look/address';
import { Icon } from '../look/icon';
import { PersonLine } from '../look/person';
import { Screen } from '../look/screen';
import { count, series, when } from '../look/words';
import { useStatus } from '../sync';
import type { Contact, Kind, SchoolAnswer, Values } from '../wire';
import { Contacts, mayRing } from './contacts';
import { toForm } from './record';
import { saveTap } from './saving';
import { useSchool } from './world';

const LIST_LIMIT = 300;

type Family = { key: string; name: string; pupils: string[]; calls: ShownRecord[] };

/** What one tap says. */
const OUTCOMES: { words: string; values: Values }[] = [
  { words: 'Answered', values: { outcome: 'answered' } },
  { words: 'No answer', values: { outcome: 'no_answer' } },
  { words: 'Voicemail', values: { outcome: 'voicemail' } },
  { words: 'Coming in', values: { outcome: 'answered', promise: 'in_today' } },
  { words: 'In late', values: { outcome: 'answered', promise: 'in_late' } },
  { words: 'Ill', values: { outcome: 'answered', promise: 'ill' } },
];

const pupilsOf = (call: ShownRecord): string[] => Object.keys((call.body.pupils ?? {}) as Entries);
const isToRing = (call: ShownRecord): boolean => call.state === 'open' && isEmpty(call.body.outcome);
/** The school's list says why each family is on it; a call that somebody made of their own accord was on no list. */
const wasListed = (call: ShownRecord): boolean => !isEmpty(call.body.listed_for);

/** One family, one call: the calls that share a family stand on one card. */
export function familiesIn(calls: ShownRecord[]): Family[] {
  const families = new Map<string, Family>();
  for (const call of calls) {
    const ids = pupilsOf(call);
    const first = ids.map(pupil).find((each) => each !== undefined);
    const key = first?.family ?? ids[0] ?? call.id;
    const family = families.get(key) ?? { key, name: first?.surname ?? 'Not known', pupils: [], calls: [] };
    families.set(key, { ...family, pupils: [...new Set([...family.pupils, ...ids])], calls: [...family.calls, call] });
  }
  return [...families.values()];
}

export function Calls({ kind, asked }: { kind: Kind; asked: URLSearchParams }) {
  const school = useSchool()!;
  const { lastContact } = useStatus();
  const calls = useLive((local) => records({ kind: kind.name, limit: LIST_LIMIT }, local), [kind.name]);
  const toRing = familiesIn((calls ?? []).filter(isToRing));
  const today = (calls ?? []).filter((call) => !isToRing(call) && new Date(call.at).toDateString() === new Date().toDateString());
  const asAt = lastContact ? `as at ${when(lastContact)}` : 'as this phone has it';

  const wanted = asked.get('pupils');
  const chosen = wanted ? { key: wanted, name: pupil(wanted)?.surname ?? 'Not known', pupils: [wanted], calls: [] } : toRing.find(({ key }) => key === asked.get('family'));
  if (chosen) {
    const next = toRing.find(({ key }) => key !== chosen.key);
    return <Card key={chosen.key} school={school} kind={kind} family={chosen} meta={wanted ? `Not on the list · ${asAt}` : `Family ${toRing.indexOf(chosen as Family) + 1} of ${toRing.length} · list ${asAt}`} next={next} />;
  }
  return (
    <Screen close title="Calls" meta={calls && (toRing.length > 0 ? `${count(toRing.length, 'family', 'families')} to ring · list ${asAt}` : `List ${asAt}`)} dock={toRing[0] && <a class="button main" href={cardOf(toRing[0])}><Icon name="ring" />Start with {toRing[0].name}</a>}>
      {toRing.length > 0 ? (
        <ul class="card rows" aria-label="Families to ring">
          {toRing.map((family) => (
            <li key={family.key}>
              <a class="row" href={cardOf(family)}>
                <span class="lead"><Icon name="ring" /></span>
                <span class="grow"><b>{family.name}</b><span class="meta">{series(family.pupils.map(firstName))}{whyListed(school, kind, family.calls[0])}</span></span>
                <Icon name="next" size="small" />
              </a>
            </li>
          ))}
        </ul>
      ) : calls && <NobodyToRing rung={familiesIn(today.filter(wasListed)).length} />}
      <section class="stack" aria-labelledby="other">
        <h2 id="other">Ring somebody else</h2>
        <Search id="find" label="Find a pupil" icon="next" among="pupil" onAdd={({ person }) => go(`/new/${kind.name}?pupils=${person.id}`)} />
      </section>
      {today.length > 0 && (
        <section class="stack" aria-labelledby="done">
          <h2 id="done">Rung today</h2>
          <ul class="card rows">
            {today.map((call) => <li key={call.id}><a class="row" href={`/record/${call.id}`}><span class="grow"><b>{series(pupilsOf(call).map(fullName))}</b><span class="meta">{say(school, fieldNamed(kind, 'outcome')!, call.body.outcome)}</span></span><Icon name="next" size="small" /></a></li>)}
          </ul>
        </section>
      )}
    </Screen>
  );
}

/** `rung`: families of today's list. */
function NobodyToRing({ rung }: { rung: number }) {
  return (
    <div class="card empty">
      <Icon name={rung > 0 ? 'ring' : 'list'} />
      <h2>{rung > 0 ? 'Everybody on the list has been rung' : 'No list today'}</h2>
      <p class="meta">{rung > 0 ? `${count(rung, 'family', 'families')} today. Whom you rang is below.` : 'When the school has made one, it comes to this phone with the first signal. You can ring somebody else meanwhile.'}</p>
    </div>
  );
}

const cardOf = ({ key }: Family): string => `/new/attendance_call?family=${encodeURIComponent(key)}`;
const firstName = (id: string): string => { const found = pupil(id); return found ? found.preferred || found.forename : 'a pupil not on this phone'; };
const fullName = (id: string): string => { const found = pupil(id); return found ? nameOf(found) : 'A pupil not on this phone'; };

function whyListed(school: SchoolAnswer, kind: Kind, call: ShownRecord | undefined): string {
  const field = fieldNamed(kind, 'listed_for');
  return field && call && !isEmpty(call.body.listed_for) ? ` · ${say(school, field, call.body.listed_for)}` : '';
}

type CardProps = { school: SchoolAnswer; kind: Kind; family: Family; meta: string; next: Family | undefined };

function Card({ school, kind, family, meta, next }: CardProps) {
  const [rung, setRung] = useState<{ contact: Contact; number: string }>();
  const [shown] = useState(family); // the card stays as it was opened, whatever arrives
  const contacts = useLive(async (local) => onceEach((await Promise.all(shown.pupils.map((id) => contactsOf(id, local)))).flat()), [shown.key]);
  const first = contacts?.find(mayRing);

  async function went(outcome: (typeof OUTCOMES)[number]): Promise<void> {
    const at = new Date().toISOString();
    const whom = rung ?? (first && { contact: first, number: first.phone ?? first.other_phone ?? '' });
    const values: Values = { ...outcome.values, rung_at: { at, precision: 'exact' }, ...(whom ? { rung: named(whom.contact), ...(whom.number ? { number: whom.number } : {}) } : {}) };
    const saved = await saveTap(
      shown.calls.length
        ? shown.calls.map((call) => ({ record: call.id, kind: kind.name, seen: call.version, values }))
        : [{ record: newId(), kind: kind.name, seen: null, values: { ...values, pupils: { put: Object.fromEntries(shown.pupils.map((id) => [id, {}])), drop: [] } } }],
      `${shown.name}: ${outcome.words.toLowerCase()}.`,
    );
    if (saved) go(next && shown.calls.length ? cardOf(next) : '/new/attendance_call', 'replace');
  }

  const more = shown.calls[0] ? toForm(shown.calls[0], {}) : `/new/${kind.name}?form=1&pupils=${shown.pupils.join(',')}`;
  return (
    <Screen close title={shown.name} tab="A call" meta={meta} upTo="/new/attendance_call" taps={<a class="tap" href="/new/attendance_call" aria-label="All families"><Icon name="list" /></a>}>
      <ul class="card rows" aria-label="Pupils in this family">
        {shown.pupils.map((id) => (
          <li key={id} class="row"><span class="grow"><PersonLine id={id} meta={listedFor(school, kind, shown.calls.find((call) => pupilsOf(call).includes(id)))} /></span></li>
        ))}
      </ul>
      {contacts && <Contacts contacts={contacts} main onRing={(contact, number) => setRung({ contact, number })} />}
      <section class="stack bottom" aria-labelledby="outcome">
        <h2 id="outcome">How did it go? <span class="meta">One tap saves</span></h2>
        <div class="tiles">
          {OUTCOMES.map((outcome) => <button key={outcome.words} type="button" class="button" onClick={() => went(outcome)}>{outcome.words}</button>)}
        </div>
        <a class="button whole" href={more}>More…</a>
      </section>
    </Screen>
  );
}

const listedFor = (school: SchoolAnswer, kind: Kind, call: ShownRecord | undefined): string => whyListed(school, kind, call).replace(/^ · /, '').toLowerCase();

const named = ({ name, relationship }: Contact): string => (relationship ? `${name}, ${relationship.toLowerCase()}` : name);

/** The same adult beside each sibling is rung once. Whoever must not be rung for one is not rung for any. */
function onceEach(contacts: Contact[]): Contact[] {
  const people = new Map<string, Contact>();
  for (const contact of contacts) {
    const key = contact.person ?? contact.id;
    const before = people.get(key);
    people.set(key, before && (before.do_not_contact || !contact.do_not_contact) ? before : contact);
  }
  return [...people.values()].sort((a, b) => a.position - b.position);
}

