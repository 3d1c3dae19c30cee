// Drafts that went to the school sealed, because nobody could read them any more where they were typed, come back to their author.

import type { Draft } from '../local/drafts';
import { setting, type Mine } from '../local/stores';
import type { Ask } from '../school';
import { hasSealed } from './intake';

const AGAIN_AFTER_MS = 5 * 60_000;

type Recovered = { id: string; draft: Draft };

const askedAt = new Map<string, number>();

/** Asks at each start, and then now and then. Each is taken off the school's hands only once it is on the disk here. Safe to repeat. */
export async function recoverDrafts(db: Mine, ask: Ask, now: boolean): Promise<void> {
  if (!now && performance.now() - (askedAt.get(db.name) ?? -Infinity) < AGAIN_AFTER_MS) return;
  if (await hasSealed(db.disk, 'orphans')) return; // some are still to go up
  const phone = await db.reading(['settings'], (tx) => setting(tx, 'session_phone'));
  const heard = await ask('/api/drafts', { phone });
  if (heard.heard !== 'answered' || heard.status !== 200 || !Array.isArray(heard.json)) return;
  const found = (heard.json as Recovered[]).filter(isDraft);
  if (found.length > 0) {
    await db.writing(['drafts', 'settings'], (tx) => {
      for (const { draft } of found) if (!isKnown(tx.objectStore('drafts').get(draft.id), draft)) tx.objectStore('drafts').put(draft);
    });
    for (const { id } of found) await ask(`/api/drafts/${encodeURIComponent(id)}`, { method: 'DELETE', phone });
  }
  askedAt.set(db.name, performance.now());
}

/** What was typed here since stands. */
const isKnown = (here: Draft | undefined, { changed_at }: Draft): boolean => here !== undefined && here.changed_at >= changed_at;

const isDraft = ({ id, draft }: Recovered): boolean =>
  typeof id === 'string' && draft !== null && typeof draft === 'object' && [draft.id, draft.kind, draft.record, draft.opened_at, draft.changed_at].every((part) => typeof part === 'string') && typeof draft.values === 'object';
