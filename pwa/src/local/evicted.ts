// Noticing that the browser has thrown away what this phone held. What waits is noted in a second place, which most browsers leave
// alone when they make room: ids and counts, and never a word.

import type { Gone } from './stores';

const LEFT = 'lanyard.left';
const EVICTED = 'lanyard.evicted';

/** What an outbox held when it was last looked at: under which phone id, up to which number, how much the school had not, and what was to be told. */
export type Left = { phone: string; number: number; waiting: number; oldest: string | null; gone: Gone | null };
type Lefts = Record<string, Left>;

/** Nothing waits any more, and nothing is to be told: nothing is noted. */
export function noteLeft(outbox: string, left: Left): void {
  const { [outbox]: before, ...others } = read(LEFT);
  const now = left.waiting > 0 || left.gone ? { ...others, [outbox]: left } : others;
  if (JSON.stringify(before) !== JSON.stringify(now[outbox])) write(LEFT, now);
}

/** Call it at the start, with every outbox that is here. */
export function noticeEvicted(outboxes: readonly string[]): void {
  const left = read(LEFT);
  const isHere = ([outbox]: [string, Left]) => outboxes.includes(outbox);
  const missing = Object.entries(left).filter((one) => !isHere(one));
  if (missing.length === 0) return;
  write(EVICTED, { ...read(EVICTED), ...Object.fromEntries(missing.map(([outbox, left]) => [`${outbox}|${left.phone}`, left])) });
  write(LEFT, Object.fromEntries(Object.entries(left).filter(isHere)));
}

/** What was here, and has not been asked about yet. */
export const evicted = (): Left[] => Object.values(read(EVICTED));

/** The same outbox may have been thrown away more than once. */
export const evictedFrom = (outbox: string): Left[] => Object.entries(read(EVICTED)).flatMap(([name, left]) => (name.split('|')[0] === outbox ? [left] : []));

export function forgetEvicted({ phone }: Left): void {
  write(EVICTED, Object.fromEntries(Object.entries(read(EVICTED)).filter(([, left]) => left.phone !== phone)));
}

type Kept = { getItem(name: string): string | null; setItem(name: string, value: string): void; removeItem(name: string): void };

/** The worker has none, and a browser may forbid it. */
const kept = (): Kept | undefined => (globalThis as { localStorage?: Kept }).localStorage;

function read(name: string): Lefts {
  try {
    return JSON.parse(kept()?.getItem(name) ?? '{}') as Lefts;
  } catch {
    return {};
  }
}

function write(name: string, lefts: Lefts): void {
  try {
    if (Object.keys(lefts).length === 0) kept()?.removeItem(name);
    else kept()?.setItem(name, JSON.stringify(lefts));
  } catch {
    // No room even for that: the school knows its own numbers.
  }
}
