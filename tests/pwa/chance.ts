// Where chance comes from in these tests: one seed, the same in every `make test`. `make soak` gives a fresh one and many more runs:
// SEED=17 RUNS=1000 npx vitest run chaos

import fc from 'fast-check';
import { beforeEach } from 'vitest';

const SEED = Number(process.env.SEED ?? 1);

/** How often a property is tried, where so many are usual. */
export const runs = (usual: number): number => Number(process.env.RUNS ?? usual);

let state = SEED;

/** What is drawn from here on is what was drawn after the last such call. */
export function beginAgain(): void {
  state = SEED;
}

/** Mulberry32: 32 bits of no secret whatever. */
function draw(): number {
  state = (state + 0x6d2b79f5) | 0;
  let drawn = Math.imul(state ^ (state >>> 15), state | 1);
  drawn ^= drawn + Math.imul(drawn ^ (drawn >>> 7), drawn | 61);
  return (drawn ^ (drawn >>> 14)) >>> 0;
}

// Ids and waits, too: of two edits of one moment the ids say which comes first.
Math.random = () => draw() / 2 ** 32;
crypto.getRandomValues = ((into: Uint8Array) => {
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  for (let at = 0; at < bytes.length; at++) bytes[at] = draw();
  return into;
}) as typeof crypto.getRandomValues;

fc.configureGlobal({ seed: SEED, numRuns: runs(100) });
beforeEach(beginAgain);
