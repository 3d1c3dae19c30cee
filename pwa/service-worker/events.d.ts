/** What the library's types leave out: not every browser has it. Background Sync, and requests that go past the worker. */
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
  readonly lastChance: boolean;
}
interface InstallEvent extends ExtendableEvent {
  addRoutes?(rule: { condition: { urlPattern: string }; source: 'network' }): Promise<void>;
}
interface ServiceWorkerGlobalScopeEventMap {
  sync: SyncEvent;
  install: InstallEvent;
}
