// Signing in: by a password, a passkey, or a code from the desk; and always as the phone that the school knows, if it knows one.

import { ask, refusal, type Ask, type Heard } from '../school';
import type { SecondFactor, ShownPasskey, SignedInAnswer, SignIn, WantedPasskey } from '../wire';
import { fromJson, toBytes } from './bytes';
import { newId } from './ids';
import { allOwners, calledBy, keyOf, withDisk } from './owners';
import { newSigning } from './seal';
import { standing, welcome, type Standing } from './session';
import type { Owner } from './stores';
import { lookAt, opensAlone, signing } from './vault';

/** `told`: what the school would have them know. */
export type SignedIn = { standing: Standing; told: string | undefined };
/**
 * Why not, in words to show beside the form; after too many tries, the seconds to wait. `locked`: the school cannot be reached, and
 * this phone opens to their PIN all the same. `second`: the password is right, and this is wanted beside it.
 */
export type Refused = { refused: string; wait_s?: number; locked?: Owner; second?: Second };
/** What can be shown beside a password, and how: the school takes it for some minutes. */
export type Second = { ways: SecondFactor['ways']; byCode(code: string): Promise<SignedIn | Refused>; byPasskey(show: Show): Promise<SignedIn | Refused> };
/** Asks the browser for a passkey: null where there is none, or the person would rather not. */
export type Show = (wanted: WantedPasskey) => Promise<ShownPasskey | null>;

/** `forgot`: the PIN is not known any more, and another is to be chosen. */
export async function signIn(username: string, password: string, asked: Ask = ask, forgot = false): Promise<SignedIn | Refused> {
  const name = username.trim().toLowerCase();
  if (!name || !password) return { refused: 'Type your name and your password.' };
  const called = await calledBy(name);
  const owners = await allOwners();
  // Whoever was paired has never said what they sign in as: if it is somebody else, the school gives this phone another id for them.
  const known = owners.find((owner) => owner.called === called) ?? owners.find((owner) => owner.called === '');
  const answer = await enterWith({ username: name, password }, known, called, asked, forgot);
  const isAway = 'isAway' in answer && known?.called === called && !forgot && opensAlone(await withDisk(known, lookAt));
  return isAway ? { ...answer, locked: known } : answer;
}

/** By a passkey, which says itself whose it is. */
export async function signInByPasskey(show: Show, asked: Ask = ask, forgot = false): Promise<SignedIn | Refused> {
  const heard = await asked('/api/passkeys/sign-in', { method: 'POST', json: {} });
  if (heard.heard === 'not heard') return { refused: `${NOT_HEARD[heard.why]} ${NEEDS_SCHOOL}` };
  if (heard.status !== 200) return refusedBy(heard);
  const { ticket, publicKey } = heard.json as { ticket: string; publicKey: WantedPasskey };
  const passkey = await show(publicKey);
  if (!passkey) return { refused: NO_PASSKEY };
  const known = (await allOwners()).find(({ staff }) => staff === whoseIs(passkey));
  return await enterWith({ ticket, passkey }, known, '', asked, forgot);
}

/** Whose it says it is, by their id at the school; not believed. */
function whoseIs({ response: { userHandle } }: ShownPasskey): string {
  try {
    return typeof userHandle === 'string' ? new TextDecoder().decode(toBytes(userHandle)) : '';
  } catch {
    return '';
  }
}

const NO_PASSKEY = 'No passkey was shown. Try again, or sign in with your password.';

/** By a code that the desk shows as a square. Whoever it is for chooses a PIN, and what was written here before is sent. */
export async function pair(code: string, asked: Ask = ask): Promise<SignedIn | Refused> {
  const [key, owners] = [forWhom(code), await allOwners()];
  const known = owners.find((owner) => owner.key === key) ?? (owners.length === 1 ? owners[0] : undefined); // letters do not say whom they are for
  return await enterWith({ pairing: code }, known, '', asked, true);
}

