// A pretend school for the phone's tests: small, and faithful to the exchange as PROTOCOL.md tells it. It can go back to a backup.

import type { Answer, Because, Edit, HeldEdit, Json, Kind, Letter, Receipt, SchoolAnswer, WireRecord } from '../../pwa/src/wire';

export const KINDS: Kind[] = [
  {
    name: 'incident',
    label: 'Incident',
    plural: 'Incidents',
    moment: 'happened_at',
    title: ['category'],
    fields: [
      { name: 'happened_at', question: 'When?', shape: { control: 'moment' }, merge: 'latest', needed: false },
      { name: 'category', question: 'What happened?', shape: { control: 'choice', list: 'categories' }, merge: 'latest', needed: true },
      { name: 'pupils', question: 'Who?', shape: { control: 'pupils' }, merge: 'gather', needed: false },
      { name: 'account', question: 'Your account', shape: { control: 'note' }, merge: 'own', needed: false },
      { name: 'injury', question: 'Injury?', shape: { control: 'choice', options: ['none', 'minor', 'serious'].map((code) => ({ code, label: code })) }, merge: 'gravest', needed: false },
      { name: 'state', question: 'Where does it stand?', shape: { control: 'choice', options: [{ code: 'open', label: 'Open' }, { code: 'closed', label: 'Closed' }, { code: 'void', label: 'Void' }] }, merge: 'latest', needed: false },
    ],
  },
];

export const SCHOOL_ANSWER: SchoolAnswer = {
  school: { id: 'northgate', name: 'Northgate' },
  me: { id: 'amira', name: 'Amira Khan', role: 'teacher', may: [] },
  lists: {},
  kinds: KINDS,
};

const A_PAGE = 3;

type Stored = { edit: Edit; author: string; outcome: 'taken' | 'held'; because?: Because; seq: number };

export class School {
  seq = 0;
  marks: string[] = ['0'];
  edits = new Map<string, Stored>();
  received = new Map<string, Set<number>>();
  owners = new Map<string, { phone: string; number: number; edit: string }[]>();
  forks = new Map<string, string>();
  lost = new Map<string, Set<number>>();
  changed = new Map<string, number>(); // record → the number that last moved it
  gone = new Map<string, number>();
  rights = 1;
  /** Values that the school's rules do not like are held. */
  holds = (edit: Edit): Because | null => ('category' in edit.values && edit.values.category === 'refuse me' ? { category: 'not in the list' } : null);

  // ── The exchange ──

  exchange(letter: Letter, me: string, sendingOnly = false): Answer {
    const rebuild = sendingOnly || letter.cursor === null ? null : this.badCursor(letter.cursor, me);
    let forked: string | null = null;
    const receipts = letter.edits.map((edit) => {
      if (edit.phone === letter.phone && this.collides(edit)) forked = this.forkOf(edit);
      return this.takeIn(edit, me);
    });
    for (const number of letter.lost) this.numbers(this.lost, letter.phone).add(number);
    const page = rebuild || sendingOnly ? NOTHING : this.since(letter.cursor, me);
    return { receipts, ...page, cursor: rebuild || sendingOnly ? null : page.cursor, wanted: this.wanted(letter), forked, rebuild, now: new Date().toISOString() };
  }

  private takeIn(edit: Edit, author: string): Receipt {
    this.numbers(this.received, edit.phone).add(edit.number);
    const known = this.edits.get(edit.id);
    if (known) return receiptOf(known);
    const holders = this.owners.get(edit.phone) ?? [];
    this.owners.set(edit.phone, [...holders, { phone: edit.phone, number: edit.number, edit: edit.id }]);
    const because = this.holds(edit);
    const stored: Stored = { edit, author, outcome: because ? 'held' : 'taken', ...(because && { because }), seq: this.draw() };
    this.edits.set(edit.id, stored);
    if (!because && !this.gone.has(edit.record)) this.changed.set(edit.record, stored.seq);
    return receiptOf(stored);
  }

  private collides = (edit: Edit): boolean => (this.owners.get(edit.phone) ?? []).some((one) => one.number === edit.number && one.edit !== edit.id);

  private forkOf(edit: Edit): string {
    const fork = this.forks.get(edit.id) ?? `${edit.phone}+${this.forks.size + 1}`;
    this.forks.set(edit.id, fork);
    return fork;
  }

  private wanted({ phone, receipted }: Letter): number[] {
    const received = this.numbers(this.received, phone);
    const lost = this.numbers(this.lost, phone);
    const highest = Math.max(receipted, ...received, 0);
    return Array.from({ length: highest }, (_, at) => at + 1).filter((number) => !received.has(number) && !lost.has(number)).slice(0, 100);
  }

  private numbers(of: Map<string, Set<number>>, phone: string): Set<number> {
    if (!of.has(phone)) of.set(phone, new Set());
    return of.get(phone)!;
  }

  private draw(): number {
    this.marks.push(Math.random().toString(36).slice(2));
    return ++this.seq;
  }

