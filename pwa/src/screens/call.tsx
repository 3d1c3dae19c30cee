// One call for help, second by second: for whoever called, what has happened and who is coming; for whoever is rung, what to press.

import { useEffect, useState } from 'preact/hooks';
import { fieldNamed, kindNamed, personNamed, say } from '../form/say';
import { useLive } from '../local/store';
import { record as recordNamed, type RecordView } from '../local/view';
import { announce } from '../look/announce';
import { go } from '../look/address';
import { Icon, type IconName } from '../look/icon';
import { useNow } from '../look/now';
import { Pass, PersonLine } from '../look/person';
import { Screen } from '../look/screen';
import { clock, count } from '../look/words';
import { answer, isQuiet, useAsked, type CallCard, type Follows, type Plan } from '../oncall';
import { status, syncNow } from '../sync';
import type { SchoolAnswer } from '../wire';
import { NotSent, RingTheSchool, type Ring } from './help';
import { useWorld } from './world';

const SHOUT_AFTER_MS = 4_000; // with no answer by then, say NOT SENT

/** What each button says; the first that I may press is the large one. */
const SAY: [string, string, string][] = [
  ['still_needed', 'Yes, still needed', 'hand'],
  ['accept', 'I am going', 'going'],
  ['there', 'Somebody is with them', 'tick'],
  ['close', 'It is over', 'tick'],
  ['come_too', 'I am going too', 'going'],
  ['on_my_way', 'On my way', 'going'],
  ['more', 'More people needed', 'people'],
  ['give_back', 'I cannot come', 'undo'],
  ['stand_down', 'Nobody needs to come', 'close'],
];

export function Call({ id }: { id: string }) {
  const { me, school } = useWorld();
  const view = useLive(async (local) => (await recordNamed(id, local)) ?? null, [id]);
  const isHeld = useLive((local) => local.read(['edits'], (tx) => tx.objectStore('edits').index('record').getAll(id).some(({ outcome }) => outcome === 'held')), [id]);
  const follows = useAsked<CallCard>(`/api/calls/${encodeURIComponent(id)}`, isEnded);
  const { found } = follows;
  const card = found?.json ?? null;
  const [tried, setTried] = useState(false);
  const [late, setLate] = useState(false); // for this phone's own storage
  const unsent = Boolean(view?.record.mine && view.record.version === null && view.unsent.length) && !card;
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SHOUT_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (unsent) void syncNow('save').then(() => setTried(!status().reached));
  }, [unsent]);
  if (late && (!school || (view === undefined && !card))) return <Alarm ring={school ?? me ?? undefined} title="Not known" words="This phone cannot say how this call stands. It may not have been sent." />;
  if (!school || (!view && !found) || (view === undefined && !card)) return <Screen title="Call for help">{null}</Screen>;
  if (!view && !card && isHeld) return <Alarm ring={school} title="Nobody was rung" words="The school has it but could not ring anybody." held />;
  if (!view && !card) return <NoSuchCall problem={found?.missing ? '' : (found?.problem ?? '')} />;
  const mine = card ? card.caller === me?.id : Boolean(view?.record.mine);
  return <Live {...{ id, school, view: view ?? null, card, follows, mine, unsent, tried }} />;
}

const isEnded = ({ state }: CallCard): boolean => state === 'over' || state === 'not_needed';

type Props = { id: string; school: SchoolAnswer; view: RecordView | null; card: CallCard | null; follows: Follows<CallCard>; mine: boolean; unsent: boolean; tried: boolean };

