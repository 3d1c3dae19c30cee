// Sending what lies sealed: from a phone that is locked, signed out or taken off the list, and from the worker. Nothing is read,
// neither here nor from the school.

import { toText } from '../local/bytes';
import { blobOf, isSealed, newEpoch, NOBODYS, note, noted, vaultIn, type Disk, type DraftRow, type OutboxRow, type SealedRow } from '../local/disk';
import { UNDO_AT_MOST_MS } from '../local/outbox';
import { refusal, type Ask } from '../school';
import { PROTOCOL, type Blob, type IntakeAnswer } from '../wire';
import type { Trouble } from './exchange';
import { inTurn } from './turns';

const MOST_BLOBS = 100;
/** The school takes 1,500,000 bytes as they lie unpacked; the rest is for what stands round the blobs. */
const MOST_CHARACTERS = 1_450_000;

/** `waiting`: edits without a receipt. `everything`: the drafts too. `orphans`: what nobody can read here, since its PIN was forgotten. */
export type Which = 'waiting' | 'everything' | 'orphans';

/** `backIn_ms`: an edit can still be undone for so long, and is kept back. */
export type SentSealed = { trouble: Trouble | null; kept: number; retryAfter_s: number | null; backIn_ms: number };

type Waiting = { blob: Blob; isOrphan: boolean };

export const sendSealed = (disk: Disk, ask: Ask, build: string, which: Which): Promise<SentSealed> => inTurn(disk.name, () => send(disk, ask, build, which));

/** What was too large all alone: it goes last, by itself, so that it holds up nothing else. */
const tooLarge = new Set<string>();

async function send(disk: Disk, ask: Ask, build: string, which: Which): Promise<SentSealed> {
  const sent: SentSealed = { trouble: null, kept: 0, retryAfter_s: null, backIn_ms: 0 };
  const tried = new Set<string>(); // a draft stays here when the school has it, and so does what it would not take: once is enough
  let size = MOST_BLOBS;
  for (;;) {
    const { blobs, grant, phone, backIn_ms } = await offered(disk, which, size, tried);
    sent.backIn_ms = backIn_ms;
    if (blobs.length === 0) return sent;
    if (!grant) return { ...sent, trouble: 'sign in' };
    const letter = { protocol: PROTOCOL, build, phone, sent_at: new Date().toISOString(), sealed: blobs.map(({ blob }) => blob) };
    const heard = await ask('/api/intake', { method: 'POST', json: letter, grant });
    if (heard.heard === 'not heard') return { ...sent, trouble: heard.why };
    if (heard.status === 413 && blobs.length > 1) size = Math.ceil(blobs.length / 2);
    else if (heard.status === 413) size = setAside(blobs[0]!.blob.id, tried, sent);
    else if (heard.status !== 200) return { ...sent, trouble: troubleIn(heard.status, heard.json), retryAfter_s: heard.retryAfter_s };
    else {
      const answer = readAnswer(heard.json, blobs);
      if (!answer) return { ...sent, trouble: 'garbled' };
      await keep(disk, blobs, answer);
      for (const id of answer.kept) tried.add(id), tooLarge.delete(id);
      sent.kept += answer.kept.length;
      if (answer.kept.length === 0) return { ...sent, trouble: 'unsendable' };
    }
  }
}

function setAside(id: string, tried: Set<string>, sent: SentSealed): number {
  tooLarge.add(id);
  tried.add(id);
  sent.trouble = 'unsendable';
  return MOST_BLOBS;
}

/** Marks what it takes as offered, on the disk, before anything leaves: an Undo afterwards would be a lie. */
function offered(disk: Disk, which: Which, size: number, tried: ReadonlySet<string>): Promise<{ blobs: Waiting[]; grant: string | undefined; phone: string; backIn_ms: number }> {
  return disk.writing(
    ['outbox', 'drafts', 'settings', 'keys'],
    async (tx) => {
      const vault = (await vaultIn(tx))?.id;
      const unsent = (await tx.objectStore('outbox').index('unsent').getAll()).filter((row) => which !== 'orphans' || row.vault !== vault);
      const edits = readyNow(unsent);
      const drafts = (await tx.objectStore('drafts').getAll()).filter(isGoing(which, vault));
      const taken = asMany([...edits, ...drafts].filter(isSealed).filter(({ id }) => !tried.has(id)), size);
      const leaving = edits.filter((row) => !row.offered && taken.some(({ id }) => id === row.id));
      if (leaving.length > 0) {
        const changed = await newEpoch(tx);
        for (const row of leaving) await tx.objectStore('outbox').put({ ...row, offered: true, changed });
      }
      const blobs = taken.map((row) => ({ blob: blobOf(row), isOrphan: row.vault !== vault }));
      const backIn_ms = Math.max(0, (unsent[edits.length]?.not_before ?? 0) - Date.now());
      return { blobs, backIn_ms, grant: await noted(tx, 'grant'), phone: (await noted(tx, 'session_phone')) ?? '' };
    },
    () => [],
  );
}

