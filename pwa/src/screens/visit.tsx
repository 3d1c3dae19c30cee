// A home visit that I am on: what to be careful of, when I am expected back and who knows, and one tap for each step.

import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { fieldNamed, isEmpty, momentOf, optionsOf, personNamed, pupilsIn, say, titleOf, whenOf, type Entries } from '../form/say';
import type { ShownRecord } from '../local/overlay';
import { pupil } from '../local/people';
import { useLive } from '../local/store';
import { record as recordNamed, records, type RecordView } from '../local/view';
import { announce } from '../look/announce';
import { focusOn } from '../look/address';
import { Icon, type IconName } from '../look/icon';
import { useNow } from '../look/now';
import { Screen } from '../look/screen';
import { clock, nearDay, series } from '../look/words';
import { useAsked } from '../oncall';
import { knownOf, moreTime, planAtSchool, remember, remembered, stamp, tells, timeOf, warnings, type AtSchool, type Known, type VisitCard } from '../visits';
import type { Kind, SchoolAnswer, Values } from '../wire';
import { isGoing } from './on';
import { toForm } from './record';
import { isSecondTap, saveTap } from './saving';
import { Watching } from './watching';
import { Where } from './where';
import { useWorld } from './world';

const LOOK_EVERY_MS = 3_000;
const CALLS_EVERY_MS = 60_000; // while somebody is late and the app is open
const BEEP_MS = 400;
const LOOKED_THROUGH = 500; // visits, for what to be careful of

const AT_THE_DOOR = ['door', 'child_seen'];
const WRITTEN_UP = ['who_seen', 'child_not_seen', 'child_said', 'family_said', 'conditions', 'account', 'letter_left', 'agreed', 'next_step', 'next_at', 'for_next_visitor', 'hazards', 'concern', 'concern_told_at', 'took', 'miles'];

type Step = { words: string; done: string; moment?: string; does?: string };

const SAFE: Step = { words: 'Back, or safe on the way', done: 'Safe', moment: 'safe_at', does: 'I am back and safe' };

const STEPS: Step[] = [
  { words: 'Leave school', done: 'Left school', moment: 'left_school_at', does: 'I am leaving school' },
  { words: 'Arrive', done: 'Arrived', moment: 'arrived_at', does: 'I have arrived' },
  { words: 'Who was seen', done: 'Who was seen' },
  { words: 'Leave the address', done: 'Left the address', moment: 'left_at', does: 'I have left' },
  SAFE,
];

const ICONS: Record<string, IconName> = { arrived_at: 'visit', safe_at: 'sent' };

/** As an alert opens it: mine to walk through, or somebody else's to watch. */
export function Visiting({ id }: { id: string }) {
  const { me, school } = useWorld();
  const view = useLive(async (local) => (await recordNamed(id, local)) ?? null, [id]);
  if (view === undefined || !school) return <Screen title="Home visit">{null}</Screen>;
  const kind = view && school.kinds.find(({ name }) => name === view.record.kind);
  return view && kind?.name === 'home_visit' && isGoing(view.record, me?.id) ? <Visit school={school} kind={kind} view={view} /> : <Watching id={id} view={view} />;
}

