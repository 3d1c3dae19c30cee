// What every screen may ask for: who is here, and the school in its own words.

import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { peopleKnown, watchPeople } from '../local/people';
import type { Me } from '../local/session';
import type { SchoolAnswer } from '../wire';

/** `named`: everybody's names have been read; until then nothing is drawn that would call somebody a stranger. */
export type World = { me: Me | null; school: SchoolAnswer | undefined; named: boolean };

export const WorldContext = createContext<World>({ me: null, school: undefined, named: false });

export const useWorld = (): World => useContext(WorldContext);
export const useSchool = (): SchoolAnswer | undefined => useContext(WorldContext).school;
export const useMe = (): Me | null => useContext(WorldContext).me;

/** How many people are known; a screen that shows names draws itself again when they have been read. */
export function usePeople(): number {
  const [known, setKnown] = useState(0);
  const [, redraw] = useState({});
  useEffect(() => {
    const tell = () => (setKnown(peopleKnown()), redraw({}));
    tell();
    return watchPeople(tell);
  }, []);
  return known;
}
