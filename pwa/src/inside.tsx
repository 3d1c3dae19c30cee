// Inside: from the address to the screen, for whoever has unlocked.

import { useEffect, useMemo, useState } from 'preact/hooks';
import { peopleReady, readPeople } from './local/people';
import type { Me } from './local/session';
import { useLive } from './local/store';
import { letGoOfWhatIsOver } from './local/taken-along';
import { school as schoolKept } from './local/view';
import type { Address } from './look/address';
import { tie } from './look/appearance';
import { later } from './look/later';
import { usePeople } from './look/people';
import { Screen } from './look/screen';
import { Calls, Capture } from './screens/capture';
import { ChangePin } from './screens/change-pin';
import { FirstRun } from './screens/first-run';
import { NeedsYou } from './screens/needs-you';
import { NothingHere } from './screens/nothing-here';
import { Now } from './screens/now';
import { Pair } from './screens/pair';
import { Passkeys } from './screens/passkeys';
import { People } from './screens/people';
import { Pupil } from './screens/pupil';
import { Record } from './screens/record';
import { Records } from './screens/records';
import { SignIn } from './screens/sign-in';
import { keepRinging } from './push';
import { ThisPhone } from './screens/this-phone';
import { WorldContext } from './screens/world';

const Call = later(() => import('./screens/oncall').then(({ Call }) => Call));
const Visiting = later(() => import('./screens/oncall').then(({ Visiting }) => Visiting));
const ClosingWords = later(() => import('./screens/oncall').then(({ ClosingWords }) => ClosingWords));
const Visits = later(() => import('./screens/oncall').then(({ Visits }) => Visits));
const OnDuty = later(() => import('./screens/oncall').then(({ OnDuty }) => OnDuty));

const LET_GO_EVERY_MS = 60_000;

/** At the door, and rare: they come in one piece with what is inside, which is the smaller so. */
export { ChoosePin } from './screens/choose-pin';
export { LockedHelp } from './screens/locked-help';
export { Pair } from './screens/pair';

export function Inside({ me, address }: { me: Me; address: Address }) {
  usePeople(); // names are drawn again once people have been read
  const [named, setNamed] = useState(false);
  // Null: it has not come yet. Undefined: this phone has not been asked yet.
  const school = useLive(async (local) => (await schoolKept(local)) ?? null, [me.id]);
  const isDrawn = school !== undefined;
  useEffect(() => {
    if (!isDrawn) return;
    readPeople(); // the first screen is drawn before everybody's names are read
    void peopleReady().then(() => setNamed(true));
  }, [isDrawn]);
  useEffect(() => {
    const letGo = () => void letGoOfWhatIsOver().catch(() => {}); // what fails is tried again
    letGo();
    const every = setInterval(letGo, LET_GO_EVERY_MS);
    return () => clearInterval(every);
  }, [me.id]);
  useEffect(() => keepRinging(), [me.id]);
  const { ribbon, thread } = school?.school ?? me.school;
  useEffect(() => tie(ribbon, thread), [ribbon, thread]);
  const world = useMemo(() => ({ me, school: school ?? undefined, named }), [me, school, named]);
  const isReady = isDrawn && (named || address.path === '/');
  return <WorldContext.Provider value={world}>{isReady ? <There address={address} /> : <Screen home title="Lanyard">{null}</Screen>}</WorldContext.Provider>;
}

function There({ address: { path, asked } }: { address: Address }) {
  const [, first = '', second = ''] = path.split('/');
  const named = readable(second);
  switch (first) {
    case '':
      return <Now />;
    case 'new':
      return <Capture key={`${named} ${asked.toString()}`} kindName={named} asked={asked} />;
    case 'records':
      return <Records asked={asked} />;
    case 'record':
      return <Record key={named} id={named} asked={asked} />;
    case 'needs-you':
      return <NeedsYou asked={asked} />;
    case 'people':
      return <People />;
    case 'pupil':
      return <Pupil key={named} id={named} />;
    case 'this-phone':
      return <ThisPhone />;
    case 'help': // as it is called on the locked screen
      return <Capture kindName="call_out" asked={asked} />;
    case 'call':
      return named ? <Call key={named} id={named} /> : <OnDuty />;
    case 'visit':
      return named ? <Visiting key={named} id={named} /> : <Visits />;
    case 'calls':
      return <Calls wanted={named} asked={asked} />;
    case 'closing-words':
      return <ClosingWords />;
    case 'duty':
      return <OnDuty />;
    case 'pair':
      return <Pair />;
    case 'passkeys':
      return <Passkeys />;
    case 'change-pin':
      return <ChangePin />;
    case 'sign-in':
      return asked.has('install') ? <FirstRun /> : <SignIn />;
    default:
      return <NothingHere />;
  }
}

function readable(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a half-typed address is no reason to stop
  }
}
