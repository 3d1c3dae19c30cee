// Somebody else's visit, for their buddy and the safeguarding lead: whether they are late, where they are, whom to ring, and what was heard.

import { useEffect, useRef, useState } from 'preact/hooks';
import { personNamed, pupilsIn } from '../form/say';
import type { RecordView } from '../local/view';
import { announce } from '../look/announce';
import { focusOn } from '../look/address';
import { Icon, type IconName } from '../look/icon';
import { Note } from '../look/note';
import { useNow } from '../look/now';
import { Screen } from '../look/screen';
import { clock, count, series } from '../look/words';
import { asked, useAsked } from '../oncall';
import type { VisitCard } from '../visits';
import { Quiet } from './call';
import { RingSchool } from './visit';
import { useSchool } from './world';

const LOOK_EVERY_MS = 3_000;
const QUIET_AFTER_MS = 15_000;

/** Gravest first, as they are listed. */
const LOOKS: Record<VisitCard['state'], { state: string; icon: IconName }> = {
  alarm: { state: 'alarm', icon: 'alarm' },
  overdue: { state: 'alarm', icon: 'alarm' },
  out: { state: 'sending', icon: 'going' },
  planned: { state: 'draft', icon: 'clock' },
  safe: { state: 'sent', icon: 'sent' },
  over: { state: 'sent', icon: 'sent' },
};

/** What each button says; the first that I may press is the large one. */
const SAY: [string, string][] = [
  ['on_it', 'I see to it'],
  ['spoken_to', 'I have spoken to them'],
  ['seen_safe', 'They are safe'],
];

const isOver = ({ state }: VisitCard): boolean => state === 'over' || state === 'safe';
const goersOf = ({ goes, who }: VisitCard): string => series(goes.map((id) => who[id] ?? personNamed(id))) || 'Somebody';

export function Watching({ id, view }: { id: string; view: RecordView | null }) {
  const school = useSchool();
  const now = useNow(1_000);
  const path = `/api/visits/${encodeURIComponent(id)}`;
  const { found, heardAt, ahead, keep } = useAsked<VisitCard>(path, undefined, LOOK_EVERY_MS);
  const [problem, setProblem] = useState('');
  const [saying, setSaying] = useState(false);
  const card = found?.json;
  if (!card) return <Screen title="A visit" upTo="/visit">{found && <p>{found.missing ? 'This visit is not yours to see, or nobody is watching it.' : found.problem}</p>}{found?.problem && <RingSchool />}{view && <a class="button whole" href={`/record/${id}?whole=1`}>Open the record</a>}</Screen>;

  async function press(what: string, why = ''): Promise<void> {
    if (what === 'seen_safe' && !saying) return setSaying(true);
    const said = await asked<VisitCard>(path, { method: 'POST', json: { what, why } });
    setProblem(said.problem);
    if (said.problem) announce(said.problem, 'assertive');
    if (said.json) (keep(said.json), setSaying(false));
  }

  const [first, ...others] = SAY.filter(([what]) => card.may.includes(what) && !(saying && what === 'seen_safe'));
  const reached = view?.record.body.reached_on;
  return (
    <Screen
      title={`Visit: ${goersOf(card)}`}
      tab="A visit"
      meta={view && school ? series(pupilsIn(school, view.record)) : undefined}
      upTo="/visit"
      dock={first && <button type="button" class="button main" onClick={() => void press(first[0])}><Icon name="tick" />{first[1]}</button>}
    >
      {problem && <Note state="needs" alert><b>{problem}</b></Note>}
      {!isOver(card) && heardAt > 0 && now - heardAt > QUIET_AFTER_MS && <Quiet since={heardAt} />}
      <Stands card={card} now={now + ahead} />
      {saying && <HowKnown onSaid={(why) => void press('seen_safe', why)} />}
      {!isOver(card) && !isSilent(card) && typeof reached === 'string' && /\d/.test(reached) && <a class="button whole" href={`tel:${reached.replace(/[^\d+]/g, '')}`}><Icon name="ring" size="small" /><span class="num">Ring them, <span class="keep-together">{reached}</span></span></a>}
      {card.help && <Where help={card.help} />}
      <section class="stack" aria-labelledby="timeline">
        <h2 id="timeline">What has happened</h2>
        <ol class="steps num">{card.timeline.map(({ at, words }, n) => <li key={n} data-state="sent"><Icon name="clock" size="small" /><span>{words}</span><span class="num">{clock(at)}</span></li>)}</ol>
        <p class="meta num">As at {clock(heardAt)}.</p>
      </section>
      <div class="stack bottom">
        {others.map(([what, words]) => <button key={what} type="button" class="button whole" onClick={() => void press(what)}>{words}</button>)}
        {view && <a class="button whole" href={`/record/${id}?whole=1`}>Open the record</a>}
      </div>
    </Screen>
  );
}

