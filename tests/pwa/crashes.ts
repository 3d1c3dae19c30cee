// Systematic crash points: each thing a phone does is done again and again with its 1st, 2nd, … nth step of storage, ciphers or
// network failing, or being its last, until none is left to fail. After each: nothing that was said to be saved is lost, doubled
// or in two places, and all is well in the end.

import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cutOff, failingAt, type Failure } from './steps';
import { toText, utf8 } from '../../pwa/src/local/bytes';
import { diskOf } from '../../pwa/src/local/disk';
import type { Ask, Heard } from '../../pwa/src/school';
import type { Edit, Letter, SealedLetter } from '../../pwa/src/wire';
import { Intake, quicken, Shares, signedList, SIGNING } from './keys';
import { School, SCHOOL_ANSWER } from './school';

const PIN = '604913';
const ANOTHER_PIN = '271828';
const MOST_STEPS = 400;
/** Being killed at a step leaves what being killed at the next would, mostly: every one of them is tried with EVERY_STEP=1, as in `make soak`. */
const STRIDE = { fails: 1, dies: process.env.EVERY_STEP ? 1 : 4 };

/** A handset and its school, which both outlive every start of the app. */
class World {
  school = new School();
  intake = new Intake(this.school);
  shares = new Shares();
  isSignedIn = false;
  isRevoked = false;
  saved: Edit[] = []; // what the screen called saved

  ask: Ask = async (path, { method = 'GET', json, grant } = {}) => {
    if (cutOff()) return { heard: 'not heard', why: 'no signal', status: null };
    const answer = await this.answer(path, method, structuredClone(json), grant);
    if (cutOff()) return { heard: 'not heard', why: 'no signal', status: null }; // the school did it, and the answer is lost
    return answer;
  };

  private async answer(path: string, method: string, json: unknown, grant: string | undefined): Promise<Heard> {
    if (path === '/api/session') {
      this.isSignedIn = method === 'POST';
      if (method === 'DELETE') return answered(204, null);
      this.intake.publics.set('phone', (json as { phone: { public: string } }).phone.public);
      const staff = { id: 'amira', name: 'Amira Khan', role: 'teacher' };
      return answered(200, { staff, school: SCHOOL_ANSWER.school, phone: 'phone', grant: 'grant', keys: { public: (await SIGNING).public } });
    }
    if (path === '/api/intake') return answered(200, await this.intake.take(json as SealedLetter, 'amira'));
    if (!grant && !this.isSignedIn) return answered(401, { refusal: 'sign_in' });
    if (this.isRevoked) return answered(403, { refusal: 'phone_revoked' });
    if (path === '/api/vault') return this.vault(method, json as { phone: string; auth: string; offline_failures?: number });
    if (path === '/api/school') return answered(200, { ...SCHOOL_ANSWER, intake: await signedList((await SIGNING).pair.privateKey, 'northgate', [await this.intake.key]) });
    if (path.startsWith('/api/drafts')) return this.drafts(path, method);
    return answered(200, this.school.exchange(json as Letter, 'amira', Boolean(grant)));
  }

  private vault(method: string, { phone, auth, offline_failures = 0 }: { phone: string; auth: string; offline_failures?: number }): Heard {
    if (method === 'PUT') return answered(200, this.shares.put(phone, auth));
    const { status, json } = this.shares.open(phone, auth, offline_failures);
    return answered(status, json);
  }

  private drafts(path: string, method: string): Heard {
    const kept = this.intake.drafts.get('amira') ?? new Map<string, unknown>();
    if (method === 'DELETE') kept.delete(path.slice('/api/drafts/'.length));
    return answered(200, [...kept].map(([id, draft]) => ({ id, draft })));
  }
}

const answered = (status: number, json: unknown): Heard => ({ heard: 'answered', status, json, etag: null, retryAfter_s: null });

type App = Awaited<ReturnType<typeof startApp>>;

