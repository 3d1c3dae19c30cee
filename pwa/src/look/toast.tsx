// What was just done, with ten seconds to take it back.

import { useEffect, useState } from 'preact/hooks';
import { announce } from './announce';
import { Icon } from './icon';

export const UNDO_MS = 10_000;
const STAYS_MS = 6_000; // with nothing to undo

type Toasted = { words: string; about?: string; undo?: () => Promise<void>; until: number };

let now: Toasted | null = null;
const watchers = new Set<() => void>();

export function toast(words: string, about?: string, undo?: () => Promise<void>): void {
  show({ words, about, undo, until: performance.now() + (undo ? UNDO_MS : STAYS_MS) });
  announce([words, about, undo && 'You can undo it for ten seconds.'].filter(Boolean).join(' '));
}

export const clearToast = (): void => show(null);

function show(next: Toasted | null): void {
  now = next;
  watchers.forEach((watch) => watch());
}

export function Toast() {
  const [, redraw] = useState(0);
  useEffect(() => {
    const watch = () => redraw((times) => times + 1);
    watchers.add(watch);
    const timer = setInterval(() => {
      if (!now) return;
      if (performance.now() >= now.until) show(null);
      else watch();
    }, 500);
    return () => {
      watchers.delete(watch);
      clearInterval(timer);
    };
  }, []);
  if (!now) return null;
  const { words, about, undo, until } = now;
  return (
    <div class="toast">
      <span class="grow"><b>{words}</b> {about}</span>
      {undo && (
        <button type="button" class="button" onClick={() => { clearToast(); void undo(); }}>
          <Icon name="undo" size="small" />Undo <span class="num" aria-hidden="true">{Math.max(0, Math.ceil((until - performance.now()) / 1000))}</span>
        </button>
      )}
    </div>
  );
}
