// This phone: what is waiting and since when, whether it will be kept, and how it looks.

import { useEffect, useState } from 'preact/hooks';
import { Chip } from '../form/chips';
import { onlyByPin } from '../local/disk';
import { waiting } from '../local/outbox';
import { persist, storage, type Storage } from '../local/phone';
import { mine, signOut } from '../local/session';
import { allWritten } from '../local/drafts';
import { useLive } from '../local/store';
import { setting } from '../local/stores';
import { record } from '../local/view';
import { announce } from '../look/announce';
import { appearance, choose, type TextSize, type Theme } from '../look/appearance';
import { go } from '../look/address';
import { CopyButton } from '../look/copy';
import { Icon } from '../look/icon';
import { Note } from '../look/note';
import { useNow } from '../look/now';
import { Screen } from '../look/screen';
import { saved } from '../look/strip';
import { toast } from '../look/toast';
import { ago, clock, count, when } from '../look/words';
import { syncNow, useStatus } from '../sync';
import type { Edit, SchoolAnswer } from '../wire';
import { silence } from '../push';
import { Alerts } from './alerts';
import { waitingTitle } from './held';
import { isInstalled } from './install';
import { useWorld } from './world';

const RECORD_BYTES = 4_000; // about what one takes here, with its history
const SHOWN = 50;

export function ThisPhone() {
  const { me, school } = useWorld();
  const now = useNow();
  const status = useStatus();
  const outbox = useLive(() => waitingToSend(school), [status.waiting, school]);
  const [trying, setTrying] = useState(false);
  const closed = outbox ? status.waiting - outbox.count - outbox.torn : 0;

  async function tryNow(): Promise<void> {
    setTrying(true);
    await syncNow('tap');
    setTrying(false);
  }

  return (
    <Screen title="This phone" meta={me ? `Signed in as ${me.name}, ${me.school.name}` : undefined}>
      <section class="stack" aria-labelledby="waiting">
        <h2 id="waiting">Waiting to send</h2>
        {outbox && outbox.count > 0 ? (
          <>
            <ul class="card rows">
              {outbox.shown.map(({ edit, title }, at) => <li key={edit.id}><Waiting edit={edit} title={title} now={now} because={at === 0 ? (status.signedOut ? 'Sign in to send.' : status.problem) : null} /></li>)}
            </ul>
            {outbox.count > SHOWN && <p class="meta">And {count(outbox.count - SHOWN, 'more')}.</p>}
          </>
        ) : outbox && status.waiting === 0 && (
          <p class="card pad who" data-state={status.lastContact ? 'sent' : 'draft'}><Icon name={status.lastContact ? 'sent' : 'phone'} /><span>Nothing is waiting.{status.lastContact && (status.drafts ? ' The school has everything but what is not finished.' : ' The school has everything you wrote here.')}</span></p>
        )}
        {closed > 0 && <p class="card pad who" data-state="waiting"><Icon name="waiting" /><span>{count(closed, 'record')} written here that only the school can open. Not sent yet.</span></p>}
        {outbox && outbox.torn > 0 && <Note state="needs"><b>{count(outbox.torn, 'thing')} you wrote cannot be opened on this phone just now,</b> and so cannot be sent. It is still here. Close Lanyard, and open it again.{outbox.isOff && ' The school has taken this phone off its list: once you sign out, nobody can open it any more.'}</Note>}
        {status.signedOut && <a class="button main" href="/sign-in">Sign in again</a>}
        <div class="tiles pair">
          <button type="button" class="button" aria-disabled={trying} onClick={() => !trying && void tryNow()}><Icon name="sending" size="small" />{trying ? 'Trying' : 'Try now'}</button>
          <CopyButton />
        </div>
        {status.problem && <Note state="waiting" icon="offline">{status.problem}</Note>}
        <p class="meta">{status.lastContact ? <>The school last answered at <span class="num">{when(status.lastContact, now)}</span>.</> : 'The school has not answered this phone yet.'} Signing out or updating never removes what is waiting. A copy is a file that holds what is waiting; give it to the desk if this phone breaks.</p>
      </section>
      {status.needs > 0 && <a class="button whole" href="/needs-you"><Icon name="needs" size="small" />Needs you: {count(status.needs, 'record')}</a>}
      <section class="stack" aria-labelledby="ringing">
        <h2 id="ringing">Can it be rung?</h2>
        <div class="card rows"><Alerts /></div>
      </section>
      <Kept />
      <Looks />
      <section class="stack" aria-labelledby="copies">
        <h2 id="copies">Copies of school data</h2>
        <p class="meta">This phone keeps names, and the records you may hold, so that it works with no signal. They are closed with your PIN, and signing out removes them. It never removes what you wrote and the school has not heard: that stays, and is sent.</p>
        <div class="tiles pair">
          <a class="button" href="/change-pin">Change PIN</a>
          <a class="button" href="/passkeys">Passkeys</a>
          <button type="button" class="button" onClick={() => void leave(status.waiting)}>Sign out</button>
        </div>
      </section>
      <p class="meta num">Version {typeof BUILD === 'string' ? BUILD : 'in the making'}</p>
    </Screen>
  );
}

