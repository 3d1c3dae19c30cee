// Whatever happens, in whatever order: nothing a person was told is saved is ever lost, doubled, hidden or seen to go backwards.
// One seed replays one history: SEED=… npx vitest run chaos.

import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { beginAgain, runs } from './chance';
import type { Edit, Statement, Values } from '../../pwa/src/wire';
import type { Which } from '../../pwa/src/exchange/intake';
import { FAULTS, Network, type Fault } from './network';
import { Phone } from './phone';
import { School } from './school';

const RUNS = runs(120);
const LONGEST_RUN_MS = 5_000;
const RECORDS = 3;
const BEGINS_AT = new Date('2026-09-07T08:40:00Z');
const A_YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A version of a record, and the mark that the school had drawn for it. */
type Reached = { version: number; mark: string | undefined };

/** One history of one handset with two tabs, and perhaps of a copy of it; and what we know must be so. */
class History {
  school = new School();
  network = new Network(this.school);
  tabs: Phone[] = [];
  twin: Phone | null = null; // another handset, restored from a copy of this one
  saved = new Map<string, Edit>(); // the screen said saved
  undone = new Set<string>();
  perhaps: string[] = []; // accounts written while the app was killed: they may have been saved
  accounts = new Map<string, string[]>(); // record → what my statement may be, the last sure one first
  reached = new Map<string, Reached>(); // record → the version last seen on the phone
  backup: (() => void) | null = null;
  written = 0;
  isCopied = false; // the other handset’s own number is not ours to find again
  hasForgotten = false; // what the school had, this handset has not: a school that goes back has lost it
  broken: unknown;
  delays: number[] = []; // of the next answers on their way, in turns of the clock

  async begin(): Promise<void> {
    const phone = await Phone.of(this.school, this.network);
    this.tabs = [phone, phone.tab()];
    this.network.grants.set('grant', 'amira');
    await phone.db.writing(['settings'], (tx) => tx.objectStore('settings').put('grant', 'grant'));
    // A broken promise must not pass for a broken line: it is told when the deed is done.
    this.network.onTheWay = async () => {
      for (let wait = this.delays.shift() ?? 0; wait > 0; wait--) await new Promise((resolve) => setTimeout(resolve));
      await this.look().catch((broken) => void (this.broken ??= broken));
    };
    this.network.poison = ({ edits }) => (edits.some(({ values }) => values.category === 'poison') ? '500' : 'none');
  }

  end(): void {
    for (const tab of [...this.tabs, ...(this.twin ? [this.twin] : [])]) tab.close();
  }

  // ── What can happen ──

  async write(tab: number, at: number, what: 'account' | 'category' | 'poison' | 'held' | 'pupils', undoFor: number): Promise<void> {
    const record = `r${at}`;
    const values = this.values(what);
    const version = (await this.phone.shown()).get(record)?.version ?? null;
    const edit = await this.tabs[tab]!.write(values, record, version, { undoFor });
    this.saved.set(edit.id, edit);
    if (what === 'account') this.accounts.set(record, [String(values.account)]);
  }

  private values(what: string): Values {
    const word = `word ${++this.written}`;
    if (what === 'account') return { account: word };
    if (what === 'pupils') return { pupils: { put: { [`p${this.written % 3}`]: { part: word } }, drop: [`p${(this.written + 1) % 3}`] } };
    return { category: what === 'category' ? word : what === 'poison' ? 'poison' : 'refuse me' };
  }

  async undo(tab: number, back: number): Promise<void> {
    const last = [...this.saved.values()].at(-1 - back);
    if (!last || 'account' in last.values || this.twin) return; // a twin may have sent it
    if (await this.tabs[tab]!.undo(last)) {
      this.saved.delete(last.id);
      this.undone.add(last.id);
    }
  }

  async sync(tab: number, faults: Fault[]): Promise<void> {
    this.network.faults = [...faults];
    await this.tabs[tab]!.sync();
  }

  async bothSync(faults: Fault[], delays: number[]): Promise<void> {
    this.network.faults = [...faults];
    this.delays = [...delays];
    await Promise.all(this.tabs.map((tab) => tab.sync()));
    this.delays = [];
  }

