// Now: what needs you, what is not finished, and one tap to write something down.

import { kindNamed, titleOf } from '../form/say';
import { drafts, isBegun } from '../local/drafts';
import { useLive } from '../local/store';
import { needsMe, records } from '../local/view';
import { Icon, isIcon } from '../look/icon';
import { Note } from '../look/note';
import { useNow } from '../look/now';
import { Screen } from '../look/screen';
import { clock, day, when } from '../look/words';
import type { Kind, SchoolAnswer } from '../wire';
import { draftsWords, heldTitle, reasonOf } from './held';
import { isLate, onNow } from './on';
import { RecordRow } from './record-row';
import { useWorld } from './world';

const RECENT = 3;

/** What a role does most comes first; whatever is not named follows in the school's order. */
const TILES: Record<string, string[]> = {
  officer: ['attendance_call', 'home_visit', 'sweep', 'sighting', 'contact', 'statement'],
  head_of_year: ['contact', 'statement', 'home_visit', 'attendance_call', 'sighting', 'sweep'],
  manager: ['statement', 'contact', 'home_visit', 'sighting', 'attendance_call', 'sweep'],
  dsl: ['home_visit', 'contact', 'statement', 'attendance_call', 'sighting', 'sweep'],
};
const ANYBODY = ['statement', 'contact', 'sighting', 'attendance_call', 'home_visit', 'sweep'];
const SHORT: Record<string, string> = { attendance_call: 'Calls', home_visit: 'Visit', sweep: 'Sweep' };

const ELSEWHERE = new Set(['incident', 'call_out', 'listed_family']); // in the dock, above it, and behind Calls

export function Now() {
  const { school, named } = useWorld();
  const now = useNow();
  return (
    <Screen
      home
      close
      title="Now"
      meta={`${day(now)}${periodAt(school, now)}`}
      taps={
        <>
          <a class="tap" href="/people" aria-label="Find a pupil"><Icon name="search" /></a>
          <a class="tap" href="/records" aria-label="Records"><Icon name="list" /></a>
        </>
      }
      dock={
        <>
          {mayBegin(kindNamed(school, 'call_out')) && <a class="button help" href="/new/call_out"><Icon name="hand" />Call for help</a>}
          {mayBegin(kindNamed(school, 'incident')) && <a class="button main" href="/new/incident"><Icon name="plus" />Incident</a>}
        </>
      }
    >
      {named && <Lists />}
    </Screen>
  );
}

function Lists() {
  const { me, school } = useWorld();
  const now = useNow();
  const held = useLive((local) => needsMe(local), []) ?? [];
  const decides = me?.may.includes('settle') ?? false; // whoever may decide sees everybody's; others their own
  const disputed = useLive((local) => records({ disputed: true, mine: !decides, limit: RECENT }, local), [decides]) ?? [];
  const unfinished = useLive((local) => drafts(local), [])?.filter(isBegun) ?? [];
  const on = useLive((local) => onNow(me?.id, local), []) ?? [];
  const recent = useLive((local) => records({ mine: true, limit: RECENT }, local), [])?.filter(({ id }) => !on.some((one) => one.id === id));

  return (
    <>
      {on.length > 0 && (
        <section class="stack" aria-labelledby="on">
          <h2 id="on">On now</h2>
          <ul class="card rows">{on.map((record) => <li key={record.id}><RecordRow school={school} record={record} late={isLate(record, now)} /></li>)}</ul>
        </section>
      )}
      {(held.length > 0 || disputed.length > 0) && (
        <section class="stack" aria-labelledby="needs">
          <h2 id="needs">Needs you</h2>
          <ul class="card rows">
            {held.map((each) => (
              <li key={each.edit}>
                <a class="row" data-state="needs" href={`/needs-you?edit=${each.edit}`}>
                  <span class="lead"><Icon name="needs" /></span>
                  <span class="grow"><b>{heldTitle(school, each)}: held</b><span class="meta">{reasonOf(school, each)}</span></span>
                  <Icon name="next" size="small" />
                </a>
              </li>
            ))}
            {disputed.map((record) => (
              <li key={record.id}>
                <a class="row" data-state="needs" href={`/record/${record.id}`}>
                  <span class="lead"><Icon name="two" /></span>
                  <span class="grow"><b>{titleOf(school, record)}: two answers</b><span class="meta">Neither had seen the other’s</span></span>
                  <Icon name="next" size="small" />
                </a>
              </li>
            ))}
          </ul>
          {disputed.length === RECENT && <a class="button whole" href="/records?which=disputed">Every record with two answers</a>}
        </section>
      )}
      {unfinished.length > 0 && (
        <section class="stack" aria-labelledby="unfinished">
          <h2 id="unfinished">Not finished</h2>
          <ul class="card rows">
            {unfinished.map((draft) => (
              <li key={draft.id}>
                <a class="row" data-state="draft" href={`/new/${draft.kind}?draft=${draft.id}`}>
                  <span class="lead"><Icon name="draft" /></span>
                  <span class="grow"><b>{draftsWords(school, draft)}</b><span class="meta num">Draft on this phone, {when(draft.changed_at, now)}</span></span>
                  <Icon name="next" size="small" />
                </a>
              </li>
            ))}
          </ul>
        </section>
      )}
      {!school && <Note state="waiting" icon="clock"><b>Fetching the school’s questions.</b> They come with the first signal, and stay.</Note>}
      <section class={recent?.length ? 'stack' : 'stack bottom'} aria-label="Write something down">
        <div class="tiles">
          {tilesFor(school, me?.role).map((kind) => (
            <a key={kind.name} class="tile" href={`/new/${kind.name}${kind.name === 'home_visit' ? `?going=${me?.id}` : kind.name === 'sweep' ? `?team=${me?.id}` : ''}`}><Icon name={isIcon(kind.icon) ? kind.icon : 'note'} />{SHORT[kind.name] ?? kind.label}</a>
          ))}
          {me?.may.includes('calls') && <a class="tile" href="/duty"><Icon name="bell" />On call</a>}
        </div>
      </section>
      {recent && recent.length > 0 && (
        <section class="stack" aria-labelledby="recent">
          <h2 id="recent">Written lately</h2>
          <ul class="card rows">
            {recent.map((record) => <li key={record.id}><RecordRow school={school} record={record} /></li>)}
          </ul>
        </section>
      )}
    </>
  );
}

const mayBegin = (kind: Kind | undefined): boolean => kind !== undefined && kind.may_write !== false;

export function tilesFor(school: SchoolAnswer | undefined, role: string | undefined): Kind[] {
  const order = TILES[role ?? ''] ?? ANYBODY;
  const rank = (kind: Kind) => (order.includes(kind.name) ? order.indexOf(kind.name) : order.length);
  return (school?.kinds ?? []).filter((kind) => mayBegin(kind) && !ELSEWHERE.has(kind.name)).sort((a, b) => rank(a) - rank(b));
}

function periodAt(school: SchoolAnswer | undefined, now: number): string {
  const time = clock(now);
  const weekday = new Date(now).getDay();
  const period = weekday > 0 && weekday < 6 ? school?.periods?.find(({ starts, ends }) => starts <= time && time < ends) : undefined;
  return period ? ` · ${period.label}, until ${period.ends}` : '';
}
