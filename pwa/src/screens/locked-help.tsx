// A call for help from a locked phone: a place in words, sealed and sent without unlocking. It says honestly who knows.

import { useEffect, useRef, useState } from 'preact/hooks';
import { Chip } from '../form/chips';
import { callWhileLocked, isSent, newCall } from '../local/call';
import { noted } from '../local/disk';
import { myDisk, standing } from '../local/session';
import { announce } from '../look/announce';
import { focusOn } from '../look/address';
import { Icon } from '../look/icon';
import { useNow } from '../look/now';
import { Screen } from '../look/screen';
import { clock } from '../look/words';
import { syncNow, useStatus } from '../sync';
import { NotSaved, SLOW, slowly } from '../local/trouble';
import { NotSent, RingTheSchool, type Ring } from './help';

const SHOUT_AFTER_MS = 4_000; // with no answer by then, say NOT SENT
const LONGEST_PLACE = 200;
const HAS_IT = 'The school has it.';
const NOT_KNOWN = 'Whether anybody’s phone rings is not known here: ring as well.';
const SWITCHED_OFF = 'This phone is switched off: nobody is rung. Ring the school.';

export function LockedHelp() {
  const [ring, setRing] = useState<Ring>();
  const [called, setCalled] = useState<{ id: string; where: string }>();
  const [isOff, setOff] = useState(false);
  const { waiting } = useStatus(); // it may be sending this that tells the phone that it is switched off
  useEffect(() => {
    void myDisk()?.reading(['settings'], (tx) => Promise.all([noted(tx, 'ring'), noted(tx, 'revoked')])).then(([school, revoked]) => (school && setRing({ school }), setOff(Boolean(revoked))), () => {});
  }, [waiting]);
  return called ? <Called {...{ ring, isOff, ...called }} /> : <Ask ring={ring} isOff={isOff} onCalled={(id, where) => setCalled({ id, where })} />;
}

function Ask({ ring, isOff, onCalled }: { ring: Ring; isOff: boolean; onCalled: (id: string, where: string) => void }) {
  const place = useRef<HTMLInputElement>(null);
  const [isDanger, setIsDanger] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [notSaved, setNotSaved] = useState<string>();
  const which = useRef(newCall());
  const calling = useRef(false);

  async function call(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const where = place.current!.value.trim();
    setProblem(where ? undefined : 'Say where you are.');
    if (!where) return focusOn('where');
    if (calling.current) return;
    calling.current = true;
    try {
      onCalled(await slowly(callWhileLocked({ where, isDanger }, which.current), () => setNotSaved(SLOW)), where);
      void syncNow('save');
    } catch (why) {
      setNotSaved(why instanceof NotSaved ? why.message : 'It could not be kept.');
      announce('Not saved, not sent. Ring the school.', 'assertive');
    }
    calling.current = false;
  }

  return (
    <Screen title="Call for help" dock={<button type="submit" form="locked-help" class="button main">Send the call for help</button>}>
      <section class="stack" aria-label="Who is told">
        <p class="note" data-state="alarm"><Icon name="alarm" /><span><b>{isOff ? SWITCHED_OFF : 'Nobody knows until somebody answers.'}</b> This sends your call to the school{isOff && ', where it waits to be read'}. If you need somebody now, {ring?.school.phone || ring?.school.radio ? 'do this as well' : 'use the radio, or send a pupil to the office'}:</span></p>
        <RingTheSchool school={ring} />
      </section>
      {notSaved && <p class="note" role="alert" data-state="alarm"><Icon name="alarm" /><span><b>Not saved and not sent.</b> {notSaved}</span></p>}
      <form id="locked-help" class="stack" noValidate onSubmit={call}>
        <div class={problem ? 'field wrong' : 'field'}>
          <label for="where">Where?</label>
          {problem && <p class="why" role="alert" id="where-why"><Icon name="needs" /><span>{problem}</span></p>}
          <input ref={place} id="where" class="input" type="text" maxLength={LONGEST_PLACE} autocomplete="off" enterkeyhint="send" aria-invalid={problem ? true : undefined} aria-describedby={problem ? 'where-why' : undefined} />
        </div>
        <fieldset>
          <legend>How soon?</legend>
          <div class="chips">
            <Chip name="urgency" label="Now" on={!isDanger} onChange={(on) => on && setIsDanger(false)} />
            <Chip name="urgency" label="Somebody is in danger" on={isDanger} onChange={(on) => on && setIsDanger(true)} />
          </div>
        </fieldset>
      </form>
      <p class="meta">This opens nothing on the phone. The call says that it came from a locked phone.</p>
    </Screen>
  );
}

function Called({ ring, isOff, id, where }: { ring: Ring; isOff: boolean; id: string; where: string }) {
  const now = useNow(1000);
  const [calledAt] = useState(Date.now);
  const [sent, setSent] = useState(false);
  const { waiting } = useStatus();
  useEffect(() => void isSent(id).then(setSent, () => {}), [waiting, now]);
  const shouting = !sent && Math.abs(now - calledAt) > SHOUT_AFTER_MS;
  useEffect(() => {
    if (shouting) announce('Not sent. Nobody knows yet that you need help.', 'assertive');
    if (sent) announce(isOff ? SWITCHED_OFF : `${HAS_IT} ${NOT_KNOWN}`, 'assertive');
  }, [shouting, sent, isOff]);

  if (shouting) return <NotSent school={ring} where={where} tried={now - calledAt} />;
  return (
    <Screen title={`Help: ${where}`} tab="Call for help" meta={`You called at ${clock(calledAt)}`} dock={<a class="button main" href="/">{standing() === 'locked' ? 'Back to the locked phone' : 'Back'}</a>}>
      {sent ? (
        <section class="card pad stack" data-state={isOff ? 'alarm' : 'sent'}>
          <p class="who"><Icon name={isOff ? 'alarm' : 'sent'} /><b>{isOff ? SWITCHED_OFF : HAS_IT}</b></p>
          <p>{isOff ? 'What you wrote is at the school, where somebody has to read it first.' : NOT_KNOWN}</p>
        </section>
      ) : (
        <section class="card pad stack" data-state="waiting">
          <p class="who"><Icon name="waiting" /><b>Saved on this phone, not sent</b></p>
          <p>The school has not answered yet.</p>
        </section>
      )}
      <div class="stack bottom"><RingTheSchool school={ring} /></div>
    </Screen>
  );
}
