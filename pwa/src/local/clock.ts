// This phone's sense of time. Its clock may be set back, or stand wrong for a year; what this phone has once seen never goes back.

/** As it is kept: the latest moment that was seen, and what this phone's own clock said then. */
export type Seen = { seen_at: number; looked_at?: number | undefined };

/** Looks at the clock. The highest moment ever seen stands, and what the clock has counted since is added to it, wherever it was set to. */
export function look({ seen_at, looked_at }: Seen): Required<Seen> {
  const clock = Date.now();
  return { seen_at: Math.max(clock, seen_at + Math.max(0, clock - (looked_at ?? clock))), looked_at: clock };
}

/** The school has said what time it is: it knows better than any clock that was once looked at here. */
export const hear = (now: number): Required<Seen> => ({ seen_at: now, looked_at: Date.now() });

/** A clock that jumps, either way, counts as time gone by. */
export const isPast = (moment: number, ms: number): boolean => Math.abs(Date.now() - moment) > ms;
