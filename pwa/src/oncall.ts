// Calls for help and duties, asked of the school while somebody is online: how a call stands, answering it, going on duty.

import { useEffect, useRef, useState } from 'preact/hooks';
import { askAsMe } from './as-me';
import { refusal, type Heard, type Question } from './school';
import { syncNow } from './sync';

const LOOK_EVERY_MS = 1_000;
const LOOKS_FOR_MS = 5_000; // then it is asked again
const QUIET_AFTER_MS = 5_000; // not heard of the school for so long: what is shown is old, and says so

export type CallCard = {
  record: string;
  state: 'asking' | 'ringing' | 'answered' | 'there' | 'over' | 'not_needed' | 'missed';
  words: string;
  place: string;
  urgency: string;
  asked_at: string;
  received_at: string;
  caller: string;
  rang: { people: number; handed: number; handed_at: string | null; shown: number; shown_at: string | null; opened: number; opened_at: string | null };
  next: { at: string; words: string } | null;
  alone_at: string | null; // since when the caller knows that nobody has answered
  answered_by: string | null;
  answered_at: string | null;
  there_at: string | null;
  over_at: string | null;
  incident: string | null;
  who: Record<string, string>; // names of the staff in it
  timeline: { at: string; what: string; words: string }[];
  may: string[];
  plans?: Plan[]; // while I go to it; a school before it kept plans says nothing of them
  now: string;
};

export type Plan = { pupil: string; lines: { label: string; words: string; careful: boolean }[]; overdue: boolean };

export type ShiftCard = {
  staff: string;
  name: string;
  began_at: string;
  ends_at: string;
  sent_at: string | null;
  shown_at: string | null;
  tested_at: string | null; // they tapped the test: green
  seen_at: string | null;
  failed: string | null;
};

export type DutyCard = {
  can: boolean;
  mine: ShiftCard | null;
  today: { label: string; starts: string; ends: string; zone: string; part: string }[];
  on: ShiftCard[];
  enough: number;
  now: string;
};

/** `problem`: why it was not done, in words for whoever asked. */
export type Asked<T> = { json: T | null; problem: string; missing: boolean };

const AWAY = 'The school cannot be reached.';
const UNHEARD = 'It is not known whether the school heard you. Look whether it says so here, or use the radio.';

export async function asked<T>(path: string, question: Question = {}): Promise<Asked<T>> {
  const heard: Heard | null = await askAsMe(path, question).catch(() => null); // locked meanwhile, or the storage is silent
  const unheard = question.method ? UNHEARD : AWAY;
  if (heard?.heard !== 'answered') return { json: null, problem: unheard, missing: false };
  if (heard.status < 300) return { json: heard.json as T, problem: '', missing: false };
  const { words } = refusal(heard.json) as { words?: string };
  return { json: null, problem: words ?? unheard, missing: heard.status === 404 };
}

/** What is pressed, and how the call stands then; the record follows by the exchange. */
export async function answer(record: string, what: string): Promise<Asked<CallCard>> {
  const said = await asked<CallCard>(`/api/calls/${encodeURIComponent(record)}`, { method: 'POST', json: { what } });
  void syncNow('hint');
  return said;
}

/** `heardAt`: when the school answered last; 0: not yet. `ahead`: how far its clock is before this phone's. */
export type Follows<T> = { found: Asked<T> | undefined; heardAt: number; ahead: number; keep: (json: T) => void };

export const isQuiet = (heardAt: number, now: number): boolean => heardAt > 0 && now - heardAt > QUIET_AFTER_MS;

/** Looks again every second, or as often as is said, while the screen is looked at. With no path, it does not ask. */
export function useAsked<T>(path: string, until: (found: T) => boolean = () => false, every_ms = LOOK_EVERY_MS): Follows<T> {
  const [found, setFound] = useState<Asked<T>>();
  const heardAt = useRef(0);
  const ahead = useRef(0);
  const note = ({ json, missing }: Asked<T>) => {
    if (!json && !missing) return;
    heardAt.current = Date.now();
    const theirs = Date.parse((json as { now?: string } | null)?.now ?? '');
    if (theirs) ahead.current = theirs - heardAt.current;
  };
  useEffect(() => {
    let [isOver, isAsking] = [false, false];
    const look = async () => {
      if (!path || isOver || isAsking || document.hidden) return;
      isAsking = true;
      const next = await asked<T>(path, { patience_ms: LOOKS_FOR_MS });
      isAsking = false;
      if (isOver) return;
      note(next);
      setFound((before) => (next.json || next.missing || !before?.json ? next : { ...before, problem: next.problem }));
      if (next.json && until(next.json)) stop();
    };
    const every = setInterval(() => void look(), every_ms);
    const stop = () => ((isOver = true), clearInterval(every));
    void look();
    return stop;
  }, [path]);
  const keep = (json: T) => {
    const next = { json, problem: '', missing: false };
    note(next);
    setFound(next);
  };
  return { found, heardAt: heardAt.current, ahead: ahead.current, keep };
}