  /** The phone is locked, or the worker was woken: what waits goes sealed. */
  async sendsSealed(which: Which, faults: Fault[]): Promise<void> {
    this.network.faults = [...faults];
    await this.phone.sendSealed(which);
  }

  pageIsDestroyed(at: number): void {
    this.tabs[at]!.close();
    this.tabs[at] = this.tabs[at]!.tab();
  }

  /** What was written lies there sealed, and nothing else does: nobody can read here what they had written. */
  async pinIsForgotten(): Promise<void> {
    this.tabs[1]!.close();
    const phone = await this.phone.forgetsPin();
    this.tabs = [phone, phone.tab()];
    this.begunAgain();
  }

  /** The browser clears everything, and its person begins again: as another phone. What only this one had was lost with it. */
  async isEvicted(): Promise<void> {
    if (this.twin) return; // which is what it was
    for (const tab of this.tabs) tab.close();
    const phone = await Phone.of(this.school, this.network);
    await phone.db.writing(['settings'], (tx) => tx.objectStore('settings').put('grant', 'grant'));
    this.tabs = [phone, phone.tab()];
    this.begunAgain();
    await this.forgetWhatIsGone();
  }

  private begunAgain(): void {
    this.hasForgotten = true;
    this.accounts.clear();
    this.reached.clear();
  }

  private async forgetWhatIsGone(): Promise<void> {
    const here = await this.here();
    for (const id of this.saved.keys()) if (!here.has(id) && !this.school.edits.has(id)) this.saved.delete(id);
    this.accounts.clear();
  }

  killedWhileSendingSealed(steps: number): Promise<void> {
    return this.phone.killedWhile((phone) => phone.sendSealed(), steps);
  }

  async tidies(tab: number): Promise<void> {
    await this.tabs[tab]!.db.tidy();
  }

  async killedWhileSyncing(steps: number, faults: Fault[]): Promise<void> {
    this.network.faults = [...faults];
    await this.phone.killedWhile((phone) => phone.sync(), steps);
  }

  async killedWhileWriting(at: number, steps: number): Promise<void> {
    const values = this.values('account');
    await this.phone.killedWhile((phone) => phone.write(values, `r${at}`), steps);
    const known = this.accounts.get(`r${at}`) ?? (this.hasForgotten ? null : []); // or one that lies here sealed
    if (known) this.accounts.set(`r${at}`, [...known, String(values.account)]);
  }

  benWrites(at: number): void {
    this.school.write(`r${at}`, 'ben', { category: `ben’s ${++this.written}`, account: 'ben was there too' });
  }

  rightsChange(): void {
    this.school.rights++;
  }

  takeBackup(): void {
    this.backup = this.school.backup();
  }

  async restore(): Promise<void> {
    this.backup?.();
    if (this.hasForgotten) await this.forgetWhatIsGone();
  }

  /** Another handset, restored from a copy of this one, was quicker with its next number. */
  async copiedHandset(): Promise<void> {
    this.isCopied = true;
    const { phone, number } = await this.phone.db.reading(['settings'], async (tx) => ({
      phone: String(await tx.objectStore('settings').get('phone')),
      number: Number((await tx.objectStore('settings').get('number')) ?? 0),
    }));
    const edit: Edit = { id: `copy ${++this.written}`, phone, number: number + 1, record: 'copied', kind: 'incident', made_at: new Date().toISOString(), seen: null, values: {} };
    this.school.exchange({ protocol: 1, build: '', phone, sent_at: '', cursor: null, receipted: 0, waiting: 0, lost: [], edits: [edit] }, 'amira');
  }

  async handsetIsCopied(): Promise<void> {
    if (this.twin) return;
    this.isCopied = true;
    this.twin = await this.phone.copied();
  }

  async twinWrites(): Promise<void> {
    const edit = await this.twin?.write({ category: `the twin’s ${++this.written}` }, 'twin');
    if (edit) this.saved.set(edit.id, edit);
  }

  async twinSyncs(faults: Fault[], sealed: boolean): Promise<void> {
    this.network.faults = [...faults];
    await (sealed ? this.twin?.sendSealed() : this.twin?.sync());
  }

  clockJumps(years: number): void {
    vi.setSystemTime(Date.now() + years * A_YEAR_MS);
  }

  // ── What must be so, at every moment ──

  get phone(): Phone {
    return this.tabs[0]!;
  }

