// Whether the school can ring this phone: in the first minute, and under This phone. It is known by a real test, and by nothing else.

import { useEffect, useState } from 'preact/hooks';
import { announce } from '../look/announce';
import { Icon } from '../look/icon';
import { useNow } from '../look/now';
import { lookAtAlerts, outcome, testThisPhone, turnOn, type Ringing } from '../push';

const HONESTLY = 'Alerts reach phones only if they are on, online and allowed to notify.';

export function Alerts() {
  const [ringing, setRinging] = useState<Ringing>();
  const [asking, setAsking] = useState(false);
  const now = useNow();
  useEffect(() => {
    const look = () => void (!document.hidden && lookAtAlerts().then(setRinging));
    look();
    document.addEventListener('visibilitychange', look); // back from the settings
    return () => document.removeEventListener('visibilitychange', look);
  }, []);

  async function test(): Promise<void> {
    if (asking) return;
    setAsking(true);
    try {
      const turned = ringing?.is === 'on' ? ringing : await turnOn();
      setRinging(turned);
      const known = turned.is === 'on' ? await testThisPhone(setRinging) : turned;
      setRinging(known);
      announce(known.is === 'on' && known.test ? outcome(known.test, Date.now()) : known.words, known.is === 'on' ? 'polite' : 'assertive');
    } finally {
      setAsking(false);
    }
  }

  const is = ringing?.is;
  const words = ringing?.words ?? 'Asking whether the school can ring this phone.';
  const end = words.indexOf('. ') + 1 || words.length; // what is so, then what to do
  const shown = is === 'on' && ringing?.test?.shown_at;
  return (
    <div class="row wraps" id="alerts" data-state={shown ? 'sent' : is === 'cannot' ? 'alarm' : 'waiting'}>
      <span class="lead"><Icon name={shown ? 'tick' : 'bell'} /></span>
      <span class="grow">
        <b>{words.slice(0, end)}</b>
        <span class="meta num">{words.slice(end)} {is === 'on' && (ringing?.test ? outcome(ringing.test, now) : 'It has not been tested yet.')} {HONESTLY} Keep your radio.</span>
      </span>
      {ringing && is !== 'unknown' && <button type="button" class="button" aria-disabled={asking} onClick={() => void test()}>{asking ? 'Testing' : is === 'on' ? 'Test this phone' : is === 'cannot' ? 'Try again' : 'Turn alerts on'}</button>}
    </div>
  );
}
