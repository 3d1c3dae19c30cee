// What became of a record, as far as this phone knows.

import { fieldNamed, personNamed } from '../form/say';
import type { Happening } from '../local/view';
import { Icon, type IconName } from '../look/icon';
import { clock, lower, nearDay, series, span } from '../look/words';
import type { Kind } from '../wire';
import { useMe } from './world';

const MARKS: Record<Happening['delivery'], { state: string; icon: IconName }> = {
  waiting: { state: 'waiting', icon: 'waiting' },
  sent: { state: 'sent', icon: 'sent' },
  held: { state: 'needs', icon: 'needs' },
};

const LATE_MS = 60_000;

export function History({ kind, history }: { kind: Kind | undefined; history: Happening[] }) {
  return (
    <section class="stack" aria-labelledby="history">
      <h2 id="history" tabIndex={-1}>History</h2>
      <ol class="steps">{history.map((happening, at) => <Step key={at} kind={kind} happening={happening} first={at === history.length - 1} />)}</ol>
      <p class="meta">As this phone knows it. The desk has every edit, with when it was written and when it arrived.</p>
    </section>
  );
}

function Step({ kind, happening, first }: { kind: Kind | undefined; happening: Happening; first: boolean }) {
  const me = useMe();
  const { at, by, delivery, received_at } = happening;
  const { state, icon } = MARKS[delivery];
  const who = by === me?.id ? 'You' : personNamed(by);
  const day = nearDay(at);
  return (
    <li data-state={state}>
      <Icon name={icon} />
      <span>
        <b>{who}</b> {whatWasDone(kind, happening, first)}
        {delivery === 'waiting' && <><br /><span class="badge" data-state="waiting"><Icon name="waiting" />Saved on this phone, not sent</span></>}
        {delivery === 'held' && <><br /><span class="badge" data-state="needs"><Icon name="needs" />Held</span></>}
        {received_at && late(at, received_at) && <span class="meta num">Reached the school {clock(received_at)}, {span(Date.parse(received_at) - Date.parse(at))} later</span>}
      </span>
      <span class="num">{day === 'Today' ? clock(at) : `${day} ${clock(at)}`}</span>
    </li>
  );
}

const late = (at: string, received: string): boolean => Date.parse(received) - Date.parse(at) > LATE_MS;

function whatWasDone(kind: Kind | undefined, { values, edit }: Happening, first: boolean): string {
  const names = Object.keys(values);
  if (first) return `wrote ${kind ? `this ${lower(kind.label)}` : 'this'} down`;
  if (edit?.values.state === 'void') return 'marked it as a mistake';
  if (names.includes('state')) return `changed where it stands`;
  const fields = names.map((name) => fieldNamed(kind, name)).filter((field) => field !== undefined);
  if (fields.length === 1 && fields[0]!.merge === 'own') return `wrote: ${lower(fields[0]!.question)}`;
  if (fields.length === 0) return 'changed it';
  return `answered: ${series(fields.slice(0, 3).map(({ question }) => question.replace(/\?$/, '')).map(lower))}${fields.length > 3 ? ' and more' : ''}`;
}
