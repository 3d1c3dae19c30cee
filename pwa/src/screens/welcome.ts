// Whether this phone has been through its first minute.

const KEPT_AS = 'lanyard.welcomed';

export function needsWelcome(): boolean {
  try {
    return localStorage.getItem(KEPT_AS) === null;
  } catch {
    return false;
  }
}

export function welcomed(): void {
  try {
    localStorage.setItem(KEPT_AS, 'yes');
  } catch {
    // It will be asked again: no harm.
  }
}