export function Visit({ school, kind, view }: { school: SchoolAnswer; kind: Kind; view: RecordView }) {
  const { me } = useWorld();
  const { record } = view;
  const now = useNow(LOOK_EVERY_MS);
  const { known, isOld } = useKnown(record);
  const [closing, setClosing] = useState(false);
  const atSchool = planAtSchool(view, known);
  const due = timeOf(record.body.back_by);
  const [hasLeft, hasArrived, isSafe] = [!isEmpty(record.body.left_school_at), !isEmpty(record.body.arrived_at), !isEmpty(record.body.safe_at)];
  const isClosed = known?.accepted_at != null && (known.state === 'over' || known.state === 'safe'); // by somebody else's word
  const isOut = hasLeft && !isSafe && !isClosed;
  const isAsked = hasArrived && !isSafe && AT_THE_DOOR.some((name) => isEmpty(record.body[name]));
  const isLate = !isSafe && due !== undefined && now > due && !isClosed && (hasLeft || Boolean(known?.accepted_at));
  useEffect(() => {
    if (!isLate) return;
    call();
    const every = setInterval(call, CALLS_EVERY_MS);
    return () => clearInterval(every);
  }, [isLate]);

  const write = (values: Values, about: string, undone?: null) => saveTap([{ record: record.id, kind: kind.name, seen: record.version, values }], about, undone);
  const onMore = (minutes: number) => void write(moreTime(due, minutes), `${minutes} minutes more.`);
  const next = isSafe ? undefined : STEPS.find(({ moment }) => moment && fieldNamed(kind, moment) && isEmpty(record.body[moment]));
  const first = isLate && next ? SAFE : next; // whoever is late has one thing to say, whatever step they are at
  const isWritten = !isEmpty((record.body.account as Entries | undefined)?.[me?.id ?? '']?.value);
  const writeUp = toForm(record, { field: WRITTEN_UP.join(','), as: 'Write it up' });
  const take = (step: Step) => (step.moment === 'safe_at' && mayAskWord(kind, known, isOld) ? setClosing(true) : void write(stamp(step.moment!), `${step.done}.`));
  async function close(word: string): Promise<void> {
    if (!(await write({ ...(timeOf(record.body.safe_at)! <= Date.now() ? { safe_at: record.body.safe_at! } : stamp('safe_at')), ...(word ? { closing_word: word } : {}) }, 'Safe.', null))) return; // nobody takes this back who may not be alone
    setClosing(false);
  }

  return (
    <Screen
      title={kind.label}
      meta={[series(pupilsIn(school, record)) || titleOf(school, record), whenOf(school, record)].join(' · ')}
      upTo="/records"
      taps={<a class="tap" href={`/record/${record.id}?whole=1`} aria-label="The whole record"><Icon name="note" /></a>}
      dock={
        closing ? null : first ? <button type="button" class="button main" onClick={(event) => isSecondTap(event) || take(first)}><Icon name={ICONS[first.moment!] ?? 'going'} />{first.does}</button>
        : isWritten ? <a class="button main" href={`/record/${record.id}?whole=1`}>The whole record</a>
        : <a class="button main" href={writeUp}><Icon name="draft" />Write it up</a>
      }
    >
      {closing && <Closing known={known} onClose={() => setClosing(false)} onWord={(word) => void close(word)} />}
      {isLate && <TimeLeft {...{ record, due, now, onMore }} />}
      {isLate && next && next !== first && <button type="button" class="button whole" onClick={() => take(next)}><Icon name={ICONS[next.moment!] ?? 'going'} size="small" />{next.does}</button>}
      {!isSafe && <Careful school={school} kind={kind} record={record} />}
      {isAsked ? <AtTheDoor {...{ school, kind, record, write }} /> : !hasArrived && <Where record={record} />}
      {isOut && !isLate && due !== undefined && <TimeLeft {...{ record, due, now, onMore }} />}
      <AtSchoolNow {...{ record, atSchool, known, isOld, due, isSafe, isClosed }} onWord={() => setClosing(true)} />
      {isOut && !isLate && fieldNamed(kind, 'checked_in_at') && <button type="button" class="button whole" onClick={() => void write(stamp('checked_in_at'), 'You are all right.')}><Icon name="tick" size="small" />I am all right</button>}
      <ol class="steps">
        {STEPS.map((step) => <StepLine key={step.words} {...{ step, school, kind, view }} isNext={step === next} />)}
        <li data-state={isWritten ? markOf(record) : undefined}>
          <Icon name={isWritten ? markOf(record) : 'planned'} />
          <span>{isWritten ? 'Written up' : 'Write it up'}<span class="hidden">{isWritten ? ', done' : ', to come'}</span></span>
          <a class="button" href={writeUp}>{isWritten ? 'Add to it' : 'Write'}</a>
        </li>
      </ol>
      {hasArrived && <Where record={record} />}
      <a class="button whole" href={toForm(record, {})}><Icon name="draft" size="small" />Change the plan</a>
    </Screen>
  );
}

