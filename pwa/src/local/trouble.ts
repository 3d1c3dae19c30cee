// What can go wrong with this phone's own storage, in words to show.

/** Longer than any disk takes. From then on it is said that nothing is saved yet, while it is still being tried. */
const SLOW_MS = 3_000;

/** Something could not be read from or written to this phone's storage. */
export class StorageTrouble extends Error {
  override name = 'StorageTrouble';
}

/** It is not saved, and why, in words to show; what was typed must stay on the screen. */
export class NotSaved extends StorageTrouble {
  override name = 'NotSaved';
}

export const FULL = 'This phone has no room left. What you typed is still here. Delete a few photos or downloads, then save again.';
export const SILENT = 'This phone’s storage is not answering. What you typed is still here. Save again in a moment.';
export const UPDATED = 'Lanyard was updated in another tab. What you typed is still here. Close the other tabs, then load this one again.';
export const UNREADABLE = 'This phone’s storage is not answering. What you wrote is still in it. Close Lanyard and open it again.';
export const CLOSED = 'You have signed out on this phone. What you wrote is still in it.';
export const SLOW = 'This phone’s storage has not answered yet. What you typed is still here, and it is being tried again.';

/** Says so when it takes longer than it should. */
export async function slowly<T>(work: Promise<T>, say: () => void): Promise<T> {
  const timer = setTimeout(say, SLOW_MS);
  return await work.finally(() => clearTimeout(timer));
}
