// Keeping an answer of the school: all of it in one transaction, or none of it.

import { KEPT_AFTER_RECEIPT_MS } from '../local/disk';
import { happenedAt, namesIn } from '../local/overlay';
import { forget, FORGOTTEN } from '../local/session';
import { setting, settle, sets, type KeptEdit, type KeptRecord, type Mine, type MyWriting } from '../local/stores';
import type { Answer, HeldEdit, Kind, Receipt, SchoolAnswer, WireRecord } from '../wire';
import type { Composed } from './letter';
import { offerOrphansAgain, orphansWanted } from './orphans';

const FORGOTTEN_AT_ONCE = 500;
/** Each is sealed afresh, and somebody may want to save something meanwhile. */
const DOUBTED_AT_ONCE = 50;

const STORES = ['edits', 'settings', 'school', 'records_a', 'records_b', 'held_a', 'held_b'] as const;

/** Safe to repeat, and safe beside another tab that exchanges as well. */
export async function keep(db: Mine, sent: Composed, answer: Answer): Promise<void> {
  if (sent.letter.cursor === null) await beginHistory(db, sent);
  if (changesNothing(sent, answer) || (await keepAll(db, sent, answer))) await offerOrphansAgain(db.disk, false);
}

/**
 * It proves nothing of what was sent before it was begun: that goes once more, with this letter or the next. All of it is marked
 * first: a page may die before the answer is kept, and what was marked in vain costs a repeat.
 */
async function beginHistory(db: Mine, { letter }: Composed): Promise<void> {
  await offerOrphansAgain(db.disk, true);
  const going = new Set(letter.edits.map(({ id }) => id));
  while ((await db.writing(['edits'], (tx) => doubtSome(tx, going), () => [])) === DOUBTED_AT_ONCE);
}

function doubtSome(tx: MyWriting, going: ReadonlySet<string>): number {
  const proved = tx.objectStore('edits').index('receipted_at').getAll().filter(({ edit, unsent, again }) => !unsent && !again && !going.has(edit.id));
  const some = proved.slice(0, DOUBTED_AT_ONCE);
  for (const kept of some) tx.objectStore('edits').put({ ...kept, again: kept.order });
  return some.length;
}

async function keepAll(db: Mine, sent: Composed, answer: Answer): Promise<boolean> {
  const sealed = await orphansWanted(db.disk, sent.letter.phone, answer);
  return await db.writing([...STORES], (tx) => keepIn(tx, sent, answer, sealed), () => told(sent, answer));
}

/** Nothing new is the usual answer; it should wake nobody. */
function changesNothing({ letter, landing, rebuilding }: Composed, answer: Answer): boolean {
  const said = [answer.receipts, answer.records, answer.held, answer.gone, answer.wanted, answer.unreadable ?? [], letter.lost, landing];
  return said.every((list) => list.length === 0) && !answer.forked && !answer.rebuild && !rebuilding && answer.cursor === letter.cursor;
}

function told({ landing, rebuilding }: Composed, answer: Answer): string[] {
  const swaps = rebuilding && !answer.more;
  const edits = answer.receipts.length + landing.length > 0 || answer.forked || answer.rebuild || swaps;
  const records = answer.records.length + answer.gone.length > 0 || swaps;
  const held = answer.held.length > 0 || answer.receipts.some(({ outcome }) => outcome === 'held') || swaps;
  return [...(edits ? ['edits'] : []), ...(records ? ['records_a', 'records_b'] : []), ...(held ? ['held_a', 'held_b'] : [])];
}

/** Whether its cursor was kept: if it is ever found again, whatever counts as sent here is there (PROTOCOL.md, section 4). */
async function keepIn(tx: MyWriting, sent: Composed, answer: Answer, sealed: ReadonlySet<number>): Promise<boolean> {
  const cursor = ((await setting(tx, 'rebuilding')) ?? { cursor: await setting(tx, 'cursor') }).cursor ?? null;
  const isStillOurs = cursor === sent.letter.cursor && sent.rebuilding === ((await setting(tx, 'rebuilding')) !== undefined);
  const isProof = isStillOurs && !answer.rebuild;
  await keepReceipts(tx, sent, answer, sealed, isProof);
  // Another tab was quicker: its answer may be newer than this one, and a record must never go backwards.
  if (!isStillOurs) return false;
  if (answer.rebuild) await beginAgain(tx, answer);
  else await keepRecords(tx, sent, answer);
  return isProof;
}

async function keepReceipts(tx: MyWriting, { letter }: Composed, answer: Answer, sealed: ReadonlySet<number>, isProof: boolean): Promise<void> {
  const at = Date.parse(answer.now) || Date.now();
  for (const receipt of [...answer.receipts, ...unreadable(letter, answer)]) await keepReceipt(tx, receipt, letter.phone, at, isProof);
  if (answer.forked) await renumber(tx, letter.phone, answer.forked);
  else if ((await setting(tx, 'phone')) === letter.phone) await noteLost(tx, await offerWanted(tx, letter.phone, answer, sealed));
}