/** Where it is not known whether this person has closing words, they are asked, and may go on without. */
const mayAskWord = (kind: Kind, known: Known | null | undefined, isOld: boolean): boolean => (isOld || known?.asks_word !== false) && fieldNamed(kind, 'checked_in_at') !== undefined;

/** What the school said of it last: now, or before the signal went. `isOld`: it is not being heard. */
function useKnown(record: ShownRecord): { known: Known | null | undefined; isOld: boolean } {
  const kept = useLive((local) => remembered(record.id, local), [record.id]);
  const { found } = useAsked<VisitCard>(record.version ? `/api/visits/${encodeURIComponent(record.id)}` : '', undefined, LOOK_EVERY_MS);
  const said = found?.json ? knownOf(found.json) : found?.missing ? null : undefined;
  const [words, before] = [said, kept].map((each) => JSON.stringify(each ?? null));
  useEffect(() => {
    if (said !== undefined && kept !== undefined && words !== before) void remember(record.id, said).catch(() => {}); // then it is asked again
  }, [words, before]);
  return { known: said === undefined ? kept : said, isOld: !found || Boolean(found.problem) };
}

/** A sound and a shake, once somebody has touched the app: only while it is open; the school's alert comes all the same. */
function call(): void {
  if (navigator.userActivation?.hasBeenActive === false) return;
  navigator.vibrate?.([400, 200, 400]);
  const audio = new AudioContext();
  const beep = audio.createOscillator();
  beep.connect(audio.destination);
  beep.start();
  setTimeout(() => void audio.close(), BEEP_MS);
}

type Left = { record: ShownRecord; due: number; now: number; onMore: (minutes: number) => void };

/** How long yet, or how long too late: that is said aloud. */
function TimeLeft({ record, due, now, onMore }: Left) {
  const minutes = Math.ceil((due - now) / 60_000);
  const isLate = now > due;
  const left = timeOf(record.body.left_school_at) ?? due;
  const gone = isLate ? 100 : Math.max(0, Math.round((100 * (now - left)) / Math.max(1, due - left)));
  useEffect(() => void (isLate && announce('You are past your time. Say that you are safe, or take more time.', 'assertive')), [isLate]);
  return (
    <section class="card pad stack" data-state={isLate ? 'alarm' : 'sending'} aria-label={isLate ? 'You are past your time' : 'Time left'}>
      <div class="line"><p class="count">{Math.abs(minutes)}</p><p class="grow"><b>{Math.abs(minutes) === 1 ? 'minute' : 'minutes'} {isLate ? 'past your time' : 'left'}</b><br /><span class="meta num">You said back by {clock(due)}</span></p></div>
      <div class="meter" role="img" aria-label={`${gone} per cent of the time gone`}><i style={{ width: `${gone}%` }} /></div>
      {isLate && <p><b>Say that you are safe, or take more time.</b></p>}
      <div class="tiles pair">{[15, 30].map((minutes) => <button key={minutes} type="button" class="button" onClick={() => onMore(minutes)}>Add {minutes} min</button>)}</div>
    </section>
  );
}

type Standing = { record: ShownRecord; atSchool: AtSchool; known: Known | null | undefined; isOld: boolean; due: number | undefined; isSafe: boolean; isClosed: boolean; onWord: () => void };

