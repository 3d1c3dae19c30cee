// One letter at a time, however many tabs are open. A courtesy only: everything stays right when two go at once.

/** Longer than any letter takes; whoever has the turn for longer is frozen. */
export const TURN_MS = 45_000;

export async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { locks } = globalThis.navigator ?? {};
  if (!locks) return await work();
  let working: Promise<T> | undefined;
  const start = () => (working = work());
  for (const how of [{ signal: AbortSignal.timeout(TURN_MS) }, { steal: true }]) {
    try {
      await locks.request(name, how, start);
    } catch {
      // Waited in vain, or the turn was taken from us while we worked, or the work failed: `working` knows.
    }
    if (working) return await working;
  }
  return await work();
}