/** Whom a code says it is for: not believed, only so that the school is told of a phone that it may know. */
function forWhom(code: string): string {
  try {
    const { iss, sub } = fromJson(toBytes(code.split('.')[1] ?? '')) as { iss: string; sub: string };
    return keyOf(iss, sub);
  } catch {
    return '';
  }
}

type Who = SignIn extends infer Each ? (Each extends { phone: unknown } ? Omit<Each, 'phone'> : never) : never;

/** As the phone that the school knows, if it knows one: `known` is who has been here before. */
async function enterWith(who: Who, known: Owner | undefined, called: string, asked: Ask, forgot: boolean): Promise<SignedIn | (Refused & { isAway?: true })> {
  const keys = known ? await withDisk(known, signing) : await newSigning();
  const heard = await asked('/api/session', { method: 'POST', json: { ...who, phone: { id: known?.phone ?? newId(), name: phoneName(), public: keys.public } } });
  if (heard.heard === 'not heard') return { refused: `${NOT_HEARD[heard.why]} ${NEEDS_SCHOOL}`, isAway: true };
  if (refusal(heard.json).refusal === 'second_factor') return { ...refusedBy(heard), second: second(heard.json as SecondFactor, known, called, asked, forgot) };
  if (heard.status !== 200) return refusedBy(heard);
  const answer = heard.json as SignedInAnswer;
  const isResealed = await welcome(called, answer, keys, forgot);
  return { standing: standing(), told: [answer.told, isResealed && RESEALED].filter(Boolean).join(' ') || undefined };
}

function second({ ticket, ways, publicKey }: SecondFactor, known: Owner | undefined, called: string, asked: Ask, forgot: boolean): Second {
  return {
    ways,
    byCode: (code) => enterWith({ ticket, code }, known, called, asked, forgot),
    byPasskey: async (show) => {
      const passkey = await show(publicKey as WantedPasskey);
      return passkey ? await enterWith({ ticket, passkey }, known, called, asked, forgot) : { refused: NO_PASSKEY };
    },
  };
}

const RESEALED = 'The school has a new seal since you last signed in here. What you write is closed to it from now on.';

const NOT_HEARD = {
  'no signal': 'The school cannot be reached.',
  'too slow': 'The school did not answer in time.',
  'somebody else': 'This network answered instead of the school: it may want you to sign in to its own page first.',
  garbled: 'The answer did not arrive whole. Try again.',
};

const NEEDS_SCHOOL = 'Signing in needs the school once; after that Lanyard works without.';

function refusedBy({ status, json, retryAfter_s }: Heard & { heard: 'answered' }): Refused {
  if (status === 429) return { refused: 'That was too many tries. Wait a little, then try again.', wait_s: retryAfter_s ?? 60 };
  return { refused: wordsOf(json, status) };
}

function wordsOf(json: unknown, status: number): string {
  if (refusal(json).refusal === 'second_factor') return refusal(json).words ?? 'One more thing is wanted, to show that it is you.';
  if (refusal(json).refusal === 'wrong_factor') return 'That did not show that it is you. Try again, or begin again with your password.';
  if (refusal(json).refusal === 'wrong_code') return 'That code is not good any more: it is for one phone, and for ten minutes. Ask for another at the desk.';
  if (status === 401) return 'That name and password do not go together. Check both, then try again.';
  return refusal(json).words ?? 'The school could not sign you in just now. Try again in a minute.';
}

/** What the desk's list of phones calls this one. */
export function phoneName(): string {
  const { userAgent = '' } = globalThis.navigator ?? {};
  const [, model] = /\(Linux; Android [^;)]*; ([^;)]+)/.exec(userAgent) ?? [];
  if (model) return model.replace(/ Build.*/, '');
  return ['iPhone', 'iPad', 'Android', 'Windows', 'Mac', 'Linux'].find((sort) => userAgent.includes(sort)) ?? 'Phone';
}
