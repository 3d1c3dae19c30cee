// On duty: going on it by tapping a real test on this phone, who else is known to ring, and the calls that are open.

import { useState } from 'preact/hooks';
import { fieldNamed, kindNamed, say } from '../form/say';
import { Icon } from '../look/icon';
import { useNow } from '../look/now';
import { Pass } from '../look/person';
import { Screen } from '../look/screen';
import { ago, clock, count } from '../look/words';
import { asked, isQuiet, useAsked, type Asked, type CallCard, type DutyCard, type ShiftCard } from '../oncall';
import { turnOn } from '../push';
import { Quiet } from './call';
import { useWorld } from './world';

export function OnDuty() {
  const now = useNow(1_000);
  const { found, heardAt, ahead, keep } = useAsked<DutyCard>('/api/duty');
  const calls = useAsked<CallCard[]>('/api/calls');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const duty = found?.json;

  async function begin(): Promise<void> {
    if (busy) return;
    setBusy(true);
    const ringing = await turnOn(); // first of all: a browser asks for leave only straight from a tap
    if (ringing.is === 'on') tell(await asked<DutyCard>('/api/duty', { method: 'POST', json: {} }));
    else setProblem(ringing.words);
    setBusy(false);
  }

  async function end(): Promise<void> {
    const said = await asked('/api/duty', { method: 'DELETE' });
    setProblem(said.problem);
    if (!said.problem && duty) keep({ ...duty, mine: null });
  }

  function tell(said: { json: DutyCard | null; problem: string }): void {
    setProblem(said.problem);
    if (said.json) keep(said.json);
  }

  if (!duty) return <Screen title="On call">{found && <p>{found.problem}</p>}</Screen>;
  const mine = duty.mine;
  const since = [heardAt, calls.heardAt].find((at) => isQuiet(at, now));
  return (
    <Screen title="On call" dock={duty.can && !mine?.tested_at && <button type="button" class="button main" aria-disabled={busy} onClick={() => void begin()}><Icon name="bell" />{busy ? 'Asking the school' : mine ? 'Send the test again' : 'Go on duty on this phone'}</button>}>
      {problem && <p class="note" role="alert" data-state="needs"><Icon name="needs" /><span><b>{problem}</b></span></p>}
      {since && <Quiet since={since} />}
      <Calls found={calls.found} isOld={Boolean(since)} />
      {duty.can ? <Mine mine={mine} good={since ? 'waiting' : 'sent'} /> : <p>People with your role are not called to help.</p>}
      {duty.today.length > 0 && (
        <section class="stack" aria-labelledby="today">
          <h2 id="today">Your duties today</h2>
          <ul class="card rows">{duty.today.map(({ label, starts, ends, zone, part }) => <li key={label + starts} class="row"><span class="grow"><b>{label}</b><span class="meta num">{starts} to {ends} · {part} · {zone || 'everywhere'}</span></span></li>)}</ul>
        </section>
      )}
      {duty.can && <Others duty={duty} good={since ? 'waiting' : 'sent'} now={now + ahead} />}
      <div class="stack bottom">
        <a class="button whole" href="/visit"><Icon name="visit" size="small" />Visits that are out</a>
        {mine && <button type="button" class="button whole" onClick={() => void end()}>Go off duty</button>}
      </div>
    </Screen>
  );
}

function Calls({ found, isOld }: { found: Asked<CallCard[]> | undefined; isOld: boolean }) {
  const { school } = useWorld();
  if (!found) return null;
  if (!found.json || (isOld && found.json.length === 0)) return <p class="note" data-state="waiting"><Icon name="offline" /><span><b>Which calls are open is not known.</b> {found.problem}</span></p>;
  if (found.json.length === 0) return <p>No open calls.</p>;
  const place = fieldNamed(kindNamed(school, 'call_out'), 'place');
  return (
    <section class="stack" aria-labelledby="calls">
      <h2 id="calls">Open calls</h2>
      <ul class="card rows">
        {found.json.map((call) => (
          <li key={call.record}>
            <a class="row" href={`/call/${call.record}`} data-state={call.answered_by ? 'sent' : 'needs'}>
              <span class="lead"><Icon name={call.answered_by ? 'going' : 'alarm'} /></span>
              <span class="grow"><b>{school && place && call.place ? say(school, place, call.place) : 'Place not given'}</b><span class="meta num">{clock(call.asked_at)} · {call.answered_by ? `${call.who[call.answered_by] ?? 'Somebody'} is going` : call.words}</span></span>
              <Icon name="next" size="small" />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** `good`: how what is well is drawn; not as well, where it is old. */
type Good = { good: 'sent' | 'waiting' };

/** Tapping the test is what counts: it came, on this phone, this shift. */
function Mine({ mine, good }: { mine: ShiftCard | null } & Good) {
  if (!mine) return <p class="note" data-state="draft"><Icon name="bell" /><span><b>You have not gone on duty on this phone.</b> A test is sent to it; tap the notification when it comes.</span></p>;
  if (mine.tested_at) return <p class="note" data-state={good}><Icon name={good} /><span><b>You are on duty, until {clock(mine.ends_at)}.</b> Tested on this phone at {clock(mine.tested_at)}.</span></p>;
  return (
    <section class="card pad stack" data-state="waiting" aria-live="polite">
      <p class="ask"><b>Tap the test that comes to this phone.</b></p>
      <p>{mine.shown_at ? 'It is shown: tap the notification.' : mine.sent_at ? 'It is on its way.' : mine.failed ? `It could not be sent: ${mine.failed}` : 'It is being sent.'}</p>
    </section>
  );
}

function Others({ duty: { on, enough }, good, now }: { duty: DutyCard; now: number } & Good) {
  const green = on.filter(({ tested_at }) => tested_at).length;
  return (
    <section class="stack" aria-labelledby="on">
      <h2 id="on">On duty</h2>
      {green < enough && <p class="note" data-state="waiting"><Icon name="alarm" /><span><b>{count(green, 'phone is', 'phones are')} ready.</b> Two are wanted.</span></p>}
      {on.length > 0 && (
        <ul class="card rows">
          {on.map(({ staff, name, tested_at, seen_at }) => (
            <li key={staff} class="row" data-state={tested_at ? good : 'waiting'}>
              <Pass name={name} of="staff" />
              <span class="grow"><b>{name}</b><span class="meta num">{tested_at ? `Green: tested ${clock(tested_at)}${seen_at ? `, seen ${ago(seen_at, now)}` : ''}` : 'Test not tapped yet'}</span></span>
            </li>
          ))}
        </ul>
      )}
      <p class="meta">Alerts reach phones only if they are on, online and allowed to notify.</p>
    </section>
  );
}
