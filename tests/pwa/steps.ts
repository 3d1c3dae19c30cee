// Every step that a phone takes outside its own thoughts, counted: storage, ciphers, network. The nth can be made to fail, or to
// be the last one before the app is killed.

export type Failure = 'fails' | 'dies';

const STORAGE: [object, string[]][] = [
  [IDBFactory.prototype, ['open']],
  [IDBDatabase.prototype, ['transaction']],
  [IDBObjectStore.prototype, ['get', 'getAll', 'getAllKeys', 'put', 'add', 'delete', 'clear', 'count']],
  [IDBIndex.prototype, ['get', 'getAll', 'count']],
];
const CIPHERS = ['encrypt', 'decrypt', 'sign', 'verify', 'digest', 'deriveBits', 'importKey', 'exportKey', 'generateKey'];

let taken = 0;
let last = Infinity;
let failure: Failure = 'fails';
let isCounting = false;

/** True when this step is not to be. Once dead, every step is refused: nothing more is begun. */
function refused(): boolean {
  if (!isCounting) return false;
  taken++;
  return failure === 'dies' ? taken >= last : taken === last;
}

for (const [prototype, names] of STORAGE) {
  for (const name of names) {
    const real = (prototype as Record<string, (...given: unknown[]) => unknown>)[name]!;
    Object.defineProperty(prototype, name, {
      configurable: true,
      writable: true,
      value(this: unknown, ...given: unknown[]) {
        const isOwn = given[1] === 'versionchange'; // the pretended storage's own beginning of an upgrade
        if (!isOwn && refused()) throw new DOMException(`no room for ${name}`, 'QuotaExceededError');
        return real.apply(this, given);
      },
    });
  }
}

for (const name of CIPHERS) {
  const real = (SubtleCrypto.prototype as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>)[name]!;
  Object.defineProperty(SubtleCrypto.prototype, name, {
    configurable: true,
    writable: true,
    async value(this: SubtleCrypto, ...given: unknown[]) {
      if (refused()) throw new DOMException(`no ${name}`, 'OperationError');
      return await real.apply(this, given);
    },
  });
}

/** For the network: as if there were no signal. */
export const cutOff = (): boolean => refused();

/** Runs `work` with its nth step failing. Answers whether there was an nth step at all, and whether `work` said that it was done. */
export async function failingAt(nth: number, how: Failure, work: () => Promise<unknown>): Promise<{ was: boolean; done: boolean }> {
  [taken, last, failure, isCounting] = [0, nth, how, true];
  let done = true;
  try {
    await work();
  } catch {
    done = false;
  } finally {
    isCounting = false;
  }
  return { was: taken >= nth, done };
}
