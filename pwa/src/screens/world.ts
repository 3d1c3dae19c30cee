// What every screen may ask for: who is here, and the school in its own words.

import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Me } from '../local/session';
import type { SchoolAnswer } from '../wire';

export type World = { me: Me | null; school: SchoolAnswer | undefined };

export const WorldContext = createContext<World>({ me: null, school: undefined });

export const useWorld = (): World => useContext(WorldContext);
export const useSchool = (): SchoolAnswer | undefined => useContext(WorldContext).school;
export const useMe = (): Me | null => useContext(WorldContext).me;