type Titled = { edit: Edit; title: string };

/** `torn`: not sealed, and not to be opened either. `isOff`: the school has taken this phone off its list. */
async function waitingToSend(school: SchoolAnswer | undefined): Promise<{ count: number; torn: number; isOff: boolean | undefined; shown: Titled[] }> {
  const { count, edits } = await waiting();
  const torn = Math.max(0, (await onlyByPin(mine().disk)) - mine().unsealed);
  const isOff = await mine().reading(['settings'], (tx) => setting(tx, 'revoked'));
  return { count, torn, isOff, shown: await Promise.all(edits.slice(0, SHOWN).map(async (edit) => ({ edit, title: waitingTitle(school, edit, (await record(edit.record))?.record) }))) };
}

function Waiting({ edit, title, now, because }: Titled & { now: number; because: string | null }) {
  return (
    <a class="row" data-state="waiting" href={`/record/${edit.record}`}>
      <span class="lead"><Icon name="waiting" /></span>
      <span class="grow"><b>{title}</b><span class="meta num">Saved {clock(edit.made_at)}, {ago(edit.made_at, now)}. {because ?? ''}</span></span>
      <Icon name="next" size="small" />
    </a>
  );
}

async function leave(waiting: number): Promise<void> {
  await Promise.race([allWritten(), new Promise((resolve) => setTimeout(resolve, 1_500))]); // the last keystroke
  const isOut = await silence(signOut).then(() => true, () => false);
  if (!isOut) return toast('Not signed out.', 'This phone’s storage is full, or not answering. Lock it, and try again.');
  announce(waiting ? `Signed out. ${saved(waiting)}; it will be sent.` : 'Signed out.');
  go('/sign-in', 'replace');
}

function Kept() {
  const [room, setRoom] = useState<Storage>();
  useEffect(() => void storage().then(setRoom), []);
  const installed = isInstalled();
  async function ask(): Promise<void> {
    const kept = await persist();
    setRoom(await storage());
    announce(kept ? 'Storage will be kept' : 'The browser did not promise');
  }
  return (
    <section class="stack" aria-labelledby="kept">
      <h2 id="kept">Will it be kept?</h2>
      <ul class="card rows">
        <li class="row" data-state={installed ? 'sent' : 'waiting'}>
          <span class="lead"><Icon name={installed ? 'tick' : 'phone'} /></span>
          <span class="grow"><b>{installed ? 'Installed' : 'Open in a browser, not installed'}</b>{!installed && <span class="meta">An installed app is kept, and opens with no signal. <a href="/sign-in?install=1">How to install it</a></span>}</span>
        </li>
        <li class="row wraps" data-state={room?.persisted ? 'sent' : 'waiting'}>
          <span class="lead"><Icon name={room?.persisted ? 'tick' : 'clock'} /></span>
          <span class="grow"><b>{room?.persisted ? 'Storage is kept' : 'The browser has not promised to keep it'}</b><span class="meta num">{room && room.quota > 0 ? `Room for about ${about((room.quota - room.used) / RECORD_BYTES)} more records` : 'How much room there is, is not known'}</span></span>
          {room && !room.persisted && <button type="button" class="button" onClick={ask}>Ask</button>}
        </li>
      </ul>
    </section>
  );
}

const about = (records: number): string => {
  const digits = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, records))) - 1);
  return (Math.floor(records / digits) * digits).toLocaleString('en-GB');
};

const THEMES: [Theme, string][] = [['system', 'As the phone'], ['light', 'Light'], ['dark', 'Dark']];
const SIZES: [TextSize, string][] = [['normal', 'As the phone'], ['larger', 'Larger'], ['largest', 'Largest']];

function Looks() {
  const [look, setLook] = useState(appearance);
  return (
    <>
      <fieldset>
        <legend>How it looks</legend>
        <div class="stack">
          <div class="chips">{THEMES.map(([theme, label]) => <Chip key={theme} name="theme" label={label} on={look.theme === theme} onChange={(on) => on && setLook(choose({ theme }))} />)}</div>
          <div class="chips"><Chip name="contrast" several label="High contrast" on={look.contrast === 'more'} onChange={(on) => setLook(choose({ contrast: on ? 'more' : 'system' }))} /></div>
        </div>
      </fieldset>
      <fieldset>
        <legend>Size of the words</legend>
        <div class="chips">{SIZES.map(([text, label]) => <Chip key={text} name="text" label={label} on={look.text === text} onChange={(on) => on && setLook(choose({ text }))} />)}</div>
      </fieldset>
    </>
  );
}
