// The first minute: what Lanyard promises, putting it on the home screen, and asking the phone to keep it.

import { useEffect, useState } from 'preact/hooks';
import { persist } from '../local/phone';
import { announce } from '../look/announce';
import { go } from '../look/address';
import { Icon } from '../look/icon';
import { Screen } from '../look/screen';
import { Alerts } from './alerts';
import { welcomed } from './welcome';
import { install, isApple, isInstalled, isOffered, watchOffer } from './install';
import { usePeople } from '../look/people';
import { useWorld } from './world';

export function FirstRun() {
  const { me, school } = useWorld();
  const [, redraw] = useState(0);
  const [kept, setKept] = useState<boolean>();
  useEffect(() => watchOffer(() => redraw((times) => times + 1)), []);
  const here = usePeople() > 0 && school !== undefined;
  const installed = isInstalled();

  async function onInstall(): Promise<void> {
    const done = await install();
    announce(done ? 'Installed' : 'Not installed');
  }
  async function finish(): Promise<void> {
    setKept(await persist());
    welcomed();
    go('/', 'replace');
  }

  return (
    <Screen home title={me ? `Welcome, ${me.name}` : 'Welcome'} tab="Welcome" meta={me?.school.name} dock={<button type="button" class="button main" onClick={finish}>Begin</button>}>
      <ol class="steps">
        <li data-state={here ? 'sent' : 'waiting'}>
          <Icon name={here ? 'tick' : 'clock'} />
          <span><b>{here ? 'The school’s questions and names are here' : 'Fetching the school’s questions and names'}</b><span class="meta">So that it works in a dark stairwell.</span></span>
        </li>
        <li data-state={installed ? 'sent' : 'waiting'}>
          <Icon name={installed ? 'tick' : 'planned'} />
          <span>
            <b>{installed ? 'Installed on this phone' : 'Put Lanyard on your home screen'}</b>
            {!installed && <span class="meta">{isApple() ? 'Tap Share, then Add to Home Screen, and open it from there. On an iPhone this matters: a page in Safari is forgotten after seven days away.' : isOffered() ? 'It opens with no signal, and the phone keeps what you write.' : 'Open the browser’s menu, then choose Install or Add to home screen. If it is not offered yet, it will be.'}</span>}
          </span>
          {!installed && isOffered() && <button type="button" class="button" onClick={onInstall}>Install</button>}
        </li>
        <li data-state={kept ? 'sent' : undefined}>
          <Icon name={kept ? 'tick' : 'planned'} />
          <span><b>Ask the phone to keep it</b><span class="meta">When you tap Begin, the browser may ask you to allow storage. Say yes: then it never clears what you wrote to make room.</span></span>
        </li>
      </ol>
      <section class="stack" aria-labelledby="ringing">
        <h2 id="ringing">Can it be rung?</h2>
        <div class="card rows"><Alerts /></div>
      </section>
      <p>Whatever you write is saved on this phone first, and the strip at the top always says whether the school has it.</p>
    </Screen>
  );
}
