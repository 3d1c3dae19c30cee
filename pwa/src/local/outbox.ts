// Writing things down. An edit is safe on this phone before anybody is told that it is saved.

import type { Edit, HeldEdit, Values } from '../wire';

/** It is not saved, and why, in words to show; what was typed must stay on the screen. */
export class NotSaved extends Error {}

export type Written = { record: string; kind: string; values: Values; seen: string | null; amends?: string };
export type Waiting = { count: number; oldest: string | null; edits: Edit[] };
export type WriteOptions = {
  /** The draft this was typed in: it goes in the same transaction that saves the edit. */
  draft?: string;
  /** Milliseconds for which the edit is not offered to the school, so that Undo can take it back: 10,000 beside a toast, 0 for a call for help. */
  undoFor?: number;
};

const edits: Edit[] = [];

/** Resolves only once the edit is on the disk; throws NotSaved otherwise. Safe to call again after NotSaved. */
export async function write(written: Written, _options: WriteOptions = {}): Promise<Edit> {
  const edit = { ...written, id: crypto.randomUUID(), phone: 'phone', number: edits.length + 1, made_at: new Date().toISOString() };
  edits.push(edit);
  return edit;
}

/** Takes an edit back: true only while it has never been offered to the school. */
export async function undo(editId: string): Promise<boolean> {
  const at = edits.findIndex((edit) => edit.id === editId);
  if (at >= 0) edits.splice(at, 1);
  return at >= 0;
}

/** The author lets a held edit rest: it stays in the history, with this reason. */
export async function setAside(_held: HeldEdit, _why: string): Promise<void> {}

export async function waiting(): Promise<Waiting> {
  return { count: edits.length, oldest: edits[0]?.made_at ?? null, edits };
}

/** A new id for a record or an edit: UUIDv7, so that they sort by when they were begun. */
export const newId = (): string => crypto.randomUUID();
