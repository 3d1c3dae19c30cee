// One record: what disagrees, who it is about, each account under its author's name, the rest, and what became of it.

import type { ComponentChildren } from 'preact';
import { fieldNamed, isEmpty, kindNamed, personNamed, say, sayPart, titleOf, whenOf, type Entries } from '../form/say';
import type { ShownRecord } from '../local/overlay';
import { useLive } from '../local/store';
import { record as recordNamed, records, type RecordView } from '../local/view';
import { focusOn } from '../look/address';
import { Icon } from '../look/icon';
import { later } from '../look/later';
import { Note } from '../look/note';
import { Pass, PersonLine } from '../look/person';
import { Screen } from '../look/screen';
import { span, when } from '../look/words';
import type { Field, Json, Kind, SchoolAnswer, Statement } from '../wire';
import { Dispute } from './dispute';
import { History } from './history';
import { RecordRow } from './record-row';
import { isGoing, isOn, isSweptNow } from './on';
import { useMe, useWorld } from './world';

const Sweep = later(() => import('./oncall').then(({ Sweep }) => Sweep));
const Visit = later(() => import('./oncall').then(({ Visit }) => Visit));

export function Record({ id, asked }: { id: string; asked: URLSearchParams }) {
  const { me, school } = useWorld();
  const view = useLive(async (local) => (await recordNamed(id, local)) ?? null, [id]);
  if (view === undefined || !school) return <Screen title="Record" upTo="/records">{null}</Screen>;
  if (view === null) return <Gone />;
  const kind = kindNamed(school, view.record.kind);
  if (!kind) return <Unknown />;
  const live = isOn(view.record) && !asked.has('whole');
  if (kind.name === 'sweep' && isSweptNow(view.record) && !asked.has('whole')) return <Sweep school={school} kind={kind} view={view} />;
  if (kind.name === 'home_visit' && live && isGoing(view.record, me?.id)) return <Visit school={school} kind={kind} view={view} />;
  return <Whole school={school} kind={kind} view={view} />;
}

const Gone = () => (
  <Screen title="Not on this phone" upTo="/records">
    <p>This record is not on this phone. It may be one that is not yours to hold, or the school has not sent it yet.</p>
  </Screen>
);

const Unknown = () => (
  <Screen title="Update to read this" upTo="/records">
    <p>This record is of a kind that this version of Lanyard does not know. It is safe; update to read it.</p>
  </Screen>
);

type Props = { school: SchoolAnswer; kind: Kind; view: RecordView };

export function Whole({ school, kind, view: { record, history, held } }: Props) {
  const me = useMe();
  const title = titleOf(school, record);
  const account = accountField(kind);
  const mine = account && me ? (record.body[account.name] as Record<string, Statement> | undefined)?.[me.id]?.value : undefined;
  return (
    <Screen
      title={title}
      tab={kind.label}
      meta={`${title === kind.label ? '' : `${kind.label} · `}${whenOf(school, record)}`}
      upTo="/records"
      taps={<button type="button" class="tap" aria-label="History" onClick={() => focusOn('history')}><Icon name="history" /></button>}
      dock={account && record.state !== 'void' && <a class="button main" href={toForm(record, { field: account.name, as: mine ? 'Add to your account' : 'Your account' })}><Icon name="draft" />{mine ? 'Add to my account' : 'Add my account'}</a>}
    >
      {record.delivery === 'waiting' && <Note state="waiting"><b>{record.version ? 'Your latest words are' : 'This is'} saved on this phone, not sent.</b></Note>}
      {record.state !== 'open' && <Note state="draft" icon="note"><b>{say(school, fieldNamed(kind, 'state')!, record.state)}.</b> {typeof record.body.state_reason === 'string' && record.body.state_reason}</Note>}
      {held.map((each) => <Note key={each.edit} state="needs"><b>Something you wrote here is held.</b> <a href={`/needs-you?edit=${each.edit}`}>See why</a></Note>)}
      {Object.entries(record.disputes).map(([name, heads]) => <Dispute key={name} school={school} kind={kind} record={record} name={name} heads={heads} />)}
      <Gaps kind={kind} record={record} />
      <People school={school} kind={kind} record={record} />
      <Accounts kind={kind} record={record} />
      <Facts school={school} kind={kind} record={record} />
      <Linked school={school} record={record} />
      <History kind={kind} history={history} />
      <section class="stack" aria-label="More to do">
        {kind.name === 'incident' && <a class="button whole" href={`/new/statement?incident=${record.id}`}><Icon name="voice" size="small" />Take a statement</a>}
        {kind.name === 'home_visit' && isOn(record) && <a class="button whole" href={`/visit/${record.id}`}><Icon name="visit" size="small" />How this visit stands</a>}
        <a class="button whole" href={toForm(record, {})}><Icon name="draft" size="small" />Add or correct something</a>
        {record.state === 'open' && <a class="button link" href={toForm(record, { field: 'state,state_reason', state: 'void', as: 'Written by mistake' })}>It was written by mistake</a>}
      </section>
    </Screen>
  );
}

export function toForm(record: Pick<ShownRecord, 'id' | 'kind'>, more: Record<string, string>): string {
  return `/new/${record.kind}?${new URLSearchParams({ record: record.id, ...more })}`;
}

/** The field for one's own account: the one so named, or the first that is in people's own words. */
const accountField = (kind: Kind): Field | undefined =>
  fieldNamed(kind, 'account') ?? kind.fields.find(({ merge, shape, retired }) => merge === 'own' && shape.control === 'note' && !retired);