async function startApp() {
  vi.resetModules();
  const [session, outbox, drafts, everybody, reference, view, call, signing] = await Promise.all([
    import('../../pwa/src/local/session'),
    import('../../pwa/src/local/outbox'),
    import('../../pwa/src/local/drafts'),
    import('../../pwa/src/exchange/everybody'),
    import('../../pwa/src/exchange/reference'),
    import('../../pwa/src/local/view'),
    import('../../pwa/src/local/call'),
    import('../../pwa/src/local/sign-in'),
  ]);
  return { ...session, ...outbox, ...drafts, ...everybody, ...reference, ...view, ...call, ...signing };
}

let world: World;
let app: App;

beforeEach(() => quicken());
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A handset just unpacked. */
async function unpack(): Promise<void> {
  vi.stubGlobal('indexedDB', new (indexedDB.constructor as new () => IDBFactory)());
  world = new World();
  await world.intake.key; // its own making is no step of the phone's
  app = await startApp();
}

/** As the person does after anything that went wrong: starts the app again, and gives whatever it asks for. */
async function enter(): Promise<void> {
  app = await startApp();
  let standing = await app.resume();
  if (standing === 'locked') await unlock();
  standing = app.standing();
  if (standing === 'open') return;
  const answer = await app.signIn('amira', 'right', world.ask, standing === 'new');
  if ('refused' in answer) throw new Error(answer.refused);
  if (answer.standing === 'locked') await unlock();
  if (app.standing() === 'new') await app.choosePin(PIN, world.ask);
  if (app.standing() !== 'open') throw new Error(`it stands ${app.standing()}`);
}

/** By the PIN that was chosen last, or by the one before: either may be the one. */
const unlock = async () => (await app.unlockWith(PIN, world.ask)).is === 'wrong' && (await app.unlockWith(ANOTHER_PIN, world.ask));

const exchange = () => app.exchangeForEverybody(world.ask, 'test');
const draft = (id: string) => ({ id, kind: 'incident', record: 'r2', seen: null, values: { account: 'not finished' }, opened_at: 'a', changed_at: 'a' });

/** Written, and said to be saved. */
async function write(category: string, options?: { draft?: string }): Promise<void> {
  world.saved.push(await app.write({ record: 'r1', kind: 'incident', values: { category }, seen: null }, options));
}

/** Somebody who has been at it: one edit sent, one waiting, a draft, and something of a colleague's still to come. */
async function atWork(): Promise<void> {
  await unpack();
  await enter();
  await app.refreshSchool(app.mine(), world.ask);
  await write('sent');
  await exchange();
  await write('waiting');
  await app.keep(draft('d1'));
  world.school.write('r9', 'ben', { category: 'ben’s' });
}

// ── What must be so ────────────────────────────────────────────────────────────────────────

async function nothingIsLostNorDoubled(): Promise<void> {
  const kept = await app.mine().reading(['edits'], (tx) => tx.objectStore('edits').getAll());
  for (const { id, values } of world.saved) {
    const found = kept.find(({ edit }) => edit.id === id)?.edit ?? world.school.edits.get(id)?.edit;
    const sealed = await app.mine().disk.reading(['outbox'], (tx) => tx.objectStore('outbox').get(id));
    expect(found?.values ?? (sealed?.sealed && values), 'a saved edit is neither here nor there').toEqual(values);
  }
  await app.mine().tidy();
  const [outbox, pages] = await app.mine().disk.reading(['outbox', 'pages'], async (tx) => [await tx.objectStore('outbox').getAllKeys(), await tx.objectStore('pages').count()]);
  app = await startApp();
  await app.resume();
  await unlock();
  const again = await app.mine().reading(['edits'], (tx) => tx.objectStore('edits').getAll());
  expect(again.map(({ edit }) => edit.id)).toEqual(kept.map(({ edit }) => edit.id));
  expect(again.filter(({ unsent }) => unsent).every(({ edit }) => outbox.includes(edit.id))).toBe(true);
  expect(pages).toBeLessThan(3);
}