/** The closing word was the one for an alarm. */
const isSilent = ({ state, timeline }: VisitCard): boolean => state === 'alarm' && timeline.some(({ what }) => what === 'alarm');

function Stands({ card, now }: { card: VisitCard; now: number }) {
  const { state, icon } = LOOKS[card.state];
  const late = card.due_back ? Math.floor((now - Date.parse(card.due_back)) / 60_000) : 0;
  const isLate = (card.state === 'overdue' || card.state === 'alarm') && !isSilent(card) && late > 0;
  return (
    <>
      <p class="note num" data-state={state} role="status">
        <Icon name={icon} />
        <span>
          <b>{card.words}{isLate ? `, ${count(late, 'minute')} past the time` : ''}{card.state === 'safe' && card.safe_at ? ` since ${clock(card.safe_at)}` : ''}.</b>
          {isSilent(card) && <> <b>Do not ring them: they may not be alone.</b> Where there is danger, ring 999.</>}
        </span>
      </p>
      <section class="card pad stack" aria-label="How it stands">
        {card.due_back && <p class="num">Back by {clock(card.due_back)}. {card.heard_at ? `Last heard of at ${clock(card.heard_at)}.` : 'Nothing was heard of them yet.'}</p>}
        {card.taken_by && !isOver(card) && <p><b>{card.who[card.taken_by] ?? personNamed(card.taken_by)} sees to it.</b></p>}
        {card.next && !isOver(card) && <p class="num">{card.next.words} at {clock(card.next.at)}.</p>}
      </section>
    </>
  );
}

function Where({ help: { addresses, withheld, answers } }: { help: NonNullable<VisitCard['help']> }) {
  return (
    <section class="stack" aria-labelledby="where-to">
      <h2 id="where-to">Where to look for them</h2>
      <ul class="card rows">
        {addresses.map((address) => <li key={address} class="row"><span class="grow"><span class="meta">Address</span><b>{address}</b></span></li>)}
        {withheld && <li class="row"><span class="grow">An address is not told here. The safeguarding lead knows more.</span></li>}
        {answers.map(([question, answer]) => <li key={question} class="row"><span class="grow"><span class="meta">{question}</span><b>{answer}</b></span></li>)}
      </ul>
    </section>
  );
}

/** Closing it for somebody else needs a reason. */
function HowKnown({ onSaid }: { onSaid: (why: string) => void }) {
  const why = useRef<HTMLInputElement>(null);
  useEffect(() => focusOn('how-known'), []);
  return (
    <form class="card pad stack" onSubmit={(event) => { event.preventDefault(); onSaid(why.current!.value); }}>
      <div class="field"><label for="how-known">How do you know that they are safe?</label><input ref={why} id="how-known" class="input" type="text" autocomplete="off" enterkeyhint="done" required /></div>
      <button type="submit" class="button main">They are safe</button>
    </form>
  );
}

/** Every visit that is mine to watch, or mine to go on. */
export function Visits() {
  const { found } = useAsked<VisitCard[]>('/api/visits', undefined, LOOK_EVERY_MS);
  const rank = ({ state }: VisitCard) => Object.keys(LOOKS).indexOf(state);
  const cards = found?.json && [...found.json].sort((one, other) => rank(one) - rank(other));
  return (
    <Screen title="Visits" upTo="/duty">
      {found?.problem && <Note state="waiting" icon="offline"><b>Which visits are out is not known.</b> {found.problem}</Note>}
      {cards?.length === 0 && <p>Nobody is out on a visit that is yours to watch.</p>}
      {cards && cards.length > 0 && (
        <ul class="card rows">
          {cards.map((card) => (
            <li key={card.record}>
              <a class="row" href={`/visit/${card.record}`} data-state={LOOKS[card.state].state}>
                <span class="lead"><Icon name={LOOKS[card.state].icon} /></span>
                <span class="grow"><b>{goersOf(card)}</b><span class="meta num">{card.words}{card.due_back && ` · back by ${clock(card.due_back)}`}</span></span>
                <Icon name="next" size="small" />
              </a>
            </li>
          ))}
        </ul>
      )}
      <div class="stack bottom"><a class="button whole" href="/closing-words">Your closing words</a></div>
    </Screen>
  );
}
