// The attendance morning: the families to ring, mine first, who has rung whom as far as this phone knows, and one tap to the first card.

import type { ComponentChild } from 'preact';
import { useRef } from 'preact/hooks';
import { kindNamed, personNamed, type Entries } from '../form/say';
import { Search } from '../form/people';
import type { ShownRecord } from '../local/overlay';
import { useLive } from '../local/store';
import { records } from '../local/view';
import { go } from '../look/address';
import { Icon } from '../look/icon';
import { Note } from '../look/note';
import { useNow } from '../look/now';
import { Screen } from '../look/screen';
import { clock, count, nearDay, series, when } from '../look/words';
import { useStatus } from '../sync';
import { Card, cardOf, familyName, firstNames, saidOff, toldOf } from './call-card';
import { allOf, dayOf, isOverlap, midnight, morningOf, myQueue, ringing, type Family, type Morning } from './morning';
import { Badge } from './record-row';
import { useMe, useSchool } from './world';

/** Of the newest on this phone: some days of lists and calls of a large school. */
const ROWS_LIMIT = 600;

/** `wanted`: the row of a family, whose card is to be shown. */
export function Calls({ wanted = '', asked }: { wanted?: string; asked: URLSearchParams }) {
  const school = useSchool();
  const me = useMe()?.id ?? '';
  const now = useNow();
  const { lastContact } = useStatus();
  const asAt = lastContact ? `as at ${when(lastContact, now)}` : 'as this phone has it';
  const known = useLive(async (local) => ({ rows: await records({ kind: 'listed_family', limit: ROWS_LIMIT }, local), calls: await records({ kind: 'attendance_call', limit: ROWS_LIMIT }, local) }), []);
  const opened = useRef<Family>(undefined);
  const kind = kindNamed(school, 'attendance_call');
  if (!known || !school || !kind) return <Screen title="Calls">{null}</Screen>;

  const opens = known.rows.find(({ id }) => id === wanted);
  const morning = morningOf(known.rows, known.calls, me, now, opens ? dayOf(opens) : Number(asked.get('on')) || undefined);
  const queue = morning ? myQueue(morning, me, now) : [];
  const others = asked.get('pupils')?.split(',');
  // A card stays though its family leaves the list.
  const family = morning && allOf(morning).find(({ row, pupils }) => row.id === wanted || pupils.some((id) => others?.includes(id)));
  if (family) opened.current = family;
  const chosen = family ?? (wanted && opened.current?.row.id === wanted ? opened.current : undefined);
  if (chosen || others) {
    const next = queue.find(({ row }) => row.id !== wanted);
    const place = queue.findIndex(({ row }) => row.id === wanted);
    const meta = !chosen ? 'Not on the list' : place < 0 ? `List ${asAt}` : `${count(queue.length, 'family', 'families')} to ring · list ${asAt}`;
    return <Card key={wanted || others!.join()} school={school} kind={kind} me={me} family={chosen} pupils={chosen?.pupils ?? others!} meta={meta} next={next} now={now} />;
  }
  const done = new Set(morning && allOf(morning).flatMap(({ rang }) => rang.map(({ id }) => id)));
  const alsoRung = known.calls.filter((call) => midnight(Date.parse(call.at)) === midnight(now) && call.state !== 'void' && !done.has(call.id));
  const shared = morning !== undefined && allOf(morning).some(({ callers }) => callers.length > 0);
  const told = (call: ShownRecord) => toldOf(school, kind, call, me);
  const tell = (families: Family[]) => families.map((each) => <Row key={each.row.id} family={each} me={me} now={now} />);
  return (
    <Screen
      close
      title="Calls"
      meta={morning ? `${count(queue.length, 'family', 'families')} to ring${shared ? ' for you' : ''} · list ${asAt}` : `List ${asAt}`}
      dock={queue[0] && <a class="button main" href={cardOf(queue[0])}><Icon name="ring" />Start with {familyName(queue[0].pupils)}</a>}
    >
      {morning && morning.day > midnight(now) && <Note state="draft" icon="calendar"><b>{nearDay(morning.day, now)}’s list.</b> It is on this phone already; there is none for today.</Note>}
      {!morning ? <NoList /> : morning.mine.length + morning.anybodys.length === 0 && <AllRung morning={morning} />}
      {morning && (
        <>
          {morning.rung.some(isOverlap) && <Note state="needs" icon="people"><b>More than one of you rang {series(morning.rung.filter(isOverlap).map(({ pupils }) => familyName(pupils)))}.</b> Every call is kept.</Note>}
          <Section id="mine" title="Yours">{tell(morning.mine)}</Section>
          <Section id="anybodys" title={shared ? 'Nobody’s yet' : 'To ring'}>{tell(morning.anybodys)}</Section>
        </>
      )}
      <Section id="rung" title="Rung today">
        {[
          ...(morning?.rung ?? []).map((each) => <Rung key={each.row.id} href={cardOf(each)} pupils={each.pupils} rang={each.rang} told={told} overlaps={isOverlap(each)} />),
          ...alsoRung.map((call) => <Rung key={call.id} href={`/record/${call.id}`} pupils={Object.keys((call.body.pupils ?? {}) as Entries)} rang={[call]} told={told} />),
        ]}
      </Section>
      {morning && <Section id="others" title="Other people’s">{tell(morning.others)}</Section>}
      <Section id="off" title="Not to be rung">
        {(morning?.off ?? []).map(({ row, pupils }) => (
          <li key={row.id}><a class="row" href={`/record/${row.id}`}><span class="grow"><b>{familyName(pupils)}</b><span class="meta">{saidOff(school, row) || 'Taken off the list'}</span></span><Icon name="next" size="small" /></a></li>
        ))}
      </Section>
      {morning?.nextDay && <a class="button whole" href={`/calls?on=${morning.nextDay}`}><Icon name="calendar" size="small" />{nearDay(morning.nextDay, now)}’s list</a>}
      <section class="stack" aria-labelledby="other">
        <h2 id="other">Ring somebody else</h2>
        <Search id="find" label="Find a pupil" icon="next" among="pupil" onAdd={({ person }) => go(`/calls?pupils=${person.id}`)} />
      </section>
    </Screen>
  );
}

