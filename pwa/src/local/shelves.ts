// What one person holds while their phone is unlocked: every row in memory, and nothing on the disk that can be read without the
// key. A change is closed and sealed first, then written in one strict transaction; only then does the memory follow.

import type { Blob, Edit } from '../wire';
import { toBytes, toText, type Closed } from './bytes';
import { atOnce, closeAll, closePage, openDraft, openEdit, openPage, put, type Changes, type ClosedChanges, type Closing } from './closing';
import { diskOf, newEpoch, NOBODYS, note, noted, onlyByPin, vaultIn, type Disk, type DiskReading, type DraftRow, type OnDisk, type OutboxRow, type Page, type PageRow } from './disk';
import type { Draft } from './drafts';
import type { Listener } from './database';
import { Rows, Sheet } from './rows';
import { seal, type Outside, type Sealing } from './seal';
import { FILED, type Theirs } from './stores';
import { NotSaved, SILENT, StorageTrouble, UNREADABLE } from './trouble';
import type { Keys } from './vault';

/** Rows are written again, so many to a page, when the pages hold more than twice what lives. */
const ROWS_TO_A_PAGE = 100;
const SPARE_ROWS = 500;
/** So many pages are asked for at once: a slow phone answers in between, and is waited for. */
const PAGES_AT_ONCE = 20;
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

  /** What is forgotten leaves the disk, too: at once, or else when it is next opened. False from `work`: nothing was. */
  async forgetting(stores: Names, work: (tx: Tx) => Promise<boolean | void> | boolean | void): Promise<void> {
    const isLess = await this.writing([...stores, 'settings'], async (tx) => {
      const isLess = (await work(tx)) !== false;
      if (isLess) tx.objectStore('settings').put(true, 'untidy');
      return isLess;
    });
    if (isLess) await this.tidy();
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

  /** Once nothing that was begun is on its way to the disk any more, and all is sealed that can be. */
  async settled(): Promise<void> {
    await this.#line;
    await this.sealTheRest().catch(() => {});
  }

  /** Whether something is here that the school does not have: an edit, or what is not sealed, also if it cannot be opened just now. */
  hasUnsent = async (): Promise<boolean> => (await this.reading(['edits'], (tx) => tx.objectStore('edits').index('unsent').count())) + (await onlyByPin(this.disk)) > 0;

  /** How much can be read here, and is not sealed. */
  get unsealed(): number {
    return this.#unsealed.size;
  }

  /** Seals what could not be sealed when it was written: now the school's key may be here. */
  async sealTheRest(): Promise<void> {
    const canSeal = await this.reading(['settings'], (tx) => tx.objectStore('settings').get('intake') !== undefined);
    if (this.#unsealed.size === 0 || !canSeal) return;
    await this.writing(
      ['edits', 'drafts', 'settings'],
      (tx) => {
        for (const id of this.#unsealed) for (const name of ['edits', 'drafts'] as const) again(tx.objectStore(name) as Sheet<Draft>, id);
      },
      () => [],
    );
  }

  /** All that the school may not have, from memory, sealed where it can be: for a copy, also when the disk does not answer. `typed` is newer than any of it. */
  async waitingNow(typed: readonly Draft[]): Promise<{ sealed: Blob[]; edits: Edit[] }> {
    const keys = await this.#keys();
    const sealing = await this.#sealing(new Map(), keys);
    const phone = this.#settled(new Map(), 'phone') ?? '';
    const drafts = new Map([...this.#kept.drafts.rows.values(), ...typed].map((draft) => [draft.id, draft]));
    const edits = [...this.#kept.edits.rows.values()].flatMap(({ edit, unsent }) => (unsent === undefined ? [] : [edit]));
    const blobs = await Promise.all([
      ...edits.map((edit) => blobFor(edit, { what: 'edit', id: edit.id, phone: edit.phone, number: edit.number, made_at: edit.made_at }, sealing)),
      ...[...drafts.values()].map((draft) => blobFor(draft, { what: 'draft', id: draft.id, phone, number: 0, made_at: draft.changed_at }, sealing)),
    ]);
    return { sealed: blobs.filter((blob) => blob !== undefined), edits };
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
      await this.#catchUp().catch(notSaved);
      const tx = this.#sheets(stores, true);
      const answer = await work(tx);
      const changes = this.#changesIn(tx.sheets);
      if (changes.size === 0) return answer;
      const closed = await this.#closed(changes);
      if (await this.disk.writing(['settings', 'outbox', 'drafts', 'pages'], (disk) => put(disk, closed), () => [])) {
        this.#follow(changes, closed);
        return answer;
      }
    }
    throw new NotSaved(SILENT);
  }

  /** Only what differs. */
  #changesIn(sheets: Partial<Sheets>): Changes {
    const changes: Changes = new Map();
    for (const [name, { changes: rows }] of Object.entries(sheets) as [Name, Sheet<unknown>][]) if (rows.size > 0) changes.set(name, new Map(rows));
    return changes;
  }

  async #closed(changes: Changes): Promise<ClosedChanges> {
    const keys = await this.#keys();
    const by: Closing = { keys, whose: this.whose, epoch: this.#epoch + 1, sealing: await this.#sealing(changes, keys) };
    const before = (id: string) => ({ kept: this.#kept.edits.rows.get(id), isInOutbox: this.#inOutbox.has(id), isSealed: !this.#unsealed.has(id) });
    return await closeAll(by, changes, this.#settled(changes, 'phone') ?? '', this.#page + 1, before);
  }

  #follow(changes: Changes, { epoch, page, outbox, drafts }: ClosedChanges): void {
    for (const [name, rows] of changes) this.#kept[name].apply(rows as never);
    for (const [id, change] of outbox) {
      if (change) this.#inOutbox.add(id);
      else this.#inOutbox.delete(id);
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
    const by = { keys, whose: this.whose };
    const [ours, typed] = [news.outbox.filter(isUnder(keys)), news.drafts.filter(isUnder(keys))];
    const [pages, edits, drafts] = await Promise.all([
      readable(news.pages, (page) => openPage(by, page)),
      readable(ours, (row) => openEdit(by, row)),
      readable(typed, (row) => openDraft(by, row)),
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
    for (const [{ id }] of edits.read) this.#inOutbox.add(id);
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
          if (edit && isSame(edit.copy, copy)) await tx.objectStore('outbox').put({ ...edit, vault: NOBODYS, changed });
          if (draft && isSame(draft.copy, copy)) await tx.objectStore('drafts').put({ ...draft, vault: NOBODYS, changed });
        }
      },
      () => [],
    );
  }

  #dropGone(outbox: Set<string>, drafts: Set<string>): void {
    const gone = [...this.#inOutbox].filter((id) => !outbox.has(id));
    this.#kept.edits.apply(new Map(gone.map((id) => [id, null])));
    for (const id of gone) this.#inOutbox.delete(id), this.#unsealed.delete(id);
    const thrown = [...this.#kept.drafts.rows.keys()].filter((id) => !drafts.has(id));
    this.#kept.drafts.apply(new Map(thrown.map((id) => [id, null])));
    for (const id of thrown) this.#unsealed.delete(id);
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
      const by = { keys, whose: this.whose, epoch };
      const pages = await Promise.all(inPieces(rows, ROWS_TO_A_PAGE).map((piece, at) => closePage(by, this.#page + 1 + at, piece)));
      const done = await this.disk.writing(
        ['settings', 'pages'],
        async (tx) => {
          if (((await noted(tx, 'epoch')) ?? 0) !== from) return false;
          await tx.objectStore('pages').clear();
          await atOnce([...pages.map((page) => () => tx.objectStore('pages').add(page)), () => note(tx, 'epoch', epoch), () => note(tx, 'history', history), () => note(tx, 'untidy', undefined)]);
          return true;
        },
        () => [],
      );
      if (!done) return; // another tab was quicker: there will be another time
      [this.#epoch, this.#history] = [epoch, history];
      this.#kept.settings.apply(new Map([['untidy', null]]));
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

async function blobFor(inside: Edit | Draft, outside: Outside, sealing: Sealing): Promise<Blob | undefined> {
  const sealed = await seal(inside, outside, sealing);
  return sealed && { ...outside, kid: sealed.kid, sealed: toText(sealed.bytes), signature: toText(sealed.signature) };
}

/** Whoever writes is told that it is not saved, and not that something could not be read. */
function notSaved(why: unknown): never {
  throw why instanceof StorageTrouble ? new NotSaved(SILENT, { cause: why }) : why;
}

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
