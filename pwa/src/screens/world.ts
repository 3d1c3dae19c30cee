// What every screen may ask for: who is here, and the school in its own words.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Me } from '../local/session';
import type { SchoolAnswer } from '../wire';

/** `named`: everybody's names have been read; until then nothing is drawn that would call somebody a stranger. */
export type World = { me: Me | null; school: SchoolAnswer | undefined; named: boolean };

export const WorldContext = createContext<World>({ me: null, school: undefined, named: false });

export const useWorld = (): World => useContext(WorldContext);
export const useSchool = (): SchoolAnswer | undefined => useContext(WorldContext).school;
export const useMe = (): Me | null => useContext(WorldContext).me;
