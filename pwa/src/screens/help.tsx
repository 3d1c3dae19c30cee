// A call for help: two taps, and it is kept on the phone and sent at once. What becomes of it is the next screen.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Control } from '../form/controls';
import { problemsWith, type Problem } from '../form/problems';
import { fieldNamed, isEmpty } from '../form/say';
import { newId, NotSaved, write } from '../local/outbox';
import { useLive, type Local } from '../local/store';
import { SLOW, slowly } from '../local/trouble';
import { records } from '../local/view';
import { announce } from '../look/announce';
import { focusOn, go } from '../look/address';
import { Icon } from '../look/icon';
import { Screen } from '../look/screen';
import { span } from '../look/words';
import { syncNow } from '../sync';
import type { Field, Json, Kind, School, SchoolAnswer, Values } from '../wire';
import { lessonAt, periodAt } from './timetable';
import { useWorld } from './world';

const LOOKED_THROUGH = 300; // of what I wrote, to know where I am
const LOOKING_MS = 300; // for where I am, before the places are drawn without it: they never jump under a thumb
const ASKED = ['place', 'urgency', 'pupils', 'note'];

export function Help({ kind }: { kind: Kind }) {
  const { school } = useWorld();
  const here = useLive(async (local) => (await whereNow(school, local)) ?? null, [!school]);
  return school ? <Ask school={school} kind={kind} found={here} /> : null;
}

type Here = { place: Json; lesson?: Json | undefined; timetabled?: boolean };

/** Where their timetable has this person now, cover and changes of room included; else where they wrote something down last at this hour of the week. */
async function whereNow(school: SchoolAnswer | undefined, local: Local): Promise<Here | undefined> {
  const period = periodAt(school, Date.now());
  if (!school || !period) return undefined;
  const known = new Set(school.lists.places?.filter(({ retired }) => !retired).map(({ code }) => code));
  const lesson = lessonAt(school, Date.now());
  if (lesson && known.has(lesson.place)) return { place: lesson.place, lesson: lesson.words, timetabled: true };
  const weekday = new Date().getDay();
  const there = (await records({ mine: true, limit: LOOKED_THROUGH }, local)).find(
    ({ body, at }) => typeof body.place === 'string' && known.has(body.place) && new Date(at).getDay() === weekday && periodAt(school, Date.parse(at)) === period,
  );
  return there || lesson ? { place: there?.body.place ?? null, lesson: lesson?.words ?? there?.body.lesson } : undefined;
}

/** `found`: null when it is nowhere; it may come late, or never: the storage may be silent. */
function Ask({ school, kind, found }: { school: SchoolAnswer; kind: Kind; found: Here | null | undefined }) {
  const record = useRef(newId()); // the same one, however often it has to be tried
  const answers = useRef<Record<string, Json | undefined>>({ urgency: 'now' });
  const [here, setHere] = useState<Here | null>(); // settled once, before the places are drawn
  const [problems, setProblems] = useState<Problem[]>([]);
  const [notSaved, setNotSaved] = useState<string>();
  useEffect(() => {
    if (here !== undefined) return;
    if (found === undefined) {
      const timer = setTimeout(() => setHere(null), LOOKING_MS);
      return () => clearTimeout(timer);
    }
    if (found?.place) answers.current.place = found.place;
    setHere(found);
  }, [found, here]);
  const fields = ASKED.map((name) => fieldNamed(kind, name)).filter((field) => field !== undefined);

  async function call(): Promise<void> {
    const wrong = problemsWith(school, kind, fields.filter(({ name }) => name === 'place'), (field) => answers.current[field.name], true);
    setProblems(wrong);
    if (wrong[0]) return focusOn('ask-place');
    const lesson = periodAt(school, Date.now());
    const values: Values = { asked_at: { at: new Date().toISOString(), precision: 'exact', ...(lesson ? { lesson } : {}) }, progress: 'asked' };
    if (here?.lesson && (!here.place || here.place === answers.current.place)) values.lesson = here.lesson;
    for (const field of fields) {
      const value = answers.current[field.name];
      if (!isEmpty(value)) values[field.name] = field.merge === 'gather' ? { put: value!, drop: [] } : value!;
    }
    try {
      await slowly(write({ record: record.current, kind: kind.name, values, seen: null }), () => sayNotSaved(SLOW));
      void syncNow('save');
      go(`/call/${record.current}`, 'replace');
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
    const control = field.name === 'place' && here === undefined ? <p class="meta">…</p> : <Control id={id} field={field} school={school} value={answers.current[field.name]} wrong={Boolean(wrong)} onAnswer={(value) => (answers.current[field.name] = value)} />;
    if (field.shape.control === 'line') return <div key={field.name} class="field"><label for={id}>{field.question}</label>{control}</div>;
    return <fieldset key={field.name} class={wrong ? 'wrong' : ''}><legend>{field.question}</legend><div class="stack">{wrong && <p class="why" role="alert" id={`${id}-why`}><Icon name="needs" /><span>{wrong}</span></p>}{control}</div></fieldset>;
  };

  return (
    <Screen title={kind.label} dock={<button type="button" class="button main" onClick={call}>Send the call for help</button>}>
      <section class="stack" aria-label="Without Lanyard"><RingTheSchool school={school} /></section>
      {notSaved && <p class="note" role="alert" data-state="alarm"><Icon name="alarm" /><span><b>Not saved and not sent.</b> {notSaved}</span></p>}
      {here?.place && <p class="meta">{here.timetabled ? 'By your timetable.' : 'Where you were at this time before.'} Change it if you are elsewhere.</p>}
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
          <p class="ask"><b>Nobody knows yet that you need help.</b>{where && <><br />Where: {where}</>}</p>
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
