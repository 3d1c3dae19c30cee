// How many edits to send at once, and which go last. Pure. One edit that cannot be sent must never hold up another.

export const MOST_EDITS = 100;
/** A batch that failed this often, while the school did answer a letter without edits, is halved. */
const PATIENCE = 3;

/** `aside`: edits that failed all alone; each is tried by itself when nothing else is waiting, in turn. */
export type Plan = { size: number; failures: number; aside: string[] };

export const FRESH: Plan = { size: MOST_EDITS, failures: 0, aside: [] };

export type Outcome = 'taken in' | 'failed' | 'too large';

export function after(plan: Plan, batch: readonly string[], outcome: Outcome): Plan {
  if (batch.length === 0) return plan;
  if (outcome === 'taken in') return { size: Math.min(MOST_EDITS, plan.size * 2), failures: 0, aside: without(plan.aside, batch) };
  if (isAlone(plan, batch)) return { ...plan, failures: 0, aside: [...without(plan.aside, batch), ...batch] };
  const failures = outcome === 'too large' ? PATIENCE : plan.failures + 1;
  if (failures < PATIENCE) return { ...plan, failures };
  if (batch.length > 1) return { ...plan, failures: 0, size: Math.floor(batch.length / 2) };
  return { size: 1, failures: 0, aside: [...plan.aside, ...batch] };
}

/** An edit whose turn has come after all others: it has failed alone before. */
const isAlone = (plan: Plan, batch: readonly string[]): boolean => batch.length === 1 && plan.aside.includes(batch[0]!);

const without = (aside: readonly string[], batch: readonly string[]): string[] => aside.filter((edit) => !batch.includes(edit));