function Section({ id, title, children }: { id: string; title: string; children: ComponentChild[] }) {
  if (children.length === 0) return null;
  return (
    <section class="stack" aria-labelledby={id}>
      <h2 id={id}>{title} <span class="meta num">{children.length}</span></h2>
      <ul class="card rows">{children}</ul>
    </section>
  );
}

/** Whom to ring, why, and whether somebody is at it. */
function Row({ family, me, now }: { family: Family; me: string; now: number }) {
  const { row, pupils, callers, claims, rang: [rang] } = family;
  const other = ringing(family, me, now);
  const mine = claims.find(({ by }) => by === me);
  const whose = callers.includes(me) ? '' : series(callers.map(personNamed));
  return (
    <li>
      <a class="row" href={cardOf(family)}>
        <span class="grow">
          <b>{familyName(pupils)}</b>
          <span class="meta brief">{[firstNames(pupils), whose, row.body.because].filter(Boolean).join(' · ')}</span>
          {other && <span class="badge num" data-state="sending"><Icon name="ring" />{personNamed(other.by)} is ringing, since {clock(other.at)}</span>}
          {!other && (rang ?? mine) && <span class="badge num" data-state="waiting"><Icon name="clock" />{rang ? 'Rung once, no answer' : 'You dialled at'} {clock((rang ?? mine)!.at)}</span>}
        </span>
        <Icon name="next" size="small" />
      </a>
    </li>
  );
}

type RungProps = { href: string; pupils: string[]; rang: ShownRecord[]; told: (call: ShownRecord) => string; overlaps?: boolean };

const Rung = ({ href, pupils, rang, told, overlaps }: RungProps) => (
  <li>
    <a class="row" href={href}>
      <span class="grow">
        <b>{series(pupils.map(personNamed))}</b>
        {rang.map((call) => <span key={call.id} class="meta num">{told(call)}</span>)}
        {overlaps && <span class="badge" data-state="needs"><Icon name="people" />More than one of you rang</span>}
        {rang.some(({ delivery }) => delivery === 'waiting') && <Badge of="waiting" />}
      </span>
      <Icon name="next" size="small" />
    </a>
  </li>
);

const NoList = () => (
  <div class="card empty">
    <Icon name="list" />
    <h2>No list today</h2>
    <p class="meta">When the school has made one, it comes to this phone with the first signal. You can ring somebody else meanwhile.</p>
  </div>
);

const AllRung = ({ morning: { rung, others } }: { morning: Morning }) => (
  <div class="card empty">
    <Icon name="ring" />
    <h2>{others.length ? 'Nobody is left for you to ring' : 'Everybody on the list has been rung'}</h2>
    <p class="meta">{others.length ? `Others have ${count(others.length, 'family', 'families')} to ring.` : `${count(rung.length, 'family', 'families')} today.`}</p>
  </div>
);
