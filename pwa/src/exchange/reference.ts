// What the school is, and who is there: asked for now and then, and only what is new.

import { recognise } from '../local/session';
import { intakeKeys, isNewer } from '../local/seal';
import { setting, settle, sets, type Mine, type MyWriting } from '../local/stores';
import type { Ask } from '../school';
import type { PeopleAnswer, SchoolAnswer } from '../wire';
import { asKept } from './keep';

/** More pages than any trust has people: whoever sends more is not making sense. */
const MOST_PAGES = 200;

/** Kinds, lists, periods and who I am. True unless the school could not be heard. */
export async function refreshSchool(db: Mine, ask: Ask): Promise<boolean> {
  const [etag, phone] = await db.reading(['school', 'settings'], async (tx) => [
    // Signed by another key than the one learnt since, the list of keys is wanted again, however little has changed.
    (await setting(tx, 'intake_list'))?.by === (await setting(tx, 'pinned')) ? ((await tx.objectStore('school').get('etag')) as string | undefined) : undefined,
    await setting(tx, 'session_phone'),
  ]);
  const heard = await ask('/api/school', { etag, phone });
  if (heard.heard !== 'answered') return false;
  const changed = heard.status === 200 && isSchool(heard.json) ? heard.json : null;
  if (changed) await keepSchool(db, changed, heard.etag);
  if (heard.status === 200 || heard.status === 304) await db.writing(['settings'], (tx) => settle(tx, 'school_at', Date.now()), () => []);
  return changed !== null || heard.status === 304;
}

const isSchool = (json: unknown): json is SchoolAnswer => Array.isArray((json as SchoolAnswer | null)?.kinds) && Boolean((json as SchoolAnswer).me?.id);

async function keepSchool(db: Mine, answer: SchoolAnswer, etag: string | null): Promise<void> {
  const me = { ...answer.me, school: answer.school };
  const pinned = await db.reading(['settings'], (tx) => setting(tx, 'pinned'));
  const list = answer.intake && pinned ? await intakeKeys(answer.intake, pinned, answer.school.id) : undefined;
  await db.writing(['school', 'settings', 'records_a', 'records_b'], async (tx) => {
    const before = (await tx.objectStore('school').get('answer')) as SchoolAnswer | undefined;
    await tx.objectStore('school').put(answer, 'answer');
    await tx.objectStore('school').put(etag, 'etag');
    tx.objectStore('school').put(me, 'me');
    if (list && isNewer(list, await setting(tx, 'intake_list'))) {
      await settle(tx, 'intake', list.keys);
      await settle(tx, 'intake_list', { made_at: list.made_at, by: list.by });
    }
    const { phone, radio } = answer.school;
    await settle(tx, 'ring', { ...(phone && { phone }), ...(radio && { radio }) });
    if (answer.vault) await settle(tx, 'locks', { hidden_s: answer.vault.hidden_s, idle_s: answer.vault.idle_s });
    if (JSON.stringify(before?.kinds) !== JSON.stringify(answer.kinds)) await fileAgain(tx, answer);
  });
  await db.sealTheRest();
  recognise(me);
}

/** What records are ordered and found by depends on what their kinds say of their fields. */
async function fileAgain(tx: MyWriting, { kinds }: SchoolAnswer): Promise<void> {
  const { base } = await sets(tx);
  const records = tx.objectStore(`records_${base}`);
  for (const { record } of records.getAll()) records.put(asKept(record, kinds));
}

/** Pupils, contacts and staff. True unless the school could not be heard. */
export async function refreshPeople(db: Mine, ask: Ask): Promise<boolean> {
  for (let page = 0; page < MOST_PAGES; page++) {
    const [known, phone] = await db.reading(['settings'], async (tx) => [await setting(tx, 'people'), await setting(tx, 'session_phone')]);
    const cursor = known?.cursor ?? null;
    const heard = await ask(`/api/people${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`, { phone });
    if (heard.heard !== 'answered' || heard.status !== 200 || !isPeople(heard.json)) return false;
    await keepPeople(db, cursor, heard.json);
    if (!heard.json.more) return true;
  }
  return false;
}

const isPeople = (json: unknown): json is PeopleAnswer =>
  [(json as PeopleAnswer | null)?.pupils, (json as PeopleAnswer | null)?.contacts, (json as PeopleAnswer | null)?.staff, (json as PeopleAnswer | null)?.gone].every(Array.isArray);

/** The cursor and what it covers move together; an answer that another tab has overtaken is dropped. */
async function keepPeople(db: Mine, asked: string | null, answer: PeopleAnswer): Promise<void> {
  const { pupils, contacts, staff, gone, cursor, fresh } = answer;
  const isNews = fresh || pupils.length + contacts.length + staff.length + gone.length > 0;
  await db.writing(
    ['pupils', 'contacts', 'staff', 'settings'],
    async (tx) => {
      if (((await setting(tx, 'people'))?.cursor ?? null) !== asked) return;
      const stores = [tx.objectStore('pupils'), tx.objectStore('contacts'), tx.objectStore('staff')] as const;
      if (fresh) for (const store of stores) store.clear();
      for (const one of pupils) stores[0].put(one);
      for (const one of contacts) stores[1].put(one);
      for (const one of staff) stores[2].put(one);
      for (const id of gone) for (const store of stores) store.delete(id);
      await settle(tx, 'people', { cursor, at: Date.now() });
    },
    () => (isNews ? ['pupils', 'contacts', 'staff'] : []),
  );
}
