// Light or dark, contrast and text size: the system's choice, unless the person has chosen on this phone.

export type Theme = 'system' | 'light' | 'dark';
export type TextSize = 'normal' | 'larger' | 'largest';
export type Appearance = { theme: Theme; contrast: 'system' | 'more'; text: TextSize };

const KEPT_AS = 'lanyard.appearance';
const AS_SYSTEM: Appearance = { theme: 'system', contrast: 'system', text: 'normal' };

const wantsMore = matchMedia('(prefers-contrast: more)');

export function appearance(): Appearance {
  try {
    return { ...AS_SYSTEM, ...JSON.parse(localStorage.getItem(KEPT_AS) ?? '{}') };
  } catch {
    return AS_SYSTEM;
  }
}

export function choose(change: Partial<Appearance>): Appearance {
  const chosen = { ...appearance(), ...change };
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify(chosen));
  } catch {
    // No room, or storage is off: it still looks right until the app is closed.
  }
  dress(chosen);
  return chosen;
}

/** Before the first paint, and again whenever the system or the person changes their mind. */
export function dress({ theme, contrast, text } = appearance()): void {
  const root = document.documentElement;
  set(root, 'theme', theme === 'system' ? undefined : theme);
  set(root, 'contrast', contrast === 'more' || wantsMore.matches ? 'more' : undefined);
  set(root, 'text', text === 'normal' ? undefined : text);
  document.querySelector('meta[name="color-scheme"]')?.setAttribute('content', theme === 'system' ? 'light dark' : theme);
}

/** The school's own lanyard. */
export function tie(ribbon?: string, thread?: string): void {
  const colour = /^#[0-9a-f]{6}$/i;
  const root = document.documentElement;
  if (ribbon && colour.test(ribbon)) {
    root.style.setProperty('--ribbon', ribbon);
    document.querySelector('meta[name="theme-color"]')?.setAttribute('content', ribbon);
  }
  if (thread && colour.test(thread)) root.style.setProperty('--thread', thread);
}

function set(root: HTMLElement, name: string, value: string | undefined): void {
  if (value) root.dataset[name] = value;
  else delete root.dataset[name];
}

wantsMore.addEventListener('change', () => dress());