function Gaps({ kind, record }: { kind: Kind; record: ShownRecord }) {
  const gaps = record.gaps.map((name) => fieldNamed(kind, name)).filter((field) => field !== undefined);
  if (gaps.length === 0 || record.state !== 'open') return null;
  return (
    <section class="stack" aria-labelledby="gaps">
      <h2 id="gaps">Still to say</h2>
      <ul class="card rows">
        {gaps.map((field) => (
          <li key={field.name}><a class="row" href={toForm(record, { field: field.name })}><span class="grow">{field.question}</span><Icon name="next" size="small" /></a></li>
        ))}
      </ul>
    </section>
  );
}

function People({ school, kind, record }: { school: SchoolAnswer; kind: Kind; record: ShownRecord }) {
  const fields = kind.fields.filter(({ name, shape }) => (shape.control === 'pupils' || shape.control === 'staff') && !isEmpty(record.body[name]));
  return (
    <>
      {fields.map((field) => (
        <section key={field.name} class="stack" aria-labelledby={`who-${field.name}`}>
          <h2 id={`who-${field.name}`}>{field.shape.control === 'pupils' ? 'Pupils' : field.question}</h2>
          <ul class="card rows">
            {Object.entries(record.body[field.name] as Entries).map(([id, entry]) => (
              <li key={id}>
                {field.shape.control === 'pupils'
                  ? <a class="row" href={`/pupil/${id}`}><PersonRow id={id} meta={sayPart(school, field.shape, entry)} /><Icon name="next" size="small" /></a>
                  : <div class="row"><PersonRow id={id} meta={sayPart(school, field.shape, entry)} /></div>}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

const PersonRow = ({ id, meta }: { id: string; meta: string }) => <span class="grow"><PersonLine id={id} meta={meta} /></span>;

/** Each in the serif voice, whole, under the author's name and the two times. */
function Accounts({ kind, record }: { kind: Kind; record: ShownRecord }) {
  const me = useMe();
  const told = kind.fields.filter(({ merge, shape }) => merge === 'own' && shape.control !== 'moment').flatMap((field) =>
    Object.entries((record.body[field.name] ?? {}) as Record<string, Statement>).filter(([, { value }]) => !isEmpty(value)).map(([author, statement]) => ({ field, author, statement })),
  );
  if (told.length === 0) return null;
  const account = accountField(kind);
  return (
    <section class="stack" aria-labelledby="accounts">
      <h2 id="accounts">{told.some(({ field }) => field === account) ? 'Accounts' : 'In their own words'}</h2>
      <div class="card rows">
        {told.map(({ field, author, statement }) => (
          <article key={`${field.name} ${author}`} class="pad voice" aria-label={`${field.question}, ${personNamed(author)}`}>
            <div class="who">
              <Pass name={personNamed(author)} of="staff" />
              <p class="grow"><span class="name">{author === me?.id ? 'You' : personNamed(author)}</span><span class="meta num">{field === account ? '' : `${field.question} · `}{written(statement, record)}</span></p>
            </div>
            <blockquote>{String(statement.value)}</blockquote>
          </article>
        ))}
      </div>
    </section>
  );
}

function written({ at, versions }: Statement, record: ShownRecord): string {
  const after = Date.parse(at) - Date.parse(record.at);
  const late = after >= 60_000 && after < 86_400_000 ? `, ${span(after)} after` : '';
  return `Wrote ${when(at)}${late}${versions > 1 ? `, ${versions} times` : ''}.`;
}

const ELSEWHERE = new Set(['pupils', 'staff']);
const STATE = new Set(['state', 'state_reason']);

function Facts({ school, kind, record }: { school: SchoolAnswer; kind: Kind; record: ShownRecord }) {
  const fields = kind.fields.filter(({ name, merge, shape }) => merge !== 'own' && !ELSEWHERE.has(shape.control) && !STATE.has(name) && !(name in record.disputes) && !isEmpty(record.body[name]));
  if (fields.length === 0) return null;
  return (
    <section class="stack" aria-labelledby="facts">
      <h2 id="facts">What is recorded</h2>
      <ul class="card rows">
        {fields.map((field) => (
          <li key={field.name} class="row">
            <span class="grow"><span class="meta">{field.question}</span><Fact school={school} field={field} value={record.body[field.name]!} /></span>
            <a class="tap out" href={toForm(record, { field: field.name })} aria-label={`Correct: ${field.question}`}><Icon name="draft" size="small" /></a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Fact({ school, field, value }: { school: SchoolAnswer; field: Field; value: Json }): ComponentChildren {
  if (field.shape.control === 'record') return <a href={`/record/${String(value)}`}>Open that record</a>;
  if (field.shape.control === 'note') return <span>{String(value)}</span>;
  return <b>{say(school, field, value)}</b>;
}

function Linked({ school, record }: { school: SchoolAnswer; record: ShownRecord }) {
  const linked = useLive((local) => records({ linked: record.id }, local), [record.id]);
  if (!linked || linked.length === 0) return null;
  return (
    <section class="stack" aria-labelledby="linked">
      <h2 id="linked">About the same thing</h2>
      <ul class="card rows">{linked.map((each) => <li key={each.id}><RecordRow school={school} record={each} /></li>)}</ul>
    </section>
  );
}