function Live({ id, school, view, card, follows: { found, heardAt, ahead, keep }, mine, unsent, tried }: Props) {
  const now = useNow(1_000);
  const atSchool = now + ahead;
  const [problem, setProblem] = useState('');
  const kind = kindNamed(school, 'call_out');
  const named = (field: string, value: string) => (value && kind ? say(school, fieldNamed(kind, field)!, value) : '');
  const where = named('place', card?.place ?? String(view?.record.body.place ?? ''));
  const calledAt = Date.parse(card?.asked_at ?? view?.record.at ?? '');
  const shouting = unsent && (tried || Math.abs(now - calledAt) > SHOUT_AFTER_MS);
  const who = (staff: string | null) => (staff ? (card?.who[staff] ?? personNamed(staff)) : '');
  const news = card ? newsOf(card, who) : '';
  useEffect(() => {
    if (shouting) announce('Not sent. Nobody knows yet that you need help.', 'assertive');
    else if (news && mine) announce(news, 'assertive');
  }, [shouting, news]);

  async function press(what: string): Promise<void> {
    const said = await answer(id, what);
    setProblem(said.problem);
    if (said.problem) announce(said.problem, 'assertive');
    if (said.json) keep(said.json);
    if (what === 'incident' && said.json?.incident) await syncNow('tap').then(() => go(`/record/${said.json!.incident}`));
  }

  if (shouting) return <NotSent school={school} where={where} tried={now - calledAt} />;
  const buttons = SAY.filter(([what]) => card?.may.includes(what)).map(([what, words, icon]) => [what, mine && what === 'there' ? `${who(card!.answered_by)} is with me` : words, icon] as const);
  const [first, ...others] = buttons;
  return (
    <Screen
      title={where ? `Help for ${where}` : 'Call for help'}
      tab="Call for help"
      meta={`${[named('urgency', card?.urgency ?? ''), mine ? `you called at ${clock(calledAt)}` : `${who(card?.caller ?? null)} called at ${clock(calledAt)}`].filter(Boolean).join(' · ')}`}
      upTo={mine ? '/' : '/duty'}
      dock={first && <button type="button" class="button main" onClick={() => void press(first[0])}><Icon name={first[2] as IconName} />{first[1]}</button>}
    >
      {problem && <p class="note" role="alert" data-state="needs"><Icon name="needs" /><span><b>{problem}</b></span></p>}
      {card && !isEnded(card) && isQuiet(heardAt, now) && <Quiet since={heardAt} />}
      {card ? (
        <Standing card={card} mine={mine} now={atSchool} who={who} />
      ) : (
        <section class="card pad stack" data-state="waiting">
          <p class="who"><Icon name="waiting" /><b>{unsent ? 'Saved on this phone, not sent' : 'The school has this call. How it stands now is not known.'}</b></p>
          <p>{unsent ? 'The school has not answered yet.' : !found?.missing && found?.problem}</p>
        </section>
      )}
      {mine && !card?.answered_by && <RingTheSchool school={school} />}
      {card?.plans?.map((plan) => <PlanCard key={plan.pupil} plan={plan} />)}
      {!mine && view && <About view={view} />}
      {card && mine && <Steps card={card} savedAt={calledAt} now={atSchool} who={who} />}
      <div class="stack bottom">
        {others.map(([what, words, icon]) => <button key={what} type="button" class="button whole" onClick={() => void press(what)}><Icon name={icon as IconName} size="small" />{words}</button>)}
        {card && !card.incident && card.there_at && <button type="button" class="button whole" onClick={() => void press('incident')}><Icon name="note" size="small" />Make it an incident</button>}
        {card?.incident && <a class="button whole" href={`/record/${card.incident}`}>Open the incident</a>}
        {view && <a class="button whole" href={`/record/${id}`}>Open the record</a>}
        {mine && card?.answered_by && <RingTheSchool school={school} />}
      </div>
      {card && !mine && <Timeline card={card} />}
    </Screen>
  );
}

export const Quiet = ({ since }: { since: number }) => (
  <p class="note" data-state="waiting"><Icon name="offline" /><span><b>No word from the school since {clock(since)}.</b> What is shown may be old.</span></p>
);

/** What is said aloud to whoever called. */
function newsOf(card: CallCard, who: (staff: string | null) => string): string {
  if (isEnded(card)) return card.state === 'over' ? 'It is over.' : 'Nobody needs to come.';
  if (card.state === 'asking') return 'Still needed?';
  if (card.answered_by) return `${who(card.answered_by)} is ${card.there_at ? 'there' : 'coming'}`;
  if (card.state === 'there') return 'Somebody is there.';
  return card.alone_at || card.state === 'missed' ? 'Nobody has answered. Ring the school.' : 'The school has your call for help.';
}

function Standing({ card, mine, now, who }: { card: CallCard; mine: boolean; now: number; who: (staff: string | null) => string }) {
  if (isEnded(card)) return <section class="card pad stack" data-state="sent"><p class="who"><Icon name="sent" /><b>{newsOf(card, who)}</b></p></section>;
  if (card.state === 'asking') return <section class="card pad stack" data-state="needs"><p class="ask"><b>{mine ? 'Still needed?' : 'This call came late. Its caller is asked whether it is still needed.'}</b></p><p>It was written at {clock(card.asked_at)} and came at {clock(card.received_at)}. Nobody’s phone has rung yet.{card.next && ` They ring ${inSeconds(card.next.at, now)}, unless somebody says that it is not needed.`}</p></section>;
  if (card.answered_by) {
    const name = who(card.answered_by);
    return <section class="card pad stack" data-state="sent"><div class="who"><Pass name={name} of="staff" /><div class="grow"><p class="ask"><b>{newsOf(card, who)}</b></p><p class="meta num">Answered {after(card.answered_at, card.asked_at)}</p></div></div></section>;
  }
  if (card.state === 'there') return <section class="card pad stack" data-state="sent"><p class="who"><Icon name="sent" /><b>{newsOf(card, who)}</b></p></section>;
  const missed = card.state === 'missed';
  return (
    <section class="card pad stack" data-state={card.alone_at || missed ? 'alarm' : 'waiting'}>
      <p class="who"><Icon name={card.alone_at || missed ? 'alarm' : 'bell'} /><b class="grow">{missed ? 'This is a missed call: nobody answered.' : 'Nobody has answered yet.'}</b></p>
      {mine && (card.alone_at || missed) && <p><b>Ring the school, or send a pupil to the office.</b> {card.rang.people === 0 && 'There was nobody on duty to ring.'}</p>}
      {card.next && <p class="num">{card.next.words} {inSeconds(card.next.at, now)}.</p>}
    </section>
  );
}