/** Who knows of it. Never more than is known: a plan on its way is not a plan that somebody watches. */
function AtSchoolNow({ record, atSchool, known, isOld, due, isSafe, isClosed, onWord }: Standing) {
  const buddies = series(Object.keys((record.body.expects_call ?? {}) as Entries).map(personNamed));
  const waits = record.delivery === 'waiting';
  if (isClosed && !isSafe) return <Told state="sent"><b>{known!.state === 'safe' ? 'The school was told that you are safe.' : 'The school has closed this visit.'}</b> Nobody expects you any more.</Told>;
  if (isSafe) {
    if (!waits && (isClosed || (known && !known.accepted_at && known.safe_at))) return <Told state="sent"><b>The school knows that you are safe.</b></Told>;
    const isUnsure = !waits && known?.unsure;
    return (
      <>
        <Told state={isUnsure ? 'needs' : 'waiting'}><b>The school does not know yet that you are safe.</b> {isUnsure ? (known!.asks_word ? 'That was not your closing word.' : 'The time you gave is still to come.') : known?.due_back && `It expects you by ${clock(known.due_back)}, and tells others if it does not hear from you.`}</Told>
        {isUnsure ? <button type="button" class="button whole" onClick={onWord}>{known!.asks_word ? 'Give your closing word' : 'Say it again'}</button> : <RingSchool />}
      </>
    );
  }
  if (atSchool === 'untimed') return <Told state="needs"><b>The plan does not say when you are back.</b> Nobody can be told if you are late. <a href={toForm(record, { field: 'going,leaves_at,back_by,expects_call,reached_on', as: 'Who goes, and when' })}>Say when</a></Told>;
  if (atSchool === 'not there') {
    return (
      <>
        <Told state="waiting"><b>The school does not have your plan yet.</b> Until it has, nobody is told if you are late. {isEmpty(record.body.going) ? <a href={toForm(record, { field: 'going,expects_call', as: 'Who goes' })}>Say who goes</a> : `Tell ${buddies || 'a colleague'} before you go.`}</Told>
        <RingSchool />
      </>
    );
  }
  const dueThere = Date.parse(known!.due_back!);
  const isOlder = atSchool === 'older';
  return (
    <>
      <Told state={isOlder ? 'waiting' : 'sent'}>
        <b>{isOlder ? `The school still expects you by ${clock(dueThere)}.` : 'The school has your plan.'}</b>{!isOlder && dueThere !== due && ` It expects you by ${clock(dueThere)}.`} {isOlder ? `${due !== dueThere && due ? `Your new time, ${clock(due)},` : 'Your change'} has not reached it. ` : ''}
        {Date.now() > dueThere ? 'You are late: it tells' : 'If you are not back, it tells'} {series(tells(dueThere, buddies).map(({ at, who }) => `${who} at ${clock(at)}`))}. It does so even if this phone is off.{isOld && ' It is not being heard just now.'}
      </Told>
      {(isOlder || isOld) && <RingSchool />}
    </>
  );
}

const Told = ({ state, children }: { state: 'sent' | 'waiting' | 'needs'; children: ComponentChildren }) => <p class="note num" data-state={state} role="status"><Icon name={state} /><span>{children}</span></p>;

export function RingSchool() {
  const { phone } = useWorld().school?.school ?? {};
  return phone ? <a class="button whole" href={`tel:${phone.replace(/[^\d+]/g, '')}`}><Icon name="ring" size="small" /><span class="num">Ring the school, <span class="keep-together">{phone}</span></span></a> : null;
}

/** This plan's hazards, and what earlier visits left for the next visitor: first of all. */
function Careful({ school, kind, record }: { school: SchoolAnswer; kind: Kind; record: ShownRecord }) {
  const earlier = useLive((local) => records({ kind: kind.name, limit: LOOKED_THROUGH }, local), [kind.name]);
  const told = warnings(school, kind, record, earlier ?? [], (id) => pupil(id)?.family ?? id);
  if (told.length === 0) return earlier ? <p class="meta">No earlier visit left anything to be careful of, as far as this phone knows.</p> : null;
  return (
    <section class="note" data-state="alarm" aria-label="Be careful">
      <Icon name="alarm" />
      <div class="stack">
        <b>Be careful</b>
        {told.map(({ at, words }, n) => <p key={n}>{at && <span class="meta num">{nearDay(at)}: </span>}{words}</p>)}
      </div>
    </section>
  );
}

