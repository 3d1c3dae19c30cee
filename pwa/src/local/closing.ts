// Between memory and disk: closing what changed, before its transaction opens, for that would not wait; and opening it again.

import { asJson, close, fromJson, unclose } from './bytes';
import { note, noted, type DiskWriting, type DraftRow, type OnDisk, type OutboxRow, type Page, type PageRow } from './disk';
import type { Draft } from './drafts';
import { seal, type Sealing } from './seal';
import type { KeptEdit, Theirs } from './stores';
import { NotSaved, SILENT } from './trouble';
import type { Keys } from './vault';

/** What one transaction changes, by shelf and id; null for a row that is gone. */
export type Changes = Map<keyof Theirs, Map<string, unknown>>;

/** By which keys, and for whom. */
export type Closing = { keys: Keys; sealing: Sealing; whose: { school: string; staff: string }; epoch: number };

/** How an edit lay until now. */
export type Before = { kept: KeptEdit | undefined; isInOutbox: boolean; isSealed: boolean };

type Clear = Omit<OutboxRow, 'copy' | 'sealed' | 'repeated' | 'late'>;
type OutboxChange = { clear: Clear; copy: OutboxRow['copy'] | undefined; sealed: OutboxRow['sealed'] | undefined; resealed: boolean };

export type ClosedChanges = {
  from: number;
  epoch: number;
  page: Page | null;
  outbox: Map<string, OutboxChange | null>;
  drafts: Map<string, DraftRow | null>;
  settings: Map<string, unknown>;
};

/** What a key closes names its place: moved to another, it opens nothing. */
const about = ({ school, staff }: Closing['whose'], store: string, place: string): string => `${school}|${staff}|${store}|${place}`;

// ── Closing ────────────────────────────────────────────────────────────────────────────────

/** `n`: the page after the last. */
export async function closeAll(by: Closing, changes: Changes, phone: string, n: number, before: (id: string) => Before): Promise<ClosedChanges> {
  const page: PageRow[] = [];
  const closed: ClosedChanges = { from: by.epoch - 1, epoch: by.epoch, page: null, outbox: new Map(), drafts: new Map(), settings: new Map() };
  const jobs: Promise<void>[] = [];
  for (const [name, rows] of changes) {
    for (const [id, row] of rows) {
      if (name === 'settings') closed.settings.set(id, row);
      else if (name === 'drafts') jobs.push(closeDraft(by, closed, id, row as Draft | null, phone));
      else if (name === 'edits') jobs.push(closeEdit(by, closed, page, id, row as KeptEdit | null, before(id)));
      else page.push([name, id, row]);
    }
  }
  await Promise.all(jobs).catch(notSaved);
  if (page.length > 0) closed.page = await closePage(by, n, page);
  return closed;
}

async function closeDraft(by: Closing, closed: ClosedChanges, id: string, draft: Draft | null, phone: string): Promise<void> {
  if (!draft) return void closed.drafts.set(id, null);
  const { keys, sealing, whose, epoch } = by;
  const [copy, sealed] = await Promise.all([
    close(keys.data, asJson(draft), about(whose, 'drafts', id)),
    seal(draft, { what: 'draft', id, phone, number: 0, made_at: draft.changed_at }, sealing),
  ]);
  closed.drafts.set(id, { id, changed_at: draft.changed_at, phone, vault: keys.id, copy, ...(sealed && { sealed }), changed: epoch });
}

/** What is unsent, or to be sent again, lies in the outbox, what counts as sent in the pages, and neither in both. */
async function closeEdit(by: Closing, closed: ClosedChanges, page: PageRow[], id: string, kept: KeptEdit | null, before: Before): Promise<void> {
  const wasInPages = before.kept !== undefined && !before.isInOutbox;
  if (!kept?.unsent && !kept?.again) {
    if (before.isInOutbox) closed.outbox.set(id, null);
    if (kept || wasInPages) page.push(['edits', id, kept]);
    return;
  }
  if (wasInPages) page.push(['edits', id, null]);
  const { edit, order, unsent, not_before, offered, receipted_at } = kept;
  const { phone, number, made_at } = edit;
  const stands = unsent ? { unsent, ...(not_before && { not_before }) } : { kept_at: receipted_at ?? 0 };
  const clear: Clear = { id, order, phone, number, made_at, ...stands, ...(offered && { offered }), vault: by.keys.id, changed: by.epoch };
  const isSealed = !wasInPages && before.kept?.edit === edit && before.isSealed;
  const isCopied = isSealed && sameBut(before.kept!, kept);
  const [copy, sealed] = await Promise.all([
    isCopied ? undefined : close(by.keys.data, asJson(kept), about(by.whose, 'outbox', id)),
    isSealed ? undefined : seal(edit, { what: 'edit', id, phone, number, made_at }, by.sealing),
  ]);
  closed.outbox.set(id, { clear, copy, sealed, resealed: !isSealed });
}

