// After a forgotten PIN: drafts that went to the school sealed, because nobody could read them here any more, come back.

import type { Draft } from '../local/drafts';
import { setting, settle, type Mine } from '../local/stores';
import type { Ask } from '../school';
import { hasSealed } from './intake';

type Recovered = { id: string; draft: Draft };

/** Each is taken off the school's hands only once it is on the disk here. Safe to repeat. */
export async function recoverDrafts(db: Mine, ask: Ask): Promise<void> {
  const [recovering, phone] = await db.reading(['settings'], async (tx) => [await setting(tx, 'recovering'), await setting(tx, 'session_phone')]);
  if (!recovering || (await hasSealed(db.disk, 'orphans'))) return; // some are still to go up
  const heard = await ask('/api/drafts', { phone });
  if (heard.heard !== 'answered' || heard.status !== 200 || !Array.isArray(heard.json)) return;
  const found = (heard.json as Recovered[]).filter(isDraft);
  await db.writing(['drafts', 'settings'], (tx) => {
    for (const { draft } of found) if (!tx.objectStore('drafts').get(draft.id)) tx.objectStore('drafts').put(draft);
  });
  for (const { id } of found) await ask(`/api/drafts/${encodeURIComponent(id)}`, { method: 'DELETE', phone });
  await db.writing(['settings'], (tx) => settle(tx, 'recovering', undefined), () => []);
}

const isDraft = ({ id, draft }: Recovered): boolean =>
  typeof id === 'string' && draft !== null && typeof draft === 'object' && [draft.id, draft.kind, draft.record, draft.opened_at, draft.changed_at].every((part) => typeof part === 'string') && typeof draft.values === 'object';
