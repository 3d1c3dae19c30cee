// The time on a screen that shows ages: it moves twice a minute, and at once when the app comes back.

import { useEffect, useState } from 'preact/hooks';

const EVERY_MS = 30_000;

export function useNow(every = EVERY_MS): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const move = () => setNow(Date.now());
    const timer = setInterval(move, every);
    addEventListener('visibilitychange', move);
    return () => {
      clearInterval(timer);
      removeEventListener('visibilitychange', move);
    };
  }, [every]);
  return now;
}
