// What one person holds while their phone is unlocked: every row in memory, and nothing on the disk that can be read without the
// key. A change is closed and sealed first, then written in one strict transaction; only then does the memory follow.

import { asJson, close, fromJson, toBytes, toText, unclose, type Closed } from './bytes';
import { diskOf, newEpoch, note, noted, vaultIn, type Disk, type DiskReading, type DiskWriting, type DraftRow, type OnDisk, type OutboxRow, type Page, type PageRow } from './disk';
import type { Draft } from './drafts';
import type { Listener } from './database';
import { Rows, Sheet } from './rows';
import { seal, type Sealing } from './seal';
import { FILED, type KeptEdit, type Theirs } from './stores';
import { NotSaved, SILENT, StorageTrouble, UNREADABLE } from './trouble';
import type { Keys } from './vault';

/** Rows are written again, so many to a page, when the pages hold more than twice what lives. */
const ROWS_TO_A_PAGE = 100;
const SPARE_ROWS = 500;
/** So many pages are asked for at once: a slow phone answers in between, and is waited for. */
const PAGES_AT_ONCE = 20;
/** Instead of a vault's id: the school can open it, and nobody here. */
const NOBODYS = '';
/** Other tabs wrote in between so often: something is wrong. */
const MOST_TRIES = 50;

type Name = keyof Theirs;
export type Names = readonly Name[];
type Sheets = { [One in Name]: Sheet<Theirs[One]> };

/** One transaction. It looks like IndexedDB's, and answers at once. */
export type Tx = { objectStore<One extends Name>(name: One): Sheet<Theirs[One]> };

const NAMES = Object.keys(FILED) as Name[];
/** These have stores of their own on the disk; everything else lies in the pages. */
const APART: ReadonlySet<string> = new Set<Name>(['drafts', 'settings']);

export class Shelves {
  #kept = Object.fromEntries(NAMES.map((name) => [name, new Rows(FILED[name] as never)])) as { [One in Name]: Rows<Theirs[One]> };
  #epoch = -1;
  #history = -1;
  #page = 0; // the last one that was read or written
  #pageRows = 0;
  #inOutbox = new Set<string>();
  #unsealed = new Set<string>(); // edits and drafts that wait for the school's key
  #strays = new Set<string>(); // the intake has them: they move into the pages with the next change
  #tidying = false;
  #line: Promise<unknown> = Promise.resolve();

  constructor(
    readonly disk: Disk,
    readonly whose: { school: string; staff: string },
    private readonly keys: Promise<Keys> | Keys,
  ) {}

  get name(): string {
    return this.disk.name;
  }