  private badCursor(cursor: string, me: string): Answer['rebuild'] {
    const [seq, mark, whose, rights] = cursor.split('|');
    if (whose !== me) return 'unknown';
    if (this.marks[Number(seq)] !== mark) return 'restored';
    return Number(rights) === this.rights ? null : 'rights';
  }

  private since(cursor: string | null, me: string) {
    const from = cursor === null ? 0 : Number(cursor.split('|')[0]);
    const moved = [
      ...[...this.changed].map(([id, seq]) => ({ seq, record: id })),
      ...[...this.gone].map(([id, seq]) => ({ seq, gone: id })),
      ...[...this.edits.values()].filter(({ author, outcome }) => author === me && outcome === 'held').map(({ edit, seq }) => ({ seq, held: edit.id })),
    ].filter(({ seq }) => seq > from).sort((one, other) => one.seq - other.seq);
    const page = moved.slice(0, A_PAGE);
    const more = moved.length > page.length;
    const to = more ? page.at(-1)!.seq : this.seq;
    return {
      records: page.flatMap((one) => ('record' in one ? [this.record(one.record)!] : [])),
      held: page.flatMap((one) => ('held' in one ? [this.heldOf(one.held)] : [])),
      gone: page.flatMap((one) => ('gone' in one ? [one.gone] : [])),
      cursor: `${to}|${this.marks[to]}|${me}|${this.rights}`,
      more,
    };
  }

  private heldOf(id: string): HeldEdit {
    const { edit, because } = this.edits.get(id)!;
    return { edit: id, record: edit.record, kind: edit.kind, made_at: edit.made_at, values: edit.values, because: because!, settled: null };
  }

  // ── What a record's edits add up to, in the order in which they were taken in ──

  record(id: string): WireRecord | undefined {
    const taken = inLine([...this.edits.values()].filter(({ edit, outcome }) => edit.record === id && outcome === 'taken'));
    const first = taken[0];
    if (!first || this.gone.has(id)) return undefined;
    const body: Record<string, Json> = {};
    for (const stored of taken) fold(body, stored, taken);
    const version = String(this.changed.get(id));
    return {
      id,
      kind: first.edit.kind,
      version,
      state: typeof body.state === 'string' ? body.state : 'open',
      author: first.author,
      made_at: first.edit.made_at,
      received_at: first.edit.made_at,
      edits: taken.length,
      gaps: body.category ? [] : ['category'],
      body,
      disputes: {},
    };
  }

  /** Somebody at the school writes in a record, having seen it. */
  write(record: string, author: string, values: Edit['values']): void {
    const number = this.edits.size + 1;
    this.takeIn({ id: `${author}-${number}-${Math.random()}`, phone: `${author}'s desk`, number, record, kind: 'incident', made_at: new Date().toISOString(), seen: null, values }, author);
  }

  hide(record: string): void {
    if (this.changed.delete(record)) this.gone.set(record, this.draw());
  }

  // ── Going back to a backup ──

  backup(): () => void {
    const { seq, marks, edits, received, owners, lost, changed, gone } = this;
    const copy = structuredClone({ seq, marks, edits, received, owners, lost, changed, gone });
    return () => void Object.assign(this, structuredClone(copy));
  }
}

const NOTHING = { records: [], held: [], gone: [], more: false, cursor: null };

/** In the order of arrival, but what one phone wrote in the order of its numbers; a phone that forked goes on after itself. */
function inLine(stored: Stored[]): Stored[] {
  const line: Stored[] = [];
  for (const one of stored.sort((one, other) => one.seq - other.seq)) {
    const later = line.findIndex((other) => familyOf(other) === familyOf(one) && placeOf(other) > placeOf(one));
    line.splice(later < 0 ? line.length : later, 0, one);
  }
  return line;
}

const familyOf = ({ edit }: Stored): string => edit.phone.split('+')[0]!;
const placeOf = ({ edit }: Stored): number => Number(edit.phone.split('+').at(-1)!.replace(/\D/g, '') || 0) * (edit.phone.includes('+') ? 1e6 : 0) + edit.number;

const receiptOf = ({ edit, outcome, because }: Stored): Receipt => ({ id: edit.id, outcome, ...(because && { because }) });

function fold(body: Record<string, Json>, { edit, author }: Stored, taken: Stored[]): void {
  for (const [name, value] of Object.entries(edit.values)) {
    const field = KINDS[0]!.fields.find((one) => one.name === name) ?? { merge: 'latest' }; // of another kind
    if (field.merge === 'latest') body[name] = value;
    if (field.merge === 'gravest') body[name] = value; // everybody here has seen what they change
    if (field.merge === 'own') {
      const versions = taken.filter((one) => one.author === author && name in one.edit.values).length;
      body[name] = { ...(body[name] as object), [author]: { value, at: edit.made_at, versions } };
    }
    if (field.merge === 'gather') {
      const { put = {}, drop = [] } = value as { put?: Record<string, Json>; drop?: string[] };
      const entries = { ...(body[name] as Record<string, Json>) };
      for (const key of drop) delete entries[key];
      body[name] = { ...entries, ...put };
    }
  }
}
