// A call for help: it is written down and sent at once, and says honestly who knows. It cannot ring phones yet.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Control } from '../form/controls';
import { problemsWith, type Problem } from '../form/problems';
import { fieldNamed, isEmpty, say } from '../form/say';
import { newId, NotSaved, write } from '../local/outbox';
import { useLive } from '../local/store';
import { SLOW, slowly } from '../local/trouble';
import { record as recordNamed } from '../local/view';
import { announce } from '../look/announce';
import { focusOn, go } from '../look/address';
import { Icon } from '../look/icon';
import { Screen } from '../look/screen';
import { clock, span } from '../look/words';
import { useNow } from '../look/now';
import { status, syncNow } from '../sync';
import type { Field, Json, Kind, School, SchoolAnswer, Values } from '../wire';
import { useWorld } from './world';

const SHOUT_AFTER_MS = 4_000; // with no answer by then, say NOT SENT
const ASKED = ['place', 'urgency', 'pupils', 'note'];

export function Help({ kind }: { kind: Kind }) {
  const { school } = useWorld();
  const [called, setCalled] = useState<string>();
  const [tried, setTried] = useState(false);
  if (!school) return null;
  function send(record: string): void {
    setCalled(record);
    void syncNow('save').then(() => setTried(!status().reached));
  }
  return called ? <Called school={school} kind={kind} id={called} tried={tried} /> : <Ask school={school} kind={kind} onCalled={send} />;
}

function Ask({ school, kind, onCalled }: { school: SchoolAnswer; kind: Kind; onCalled: (record: string) => void }) {
  const record = useRef(newId()); // the same one, however often it has to be tried
  const answers = useRef<Record<string, Json | undefined>>({ urgency: 'now' });
  const [problems, setProblems] = useState<Problem[]>([]);
  const [notSaved, setNotSaved] = useState<string>();
  const fields = ASKED.map((name) => fieldNamed(kind, name)).filter((field) => field !== undefined);

  async function call(): Promise<void> {
    const wrong = problemsWith(school, kind, fields.filter(({ name }) => name === 'place'), (field) => answers.current[field.name], true);
    setProblems(wrong);
    if (wrong[0]) return focusOn('ask-place');
    const values: Values = { asked_at: { at: new Date().toISOString(), precision: 'exact' } };
    for (const field of fields) {
      const value = answers.current[field.name];
      if (!isEmpty(value)) values[field.name] = field.merge === 'gather' ? { put: value!, drop: [] } : value!;
    }
    try {
      await slowly(write({ record: record.current, kind: kind.name, values, seen: null }), () => sayNotSaved(SLOW));
      onCalled(record.current);
    } catch (why) {
      sayNotSaved(why instanceof NotSaved ? why.message : 'It could not be kept.');
    }
  }

  function sayNotSaved(why: string): void {
    setNotSaved(why);
    announce('Not saved, not sent. Ring the school.', 'assertive');
  }

  const draw = (field: Field) => {
    const wrong = problems.find((problem) => problem.field === field)?.words;
    const id = `ask-${field.name}`;
    const control = <Control id={id} field={field} school={school} value={answers.current[field.name]} wrong={Boolean(wrong)} onAnswer={(value) => (answers.current[field.name] = value)} />;
    if (field.shape.control === 'line') return <div key={field.name} class="field"><label for={id}>{field.question}</label>{control}</div>;
    return <fieldset key={field.name} class={wrong ? 'wrong' : ''}><legend>{field.question}</legend><div class="stack">{wrong && <p class="why" role="alert" id={`${id}-why`}><Icon name="needs" /><span>{wrong}</span></p>}{control}</div></fieldset>;
  };

  return (
    <Screen title={kind.label} dock={<button type="button" class="button main" onClick={call}>Send the call for help</button>}>
      <section class="stack" aria-label="Who is told">
        <p class="note" data-state="alarm"><Icon name="alarm" /><span><b>Lanyard cannot ring phones yet.</b> This writes your call down and sends it to the desk. If you need somebody now, {school.school.phone || school.school.radio ? 'do this as well' : 'use the radio, or send a pupil to the office'}:</span></p>
        <RingTheSchool school={school} />
      </section>
      {notSaved && <p class="note" role="alert" data-state="alarm"><Icon name="alarm" /><span><b>Not saved and not sent.</b> {notSaved}</span></p>}
      {fields.map(draw)}
    </Screen>
  );
}