/** The named steps; a later one is empty until it has happened. */
function Steps({ card, savedAt, now, who }: { card: CallCard; savedAt: number; now: number; who: (staff: string | null) => string }) {
  const { rang } = card;
  const of = (n: number) => `${n} of ${count(rang.people, 'person', 'people')}`;
  const steps: [string | number | null, string, string][] = [
    [savedAt, 'Saved on this phone', ''],
    [card.received_at, 'The school has your call for help', ''],
    [rang.handed_at, 'Handed over', rang.handed ? `To the phones of ${of(rang.handed)}` : rang.people ? `${count(rang.people, 'person is', 'people are')} to be rung` : ''],
    [rang.shown_at, 'Shown', rang.shown ? `On the phones of ${of(rang.shown)}` : ''],
    [rang.opened_at, 'Opened', rang.opened ? `By ${of(rang.opened)}` : ''],
    [card.answered_at, card.answered_by ? `Answered by ${who(card.answered_by)}` : 'Answered', ''],
    [card.there_at, 'With you', ''],
    [card.over_at, 'Closed', ''],
  ];
  return (
    <section class="stack" aria-labelledby="steps">
      <h2 id="steps">What has happened</h2>
      <ol class="steps num">
        {steps.map(([at, words, meta]) => (
          <li key={words} data-state={at ? 'sent' : undefined}>
            <Icon name={at ? 'sent' : 'planned'} />
            <span>{words}{!at && <span class="hidden"> (not yet)</span>}{meta && <span class="meta">{meta}</span>}</span>
            {at && <span class="num">{clock(at)}</span>}
          </li>
        ))}
      </ol>
      <p class="meta num">As at {clock(now)}. Only a person who answers is help: a phone that was rung may lie in a drawer.</p>
    </section>
  );
}

/** Who it is about, one tap from their page, and what was said. */
function About({ view: { record } }: { view: RecordView }) {
  const pupils = Object.keys((record.body.pupils ?? {}) as Record<string, unknown>);
  if (pupils.length === 0 && !record.body.note) return null;
  return (
    <section class="stack" aria-labelledby="about">
      <h2 id="about">About</h2>
      <ul class="card rows">
        {pupils.map((pupil) => <li key={pupil}><a class="row" href={`/pupil/${pupil}`}><span class="grow"><PersonLine id={pupil} meta="What was written about them" /></span><Icon name="next" size="small" /></a></li>)}
        {record.body.note && <li class="row"><span class="grow">{String(record.body.note)}</span></li>}
      </ul>
    </section>
  );
}

/** What whoever comes has to know of a pupil, first what to be careful of. It comes and goes with the call: this phone keeps nothing of it. */
const PlanCard = ({ plan: { pupil, lines, overdue } }: { plan: Plan }) => (
  <section class="card pad stack" aria-label="Plan">
    <PersonLine id={pupil} meta={overdue ? 'Plan, past its review' : 'Plan'} />
    {[true, false].map((isCareful) => lines.some(({ careful }) => careful === isCareful) && (
      <dl key={isCareful} class={isCareful ? 'facts note' : 'facts'} data-state={isCareful ? 'alarm' : undefined}>
        {lines.filter(({ careful }) => careful === isCareful).map(({ label, words }) => [<dt key={label}>{label}</dt>, <dd key={words}>{words}</dd>])}
      </dl>
    ))}
  </section>
);

const Timeline = ({ card }: { card: CallCard }) => (
  <section class="stack" aria-labelledby="timeline">
    <h2 id="timeline">What has happened</h2>
    <ol class="steps num">{card.timeline.map(({ at, words }, n) => <li key={n} data-state="sent"><Icon name="clock" size="small" /><span>{words}</span><span class="num">{clock(at)}</span></li>)}</ol>
  </section>
);

/** Nobody may know, and this phone cannot help: the number. */
const Alarm = ({ ring, title, words, held }: { ring: Ring; title: string; words: string; held?: boolean }) => (
  <Screen title={title} tab="Call for help" upTo="/">
    <p class="note" role="alert" data-state="alarm"><Icon name="alarm" /><span><b>{words}</b> Ring the school, or send a pupil to the office.</span></p>
    <RingTheSchool school={ring} />
    {held && <div class="stack bottom"><a class="button whole" href="/needs-you">See why</a></div>}
  </Screen>
);

const NoSuchCall = ({ problem }: { problem: string }) => (
  <Screen title={problem ? 'No answer' : 'Not here'} upTo="/duty">
    <p>{problem || 'This call is not yours to see, or it was over before it came.'}</p>
  </Screen>
);

function inSeconds(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((Date.parse(at) - now) / 1000));
  return seconds < 2 ? 'now' : seconds < 120 ? `in ${seconds} seconds` : `at ${clock(at)}`;
}

function after(at: string | null, from: string): string {
  const seconds = at ? Math.max(0, Math.round((Date.parse(at) - Date.parse(from)) / 1000)) : 0;
  return seconds < 60 ? `after ${seconds} seconds` : `after ${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