/** As good as a receipt: the school has stored it, though it could make nothing of it. */
function unreadable({ edits }: Composed['letter'], { unreadable = [] }: Answer): Receipt[] {
  return unreadable.flatMap((place) => {
    const edit = edits[place];
    return edit ? [{ id: edit.id, outcome: 'held' as const, because: { edit: 'The school has it, but could not read it.' } }] : [];
  });
}

async function keepReceipt(tx: MyWriting, { id, outcome, because }: Receipt, phone: string, at: number, isProof: boolean): Promise<void> {
  const kept = await tx.objectStore('edits').get(id);
  if (!kept) return;
  const { unsent: _u, again: _a, ...known } = kept;
  const receipted: KeptEdit = { ...known, outcome, receipted_at: at, ...(!isProof && { again: kept.order }) };
  // A held edit is no part of its record; it is shown where somebody can put it right.
  if (outcome === 'held') delete receipted.over;
  else if (kept.over) receipted.landing = kept.order;
  await tx.objectStore('edits').put(receipted);
  const isNews = kept.outcome === undefined; // of one that was held before, the school says what has become of it
  if (isNews && outcome === 'held' && kept.edit.set_aside === undefined) await showHeld(tx, kept, because);
  if (kept.edit.phone === phone && (await setting(tx, 'phone')) === phone) {
    await settle(tx, 'receipted', Math.max((await setting(tx, 'receipted')) ?? 0, kept.edit.number));
  }
}

/** At once; the school's own words for it come with this answer or a later page. What is for the school alone is shown to nobody. */
async function showHeld(tx: MyWriting, { edit }: KeptEdit, because = {}): Promise<void> {
  const { closing_word: _, ...values } = edit.values;
  const held: HeldEdit = { edit: edit.id, record: edit.record, kind: edit.kind, made_at: edit.made_at, values, because, settled: null };
  const store = tx.objectStore(`held_${(await sets(tx)).base}`);
  if (!(await store.get(edit.id))) await store.put(held);
}

/** This handset was restored from a copy of another: what is unsent is numbered from 1 under a phone id of its own. */
async function renumber(tx: MyWriting, from: string, to: string): Promise<void> {
  if ((await setting(tx, 'phone')) !== from) return; // Another tab has done it.
  let number = 0;
  for (const kept of await tx.objectStore('edits').index('unsent').getAll()) {
    await tx.objectStore('edits').put({ ...kept, edit: { ...kept.edit, phone: to, number: ++number } });
  }
  await settle(tx, 'phone', to);
  await settle(tx, 'number', number);
  await settle(tx, 'receipted', 0);
  await settle(tx, 'lost', undefined);
}

/** The school hears of them with the next letter, and their author is told. */
async function noteLost(tx: MyWriting, lost: number[]): Promise<void> {
  const before = new Set(await setting(tx, 'lost'));
  const news = lost.filter((number) => !before.has(number)).length;
  const gone = (await setting(tx, 'gone')) ?? { count: 0, at: null };
  if (news > 0) await settle(tx, 'gone', { ...gone, count: gone.count + news });
  await settle(tx, 'lost', lost.length > 0 ? lost : undefined);
}

/** Numbers the school never received: offered again where they are still here, or lie here `sealed`; answers those that are not. */
async function offerWanted(tx: MyWriting, phone: string, { wanted, unopened = [] }: Answer, sealed: ReadonlySet<number>): Promise<number[]> {
  const lost: number[] = [];
  for (const number of wanted) {
    const kept = await tx.objectStore('edits').index('number').get([phone, number]);
    if (!kept && !sealed.has(number) && !unopened.includes(number)) lost.push(number);
    else if (!kept) continue;
    else if (!kept.unsent && !kept.again) await tx.objectStore('edits').put({ ...kept, unsent: kept.order });
  }
  return lost;
}

// ── The school's records ───────────────────────────────────────────────────────────────────

/** The place this phone had reached is gone, or not ours to read any more: all is read afresh, beside what is shown. */
async function beginAgain(tx: MyWriting, { rebuild }: Answer): Promise<void> {
  const { spare } = await sets(tx);
  tx.objectStore(`records_${spare}`).clear();
  await tx.objectStore(`held_${spare}`).clear();
  await settle(tx, 'rebuilding', { cursor: null });
  if (rebuild !== 'rights') await offerAgain(tx);
}