/** Who was seen: a tap an answer. */
function AtTheDoor({ school, kind, record, write }: { school: SchoolAnswer; kind: Kind; record: ShownRecord; write: (values: Values, about: string) => unknown }) {
  const field = AT_THE_DOOR.map((name) => fieldNamed(kind, name)).find((each) => each && isEmpty(record.body[each.name]));
  if (!field) return null;
  return (
    <section class="stack" aria-labelledby="door">
      <h2 id="door">{field.question} <span class="meta">One tap saves</span></h2>
      <div class="stack">
        {optionsOf(school, field.shape).filter(({ retired }) => !retired).map(({ code, label }) => <button key={code} type="button" class="button whole" onClick={(event) => isSecondTap(event) || void write({ [field.name]: code }, `${label}.`)}>{label}</button>)}
      </div>
    </section>
  );
}

type Line = { step: Step; school: SchoolAnswer; kind: Kind; view: RecordView; isNext: boolean };

function StepLine({ step, school, kind, view: { record, history }, isNext }: Line) {
  const asked = step.moment ? [step.moment] : AT_THE_DOOR;
  const said = asked.filter((name) => !isEmpty(record.body[name]));
  const isDone = said.length === asked.length;
  const at = step.moment ? momentOf(record.body[step.moment])?.at : history.find(({ values }) => said.some((name) => name in values))?.at;
  const mark = isDone ? markOf(record) : undefined;
  return (
    <li data-state={mark}>
      <Icon name={mark ?? 'planned'} />
      <span class={isNext ? 'now' : ''}>
        {isDone ? step.done : step.words}<span class="hidden">{isDone ? ', done' : ', to come'}</span>
        {!step.moment && said.length > 0 && <span class="meta">{said.map((name) => say(school, fieldNamed(kind, name)!, record.body[name])).join('. ')}</span>}
      </span>
      {at && said.length > 0 && <span class="num">{clock(at)}</span>}
      {!step.moment && said.length > 0 && <a class="button" href={toForm(record, { field: [...AT_THE_DOOR, 'who_seen', 'child_not_seen'].join(','), as: step.done })}>Add to it<span class="hidden">: {step.words}</span></a>}
    </li>
  );
}

const markOf = (record: ShownRecord): 'waiting' | 'sent' => (record.delivery === 'waiting' ? 'waiting' : 'sent');

/** The word is compared at the school, never here: this screen is the same whatever it was. */
function Closing({ known, onWord, onClose }: { known: Known | null | undefined; onWord: (word: string) => void; onClose: () => void }) {
  const word = useRef<HTMLInputElement>(null);
  const wanted = known?.asks_word === true;
  const [missing, setMissing] = useState(false);
  useEffect(() => focusOn('closing-word'), []);
  const close = (event: Event) => {
    event.preventDefault();
    const typed = word.current!.value.trim();
    if (typed || !wanted) return onWord(typed);
    setMissing(true);
    focusOn('closing-word');
  };
  return (
    <form class="card pad stack" onSubmit={close} autocomplete="off">
      <div class={missing ? 'field wrong' : 'field'}>
        <label for="closing-word">Your closing word{wanted ? '' : ', if you have one'}</label>
        {missing && <p class="why" id="closing-word-why" role="alert"><Icon name="needs" /><span>Write your closing word.</span></p>}
        <input ref={word} id="closing-word" class="input" type="text" autocomplete="off" autocapitalize="none" spellcheck={false} enterkeyhint="done" aria-invalid={missing || undefined} aria-describedby={missing ? 'closing-word-why' : undefined} />
      </div>
      <button type="submit" class="button main"><Icon name="sent" />I am back and safe</button>
      <button type="button" class="button whole" onClick={onClose}>Not yet</button>
    </form>
  );
}