  async look(): Promise<void> {
    if (this.broken) throw this.broken;
    await this.nothingIsLost();
    await this.nothingGoesBackwards();
  }

  private async nothingIsLost(): Promise<void> {
    const kept = await this.here();
    for (const [id, edit] of this.saved) {
      const somewhere = kept.get(id) ?? this.school.edits.get(id)?.edit;
      expect(somewhere, `edit ${edit.number} is neither here nor there`).toBeDefined();
      expect(somewhere!.values).toEqual(edit.values);
    }
    for (const id of this.undone) expect(this.school.edits.has(id)).toBe(false);
  }

  /** What is on one of the handsets, to be read there or sealed. */
  private async here(): Promise<Map<string, Pick<Edit, 'number' | 'values'>>> {
    const found = new Map<string, Pick<Edit, 'number' | 'values'>>();
    for (const phone of this.twin ? [this.phone, this.twin] : [this.phone]) {
      const rows = await phone.db.disk.reading(['outbox'], (tx) => tx.objectStore('outbox').getAll());
      for (const { id, number, sealed } of rows) if (sealed && this.saved.has(id)) found.set(id, { number, values: this.saved.get(id)!.values });
      for (const { edit } of await phone.kept()) found.set(edit.id, edit);
    }
    return found;
  }

  private async nothingGoesBackwards(): Promise<void> {
    const [records, shown] = [await this.phone.records(), await this.phone.shown()];
    for (const { id, version } of records) {
      const before = this.reached.get(id);
      if (before && this.isStillSo(before)) expect(Number(version), `${id} went back`).toBeGreaterThanOrEqual(before.version);
      if (before?.version !== Number(version)) this.reached.set(id, { version: Number(version), mark: this.school.marks[Number(version)] });
    }
    for (const [record, accounts] of this.accounts) {
      const statement = (shown.get(record)?.body.account as Record<string, Statement> | undefined)?.amira;
      // The app may have been killed before the first one was saved.
      if (statement || this.saved.size > 0) expect([...accounts, undefined]).toContain(statement?.value);
      if ([...this.saved.values()].some((edit) => edit.record === record && 'account' in edit.values)) expect(statement, `my account of ${record} vanished`).toBeDefined();
    }
  }

  /** A school that was restored has gone back itself, and takes its phones with it. */
  private isStillSo = ({ version, mark }: Reached): boolean => this.school.marks[version] === mark;

  // ── And in the end, when all is well again ──

  async allIsWell(): Promise<void> {
    this.network.faults = [];
    vi.setSystemTime(Date.now() + 60_000); // nothing can be undone any more
    for (let at = 0; at < 40; at++) await this.everybodySyncs(at < 3);
    for (const [id, { values }] of this.saved) if (values.category !== 'poison') expect(this.school.edits.has(id), 'one that fails for ever held up another').toBe(true);
    this.network.poison = () => 'none';
    expect((await this.twin?.syncAll())?.trouble ?? null).toBeNull();
    expect((await this.phone.syncAll()).trouble).toBeNull();
    await this.look();
    expect(await this.phone.waiting()).toEqual([]);
    for (const id of this.saved.keys()) expect(this.school.edits.has(id)).toBe(true);
    if (!this.isCopied && !this.hasForgotten) expect([...this.school.lost.values()].flatMap((lost) => [...lost]), 'a number was lost').toEqual([]);
    await this.theViewIsTheSchools();
  }

  /** As the app does it: what nobody can read here goes before and after. */
  private async everybodySyncs(orphans: boolean): Promise<void> {
    if (orphans) await this.phone.sendSealed('orphans');
    await this.phone.sync();
    if (orphans) await this.phone.sendSealed('orphans');
    if (orphans) await this.twin?.sync();
  }

  private async theViewIsTheSchools(): Promise<void> {
    const shown = await this.phone.shown();
    for (let at = 0; at < RECORDS; at++) {
      const record = this.school.record(`r${at}`);
      expect(shown.get(`r${at}`)?.body).toEqual(record?.body);
      expect(shown.get(`r${at}`)?.unsent ?? []).toEqual([]);
    }
  }
}

type Deed = { does: string; run: (history: History) => Promise<void> | void };