/** A draft from before there were PINs waits for its author's: until then the school does not know this phone's signature. */
const isGoing = (which: Which, vault: string | undefined) => (draft: DraftRow): boolean =>
  which !== 'waiting' && (which === 'everything' || draft.vault !== vault) && (draft.vault !== NOBODYS || vault !== undefined);

/** In the order in which they were written, none before one that can still be undone; but one that cannot wait takes those before it along. */
function readyNow(rows: OutboxRow[]): OutboxRow[] {
  const now = Date.now();
  const isReady = ({ not_before = 0, offered }: OutboxRow) => offered || not_before <= now || not_before > now + UNDO_AT_MOST_MS;
  return rows.slice(0, rows.findLastIndex(isReady) + 1);
}

function asMany(all: SealedRow[], size: number): SealedRow[] {
  const rows = all.filter(({ id }) => !tooLarge.has(id));
  if (rows.length === 0) return all.slice(0, 1);
  let characters = 0;
  const tooMany = rows.findIndex(({ sealed }, at) => {
    characters += sealed.bytes.length * 1.34 + 600;
    return at >= size || (at > 0 && characters > MOST_CHARACTERS);
  });
  return tooMany < 0 ? rows : rows.slice(0, tooMany);
}

/** Null for anything that is no answer to this letter; nothing is then known of what became of it. */
function readAnswer(json: unknown, blobs: Waiting[]): IntakeAnswer | null {
  const answer = json as IntakeAnswer | null;
  if (!Array.isArray(answer?.kept) || typeof answer.now !== 'string') return null;
  const sent = new Set(blobs.map(({ blob }) => blob.id));
  return answer.kept.every((id) => sent.has(id)) ? answer : null;
}

/** The school has them, for good. What was written here goes once more with the next letter, or stays sealed for a while (orphans.ts). */
function keep(disk: Disk, blobs: Waiting[], { kept, now }: IntakeAnswer): Promise<void> {
  const has = new Set(kept);
  return disk.writing(
    ['outbox', 'drafts', 'settings'],
    async (tx) => {
      const changed = await newEpoch(tx);
      let sent = 0;
      for (const { blob, isOrphan } of blobs.filter(({ blob }) => has.has(blob.id))) {
        if (blob.what === 'edit') sent += Number(await keepEdit(tx.objectStore('outbox'), blob, changed, Date.parse(now) || Date.now()));
        else if (isOrphan && (await isSame(tx.objectStore('drafts'), blob))) await tx.objectStore('drafts').delete(blob.id);
        const isCounted = blob.what === 'edit' && blob.phone === (await noted(tx, 'phone'));
        if (isCounted) await note(tx, 'receipted', Math.max((await noted(tx, 'receipted')) ?? 0, blob.number));
      }
      const heard_at = new Date().toISOString();
      await note(tx, 'last_contact', heard_at);
      if (sent > 0) await note(tx, 'last_sent', heard_at);
    },
    () => ['edits', 'drafts', 'contact'],
  );
}

type Store<Row> = { get(id: string): Promise<Row | undefined>; put(row: Row): Promise<unknown>; delete(id: string): Promise<void> };

async function keepEdit(outbox: Store<OutboxRow>, blob: Blob, changed: number, kept_at: number): Promise<boolean> {
  const row = await outbox.get(blob.id);
  if (!row?.unsent) return false; // an answer of the exchange was quicker
  const { unsent: _u, not_before: _n, ...rest } = row;
  await outbox.put({ ...rest, kept_at, ...(row.kept_at !== undefined && !row.late && { repeated: true as const }), changed });
  return true;
}

/** A draft may have been written on since. */
async function isSame(drafts: Store<DraftRow>, blob: Blob): Promise<boolean> {
  const row = await drafts.get(blob.id);
  return row?.sealed !== undefined && toText(row.sealed.signature) === blob.signature;
}

function troubleIn(status: number, json: unknown): Trouble {
  if (status === 401 || status === 403) return 'sign in';
  if (status === 400) return refusal(json).refusal === 'protocol' ? 'update' : 'failing';
  return status === 429 || status === 503 ? 'busy' : 'failing';
}

/** Whether anything sealed is here for the school. */
export const hasSealed = (disk: Disk, which: Which): Promise<boolean> =>
  disk.reading(['outbox', 'drafts', 'keys'], async (tx) => {
    const vault = (await vaultIn(tx))?.id;
    const edits = (await tx.objectStore('outbox').index('unsent').getAll()).filter((row) => which !== 'orphans' || row.vault !== vault);
    const drafts = (await tx.objectStore('drafts').getAll()).filter(isGoing(which, vault));
    return [...edits, ...drafts].some(isSealed);
  });
