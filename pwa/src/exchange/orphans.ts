// What nobody can read here any more, since its PIN was forgotten. Sealed, it goes to the school, and stays for as long as the
// school may want it again; what could not be sealed in time is named as lost, and never passed over.

import { KEPT_AFTER_RECEIPT_MS, newEpoch, note, noted, vaultIn, type Disk, type DiskReading, type DiskWriting, type DraftRow, type OutboxRow } from '../local/disk';
import type { Answer } from '../wire';

/** What the school has and cannot open, it goes on wanting: it is offered once in so long. */
const AGAIN_MS = 60 * 60_000;

/** Which of the numbers that the school wants lie here: what is sealed is offered again, and none of them is lost, also one that this phone cannot open. */
export async function orphansWanted(disk: Disk, phone: string, { wanted, forked }: Answer): Promise<ReadonlySet<number>> {
  if (wanted.length === 0 || forked) return new Set();
  return await disk.writing(
    ['outbox', 'drafts', 'settings', 'keys'],
    async (tx) => {
      const { edits } = await orphansIn(tx);
      const isDue = ({ kept_at = 0 }: OutboxRow) => Math.abs(Date.now() - kept_at) > AGAIN_MS;
      await offer(tx, edits.filter((row) => row.phone === phone && wanted.includes(row.number) && isKept(row) && isDue(row)));
      const vault = (await vaultIn(tx))?.id;
      const lying = (await tx.objectStore('outbox').getAll()).filter((row) => row.phone === phone && (row.sealed || row.vault === vault));
      return new Set(lying.map(({ number }) => number));
    },
    (numbers) => (numbers.size > 0 ? ['edits'] : []),
  );
}

/**
 * No letter can carry it, so no cursor comes with its receipt: what the intake has kept is offered to it once more after the next
 * cursor that is kept here, and all of it after one that begins a new history.
 */
export async function offerOrphansAgain(disk: Disk, all: boolean): Promise<void> {
  const due = async (tx: DiskReading | DiskWriting) => (await orphansIn(tx)).edits.filter((row) => isKept(row) && (all || !row.repeated));
  if ((await disk.reading(['outbox', 'drafts', 'keys'], due)).length === 0) return;
  await disk.writing(['outbox', 'drafts', 'settings', 'keys'], async (tx) => offer(tx, await due(tx)), () => ['edits']);
}

const isRepeated = ({ repeated, late }: OutboxRow): boolean => Boolean(repeated || late);

const isKept = ({ sealed, unsent }: OutboxRow): boolean => sealed !== undefined && unsent === undefined;

async function offer(tx: DiskWriting, rows: OutboxRow[], isLate = false): Promise<void> {
  const changed = rows.length > 0 ? await newEpoch(tx) : 0;
  for (const { late: _, ...row } of rows) await tx.objectStore('outbox').put({ ...row, unsent: row.order, changed, ...(isLate && { late: true }) });
}

/**
 * Lets go of what the school has had long enough, and of what only a PIN that is gone could have opened: at each start, and under
 * each new PIN. What no cursor has followed in all that time goes once more, and has as long again.
 */
export async function clearOrphans(disk: Disk): Promise<void> {
  const under = await disk.reading(['keys'], async (tx) => `${disk.name} ${(await vaultIn(tx))?.id}`);
  if (cleared.has(under)) return;
  const isThere = await disk.reading(['outbox', 'drafts', 'keys'], async (tx) => anyOf(await overIn(tx)));
  if (isThere) await clear(disk);
  cleared.add(under);
}

const cleared = new Set<string>();

async function clear(disk: Disk): Promise<void> {
  await disk.writing(
    ['outbox', 'drafts', 'settings', 'keys'],
    async (tx) => {
      const { kept, late, lost, drafts } = await overIn(tx);
      await offer(tx, late, true);
      for (const { id } of [...kept, ...lost]) await tx.objectStore('outbox').delete(id);
      for (const { id } of drafts) await tx.objectStore('drafts').delete(id);
      if (lost.length + drafts.length > 0) await mourn(tx, lost, drafts);
      await newEpoch(tx);
    },
    () => ['edits', 'contact'],
  );
}

type Over = { kept: OutboxRow[]; late: OutboxRow[]; lost: OutboxRow[]; drafts: DraftRow[] };

const anyOf = ({ kept, late, lost, drafts }: Over): boolean => kept.length + late.length + lost.length + drafts.length > 0;

async function overIn(tx: DiskReading | DiskWriting): Promise<Over> {
  const { edits, drafts } = await orphansIn(tx);
  const isOld = ({ kept_at = 0 }: OutboxRow) => Date.now() - kept_at > KEPT_AFTER_RECEIPT_MS;
  return {
    kept: edits.filter((row) => row.unsent === undefined && (!row.sealed || (isRepeated(row) && isOld(row)))),
    late: edits.filter((row) => isKept(row) && isOld(row) && !isRepeated(row)),
    lost: edits.filter(({ unsent, sealed }) => unsent !== undefined && !sealed),
    drafts: drafts.filter(({ sealed }) => !sealed),
  };
}

async function orphansIn(tx: DiskReading | DiskWriting): Promise<{ edits: OutboxRow[]; drafts: DraftRow[] }> {
  const vault = (await vaultIn(tx))?.id;
  const [edits, drafts] = [await tx.objectStore('outbox').getAll(), await tx.objectStore('drafts').getAll()];
  return { edits: edits.filter((row) => row.vault !== vault), drafts: drafts.filter((row) => row.vault !== vault) };
}

/** The school hears their numbers with the next letter, and their author is told. */
async function mourn(tx: DiskWriting, edits: OutboxRow[], drafts: DraftRow[]): Promise<void> {
  const phone = await noted(tx, 'phone');
  const numbers = edits.filter((row) => row.phone === phone).map(({ number }) => number);
  if (numbers.length > 0) await note(tx, 'lost', [...((await noted(tx, 'lost')) ?? []), ...numbers]);
  const before = await noted(tx, 'gone');
  const [at = null] = [before?.at ?? [], ...edits.map(({ made_at }) => made_at), ...drafts.map(({ changed_at }) => changed_at)].flat().sort();
  await note(tx, 'gone', { ...before, count: (before?.count ?? 0) + edits.length + drafts.length, at });
}
