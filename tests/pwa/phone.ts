// A phone in the tests: the real outbox, exchange and overlay over a pretend IndexedDB, which can be killed at any moment.

import 'fake-indexeddb/auto';
import { vi } from 'vitest';
import { exchange, type Ended } from '../../pwa/src/exchange/exchange';
import { sendSealed, type SentSealed, type Which } from '../../pwa/src/exchange/intake';
import { undoIn, waitingIn, writeInto, type WriteOptions } from '../../pwa/src/local/outbox';
import { overlay, type ShownRecord } from '../../pwa/src/local/overlay';
import { diskOf, forgetAll } from '../../pwa/src/local/disk';
import { Shelves, type Names, type Tx } from '../../pwa/src/local/shelves';
import { sets, settle, type KeptEdit, type Mine } from '../../pwa/src/local/stores';
import { ask } from '../../pwa/src/school';
import type { Edit, HeldEdit, Values, WireRecord } from '../../pwa/src/wire';
import type { Keys } from '../../pwa/src/local/vault';
import { KEYS, newKeys, putVault } from './keys';
import { KINDS, SCHOOL_ANSWER, type School } from './school';
import { Network } from './network';

let phones = 0;
const ON_DISK = ['outbox', 'drafts', 'pages', 'settings', 'keys'] as const;
const IN_LINE: ReadonlySet<string> = new Set(['outbox', 'drafts', 'pages']);

/** One handset of one member of staff. `tab()` is another tab on it. */
export class Phone {
  db: Mine;
  lives = Infinity; // how many more steps it takes before it is killed
  me = 'amira';

  constructor(
    readonly network: Network,
    readonly name = `phone ${++phones}`,
    readonly handset = name,
    readonly keys: Promise<Keys> = KEYS,
  ) {
    this.db = new Shelves(diskOf('northgate', this.handset), { school: 'northgate', staff: this.name }, keys);
  }

  static async of(school: School, network = new Network(school)): Promise<Phone> {
    const phone = new Phone(network);
    await putVault(phone.db.disk);
    await phone.db.writing(['settings', 'school'], async (tx) => {
      await settle(tx, 'phone', phone.name);
      await settle(tx, 'session_phone', phone.name);
      await settle(tx, 'intake', [await network.intake.key]);
      tx.objectStore('school').put(SCHOOL_ANSWER, 'answer');
    });
    vi.stubGlobal('fetch', network.fetch);
    return phone;
  }

  tab(): Phone {
    return new Phone(this.network, this.name, this.handset, this.keys);
  }

  /** Another handset, restored from a copy of this one as it is now. */
  async copied(): Promise<Phone> {
    const copy = new Phone(this.network, this.name, `${this.handset}, copied ${++phones}`, this.keys);
    const lies = await this.db.disk.reading([...ON_DISK], async (tx) => await Promise.all(ON_DISK.map(async (name) => [await tx.objectStore(name).getAllKeys(), await tx.objectStore(name).getAll()] as [IDBValidKey[], unknown[]])));
    await copy.db.disk.writing([...ON_DISK], async (tx) => {
      for (const [at, [keys, rows]] of lies.entries()) {
        const store = tx.objectStore(ON_DISK[at]!) as unknown as { put(row: unknown, key?: IDBValidKey): Promise<unknown> };
        for (const [place, row] of rows.entries()) await store.put(row, IN_LINE.has(ON_DISK[at]!) ? undefined : keys[place]);
      }
    });
    return copy;
  }

  /** The PIN is forgotten, and another chosen: what was written stays here sealed, and nothing else. */
  async forgetsPin(): Promise<Phone> {
    await this.db.settled();
    const keys = newKeys(`vault ${++phones}`);
    await this.db.disk.writing(['keys', 'pages', 'settings'], forgetAll);
    await putVault(this.db.disk, (await keys).id);
    this.close();
    const again = new Phone(this.network, this.name, this.handset, keys);
    await again.db.writing(['school'], (tx) => tx.objectStore('school').put(SCHOOL_ANSWER, 'answer'));
    return again;
  }

  write(values: Values, record = 'r1', seen: string | null = null, options?: WriteOptions): Promise<Edit> {
    return writeInto(this.db, { record, kind: 'incident', values, seen }, options);
  }

  undo = (edit: Edit): Promise<boolean> => undoIn(this.db, edit.id);

  sync = (): Promise<Ended> => exchange({ db: this.db, ask, build: 'test' });

  sendSealed = (which: Which = 'waiting'): Promise<SentSealed> => sendSealed(this.db.disk, ask, 'test', which);

  /** Until nothing more is waiting, or nothing more moves. */
  async syncAll(): Promise<Ended> {
    let ended = await this.sync();
    for (let tries = 0; tries < 60 && (ended.trouble || (await this.waiting()).length > 0); tries++) ended = await this.sync();
    return ended;
  }

  waiting = async (): Promise<Edit[]> => (await waitingIn(this.db)).edits;

  kept = (): Promise<KeptEdit[]> => this.db.reading(['edits'], (tx) => tx.objectStore('edits').getAll());

  records = (): Promise<WireRecord[]> =>
    this.db.reading(['records_a', 'records_b', 'settings'], async (tx) => (await tx.objectStore(`records_${(await sets(tx)).base}`).getAll()).map(({ record }) => record));

  held = (): Promise<HeldEdit[]> => this.db.reading(['held_a', 'held_b', 'settings'], async (tx) => await tx.objectStore(`held_${(await sets(tx)).base}`).getAll());

  async shown(): Promise<Map<string, ShownRecord>> {
    const [records, edits] = await this.db.reading(['records_a', 'records_b', 'settings', 'edits'], async (tx) => [
      (await tx.objectStore(`records_${(await sets(tx)).base}`).getAll()).map(({ record }) => record),
      (await tx.objectStore('edits').index('over').getAll()).map(({ edit }) => edit),
    ]);
    return new Map(overlay(KINDS, records, edits, this.me).map((one) => [one.id, one]));
  }

  /** Runs `work` until its `steps`-th look at the storage or the network, and kills the app there. */
  async killedWhile(work: (phone: Phone) => Promise<unknown>, steps: number): Promise<void> {
    const doomed = this.tab();
    const died = makeMortal(doomed, steps);
    await Promise.race([work(doomed), died]);
    doomed.db.close();
  }

  close(): void {
    this.db.close();
  }
}

/** After so many steps nothing that the phone asks for ever comes back, and nothing more is begun. */
function makeMortal(phone: Phone, steps: number): Promise<void> {
  let left = steps;
  let die = () => {};
  const died = new Promise<void>((resolve) => (die = resolve));
  const beat = async () => {
    if (left-- > 0) return;
    die();
    await new Promise(() => {});
  };
  const { db } = phone;
  const { disk } = db;
  const onDisk = disk.writing.bind(disk);
  disk.writing = (async (stores, work, told) => {
    await beat();
    const answer = await onDisk(stores, work, told);
    await beat();
    return answer;
  }) as typeof disk.writing;
  const [reading, writing] = [db.reading.bind(db), db.writing.bind(db)];
  db.reading = async <T>(stores: Names, work: (tx: Tx) => Promise<T> | T) => {
    await beat();
    const answer = await reading(stores, work);
    await beat();
    return answer;
  };
  db.writing = async <T>(stores: Names, work: (tx: Tx) => Promise<T> | T, told?: (answer: T) => readonly string[]) => {
    await beat();
    const answer = await writing(stores, work, told);
    await beat();
    return answer;
  };
  return died;
}