const deed = <Args extends unknown[]>(does: string, args: { [At in keyof Args]: fc.Arbitrary<Args[At]> }, run: (history: History, ...args: Args) => Promise<void> | void): fc.Arbitrary<Deed> =>
  fc.tuple(...args).map((chosen) => ({ does: `${does} ${JSON.stringify(chosen)}`, run: (history: History) => run(history, ...(chosen as unknown as Args)), toString: () => `${does} ${JSON.stringify(chosen)}` }));

const tab = fc.integer({ min: 0, max: 1 });
const record = fc.integer({ min: 0, max: RECORDS - 1 });
const faults = fc.array(fc.constantFrom<Fault>('none', ...FAULTS), { maxLength: 4 });
const steps = fc.integer({ min: 0, max: 24 });

const deeds = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: deed('write', [tab, record, fc.constantFrom('account', 'category', 'pupils', 'held', 'poison'), fc.constantFrom(0, 0, 5)], (h, ...args) => h.write(...(args as Parameters<History['write']>))) },
    { weight: 2, arbitrary: deed('undo', [tab, fc.integer({ min: 0, max: 2 })], (h, at, back) => h.undo(at as number, back as number)) },
    { weight: 6, arbitrary: deed('sync', [tab, faults], (h, at, found) => h.sync(at as number, found as Fault[])) },
    { weight: 3, arbitrary: deed('both tabs sync', [faults, fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 6 })], (h, found, delays) => h.bothSync(found as Fault[], delays as number[])) },
    { weight: 4, arbitrary: deed('killed while syncing', [steps, faults], (h, at, found) => h.killedWhileSyncing(at as number, found as Fault[])) },
    { weight: 3, arbitrary: deed('sends sealed', [fc.constantFrom<Which>('waiting', 'orphans'), faults], (h, which, found) => h.sendsSealed(which as Which, found as Fault[])) },
    { weight: 1, arbitrary: deed('killed while sending sealed', [steps], (h, at) => h.killedWhileSendingSealed(at as number)) },
    { weight: 1, arbitrary: deed('tidies', [tab], (h, at) => h.tidies(at as number)) },
    { weight: 2, arbitrary: deed('killed while writing', [record, fc.integer({ min: 0, max: 2 })], (h, at, after) => h.killedWhileWriting(at as number, after as number)) },
    { weight: 3, arbitrary: deed('ben writes', [record], (h, at) => h.benWrites(at as number)) },
    { weight: 1, arbitrary: deed('rights change', [], (h) => h.rightsChange()) },
    { weight: 2, arbitrary: deed('backup', [], (h) => h.takeBackup()) },
    { weight: 2, arbitrary: deed('restore', [], (h) => h.restore()) },
    { weight: 1, arbitrary: deed('copied handset', [], (h) => h.copiedHandset()) },
    { weight: 1, arbitrary: deed('handset is copied', [], (h) => h.handsetIsCopied()) },
    { weight: 2, arbitrary: deed('twin writes', [], (h) => h.twinWrites()) },
    { weight: 2, arbitrary: deed('twin syncs', [faults, fc.boolean()], (h, found, sealed) => h.twinSyncs(found as Fault[], sealed as boolean)) },
    { weight: 1, arbitrary: deed('page is destroyed', [tab], (h, at) => h.pageIsDestroyed(at as number)) },
    { weight: 1, arbitrary: deed('PIN is forgotten', [], (h) => h.pinIsForgotten()) },
    { weight: 1, arbitrary: deed('evicted', [], (h) => h.isEvicted()) },
    { weight: 1, arbitrary: deed('clock jumps', [fc.integer({ min: -10, max: 10 })], (h, years) => h.clockJumps(years as number)) },
  ),
  { maxLength: 25 },
);

test('nothing is lost, doubled, hidden, or seen to go backwards', async () => {
  await fc.assert(
    fc.asyncProperty(deeds, async (story) => {
      beginAgain();
      vi.useFakeTimers({ toFake: ['Date'], now: BEGINS_AT });
      const history = new History();
      try {
        await history.begin();
        for (const { run } of story) {
          await run(history);
          await history.look();
        }
        await history.allIsWell();
      } finally {
        history.end();
        vi.useRealTimers();
      }
    }),
    { numRuns: RUNS, endOnFailure: false },
  );
}, RUNS * LONGEST_RUN_MS);
