// Who is using this phone.

import type { School, Staff } from '../wire';

export type Me = { id: string; name: string; role: string; may: string[]; school: School };
export type SignedIn = { me: Me };
/** Why not, in words to show beside the form; after too many tries, the seconds to wait. */
export type Refused = { refused: string; wait_s?: number };

let current: Me | null = null;

export async function signIn(username: string, _password: string): Promise<SignedIn | Refused> {
  if (!username) return { refused: 'Type the name you sign in with.' };
  const staff: Staff = { id: 'amira', name: 'Amira Khan', role: 'teacher' };
  current = { ...staff, may: [], school: { id: 'northgate', name: 'Northgate' } };
  return { me: current };
}

/** Forgets what the school sent. What this person wrote stays, and is sent as soon as it can be. */
export async function signOut(): Promise<void> {
  current = null;
}

/** Null until `open()` has answered, and when nobody is signed in. */
export const me = (): Me | null => current;
