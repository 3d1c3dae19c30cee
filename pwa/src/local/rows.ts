// Rows in memory, found by their key or by an index, and a sheet laid over them on which one transaction writes.

export type Key = string | number | Key[];
/** What may be asked of an index: one key, a range of them, or all. */
export type Wanted = Key | IDBKeyRange | null | undefined;

/** How rows of one shelf are filed. An index names none, one or several keys for a row. */
export type Filing<Row> = { key?: (row: Row) => Key; indexes: Record<string, (row: Row) => Key[]> };

type Entry = { by: Key; id: string };

/** More rows changed at once than this, and an index is sorted afresh instead of mended. */
const MENDED_AT_MOST = 50;

/** Keys that are lists are told apart from strings, and never mistaken for them. */
export const idOf = (key: Key): string => (typeof key === 'string' ? key : JSON.stringify(key));

/** What is kept. Rows are never changed, only replaced. */
export class Rows<Row> {
  readonly rows = new Map<string, Row>();
  #lines = new Map<string, Entry[]>();

  constructor(readonly filing: Filing<Row>) {}

  line(index: string): Entry[] {
    const keysOf = this.filing.indexes[index];
    if (!keysOf) throw new TypeError(`Nothing is filed by ${index}`);
    let line = this.#lines.get(index);
    if (!line) {
      line = [];
      for (const [id, row] of this.rows) for (const by of keysOf(row)) line.push({ by, id });
      line.sort(inOrder);
      this.#lines.set(index, line);
    }
    return line;
  }

  apply(changes: ReadonlyMap<string, Row | null>): void {
    if (changes.size > MENDED_AT_MOST) this.#lines.clear();
    for (const [id, row] of changes) {
      this.#refile(id, this.rows.get(id), row);
      if (row === null) this.rows.delete(id);
      else this.rows.set(id, row);
    }
  }

  clear(): void {
    this.rows.clear();
    this.#lines.clear();
  }

  #refile(id: string, before: Row | undefined, after: Row | null): void {
    for (const [index, line] of this.#lines) {
      const keysOf = this.filing.indexes[index]!;
      if (before !== undefined) for (const by of keysOf(before)) line.splice(placeIn(line, { by, id }), 1);
      if (after !== null) for (const by of keysOf(after)) line.splice(placeIn(line, { by, id }), 0, { by, id });
    }
  }
}

/** One transaction's own view of a shelf: what it wrote lies over what is kept, and is seen by nobody else. */
export class Sheet<Row> {
  readonly changes = new Map<string, Row | null>();

  constructor(
    readonly base: Rows<Row>,
    private readonly mayWrite: boolean,
  ) {}

  get(key: Key): Row | undefined {
    const id = idOf(key);
    return this.changes.has(id) ? (this.changes.get(id) ?? undefined) : this.base.rows.get(id);
  }

  /** In the order of their keys. */
  getAll(): Row[] {
    return this.#ids().map((id) => this.get(id)!);
  }

  getAllKeys(): string[] {
    return this.#ids();
  }

  count(): number {
    let count = this.base.rows.size;
    for (const [id, row] of this.changes) count += (row ? 1 : 0) - (this.base.rows.has(id) ? 1 : 0);
    return count;
  }

  put(row: Row, key?: Key): void {
    this.#write(idOf(key ?? this.base.filing.key!(row)), row);
  }

  add(row: Row, key?: Key): void {
    if (this.get(key ?? this.base.filing.key!(row)) !== undefined) throw new DOMException('There is one already', 'ConstraintError');
    this.put(row, key);
  }

  delete(key: Key): void {
    const id = idOf(key);
    if (this.base.rows.has(id)) this.#write(id, null);
    else this.changes.delete(id);
  }

  clear(): void {
    this.changes.clear();
    for (const id of this.base.rows.keys()) this.#write(id, null);
  }

  index(name: string): Look<Row> {
    return new Look(this, name);
  }

