// Whoever has something on this phone: one line each, with nothing in it that says who they are.

import { joined, random, toBytes, toText, utf8, type Bytes } from './bytes';
import { diskOf, type Disk } from './disk';
import { shared, type Owner } from './stores';

export const keyOf = (school: string, staff: string): string => `${school} ${staff}`;

export async function withDisk<T>({ school, staff }: Owner, work: (disk: Disk) => Promise<T>): Promise<T> {
  const disk = diskOf(school, staff);
  try {
    return await work(disk);
  } finally {
    disk.close();
  }
}

/** The tab in which somebody signs out has the keys, and sorts what stays: one that starts meanwhile, and would clear it all, does nothing. */
export async function lettingGo({ key }: Owner, how: LockOptions, work: () => Promise<void>): Promise<void> {
  const { locks } = globalThis.navigator ?? {};
  if (locks) await locks.request(`leaving ${key}`, how, async (lock) => void (lock && (await work())));
  else await work();
}

/** As what somebody signs in as is kept. */
export const calledBy = async (name: string): Promise<string> => await salted(await hashed(name));

const hashed = async (name: string): Promise<string> => digested(utf8(`lanyard signs in as ${name}`));

/** With a salt of this installation: the same name reads otherwise on every handset. */
const salted = async (hash: string): Promise<string> => `salted ${await digested(joined(toBytes(await salt()), utf8(hash)))}`;

const digested = async (bytes: Bytes): Promise<string> => toText(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));

const salt = (): Promise<string> =>
  shared.writing(
    ['settings'],
    async (tx) => {
      const kept = (await tx.objectStore('settings').get('salt')) ?? toText(random(16));
      await tx.objectStore('settings').put(kept, 'salt');
      return kept;
    },
    () => [],
  );

/** Earlier versions kept what they sign in as in the clear, or without a salt. */
export async function allOwners(): Promise<Owner[]> {
  const owners = (await shared.reading(['owners'], (tx) => tx.objectStore('owners').getAll())) as (Owner & { username?: string })[];
  return await Promise.all(
    owners.map(async ({ username, ...owner }) => {
      if (username === undefined && (!owner.called || owner.called.startsWith('salted '))) return owner;
      const told = { ...owner, called: await salted(username === undefined ? owner.called : await hashed(username)) };
      await shared.writing(['owners'], (tx) => tx.objectStore('owners').put(told), () => []);
      return told;
    }),
  );
}

/** When the first call for help was written on a locked screen of this handset, whosever, that the school has not; null where there is none. */
export async function callThatWaits(): Promise<string | null> {
  const calls = (disk: Disk) => disk.reading(['outbox'], async (tx) => (await tx.objectStore('outbox').index('unsent').getAll()).filter(({ call, kept_at }) => call && kept_at === undefined));
  const all = await Promise.all((await allOwners()).map((owner) => withDisk(owner, calls)));
  return all.flat().map(({ made_at }) => made_at).sort()[0] ?? null;
}