  /** Reads in one snapshot, of what every tab has written. `work` may await nothing but this transaction. */
  reading<T>(stores: Names, work: (tx: Tx) => Promise<T> | T): Promise<T> {
    return this.#inTurn(async () => {
      await this.#catchUp();
      return await work(this.#sheets(stores, false));
    });
  }

  /**
   * All of `work` or none of it, and on the disk once this resolves; NotSaved, in words, otherwise. `work` is run again when
   * another tab was quicker, or the connection was lost, also when its first run did get saved: it must then change nothing
   * more. Whoever listens is told of all the stores, or only of those that `told` says when it is done.
   */
  async writing<T>(stores: Names, work: (tx: Tx) => Promise<T> | T, told: (answer: T) => readonly string[] = () => stores): Promise<T> {
    const answer = await this.#inTurn(async () => {
      const answer = await this.#tryToWrite(stores, work);
      this.disk.announce(told(answer));
      return answer;
    });
    if (!this.#tidying && this.#pageRows > 2 * this.#living() + SPARE_ROWS) {
      this.#tidying = true;
      void this.tidy().catch(() => {}).finally(() => (this.#tidying = false)); // what fails is tried again after the next change
    }
    return answer;
  }

  listen = (listener: Listener): (() => void) => this.disk.listen(listener);
  announce = (stores: readonly string[]): void => this.disk.announce(stores);

  /** For good: whatever is still on its way to it fails, and is not kept. */
  close(): void {
    this.disk.close();
    for (const rows of Object.values(this.#kept)) rows.clear();
  }

  /** The same again, after which nothing that was begun before is kept. */
  reopened(): Shelves {
    this.close();
    return new Shelves(diskOf(this.whose.school, this.whose.staff), this.whose, this.keys);
  }

  /** Once nothing that was begun is on its way to the disk any more. */
  settled = async (): Promise<void> => void (await this.#line);

  /** Seals what could not be sealed when it was written: now the school's key may be here. */
  async sealTheRest(): Promise<void> {
    if (this.#unsealed.size === 0) return;
    await this.writing(
      ['edits', 'drafts', 'settings'],
      (tx) => {
        for (const id of this.#unsealed) for (const name of ['edits', 'drafts'] as const) again(tx.objectStore(name) as Sheet<Draft>, id);
      },
      () => [],
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(work);
    this.#line = turn.catch(() => {});
    return turn;
  }

  #sheets(stores: Names, mayWrite: boolean): Tx & { sheets: Partial<Sheets> } {
    const sheets: Partial<Sheets> = {};
    for (const name of stores) sheets[name] = new Sheet(this.#kept[name] as never, mayWrite) as never;
    return {
      sheets,
      objectStore<One extends Name>(name: One) {
        const sheet = sheets[name];
        if (!sheet) throw new DOMException(`${name} is not among this transaction’s stores`, 'NotFoundError');
        return sheet as Sheet<Theirs[One]>;
      },
    };
  }

  #living = (): number => NAMES.reduce((count, name) => count + (APART.has(name) ? 0 : this.#kept[name].rows.size), 0);

  // ── Writing ──────────────────────────────────────────────────────────────────────────────

  async #tryToWrite<T>(stores: Names, work: (tx: Tx) => Promise<T> | T): Promise<T> {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      await this.#catchUp();
      const tx = this.#sheets(stores, true);
      const answer = await work(tx);
      const changes = this.#changesIn(tx.sheets);
      if (changes.size === 0) return answer;
      const closed = await this.#closed(changes);
      if (await this.disk.writing(['settings', 'outbox', 'drafts', 'pages'], (disk) => this.#put(disk, closed), () => [])) {
        this.#follow(changes, closed);
        return answer;
      }
    }
    throw new NotSaved(SILENT);
  }

  /** Only what differs; and with it the strays, which must lie in exactly one place. */
  #changesIn(sheets: Partial<Sheets>): Changes {
    const changes: Changes = new Map();
    for (const [name, { changes: rows }] of Object.entries(sheets) as [Name, Sheet<unknown>][]) if (rows.size > 0) changes.set(name, new Map(rows));
    if (changes.size > 0 && this.#strays.size > 0) {
      const edits = changes.get('edits') ?? new Map<string, unknown>();
      for (const id of this.#strays) if (!edits.has(id)) edits.set(id, this.#kept.edits.rows.get(id)!);
      changes.set('edits', edits);
    }
    return changes;
  }

  /** Everything is closed and sealed before the transaction opens: it would not wait for that. */
  async #closed(changes: Changes): Promise<ClosedChanges> {
    const keys = await this.#keys();
    const epoch = this.#epoch + 1;
    const page: PageRow[] = [];
    const closed: ClosedChanges = { from: this.#epoch, epoch, page: null, outbox: new Map(), drafts: new Map(), settings: new Map() };
    const phone = this.#settled(changes, 'phone') ?? '';
    const sealing = await this.#sealing(changes, keys);
    const jobs: Promise<void>[] = [];
    for (const [name, rows] of changes) {
      for (const [id, row] of rows) {
        if (name === 'settings') closed.settings.set(id, row);
        else if (name === 'drafts') jobs.push(this.#closeDraft(closed, id, row as Draft | null, phone, keys, sealing));
        else if (name === 'edits') jobs.push(this.#closeEdit(closed, page, id, row as KeptEdit | null, keys, sealing));
        else page.push([name, id, row]);
      }
    }
    await Promise.all(jobs).catch((why) => {
      throw new NotSaved(SILENT, { cause: why });
    });
    if (page.length > 0) closed.page = await this.#pageOf(this.#page + 1, epoch, page, keys);
    return closed;
  }

  async #closeDraft(closed: ClosedChanges, id: string, draft: Draft | null, phone: string, keys: Keys, sealing: Sealing): Promise<void> {
    if (!draft) return void closed.drafts.set(id, null);
    const [copy, sealed] = await Promise.all([
      close(keys.data, asJson(draft), this.#about('drafts', id)),
      seal(draft, { what: 'draft', id, phone, number: 0, made_at: draft.changed_at }, sealing),
    ]);
    closed.drafts.set(id, { id, changed_at: draft.changed_at, phone, vault: keys.id, copy, ...(sealed && { sealed }), changed: closed.epoch });
  }

  /** What is unsent lies in the outbox, what has its receipt in the pages, and neither in both. */
  async #closeEdit(closed: ClosedChanges, page: PageRow[], id: string, kept: KeptEdit | null, keys: Keys, sealing: Sealing): Promise<void> {
    const before = this.#kept.edits.rows.get(id);
    const wasInPages = before !== undefined && !this.#inOutbox.has(id);
    if (!kept?.unsent) {
      if (this.#inOutbox.has(id)) closed.outbox.set(id, null);
      if (kept || wasInPages) page.push(['edits', id, kept]);
      return;
    }
    if (wasInPages) page.push(['edits', id, null]);
    const { edit, order, unsent, not_before, offered } = kept;
    const { phone, number, made_at } = edit;
    const clear: Clear = { id, order, phone, number, made_at, unsent, not_before, offered, vault: keys.id, changed: closed.epoch };
    const isSealed = !wasInPages && before?.edit === edit && !this.#unsealed.has(id);
    const isCopied = isSealed && sameBut(before!, kept);
    const [copy, sealed] = await Promise.all([
      isCopied ? undefined : close(keys.data, asJson(kept), this.#about('outbox', id)),
      isSealed ? undefined : seal(edit, { what: 'edit', id, phone, number, made_at }, sealing),
    ]);
    closed.outbox.set(id, { clear, copy, sealed, resealed: !isSealed });
  }

  async #pageOf(n: number, epoch: number, rows: PageRow[], keys: Keys): Promise<Page> {
    try {
      return { n, epoch, vault: keys.id, rows: rows.length, closed: await close(keys.data, asJson(rows), this.#about('pages', `${n}|${epoch}`)) };
    } catch (why) {
      throw new NotSaved(SILENT, { cause: why });
    }
  }

  #about = (store: string, place: string): string => `${this.whose.school}|${this.whose.staff}|${store}|${place}`;

  /** False when somebody else has written since: then `work` saw what is no longer so. */
  async #put(tx: DiskWriting, { from, epoch, page, outbox, drafts, settings }: ClosedChanges): Promise<boolean> {
    if (((await noted(tx, 'epoch')) ?? 0) !== from) return false;
    const steps = [() => note(tx, 'epoch', epoch)] as (() => Promise<unknown>)[];
    if (page) steps.push(() => tx.objectStore('pages').add(page));
    for (const [id, change] of outbox) steps.push(() => (change ? putOutbox(tx, change) : tx.objectStore('outbox').delete(id)));
    for (const [id, row] of drafts) steps.push(() => (row ? tx.objectStore('drafts').put(row) : tx.objectStore('drafts').delete(id)));
    for (const [name, value] of settings) steps.push(() => note(tx, name as keyof OnDisk, (value ?? undefined) as never));
    await atOnce(steps);
    return true;
  }

  #follow(changes: Changes, { epoch, page, outbox, drafts }: ClosedChanges): void {
    for (const [name, rows] of changes) this.#kept[name].apply(rows as never);
    for (const [id, change] of outbox) {
      if (change) this.#inOutbox.add(id);
      else this.#inOutbox.delete(id), this.#strays.delete(id);
      this.#noteSeal(id, change === null || !change.resealed || change.sealed !== undefined);
    }
    for (const [id, row] of drafts) this.#noteSeal(id, row === null || row.sealed !== undefined);
    this.#epoch = epoch;
    if (page) (this.#page = page.n), (this.#pageRows += page.rows);
  }

  #noteSeal = (id: string, isSealed: boolean): unknown => (isSealed ? this.#unsealed.delete(id) : this.#unsealed.add(id));

  #settled<Which extends keyof OnDisk>(changes: Changes, name: Which): OnDisk[Which] | undefined {
    const changed = changes.get('settings');
    return (changed?.has(name) ? changed.get(name) : this.#kept.settings.rows.get(name)) as OnDisk[Which] | undefined;
  }

  async #sealing(changes: Changes, { sign }: Keys): Promise<Sealing> {
    const [first] = this.#settled(changes, 'intake') ?? [];
    return { ...this.whose, sign, intake: first && { kid: first.kid, public: toBytes(first.public) } };
  }

  async #keys(): Promise<Keys> {
    return await this.keys;
  }

  // ── Catching up with what other tabs and the worker have written ────────────────────────────────

  async #catchUp(): Promise<void> {
    const news = await this.disk.reading(['settings', 'keys', 'outbox', 'drafts', 'pages'], async (tx, heard) => {
      const epoch = (await noted(tx, 'epoch')) ?? 0;
      if (epoch === this.#epoch) return null;
      const history = (await noted(tx, 'history')) ?? 0;
      const afresh = history !== this.#history;
      const [outbox, drafts] = [tx.objectStore('outbox'), tx.objectStore('drafts')];
      const since = <Key extends IDBValidKey>(last: Key) => (afresh ? null : IDBKeyRange.lowerBound(last, true));
      return {
        epoch,
        history,
        afresh,
        vault: (await vaultIn(tx))?.id,
        pages: await pagesAfter(tx, afresh ? 0 : this.#page, heard),
        outbox: await outbox.index('changed').getAll(since(this.#epoch)),
        drafts: await drafts.index('changed').getAll(since(this.#epoch)),
        outboxIds: new Set(await outbox.getAllKeys()),
        draftIds: new Set(await drafts.getAllKeys()),
        settings: new Map<string, unknown>(zip(await tx.objectStore('settings').getAllKeys(), await tx.objectStore('settings').getAll())),
      };
    });
    if (!news) return;
    const keys = await this.#keys();
    if (news.vault !== keys.id) throw new StorageTrouble(UNREADABLE);
    const [ours, typed] = [news.outbox.filter(isUnder(keys)), news.drafts.filter(isUnder(keys))];
    const [pages, edits, drafts] = await Promise.all([
      readable(news.pages, (page) => this.#opened(page, keys)),
      readable(ours, (row) => this.#openedEdit(row, keys)),
      readable(typed, ({ id, copy }) => unclose(keys.data, copy, this.#about('drafts', id)).then((bytes) => fromJson(bytes) as Draft)),
    ]);
    const torn: Torn = { pages: pages.torn, rows: [...edits.torn, ...drafts.torn].filter(({ sealed }) => sealed !== undefined) };
    if (torn.pages.length + torn.rows.length > 0) {
      await this.#doWithout(torn);
      return await this.#catchUp();
    }
    if (news.afresh) this.#forgetMemory();
    this.#dropGone(news.outboxIds, news.draftIds);
    for (const [, page] of pages.read) this.#lay(page);
    this.#kept.edits.apply(new Map(edits.read.map(([, kept]) => [kept.edit.id, kept])));
    this.#kept.drafts.apply(new Map(drafts.read.map(([, draft]) => [draft.id, draft])));
    for (const [row] of [...edits.read, ...drafts.read]) this.#noteSeal(row.id, row.sealed !== undefined);
    for (const [{ id, unsent }] of edits.read) this.#inOutbox.add(id), unsent === undefined && this.#strays.add(id);
    this.#kept.settings.clear();
    this.#kept.settings.apply(news.settings);
    this.#page = news.pages.at(-1)?.n ?? this.#page;
    this.#pageRows += news.pages.reduce((rows, page) => rows + page.rows, 0);
    [this.#epoch, this.#history] = [news.epoch, news.history];
  }

  /** What the key does not open keeps nobody out. A page is fetched again; what was written goes to the school as it lies there, sealed. */
  #doWithout({ pages, rows }: Torn): Promise<void> {
    return this.disk.writing(
      ['settings', 'outbox', 'drafts', 'pages'],
      async (tx) => {
        const changed = await newEpoch(tx);
        await note(tx, 'history', ((await noted(tx, 'history')) ?? 0) + 1);
        if (pages.length > 0) await note(tx, 'unreadable', true);
        for (const { n, epoch } of pages) if ((await tx.objectStore('pages').get(n))?.epoch === epoch) await tx.objectStore('pages').delete(n);
        for (const { id, copy } of rows) {
          const [edit, draft] = [await tx.objectStore('outbox').get(id), await tx.objectStore('drafts').get(id)];
          if (edit && isSame(edit.copy, copy)) await (edit.unsent === undefined ? tx.objectStore('outbox').delete(id) : tx.objectStore('outbox').put({ ...edit, vault: NOBODYS, changed }));
          if (draft && isSame(draft.copy, copy)) await tx.objectStore('drafts').put({ ...draft, vault: NOBODYS, changed });
        }
      },
      () => [],
    );
  }

  async #opened({ n, epoch, closed }: Page, { data }: Keys): Promise<PageRow[]> {
    return fromJson(await unclose(data, closed, this.#about('pages', `${n}|${epoch}`))) as PageRow[];
  }

  /** What stands in the clear is newer than the copy. What the intake has kept is as good as receipted, and comes with the next answer. */
  async #openedEdit({ id, copy, unsent, not_before, offered, kept_at }: OutboxRow, { data }: Keys): Promise<KeptEdit> {
    const { unsent: _u, not_before: _n, offered: _o, ...kept } = fromJson(await unclose(data, copy, this.#about('outbox', id))) as KeptEdit;
    const now: KeptEdit = { ...kept, ...(unsent && { unsent }), ...(not_before && { not_before }), ...(offered && { offered }) };
    return unsent === undefined ? { ...now, receipted_at: kept_at ?? Date.now(), ...(now.over && { landing: now.order }) } : now;
  }

  #dropGone(outbox: Set<string>, drafts: Set<string>): void {
    const gone = [...this.#inOutbox].filter((id) => !outbox.has(id));
    this.#kept.edits.apply(new Map(gone.map((id) => [id, null])));
    for (const id of gone) this.#inOutbox.delete(id), this.#strays.delete(id), this.#unsealed.delete(id);
    const thrown = [...this.#kept.drafts.rows.keys()].filter((id) => !drafts.has(id));
    this.#kept.drafts.apply(new Map(thrown.map((id) => [id, null])));
  }

  #lay(page: PageRow[]): void {
    const shelves = new Map<string, Map<string, unknown>>();
    for (const [name, id, row] of page) {
      if (!shelves.has(name)) shelves.set(name, new Map());
      shelves.get(name)!.set(id, row);
    }
    for (const [name, rows] of shelves) this.#kept[name as Name]?.apply(rows as never); // a shelf that this build does not know is left where it is
  }

  #forgetMemory(): void {
    for (const rows of Object.values(this.#kept)) rows.clear();
    this.#inOutbox.clear();
    this.#strays.clear();
    this.#unsealed.clear();
    this.#page = 0;
    this.#pageRows = 0;
  }

  // ── Tidying ──────────────────────────────────────────────────────────────────────────────

  /** Writes all that lives into new pages, and nothing else stays: what was forgotten is then gone from the disk too. */
  tidy(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#catchUp();
      const keys = await this.#keys();
      const [from, epoch, history] = [this.#epoch, this.#epoch + 1, this.#history + 1];
      const rows = this.#livingRows();
      const pages = await Promise.all(inPieces(rows, ROWS_TO_A_PAGE).map((piece, at) => this.#pageOf(this.#page + 1 + at, epoch, piece, keys)));
      const done = await this.disk.writing(
        ['settings', 'pages'],
        async (tx) => {
          if (((await noted(tx, 'epoch')) ?? 0) !== from) return false;
          await tx.objectStore('pages').clear();
          await atOnce([...pages.map((page) => () => tx.objectStore('pages').add(page)), () => note(tx, 'epoch', epoch), () => note(tx, 'history', history)]);
          return true;
        },
        () => [],
      );
      if (!done) return; // another tab was quicker: there will be another time
      [this.#epoch, this.#history] = [epoch, history];
      this.#page += pages.length;
      this.#pageRows = rows.length;
    });
  }

  #livingRows(): PageRow[] {
    return NAMES.filter((name) => !APART.has(name)).flatMap((name) =>
      [...this.#kept[name].rows].filter(([id]) => name !== 'edits' || !this.#inOutbox.has(id)).map(([id, row]): PageRow => [name, id, row]),
    );
  }
}

/** What could not be read, of what was asked for. */
type Torn = { pages: Page[]; rows: (OutboxRow | DraftRow)[] };

const isUnder = ({ id }: Keys) => ({ vault }: { vault: string }): boolean => vault === id;

const isSame = (one: Closed, other: Closed): boolean => toText(one.iv) === toText(other.iv) && toText(one.bytes) === toText(other.bytes);

/** Each is tried twice: a phone that is short of memory for a moment has lost nothing. */
async function readable<Row, Read>(rows: Row[], open: (row: Row) => Promise<Read>): Promise<{ read: [Row, Read][]; torn: Row[] }> {
  const opened = await Promise.all(rows.map((row) => open(row).catch(() => open(row)).then((read): [Row, Read] => [row, read], () => null)));
  return { read: opened.filter((one) => one !== null), torn: rows.filter((_, at) => opened[at] === null) };
}

async function pagesAfter(tx: DiskReading, last: number, heard: () => void): Promise<Page[]> {
  const pages: Page[] = [];
  for (;;) {
    const more = await tx.objectStore('pages').getAll(IDBKeyRange.lowerBound(pages.at(-1)?.n ?? last, true), PAGES_AT_ONCE);
    heard();
    pages.push(...more);
    if (more.length < PAGES_AT_ONCE) return pages;
  }
}

type Changes = Map<Name, Map<string, unknown>>;
type Clear = Omit<OutboxRow, 'copy' | 'sealed' | 'not_before' | 'offered'> & { not_before: number | undefined; offered: true | undefined };
type OutboxChange = { clear: Clear; copy: OutboxRow['copy'] | undefined; sealed: OutboxRow['sealed'] | undefined; resealed: boolean };
type ClosedChanges = {
  from: number;
  epoch: number;
  page: Page | null;
  outbox: Map<string, OutboxChange | null>;
  drafts: Map<string, DraftRow | null>;
  settings: Map<string, unknown>;
};

/** A new edit is added, never put over another; of one that was there before, only what changed is written. */
async function putOutbox(tx: DiskWriting, { clear, copy, sealed, resealed }: OutboxChange): Promise<void> {
  const { not_before, offered, ...always } = clear;
  const now = { ...always, ...(not_before && { not_before }), ...(offered && { offered }) };
  const before = await tx.objectStore('outbox').get(clear.id);
  const kept = copy ?? before?.copy;
  if (!kept) throw new DOMException('The edit is not here any more', 'ConstraintError');
  const seal = resealed ? sealed : before?.sealed;
  const row: OutboxRow = { ...now, copy: kept, ...(seal && { sealed: seal }) };
  if (before) await tx.objectStore('outbox').put(row);
  else await tx.objectStore('outbox').add(row);
}

/** Whether two say the same, but for what stands in the clear beside the copy. */
function sameBut({ unsent: _u, not_before: _n, offered: _o, ...one }: KeptEdit, { unsent: _v, not_before: _m, offered: _p, ...other }: KeptEdit): boolean {
  return one.over === other.over && one.landing === other.landing && one.outcome === other.outcome && one.receipted_at === other.receipted_at && one.order === other.order;
}

/** Without waiting for one before the next. One that cannot even begin must not leave the others unheard. */
const atOnce = (steps: (() => Promise<unknown>)[]): Promise<unknown> => Promise.all(steps.map(async (step) => await step()));

function again(sheet: Sheet<Draft>, id: string): void {
  const row = sheet.get(id);
  if (row) sheet.put({ ...row });
}

function inPieces<T>(all: T[], size: number): T[][] {
  const pieces: T[][] = [];
  for (let at = 0; at < all.length; at += size) pieces.push(all.slice(at, at + size));
  return pieces;
}

const zip = (keys: readonly string[], values: readonly unknown[]): [string, unknown][] => keys.map((key, at) => [key, values[at]]);
