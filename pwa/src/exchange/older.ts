// What was written here before there were PINs, by somebody who has not chosen one yet: it lies in the clear, so it does not stay.
// Edits go to the school under their author's grant; what cannot go is sealed as soon as the school's key is known here.

import { toBytes } from '../local/bytes';
import { newEpoch, NOBODYS, note, noted, type Disk, type DiskWriting, type DraftRow, type Older, type OutboxRow } from '../local/disk';
import type { Draft } from '../local/drafts';
import { seal, type Sealing } from '../local/seal';
import type { KeptEdit, Settings } from '../local/stores';
import { signing } from '../local/vault';
import type { Ask } from '../school';
import { PROTOCOL, type Answer, type Letter } from '../wire';
import { troubleIn } from './exchange';
import type { SentSealed } from './intake';
import { MOST_EDITS } from './plan';
import { readAnswer } from './reading';
import { inTurn } from './turns';

export type Whose = { disk: Disk; school: string; staff: string };

export const hasOlder = async (disk: Disk): Promise<boolean> => (await disk.reading(['older'], (tx) => tx.objectStore('older').count())) > 0;

export const sendOlder = (disk: Disk, ask: Ask, build: string): Promise<SentSealed> => inTurn(disk.name, () => send(disk, ask, build));

async function send(disk: Disk, ask: Ask, build: string): Promise<SentSealed> {
  const sent: SentSealed = { trouble: null, kept: 0, retryAfter_s: null, backIn_ms: 0 };
  const tooLarge = new Set<string>();
  let size = MOST_EDITS;
  for (;;) {
    const { letter, grant } = await composed(disk, build, size, tooLarge);
    if (letter.edits.length === 0) return sent;
    if (!grant) return { ...sent, trouble: 'sign in' };
    const heard = await ask('/api/sync', { method: 'POST', json: letter, grant });
    const answer = heard.heard === 'answered' && heard.status === 200 ? readAnswer(heard.json, letter) : null;
    if (answer) sent.kept += await receipted(disk, letter, answer);
    else if (heard.heard !== 'answered' || heard.status !== 413) return { ...sent, trouble: troubleIn(heard), retryAfter_s: heard.heard === 'answered' ? heard.retryAfter_s : null };
    else if (letter.edits.length > 1) size = Math.ceil(letter.edits.length / 2);
    else tooLarge.add(letter.edits[0]!.id), (sent.trouble = 'unsendable');
  }
}

function composed(disk: Disk, build: string, size: number, tooLarge: ReadonlySet<string>): Promise<{ letter: Letter; grant: string | undefined }> {
  return disk.reading(['older', 'settings'], async (tx) => {
    const unsent = (await tx.objectStore('older').getAll()).flatMap((one) => ('edit' in one && one.edit.unsent ? [one.edit.edit] : []));
    const letter: Letter = {
      protocol: PROTOCOL,
      build,
      phone: (await noted(tx, 'phone')) ?? '',
      sent_at: new Date().toISOString(),
      cursor: null,
      receipted: (await noted(tx, 'receipted')) ?? 0,
      waiting: unsent.length,
      lost: [],
      edits: unsent.filter(({ id }) => !tooLarge.has(id)).slice(0, size),
    };
    return { letter, grant: await noted(tx, 'grant') };
  });
}

/** Its author finds it again when they choose a PIN; of somebody else nothing stays (`closeOlder`). */
function receipted(disk: Disk, { edits, phone }: Letter, { now }: Answer): Promise<number> {
  const sent = new Set(edits.map(({ id }) => id));
  return disk.writing(
    ['older', 'settings'],
    async (tx) => {
      for (const [at, one] of await olderIn(tx)) {
        if (!('edit' in one) || !sent.has(one.edit.edit.id)) continue;
        const { unsent: _, ...kept } = one.edit;
        await tx.objectStore('older').put({ edit: { ...kept, outcome: 'taken', again: kept.order, receipted_at: Date.parse(now) || Date.now(), ...(kept.over && { landing: kept.order }) } }, at);
      }
      const numbers = edits.filter((edit) => edit.phone === phone).map(({ number }) => number);
      await note(tx, 'receipted', Math.max((await noted(tx, 'receipted')) ?? 0, ...numbers));
      return sent.size;
    },
    () => ['edits'],
  );
}

async function olderIn(tx: DiskWriting): Promise<[number, Older][]> {
  const [keys, rows] = [await tx.objectStore('older').getAllKeys(), await tx.objectStore('older').getAll()];
  return keys.map((key, at) => [key, rows[at]!]);
}

/** Of a colleague: all of it is sealed, for nobody else to read; what the school was sent goes where it cannot be. */
export async function closeOlder({ disk, school, staff }: Whose, intake: Settings['intake'] = []): Promise<void> {
  const [phone, first] = await disk.reading(['settings'], async (tx) => [(await noted(tx, 'phone')) ?? '', ((await noted(tx, 'intake')) ?? intake)[0]]);
  const sign = (await signing(disk)).pair.privateKey;
  const sealing: Sealing = { school, staff, sign, intake: first && { kid: first.kid, public: toBytes(first.public) } };
  const rows = await disk.reading(['older'], (tx) => tx.objectStore('older').getAll());
  const sealed = new Map(await Promise.all(rows.map(async (one) => [idOf(one), await sealedOne(one, phone, sealing)] as const)));
  await disk.writing(
    ['older', 'outbox', 'drafts', 'settings'],
    async (tx) => {
      const changed = await newEpoch(tx);
      for (const [at, one] of await olderIn(tx)) {
        const row = sealed.get(idOf(one));
        const isNeeded = !('edit' in one) || one.edit.unsent !== undefined;
        if (isNeeded && !row) continue; // the school's key is not here yet
        if (row && 'order' in row) await tx.objectStore('outbox').put({ ...row, changed });
        else if (row) await tx.objectStore('drafts').put({ ...(row as DraftRow), changed });
        await tx.objectStore('older').delete(at);
      }
    },
    () => ['edits', 'drafts'],
  );
}

const idOf = (one: Older): string => ('edit' in one ? one.edit.edit.id : one.draft.id);

const sealedOne = (one: Older, phone: string, sealing: Sealing): Promise<OutboxRow | DraftRow | undefined> => ('edit' in one ? sealedEdit(one.edit, sealing) : sealedDraft(one.draft, phone, sealing));

const UNREAD = { vault: NOBODYS, copy: { iv: new Uint8Array(), bytes: new Uint8Array() }, changed: 0 };

async function sealedEdit({ edit, order, unsent, again, receipted_at }: KeptEdit, sealing: Sealing): Promise<OutboxRow | undefined> {
  const { id, phone, number, made_at } = edit;
  if (unsent === undefined && again === undefined) return undefined;
  const sealed = await seal(edit, { what: 'edit', id, phone, number, made_at }, sealing);
  return sealed && { id, order, phone, number, made_at, ...(unsent ? { unsent } : { kept_at: receipted_at ?? 0 }), sealed, ...UNREAD };
}

async function sealedDraft(draft: Draft, phone: string, sealing: Sealing): Promise<DraftRow | undefined> {
  const { id, changed_at } = draft;
  const sealed = await seal(draft, { what: 'draft', id, phone, number: 0, made_at: changed_at }, sealing);
  return sealed && { id, changed_at, phone, sealed, ...UNREAD };
}
