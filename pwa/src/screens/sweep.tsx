// A sweep that is on: join it, how many have been spoken to by all its phones, and one tap to log the next.

import { useState } from 'preact/hooks';
import { Chip } from '../form/chips';
import { optionsOf, personNamed, say, fieldNamed, isEmpty, kindNamed, momentOf, titleOf, type Entries } from '../form/say';
import { useLive } from '../local/store';
import { records, type RecordView } from '../local/view';
import type { ShownRecord } from '../local/overlay';
import { Icon } from '../look/icon';
import { Pass } from '../look/person';
import { Screen } from '../look/screen';
import { Note } from '../look/note';
import { clock, count, when } from '../look/words';
import { useStatus } from '../sync';
import type { Kind, SchoolAnswer, Values } from '../wire';
import { Badge } from './record-row';
import { saveTap } from './saving';
import { useMe } from './world';

const SPOTS_SHOWN = 6;
const AT_ONCE = 1_000; // sightings of one sweep

export function Sweep({ school, kind, view: { record } }: { school: SchoolAnswer; kind: Kind; view: RecordView }) {
  const me = useMe();
  const { lastContact } = useStatus();
  const sighting = kindNamed(school, 'sighting');
  const spotField = sighting && fieldNamed(sighting, 'where');
  const spots = spotField ? optionsOf(school, spotField.shape).filter(({ retired }) => !retired) : [];
  const sightings = useLive((local) => records({ kind: 'sighting', linked: record.id, limit: AT_ONCE }, local), [record.id]) ?? [];
  const spoken = sightings.filter(({ state }) => state !== 'void');
  const lately = spoken.map(({ body }) => String(body.where ?? '')).filter(Boolean);
  const [spot, setSpot] = useState<string>();
  const here = spot ?? lately[0];
  const [all, setAll] = useState(false);
  const inOrder = [...new Set([...lately, ...spots.map(({ code }) => code)])].map((code) => spots.find((each) => each.code === code)).filter((each) => each !== undefined);
  const team = Object.keys((record.body.team ?? {}) as Entries);
  const isOnIt = me !== null && team.includes(me.id);
  const tap = (values: Values, done: string) => saveTap([{ record: record.id, kind: kind.name, seen: record.version, values }], done);
  const mine = spoken.filter(({ mine }) => mine).length;
  const log = (whose: string) => `/new/sighting?${new URLSearchParams({ sweep: record.id, whose, ...(here ? { where: here } : {}) })}`;

  return (
    <Screen
      close
      pair
      title={titleOf(school, record)}
      tab={kind.label}
      meta={[typeof record.body.police_lead === 'string' && `With ${record.body.police_lead}`, windowOf(record)].filter(Boolean).join(' · ')}
      upTo="/records"
      taps={<a class="tap" href={`/record/${record.id}?whole=1`} aria-label="The whole record"><Icon name="note" /></a>}
      dock={<><a class="button main" href={log('ours')}><Icon name="plus" />Ours</a><a class="button main second" href={log('other_school')}><Icon name="plus" />Not ours</a></>}
    >
      {record.state === 'closed' && <Note state="draft" icon="lock"><b>This sweep was closed.</b> {typeof record.body.state_reason === 'string' && record.body.state_reason} Whom you spoke to you can still write down: it is kept, and the desk sees that it came later.</Note>}
      <section class="card" aria-label="Count so far">
        <div class="pad line keep">
          <p class="count" role="status" aria-label={`${spoken.length} young people spoken to`}>{spoken.length}</p>
          <div class="grow"><b>young people spoken to</b><p class="meta">{count(team.length, 'person', 'people')} on it. Yours: {mine}. Others{lastContact ? <> as at <span class="num">{when(lastContact)}</span></> : ' come with the first signal'}.</p></div>
        </div>
        <dl class="tally">
          {(['ours', 'other_school', 'not_known'] as const).map((whose) => (
            <div key={whose}><dt class="meta">{sighting ? say(school, fieldNamed(sighting, 'whose')!, whose) : whose}</dt><dd class="num">{spoken.filter(({ body }) => body.whose === whose).length}</dd></div>
          ))}
        </dl>
      </section>
      {!isOnIt && record.state === 'open' && me && <button type="button" class="button whole" onClick={() => tap({ team: { put: { [me.id]: { part: 'goes' } }, drop: [] } }, 'You are on this sweep.')}><Icon name="people" size="small" />Join this sweep</button>}
      {spoken.length > 0 && (
        <ul class="card rows" aria-label="Spoken to">
          {spoken.map((each) => <li key={each.id}><Spoken school={school} kind={sighting!} record={each} me={me?.id} /></li>)}
        </ul>
      )}
      <fieldset class="stack bottom">
        <legend>Spoken to at</legend>
        <div class="chips even">
          {inOrder.slice(0, all ? undefined : SPOTS_SHOWN).map(({ code, label }) => <Chip key={code} name="at" label={label} on={here === code} onChange={(on) => setSpot(on ? code : '')} />)}
          {!all && inOrder.length > SPOTS_SHOWN && <button type="button" class="chip" onClick={() => setAll(true)}>More…</button>}
        </div>
      </fieldset>
      {isOnIt && record.state === 'open' && <p><button type="button" class="button link" onClick={() => tap({ state: 'closed' }, 'The sweep is over.')}>The sweep is over</button></p>}
    </Screen>
  );
}

function windowOf(record: ShownRecord): string | undefined {
  const [from, to] = [momentOf(record.body.starts_at), momentOf(record.body.ends_at)];
  return from ? `${clock(from.at)}${to ? ` to ${clock(to.at)}` : ''}` : undefined;
}

function Spoken({ school, kind, record, me }: { school: SchoolAnswer; kind: Kind; record: ShownRecord; me: string | undefined }) {
  const [pupil] = Object.keys((record.body.pupils ?? {}) as Entries);
  const name = pupil ? personNamed(pupil) : String(record.body.description || record.body.said_name || 'Not known');
  const said = ['where', 'outcome'].filter((field) => !isEmpty(record.body[field])).map((field) => say(school, fieldNamed(kind, field)!, record.body[field]));
  return (
    <a class="row" href={`/record/${record.id}`}>
      <Pass name={pupil ? name : '?'} />
      <span class="grow">
        <span class="line"><span class="name grow">{name}</span><Badge of={record.delivery} /></span>
        <span class="meta num">{[clock(record.at), ...said, record.author === me ? '' : personNamed(record.author)].filter(Boolean).join(' · ')}</span>
      </span>
    </a>
  );
}
