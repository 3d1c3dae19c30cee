// A home visit that is on: one step after the other, each with one tap or one page.

import { useEffect, useState } from 'preact/hooks';
import { fieldNamed, isEmpty, momentOf, pupilsIn, say, titleOf, whenOf } from '../form/say';
import { letGo, takeAlong, takenAlong } from '../local/taken-along';
import { useLive } from '../local/store';
import type { ShownRecord } from '../local/overlay';
import type { RecordView } from '../local/view';
import { Icon, type IconName } from '../look/icon';
import { Screen } from '../look/screen';
import { announce } from '../look/announce';
import { Note } from '../look/note';
import { clock, series, when } from '../look/words';
import type { Kind, SchoolAnswer } from '../wire';
import { toForm } from './record';
import { saveTap } from './saving';
import { useMe } from './world';

type Step = { words: string; done: string; moment?: string; fields?: string[]; does?: string };

/** A step is done by the moment it names, or by an answer to any of its fields. */
const STEPS: Step[] = [
  { words: 'Leave school', done: 'Left school', moment: 'left_school_at', does: 'I am leaving school' },
  { words: 'Arrive', done: 'Arrived', moment: 'arrived_at', does: 'I have arrived' },
  { words: 'Who was seen? Was the child, and alone?', done: 'Who was seen', fields: ['door', 'who_seen', 'child_seen', 'child_not_seen'] },
  { words: 'What was said', done: 'What was said', fields: ['child_said', 'family_said', 'conditions', 'account'] },
  { words: 'What was agreed, and any concern', done: 'What was agreed', fields: ['agreed', 'next_step', 'letter_left', 'concern'] },
  { words: 'Leave the address', done: 'Left the address', moment: 'left_at', does: 'I have left' },
  { words: 'Back, or safe on the way', done: 'Safe', moment: 'safe_at', does: 'I am back and safe' },
];

export function Visit({ school, kind, view: { record } }: { school: SchoolAnswer; kind: Kind; view: RecordView }) {
  const me = useMe();
  const steps = STEPS.filter((step) => [step.moment, ...(step.fields ?? [])].some((name) => name && fieldNamed(kind, name)));
  const next = steps.find((step) => step.moment && !isDone(step, record, me?.id));
  const current = steps.find((step) => !isDone(step, record, me?.id));
  const back = momentOf(record.body.back_by);
  const mark = (step: Step) => saveTap([{ record: record.id, kind: kind.name, seen: record.version, values: { [step.moment!]: { at: new Date().toISOString(), precision: 'exact' } } }], `${step.done}.`);

  return (
    <Screen
      title={kind.label}
      meta={[series(pupilsIn(school, record)) || titleOf(school, record), whenOf(school, record)].join(' · ')}
      upTo="/records"
      taps={<a class="tap" href={`/record/${record.id}?whole=1`} aria-label="The whole record"><Icon name="note" /></a>}
      dock={next ? <button type="button" class="button main" onClick={() => mark(next)}><Icon name={next.moment === 'arrived_at' ? 'visit' : 'going'} />{next.does}</button> : <a class="button main" href={`/record/${record.id}?whole=1`}>The whole record</a>}
    >
      <Note state="draft" icon="clock">{back ? <><b>You said back by {clock(back.at)}.</b> </> : null}Lanyard does not yet tell anybody if you are late. Agree with a colleague who rings you, and when.</Note>
      {!isEmpty(record.body.hazards) && <Note state="alarm"><b>Be careful.</b> {say(school, fieldNamed(kind, 'hazards')!, record.body.hazards)}</Note>}
      <Where record={record} />
      <ol class="steps">
        {steps.map((step) => {
          const done = isDone(step, record, me?.id);
          const at = step.moment ? momentOf(record.body[step.moment]) : undefined;
          return (
            <li key={step.words} data-state={done ? (record.delivery === 'waiting' ? 'waiting' : 'sent') : undefined}>
              <Icon name={markOf(done, record)} />
              <span class={step === current ? 'now' : ''}>{done ? step.done : step.words}<span class="hidden">{done ? ', done' : ', to come'}</span></span>
              {at && <span class="num">{clock(at.at)}</span>}
              {step.fields && <a class="button" href={toForm(record, { field: step.fields.join(','), as: step.done })}>{done ? 'Add to it' : 'Answer'}<span class="hidden">: {step.words}</span></a>}
            </li>
          );
        })}
      </ol>
      <a class="button whole" href={toForm(record, {})}><Icon name="draft" size="small" />Change the plan</a>
    </Screen>
  );
}

/** Addresses are at the school; for a visit they may be taken along, until it is over or a day has gone by. */
function Where({ record }: { record: ShownRecord }) {
  const along = useLive((from) => takenAlong(record.id, from), [record.id]);
  const isOver = !isEmpty(record.body.left_at);
  useEffect(() => void (isOver && along && letGo(record.id)), [isOver, !along]);
  const [asking, setAsking] = useState(false);
  const [why, setWhy] = useState<string | null>(null);
  async function take(): Promise<void> {
    setAsking(true);
    const refused = await takeAlong(record.id).catch(() => 'This phone could not keep it. Try again.');
    setAsking(false);
    setWhy(refused);
    if (refused) announce(refused, 'assertive');
    else announce('The address is on this phone.');
  }
  if (!along) {
    if (isOver) return null;
    return (
      <section class="stack" aria-label="Where to">
        {why && <Note state="needs" alert>{why}</Note>}
        <button type="button" class="button whole" aria-disabled={asking} onClick={() => asking || void take()}><Icon name="visit" size="small" />{asking ? 'Asking the school' : 'Take the address along'}</button>
      </section>
    );
  }
  const { pupils, other_address, contacts, until } = along;
  return (
    <section class="stack" aria-labelledby="where-to">
      <h2 id="where-to">Where to</h2>
      <ul class="card rows">
        {other_address && <Home whose="The visit is to" home={other_address} />}
        {pupils.map(({ id, name, address, address_withheld }) => <Home key={id} whose={name} home={told(address, address_withheld)} />)}
        {contacts.filter(({ address, do_not_contact }) => address || do_not_contact).map((adult, at) => (
          <Home key={at} whose={[adult.name, adult.relationship.toLowerCase()].filter(Boolean).join(', ')} home={adult.do_not_contact ? 'Do not contact' : adult.address!} />
        ))}
      </ul>
      <p class="meta num">On this phone until {when(until)}, then it is let go.</p>
      <button type="button" class="button link" onClick={() => void letGo(record.id)}>Let it go now</button>
    </section>
  );
}

const Home = ({ whose, home }: { whose: string; home: string }) => <li class="row"><span class="grow"><span class="meta">{whose}</span><b>{home}</b></span></li>;

const told = (address: string | null, isWithheld: boolean): string => address ?? (isWithheld ? 'Withheld: ask the safeguarding lead' : 'No address is known');

const markOf = (done: boolean, record: ShownRecord): IconName => (!done ? 'planned' : record.delivery === 'waiting' ? 'waiting' : 'sent');

function isDone(step: Step, record: ShownRecord, me: string | undefined): boolean {
  if (step.moment) return !isEmpty(record.body[step.moment]);
  return (step.fields ?? []).some((name) => {
    const value = record.body[name];
    if (isEmpty(value)) return false;
    return typeof value === 'object' && value !== null && me && me in value ? !isEmpty((value as Record<string, { value: null }>)[me]?.value) : true;
  });
}