export async function closePage({ keys, whose, epoch }: Omit<Closing, 'sealing'>, n: number, rows: PageRow[]): Promise<Page> {
  return { n, epoch, vault: keys.id, rows: rows.length, closed: await close(keys.data, asJson(rows), about(whose, 'pages', `${n}|${epoch}`)).catch(notSaved) };
}

function notSaved(why: unknown): never {
  throw new NotSaved(SILENT, { cause: why });
}

/** Whether two say the same, but for what stands in the clear beside the copy. */
const sameBut = (one: KeptEdit, other: KeptEdit): boolean =>
  one.over === other.over && one.landing === other.landing && one.outcome === other.outcome && one.receipted_at === other.receipted_at && one.order === other.order;

// ── Onto the disk ──────────────────────────────────────────────────────────────────────────

/** False when somebody else has written since: then whoever changed it saw what is no longer so. */
export async function put(tx: DiskWriting, { from, epoch, page, outbox, drafts, settings }: ClosedChanges): Promise<boolean> {
  if (((await noted(tx, 'epoch')) ?? 0) !== from) return false;
  const steps = [() => note(tx, 'epoch', epoch)] as (() => Promise<unknown>)[];
  if (page) steps.push(() => tx.objectStore('pages').add(page));
  for (const [id, change] of outbox) steps.push(() => (change ? putOutbox(tx, change) : tx.objectStore('outbox').delete(id)));
  for (const [id, row] of drafts) steps.push(() => (row ? tx.objectStore('drafts').put(row) : tx.objectStore('drafts').delete(id)));
  for (const [name, value] of settings) steps.push(() => note(tx, name as keyof OnDisk, (value ?? undefined) as never));
  await atOnce(steps);
  return true;
}

/** A new edit is added, never put over another; of one that was there before, only what changed is written. */
async function putOutbox(tx: DiskWriting, { clear, copy, sealed, resealed }: OutboxChange): Promise<void> {
  const before = await tx.objectStore('outbox').get(clear.id);
  const kept = copy ?? before?.copy;
  if (!kept) throw new DOMException('The edit is not here any more', 'ConstraintError');
  const seal = resealed ? sealed : before?.sealed;
  const row: OutboxRow = { ...clear, copy: kept, ...(seal && { sealed: seal }) };
  if (before) await tx.objectStore('outbox').put(row);
  else await tx.objectStore('outbox').add(row);
}

/** Without waiting for one before the next. One that cannot even begin must not leave the others unheard. */
export const atOnce = (steps: (() => Promise<unknown>)[]): Promise<unknown> => Promise.all(steps.map(async (step) => await step()));

// ── Opening ────────────────────────────────────────────────────────────────────────────────

type Opening = Pick<Closing, 'keys' | 'whose'>;

export async function openPage({ keys, whose }: Opening, { n, epoch, closed }: Page): Promise<PageRow[]> {
  return fromJson(await unclose(keys.data, closed, about(whose, 'pages', `${n}|${epoch}`))) as PageRow[];
}

export async function openDraft({ keys, whose }: Opening, { id, copy }: DraftRow): Promise<Draft> {
  return fromJson(await unclose(keys.data, copy, about(whose, 'drafts', id))) as Draft;
}

/** What stands in the clear is newer than the copy. */
export async function openEdit({ keys, whose }: Opening, { id, copy, unsent, not_before, offered, kept_at }: OutboxRow): Promise<KeptEdit> {
  const { unsent: _u, not_before: _n, offered: _o, again: _a, ...kept } = fromJson(await unclose(keys.data, copy, about(whose, 'outbox', id))) as KeptEdit;
  const now: KeptEdit = { ...kept, ...(unsent && { unsent }), ...(not_before && { not_before }), ...(offered && { offered }) };
  return unsent === undefined ? { ...now, again: now.order, receipted_at: kept_at ?? Date.now(), ...(now.over && { landing: now.order }) } : now;
}
