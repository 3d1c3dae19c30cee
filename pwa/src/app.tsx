// From the address to the screen.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { peopleReady, readPeople } from './local/people';
import { open, useLive, useMe, usePeople } from './local/store';
import { school as schoolKept } from './local/view';
import { followLinks, isBack, useAddress, type Address } from './look/address';
import { Announcer } from './look/announce';
import { tie } from './look/appearance';
import { fetchTheRest, later } from './look/later';
import { Screen } from './look/screen';
import { NothingHere } from './screens/nothing-here';
import { Now } from './screens/now';
import { SignIn } from './screens/sign-in';
import { WorldContext } from './screens/world';
import { start } from './sync';
import type { SchoolAnswer } from './wire';

const Capture = later(() => import('./screens/capture').then(({ Capture }) => Capture));
const FirstRun = later(() => import('./screens/first-run').then(({ FirstRun }) => FirstRun));
const NeedsYou = later(() => import('./screens/needs-you').then(({ NeedsYou }) => NeedsYou));
const People = later(() => import('./screens/people').then(({ People }) => People));
const Pupil = later(() => import('./screens/pupil').then(({ Pupil }) => Pupil));
const Record = later(() => import('./screens/record').then(({ Record }) => Record));
const Records = later(() => import('./screens/records').then(({ Records }) => Records));
const ThisPhone = later(() => import('./screens/this-phone').then(({ ThisPhone }) => ThisPhone));

export function App() {
  const [ready, setReady] = useState(false);
  const me = useMe();
  usePeople(); // names are drawn again once people have been read
  const address = useAddress();
  const [atFirst, setAtFirst] = useState<SchoolAnswer>();
  const [named, setNamed] = useState(false);
  const school = useLive((local) => schoolKept(local), [me?.id]) ?? atFirst;

  useEffect(() => {
    followLinks();
    // The frame is painted before any store is opened, and the first screen before everybody's names are read.
    openSchool().then(setAtFirst).finally(() => setReady(true));
  }, []);
  useEffect(() => {
    if (!ready) return;
    readPeople();
    peopleReady().finally(() => {
      setNamed(true);
      start();
      fetchTheRest();
    });
  }, [ready]);
  useEffect(() => tie(school?.school.ribbon ?? me?.school.ribbon, school?.school.thread ?? me?.school.thread), [school, me]);
  useArrival(address.path + (address.asked.get('edit') ?? '') + (address.asked.get('family') ?? ''), ready);

  const world = useMemo(() => ({ me, school: me ? school : undefined, named }), [me, school, named]);
  return (
    <WorldContext.Provider value={world}>
      {!ready || (me && !named && address.path !== '/') ? <Screen home title="Lanyard">{null}</Screen> : me ? <Inside key={me.id} address={address} /> : <SignIn />}
      <Announcer />
    </WorldContext.Provider>
  );
}

const openSchool = async (): Promise<SchoolAnswer | undefined> => ((await open()) ? await schoolKept() : undefined);

function Inside({ address: { path, asked } }: { address: Address }) {
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

/** A new screen is read from its top, title first; one that somebody comes back to is where they left it. */
function useArrival(where: string, ready: boolean): void {
  const was = useRef<string | undefined>(undefined);
  const left = useRef(new Map<string, number>());
  // Noted while the screen before is still drawn: the next one may be shorter, and scrolls by itself.
  if (was.current !== undefined && was.current !== where) left.current.set(was.current, scrollY);
  const first = was.current === undefined;
  if (ready) was.current = where;
  useEffect(() => {
    if (!ready) return;
    const frame = requestAnimationFrame(() => {
      scrollTo(0, isBack() ? (left.current.get(where) ?? 0) : 0);
      if (!first && !document.activeElement?.closest('.search')) document.getElementById('title')?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [where, ready]);
}
