// What is being written: kept at every keystroke, and never touched by what arrives meanwhile.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { keep, type Draft } from '../local/drafts';
import { NotSaved } from '../local/outbox';
import { SLOW, slowly } from '../local/trouble';
import { holdUpdates } from '../update';
import type { Field, Gathering, Json, Kind, Values } from '../wire';
import { isEmpty, type Entries } from './say';

export type Body = Record<string, Json>;

export type Writing = {
  draft: Draft;
  /** What a field shows: what stood when the form was opened, with what was typed since laid over it. */
  answer: (field: Field) => Json | undefined;
  /** A person answered; it is on its way to the disk before this returns. */
  write: (field: Field, value: Json | undefined) => void;
  turn: (page: string) => void;
  /** Why a keystroke could not be kept, in words. */
  trouble: string | null;
};

/** A form's own memory. `opened` is what stood in the record when the form was opened; `me` whose statement `own` means. */
export function useWriting(start: Draft, opened: Body, me: string): Writing {
  const draft = useRef(start);
  const [trouble, setTrouble] = useState<string | null>(null);
  const release = useRef<(() => void) | null>(null);
  useEffect(() => () => release.current?.(), []);

  return useMemo(() => {
    const keepIt = (change: Partial<Draft>) => {
      draft.current = { ...draft.current, ...change, changed_at: new Date().toISOString() };
      release.current ??= holdUpdates();
      const written = draft.current;
      markKept(false);
      slowly(keep(written), () => setTrouble(SLOW)).then(
        () => (setTrouble(null), markKept(draft.current === written)),
        (why) => setTrouble(why instanceof NotSaved ? why.message : 'This phone could not keep what you typed. It is still on the screen.'),
      );
    };
    return {
      get draft() {
        return draft.current;
      },
      answer: (field: Field) => shown(field, opened, draft.current.values, me),
      write: (field: Field, value: Json | undefined) => keepIt({ values: withAnswer(field, opened, draft.current.values, value, me) }),
      turn: (page: string) => keepIt({ page }),
      trouble,
    };
  }, [opened, me, trouble]);
}

/** For whoever looks from outside: the last keystroke is on the disk. */
const markKept = (isKept: boolean): unknown => document.getElementById('form')?.toggleAttribute('data-kept', isKept);

export function shown(field: Field, opened: Body, values: Values, me: string): Json | undefined {
  const touched = Object.hasOwn(values, field.name);
  if (field.merge === 'gather') return gathered((opened[field.name] ?? {}) as Entries, (values[field.name] ?? {}) as Gathering);
  if (touched) return values[field.name];
  if (field.merge === 'own') return (opened[field.name] as Record<string, { value: Json }> | undefined)?.[me]?.value;
  return opened[field.name];
}

/** Only what was touched travels: an answer taken back to what it was is untouched again. */
export function withAnswer(field: Field, opened: Body, values: Values, value: Json | undefined, me: string): Values {
  const { [field.name]: _, ...others } = values;
  if (field.merge === 'gather') {
    const gathering = gatheringFrom((opened[field.name] ?? {}) as Entries, (value ?? {}) as Entries);
    return gathering ? { ...others, [field.name]: gathering as Json } : others;
  }
  const was = shown(field, opened, {}, me);
  if (isEmpty(value)) return isEmpty(was) ? others : { ...others, [field.name]: null };
  return { ...others, [field.name]: value! };
}

export function gathered(before: Entries, { put = {}, drop = [] }: Gathering): Entries {
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !drop.includes(key)));
  return { ...kept, ...(put as Entries) };
}

/** What to put and what to drop to come from one to the other; nothing, if nothing differs. */
export function gatheringFrom(before: Entries, after: Entries): Gathering | undefined {
  const put = Object.fromEntries(Object.entries(after).filter(([key, entry]) => JSON.stringify(entry) !== JSON.stringify(before[key])));
  const drop = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
  if (Object.keys(put).length === 0 && drop.length === 0) return undefined;
  return { put, drop };
}

export const newDraft = (kind: Kind, id: string, record: string, rest: Partial<Draft> = {}): Draft => {
  const now = new Date().toISOString();
  return { id, kind: kind.name, record, seen: null, values: {}, opened_at: now, changed_at: now, ...rest };
};