  #write(id: string, row: Row | null): void {
    if (!this.mayWrite) throw new DOMException('This transaction only reads', 'ReadOnlyError');
    this.changes.set(id, row);
  }

  #ids(): string[] {
    const ids = [...this.base.rows.keys()].filter((id) => this.changes.get(id) !== null);
    for (const [id, row] of this.changes) if (row !== null && !this.base.rows.has(id)) ids.push(id);
    return ids.sort();
  }
}

/** Looking along one index of a sheet, in its order. */
export class Look<Row> {
  constructor(
    private readonly sheet: Sheet<Row>,
    private readonly name: string,
  ) {}

  get(wanted: Wanted): Row | undefined {
    return this.getAll(wanted, 1)[0];
  }

  getAll(wanted?: Wanted, limit = Infinity): Row[] {
    return this.#found(wanted, limit).map(({ id }) => this.sheet.get(id)!);
  }

  getAllKeys(wanted?: Wanted): string[] {
    return this.#found(wanted).map(({ id }) => id);
  }

  count(wanted?: Wanted): number {
    return this.#found(wanted).length;
  }

  #found(wanted: Wanted, limit = Infinity): Entry[] {
    const { base, changes } = this.sheet;
    const [from, to] = rangeOf(wanted);
    const line = base.line(this.name);
    const kept: Entry[] = [];
    for (let at = firstAt(line, from); at < line.length && kept.length < limit + changes.size && to(line[at]!.by); at++) {
      if (!changes.has(line[at]!.id)) kept.push(line[at]!);
    }
    const written = this.#written((by) => from(by) && to(by));
    if (written.length > 0) kept.push(...written), kept.sort(inOrder);
    return kept.length > limit ? kept.slice(0, limit) : kept;
  }

  #written(isWanted: (by: Key) => boolean): Entry[] {
    const keysOf = this.sheet.base.filing.indexes[this.name]!;
    const found: Entry[] = [];
    for (const [id, row] of this.sheet.changes) if (row !== null) for (const by of keysOf(row)) if (isWanted(by)) found.push({ by, id });
    return found;
  }
}

// ── The order of keys, which is IndexedDB’s: numbers, then strings, then lists ─────────────────────────

export function compare(one: Key, other: Key): number {
  const rank = rankOf(one) - rankOf(other);
  if (rank !== 0) return rank;
  if (!Array.isArray(one) || !Array.isArray(other)) return one < other ? -1 : one > other ? 1 : 0;
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    const order = compare(one[at]!, other[at]!);
    if (order !== 0) return order;
  }
  return one.length - other.length;
}

const rankOf = (key: Key): number => (typeof key === 'number' ? 0 : typeof key === 'string' ? 1 : 2);

const inOrder = (one: Entry, other: Entry): number => compare(one.by, other.by) || compare(one.id, other.id);

/** Whether a key is past the beginning of what is wanted, and whether it is not past its end. */
function rangeOf(wanted: Wanted): [(by: Key) => boolean, (by: Key) => boolean] {
  if (wanted === null || wanted === undefined) return [() => true, () => true];
  if (!isRange(wanted)) return [(by) => compare(by, wanted) >= 0, (by) => compare(by, wanted) <= 0];
  const { lower, upper, lowerOpen, upperOpen } = wanted;
  return [
    (by) => lower === undefined || (lowerOpen ? compare(by, lower) > 0 : compare(by, lower) >= 0),
    (by) => upper === undefined || (upperOpen ? compare(by, upper) < 0 : compare(by, upper) <= 0),
  ];
}

const isRange = (wanted: Key | IDBKeyRange): wanted is IDBKeyRange => typeof wanted === 'object' && !Array.isArray(wanted);

const firstAt = (line: Entry[], isPast: (by: Key) => boolean): number => halved(line, (entry) => isPast(entry.by));
const placeIn = (line: Entry[], wanted: Entry): number => halved(line, (entry) => inOrder(entry, wanted) >= 0);

/** The first place at which `holds`, which holds for all after it. */
function halved(line: Entry[], holds: (entry: Entry) => boolean): number {
  let [from, to] = [0, line.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(line[middle]!)) to = middle;
    else from = middle + 1;
  }
  return from;
}