/** As far as it is known how to ring it. */
export type Ring = { school: Pick<School, 'phone' | 'radio'> } | undefined;

export function RingTheSchool({ school, loud = false }: { school: Ring; loud?: boolean }) {
  const { phone, radio } = school?.school ?? {};
  return (
    <>
      {radio && <p class="who"><Icon name="radio" /><b>Use the radio, {radio}</b></p>}
      {phone && <a class={loud ? 'button ring whole' : 'button help'} href={`tel:${phone.replace(/[^\d+]/g, '')}`}><Icon name="ring" /><span class="num">Ring the school{loud ? <br /> : ', '}<span class="keep-together">{phone}</span></span></a>}
    </>
  );
}

/** `tried`: the school was asked, and could not be reached. */
function Called({ school, kind, id, tried }: { school: SchoolAnswer; kind: Kind; id: string; tried: boolean }) {
  const now = useNow(1000);
  const view = useLive((local) => recordNamed(id, local), [id]);
  const [calledAt] = useState(Date.now);
  const sent = view ? view.unsent.length === 0 : false;
  const shouting = view !== undefined && !sent && (tried || Math.abs(now - calledAt) > SHOUT_AFTER_MS);
  const place = fieldNamed(kind, 'place');
  const where = view && place ? say(school, place, view.record.body.place) : '';
  useEffect(() => {
    if (shouting) announce('Not sent. Nobody knows yet that you need help.', 'assertive');
    if (sent) announce('The school has your call for help.', 'assertive');
  }, [shouting, sent]);

  if (shouting) return <NotSent school={school} where={where} tried={now - calledAt} />;
  return (
    <Screen title={where ? `Help for ${where}` : kind.label} tab={kind.label} meta={`You called at ${clock(calledAt)}`} dock={<a class="button main" href={`/record/${id}`}>Open the record</a>}>
      {sent ? (
        <section class="card pad stack" data-state="sent">
          <p class="who"><Icon name="sent" /><b>The school has your call for help.</b></p>
          <p>It is on the desk. It has not rung anybody’s phone: nobody has answered.</p>
        </section>
      ) : (
        <section class="card pad stack" data-state="waiting">
          <p class="who"><Icon name="waiting" /><b>Saved on this phone, not sent</b></p>
          <p>The school has not answered yet.</p>
        </section>
      )}
      <div class="stack bottom"><RingTheSchool school={school} /></div>
    </Screen>
  );
}

/** The one screen that is filled with red: nobody knows. */
export function NotSent({ school, where, tried }: { school: Ring; where: string; tried: number }) {
  useEffect(() => {
    document.title = 'NOT SENT · Lanyard';
    document.getElementById('title')?.focus();
  }, []);
  return (
    <div class="phone alarm-page">
      <main>
        <div class="stack">
          <Icon name="offline" size="big" />
          <h1 id="title" tabIndex={-1}>NOT SENT</h1>
          <p class="ask"><b>Nobody knows yet that you need help{where && ` in ${where}`}.</b></p>
          <p>Your call is saved on this phone, which cannot reach the school. It is still trying, and has been for <b class="num">{span(tried) === 'less than a minute' ? `${Math.round(tried / 1000)} seconds` : span(tried)}</b>. It will say here when it gets through.</p>
        </div>
        <div class="stack">
          <p class="who"><Icon name="people" /><b>Send a pupil to the main office</b></p>
          <RingTheSchool school={school} loud />
        </div>
        <div class="stack bottom">
          <button type="button" class="button whole quiet" onClick={() => { void syncNow('tap'); announce('Trying again'); }}>Try now</button>
          <button type="button" class="button whole quiet" onClick={() => go('/')}>Leave this screen</button>
        </div>
      </main>
    </div>
  );
}
