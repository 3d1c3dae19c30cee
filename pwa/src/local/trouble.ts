// What can go wrong with this phone's own storage, in words to show.

/** Something could not be read from or written to this phone's storage. */
export class StorageTrouble extends Error {
  override name = 'StorageTrouble';
}

/** It is not saved, and why, in words to show; what was typed must stay on the screen. */
export class NotSaved extends StorageTrouble {
  override name = 'NotSaved';
}

export const FULL = 'Not saved yet: this phone has no room left. What you typed is still here. Make some room, then save again.';
export const SILENT = 'Not saved yet: this phone’s storage is not answering. What you typed is still here. Save again in a moment.';
export const UPDATED = 'Not saved yet: Lanyard was updated in another tab. What you typed is still here. Close the other tabs, then load this one again.';
export const UNREADABLE = 'This phone’s storage is not answering. What you wrote is still in it. Close Lanyard and open it again.';
export const CLOSED = 'You have signed out on this phone. What you wrote is still in it.';
