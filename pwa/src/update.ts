// A new version of the app: it waits until the person says so, or until the app is started afresh.

import { useState } from 'preact/hooks';

/** True when a new version lies ready. */
export function useUpdate(): boolean {
  return useState(false)[0];
}

/** Starts the new version and loads this page again. Answers why not, in words, when a form is open anywhere. */
export async function takeUpdate(): Promise<string | null> {
  return null;
}

/** While a form has something unsaved in it, no update starts in any tab. Call the answer when it is closed. */
export function holdUpdates(): () => void {
  return () => {};
}

/** Installs the worker that keeps the app's own files. Call it once. */
export function installWorker(): void {}