async function allIsWellInTheEnd(): Promise<void> {
  for (let at = 0; at < 3; at++) await exchange();
  expect((await app.waiting()).count).toBe(0);
  for (const { id } of world.saved) expect(world.school.edits.has(id)).toBe(true);
  const numbers = [...world.school.edits.values()].filter(({ author }) => author === 'amira').map(({ edit }) => edit.number).sort((one, other) => one - other);
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  const shown = new Map((await app.records()).map((one) => [one.id, one.body]));
  for (const record of ['r1', 'r9']) expect(shown.get(record)).toEqual(world.school.record(record)?.body);
}

/** `deed` with each of its steps failing in turn. `after`: what else must be so, told whether the deed said it was done. */
async function atEveryStep(how: Failure, before: () => Promise<void>, deed: () => Promise<unknown>, after: (done: boolean) => Promise<void> | void = () => {}): Promise<number> {
  for (let nth = 1; nth < MOST_STEPS; nth += STRIDE[how]) {
    await before();
    const { was, done } = await failingAt(nth, how, deed);
    try {
      await enter();
      await nothingIsLostNorDoubled();
      await after(done);
      await allIsWellInTheEnd();
    } catch (broken) {
      throw new Error(`with step ${nth}, which ${how}: ${(broken as Error).message}`, { cause: broken });
    }
    if (!was) return nth - 1;
  }
  throw new Error('it never comes to an end');
}

// ── What is done ───────────────────────────────────────────────────────────────────────────

const waiting = async () => (await app.drafts()).map(({ id }) => id);

type Deed = [name: string, before: () => Promise<void>, deed: () => Promise<unknown>, after?: (done: boolean) => Promise<void> | void];

export const OF_WORDS: Deed[] = [
  ['saving', atWork, () => write('new', { draft: 'd1' }), async () => expect([0, 1]).toContain((await waiting()).length)],
  ['keeping a draft', atWork, () => app.keep({ ...draft('d1'), values: { account: 'a word more' } }), async () => expect(await waiting()).toEqual(['d1'])],
  ['undoing', atWork, async () => (await app.undo(world.saved[1]!.id)) && world.saved.pop()],
  ['sending and keeping what comes', atWork, exchange],
  ['sending sealed, while locked', async () => (await atWork(), (app = await startApp()), void (await app.resume())), exchange, async () => expect(await waiting()).toEqual(['d1'])],
  ['tidying', atWork, () => app.mine().tidy(), async () => expect(await waiting()).toEqual(['d1'])],
  ['calling for help while locked', async () => (await atWork(), (app = await startApp()), void (await app.resume())), () => app.callWhileLocked({ where: 'B12', isDanger: true }), oneCallAtMost],
  ['pairing a handset that has a vault', async () => (await atWork(), (app = await startApp()), void (await app.resume())), pair, async () => expect(await waiting()).toEqual(['d1'])],
  ['sending what was written before there were PINs', async () => (await before(), void (await app.resume())), exchange, async () => expect(await waiting()).toEqual(['d1'])],
  ['migrating', before, async () => (await app.resume(), await app.signIn('amira', 'right', world.ask), await app.choosePin(PIN, world.ask)), async () => expect(await waiting()).toEqual(['d1'])],
];

export const OF_KEYS: Deed[] = [
  ['signing out', atWork, () => app.signOut(world.ask), async () => expect(await waiting()).toEqual(['d1'])],
  ['unlocking', async () => (await atWork(), (app = await startApp()), void (await app.resume())), () => app.unlockWith(PIN, world.ask), async () => expect(await waiting()).toEqual(['d1'])],
  ['signing in and choosing a PIN', unpack, async () => (await app.signIn('amira', 'right', world.ask), await app.choosePin(PIN, world.ask))],
  ['choosing another PIN after the first is forgotten', async () => (await atWork(), (app = await startApp()), void (await app.resume())), forgetPin, draftComesBack],
  ['changing the PIN', atWork, changePin, async () => expect(await waiting()).toEqual(['d1'])],
  ['wiping', async () => (await atWork(), (app = await startApp()), void (await app.resume())), wipe, draftComesBack],
];

