// When to exchange with the school, and what to tell the person about it.

import { useState } from 'preact/hooks';

export type Reason = 'start' | 'save' | 'online' | 'visible' | 'timer' | 'tap' | 'push' | 'hint';

export type Status = {
  state: 'draft' | 'waiting' | 'sending' | 'sent' | 'needs';
  waiting: number;
  oldest: string | null; // when the oldest waiting edit was made
  sending: { done: number; of: number } | null;
  needs: number; // held edits of mine that nobody has settled
  drafts: number;
  lastContact: string | null; // when the school last answered in its own words
  reached: boolean; // whether it did the last time we asked
  problem: string | null; // what is in the way, in words
  signedOut: boolean; // the school no longer knows us: sign in again; nothing is lost
};

const quiet: Status = { state: 'sent', waiting: 0, oldest: null, sending: null, needs: 0, drafts: 0, lastContact: null, reached: false, problem: null, signedOut: false };

export function start(): void {}

/** Resolves when an exchange that began after the call has ended, well or badly; `status()` says which. */
export async function syncNow(_reason: Reason): Promise<void> {}

export const status = (): Status => quiet;

export function useStatus(): Status {
  return useState(quiet)[0];
}
