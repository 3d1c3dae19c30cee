// Whether the app is installed, and how it can be.

type InstallPrompt = Event & { prompt: () => Promise<void>; userChoice: Promise<{ outcome: 'accepted' | 'dismissed' }> };

let offered: InstallPrompt | null = null;
const watchers = new Set<() => void>();

/** Call it once, before the first frame: the browser offers only once, and early. */
export function listenForOffer(): void {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offered = event as InstallPrompt;
    watchers.forEach((watch) => watch());
  });
  addEventListener('appinstalled', () => {
    offered = null;
    watchers.forEach((watch) => watch());
  });
}

export const isInstalled = (): boolean => matchMedia('(display-mode: standalone)').matches || (navigator as { standalone?: boolean }).standalone === true;

export const isOffered = (): boolean => offered !== null;

export async function install(): Promise<boolean> {
  const offer = offered;
  offered = null;
  await offer?.prompt();
  const choice = await offer?.userChoice;
  watchers.forEach((watch) => watch());
  return choice?.outcome === 'accepted';
}

export function watchOffer(watch: () => void): () => void {
  watchers.add(watch);
  return () => watchers.delete(watch);
}

/** An iPhone or iPad installs by its Share button, and says nothing to the page. */
export const isApple = (): boolean => /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.userAgent.includes('Macintosh') && navigator.maxTouchPoints > 1);