export function tryEveryStep(deeds: Deed[]): void {
  for (const how of ['fails', 'dies'] as const) {
    test.each(deeds)(`%s: whichever step ${how}`, async (name, before, deed, after) => {
      const steps = await atEveryStep(how, before, deed, after);
      if (process.env.EVERY_STEP) console.info(`${name}, ${how}: ${steps} steps`);
      expect(steps).toBeGreaterThan(2);
    }, 300_000);
  }
}

async function forgetPin(): Promise<void> {
  await app.signIn('amira', 'right', world.ask, true);
  await app.choosePin(PIN, world.ask);
}

/** Once it is said to be saved it comes, and never twice. */
async function oneCallAtMost(done: boolean): Promise<void> {
  for (let at = 0; at < 3; at++) await exchange();
  const calls = [...world.school.edits.values()].filter(({ edit }) => edit.kind === 'call_out');
  expect(calls.length).toBeLessThan(2);
  if (done) expect(calls).toHaveLength(1);
}

/** Done, or not: never half, and never a vault that neither of the two opens. */
async function changePin(): Promise<void> {
  const changed = await app.changePin(PIN, ANOTHER_PIN, world.ask);
  if (changed.is !== 'changed') throw new Error(changed.is);
}

/** Until a PIN is chosen, which is tried above, the one before opens. */
async function pair(): Promise<void> {
  const code = `head.${toText(utf8(JSON.stringify({ iss: 'northgate', sub: 'amira' })))}.signature`;
  const answer = await app.pair(code, world.ask);
  if ('refused' in answer) throw new Error(answer.refused);
}

async function wipe(): Promise<void> {
  const disk = diskOf('northgate', 'amira');
  const { destroy } = await import('../../pwa/src/local/vault');
  await destroy(disk).finally(() => disk.close());
}

/** It went up sealed, and its author gets it again. */
async function draftComesBack(): Promise<void> {
  for (let at = 0; at < 3; at++) await exchange();
  expect((await app.drafts()).map(({ id }) => id)).toEqual(['d1']);
}

/** A phone of the version before: everything in the clear. */
async function before(): Promise<void> {
  await unpack();
  const edits = ['sent', 'waiting'].map((category, at) => ({ id: `e${at}`, phone: 'phone', number: at + 1, record: 'r1', kind: 'incident', made_at: new Date(at).toISOString(), seen: null, values: { category } }));
  const db = await openDB('lanyard northgate amira', 1, {
    upgrade: (older) => {
      older.createObjectStore('edits', { keyPath: 'edit.id' }).createIndex('unsent', 'unsent');
      older.createObjectStore('drafts', { keyPath: 'id' });
      for (const store of ['settings', 'school', 'records_a', 'records_b', 'held_a', 'held_b', 'pupils', 'contacts', 'staff', 'uses']) older.createObjectStore(store);
    },
  });
  world.school.exchange({ protocol: 1, build: '', phone: 'phone', sent_at: '', cursor: null, receipted: 0, waiting: 0, lost: [], edits: [edits[0]!] }, 'amira');
  await db.put('edits', { edit: edits[0], order: 1, outcome: 'taken', receipted_at: Date.now() });
  await db.put('edits', { edit: edits[1], order: 2, unsent: 2, over: 2 });
  await db.put('drafts', draft('d1'));
  await db.put('pupils', { id: 'zoe', forename: 'Zoe' }, 'zoe');
  for (const [name, value] of Object.entries({ phone: 'phone', session_phone: 'phone', number: 2, order: 2, receipted: 1, grant: 'grant', cursor: 'from before', me: { name: 'Amira Khan' } })) await db.put('settings', value, name);
  db.close();
  const shared = await openDB('lanyard', 1, {
    upgrade: (older) => {
      older.createObjectStore('owners', { keyPath: 'key' });
      older.createObjectStore('settings');
    },
  });
  await shared.put('owners', { key: 'northgate amira', school: 'northgate', staff: 'amira', username: 'amira', phone: 'phone' });
  await shared.put('settings', 'northgate amira', 'current');
  shared.close();
  world.saved = edits;
}
