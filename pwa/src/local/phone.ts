// This phone itself: how much room it has, whether the browser has promised to keep it, a copy of what is waiting, habits.

export type Storage = { persisted: boolean; used: number; quota: number };

export async function storage(): Promise<Storage> {
  return { persisted: false, used: 0, quota: 0 };
}

/** Asks the browser never to clear this phone's storage by itself. Call it after the first save, from a tap. */
export async function persist(): Promise<boolean> {
  return false;
}

/** A file of every edit that the school has not heard. */
export async function saveCopy(): Promise<File> {
  return new File(['{}'], 'lanyard.json', { type: 'application/json' });
}

/** Counts a choice, so that chips stand in the order in which this person uses them. */
export async function chosen(_list: string, _code: string): Promise<void> {}

/** How often each code of a list was chosen on this phone. */
export async function uses(_list: string): Promise<Map<string, number>> {
  return new Map();
}
