// What the school is, and who is there: asked for now and then, and only what is new.

import { happenedAt, namesIn } from '../local/overlay';
import { recognise } from '../local/session';
import { setting, settle, sets, type Mine, type MyWriting } from '../local/stores';
import type { Ask } from '../school';
import type { PeopleAnswer, SchoolAnswer } from '../wire';

/** More pages than any trust has people: whoever sends more is not making sense. */
const MOST_PAGES = 200;

/** Kinds, lists, periods and who I am. True unless the school could not be heard. */
export async function refreshSchool(db: Mine, ask: Ask): Promise<boolean> {
  const [etag, phone] = await db.reading(['school', 'settings'], async (tx) => [
    (await tx.objectStore('school').get('etag')) as string | undefined,
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
  await db.writing(['school', 'settings', 'records_a', 'records_b'], async (tx) => {
    const before = (await tx.objectStore('school').get('answer')) as SchoolAnswer | undefined;
    await tx.objectStore('school').put(answer, 'answer');
    await tx.objectStore('school').put(etag, 'etag');
    await settle(tx, 'me', me);
    if (JSON.stringify(before?.kinds) !== JSON.stringify(answer.kinds)) await fileAgain(tx, answer);
  });
  recognise(me);
}

/** What records are ordered and found by depends on what their kinds say of their fields. */
async function fileAgain(tx: MyWriting, { kinds }: SchoolAnswer): Promise<void> {
  const { base } = await sets(tx);
  for (let cursor = await tx.objectStore(`records_${base}`).openCursor(); cursor; cursor = await cursor.continue()) {
    const { id, record } = cursor.value;
    const kind = kinds.find(({ name }) => name === record.kind);
    await cursor.update({ id, record, kind: record.kind, at: happenedAt(kind, record.body, record.made_at), names: namesIn(kind, record.body) });
  }
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
      if (fresh) for (const store of stores) await store.clear();
      await Promise.all([...pupils.map((one) => stores[0].put(one)), ...contacts.map((one) => stores[1].put(one)), ...staff.map((one) => stores[2].put(one))]);
      for (const id of gone) for (const store of stores) await store.delete(id);
      await settle(tx, 'people', { cursor, at: Date.now() });
    },
    () => (isNews ? ['pupils', 'contacts', 'staff'] : []),
  );
}