/** The school went back to a backup, or does not know this cursor: whatever it may have lost since is offered again. It knows again what it still has. */
async function offerAgain(tx: MyWriting): Promise<void> {
  for (const kept of await tx.objectStore('edits').index('receipted_at').getAll()) {
    const { outcome: _o, receipted_at: _r, landing: _l, again: _a, ...forgotten } = kept;
    await tx.objectStore('edits').put({ ...forgotten, unsent: kept.order });
  }
  await settle(tx, 'receipted', 0);
}

async function keepRecords(tx: MyWriting, sent: Composed, answer: Answer): Promise<void> {
  const { base, spare } = await sets(tx);
  const into = sent.rebuilding ? spare : base;
  const kinds = ((await tx.objectStore('school').get('answer')) as SchoolAnswer | undefined)?.kinds ?? [];
  for (const record of answer.records) await tx.objectStore(`records_${into}`).put(asKept(record, kinds));
  for (const held of answer.held) await tx.objectStore(`held_${into}`).put(held);
  for (const id of answer.gone) await tx.objectStore(`records_${into}`).delete(id);
  if (answer.more) return void (await move(tx, sent.rebuilding, answer.cursor));
  if (sent.rebuilding) await swap(tx);
  await settle(tx, 'cursor', answer.cursor);
  await land(tx, sent, answer);
  await forgetOld(tx, answer);
}

const move = (tx: MyWriting, rebuilding: boolean, cursor: string | null): Promise<void> =>
  rebuilding ? settle(tx, 'rebuilding', { cursor }) : settle(tx, 'cursor', cursor);

export function asKept(record: WireRecord, kinds: readonly Kind[]): KeptRecord {
  const kind = kinds.find(({ name }) => name === record.kind);
  return { id: record.id, record, kind: record.kind, at: happenedAt(kind, record.body, record.made_at), names: namesIn(kind, record.body) };
}

/** What was collected beside is now what is shown. What is unsent, or was only ever kept sealed, is laid over it: what the school has had is in it. */
async function swap(tx: MyWriting): Promise<void> {
  const { base, spare } = await sets(tx);
  await settle(tx, 'base', spare);
  await settle(tx, 'rebuilding', undefined);
  await tx.objectStore(`records_${base}`).clear();
  await tx.objectStore(`held_${base}`).clear();
  for (const index of ['unsent', 'again']) for (const kept of tx.objectStore('edits').index(index).getAll()) if (!kept.over && (kept.unsent || !kept.outcome)) await layOver(tx, kept);
}

/** With whatever this person wrote in the record since: an older word of theirs must not lie on a newer one. */
async function layOver(tx: MyWriting, { edit, order }: KeptEdit): Promise<void> {
  for (const kept of await tx.objectStore('edits').index('record').getAll(edit.record)) {
    if (kept.order < order || kept.over || kept.outcome === 'held') continue;
    await tx.objectStore('edits').put({ ...kept, over: kept.order, ...(kept.outcome && { landing: kept.order }) });
  }
}

/**
 * The school's records now include these edits, which therefore need not be laid over them any longer: those that had their
 * receipt before this letter was composed, and those receipted with its answer. Not earlier: their records may lie on a later
 * page, and the person would see what they wrote vanish and come back. Nor while an earlier edit of theirs in the same record is
 * still to be sent: it would lie on top of this one.
 */
async function land(tx: MyWriting, { landing }: Composed, { receipts }: Answer): Promise<void> {
  const arrived = [...landing, ...receipts.map(({ id }) => id)].flatMap((id) => tx.objectStore('edits').get(id) ?? []);
  for (const kept of arrived.sort((one, other) => one.order - other.order)) {
    if (!kept.over || kept.unsent || kept.again || (await hasEarlierOver(tx, kept))) continue;
    const { over: _o, landing: _l, ...landed } = kept;
    await tx.objectStore('edits').put(landed);
  }
}

async function hasEarlierOver(tx: MyWriting, { edit, order }: KeptEdit): Promise<boolean> {
  const inRecord = await tx.objectStore('edits').index('record').getAll(edit.record);
  return inRecord.some((one) => one.over !== undefined && one.order < order);
}

async function forgetOld(tx: MyWriting, answer: Answer): Promise<void> {
  const now = Date.parse(answer.now);
  if (!now) return;
  const old = IDBKeyRange.upperBound(now - KEPT_AFTER_RECEIPT_MS);
  for (const kept of await tx.objectStore('edits').index('receipted_at').getAll(old, FORGOTTEN_AT_ONCE)) {
    if (!kept.unsent && !kept.again && !kept.over) await tx.objectStore('edits').delete(kept.edit.id);
  }
}

/** The school has revoked this phone: what it sent is forgotten, on the disk too; what was written here is not. */
export async function revoke(db: Mine): Promise<void> {
  await db.forgetting(FORGOTTEN, async (tx) => {
    await forget(tx);
    await settle(tx, 'revoked', true);
  });
}
