// What the school could not add, in words: what it was, and why.

import { fieldNamed, kindNamed, titleOf } from '../form/say';
import type { Draft } from '../local/drafts';
import { gathered } from '../form/draft';
import type { ShownRecord } from '../local/overlay';
import type { Edit, HeldEdit, Json, Kind, SchoolAnswer, Values } from '../wire';

/** An edit's values as a body would show them, to be read back. */
export function bodyOf(kind: Kind | undefined, values: Values, me = ''): Record<string, Json> {
  const fields = Object.entries(values).map(([name, value]) => {
    const merge = fieldNamed(kind, name)?.merge;
    if (merge === 'gather') return [name, gathered({}, value as never) as Json];
    if (merge === 'own') return [name, { [me]: { value, at: '', versions: 1 } } as Json];
    return [name, value];
  });
  return Object.fromEntries(fields);
}

export function heldTitle(school: SchoolAnswer | undefined, held: Pick<HeldEdit, 'kind' | 'values'>): string {
  const kind = kindNamed(school, held.kind);
  const title = titleOf(school, { kind: held.kind, body: bodyOf(kind, held.values), disputes: {} });
  return !kind ? 'What you wrote' : title === kind.label ? title : `${kind.label}, ${title}`;
}

/** One's own edit that waits: what it says, or else which record it adds to. */
export function waitingTitle(school: SchoolAnswer | undefined, edit: Edit, record: ShownRecord | undefined): string {
  const kind = kindNamed(school, edit.kind);
  if (!record || edit.seen === null) return heldTitle(school, edit);
  const fields = Object.keys(edit.values).map((name) => fieldNamed(kind, name)).filter((field) => field !== undefined);
  const what = fields.length > 0 && fields.every(({ merge }) => merge === 'own') ? 'Your account' : 'Your change';
  return `${what}, ${titleOf(school, record)}`;
}

export function draftsWords(school: SchoolAnswer | undefined, draft: Draft): string {
  return heldTitle(school, draft);
}

const WHO: Record<string, string> = { pupils: 'A pupil', staff: 'Somebody' };

export type Reason = { field: string; question: string | undefined; words: string };

/** Why it was held, each reason a sentence; under the question that it is about, unless it says by itself who is meant. */
export function reasonsOf(school: SchoolAnswer | undefined, held: HeldEdit): Reason[] {
  const kind = kindNamed(school, held.kind);
  return Object.entries(held.because).map(([name, words]) => {
    const field = fieldNamed(kind, name.split('/')[0]!);
    const who = words.startsWith('not ') ? WHO[field?.shape.control ?? ''] : undefined;
    return who ? { field: name, question: undefined, words: `${who} who is ${words}` } : { field: name, question: field?.question, words: sentence(words) };
  });
}

export function reasonOf(school: SchoolAnswer | undefined, held: HeldEdit): string {
  const [first] = reasonsOf(school, held);
  return first ? [first.question, first.words].filter(Boolean).join(' ') : 'The school could not add it';
}

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
