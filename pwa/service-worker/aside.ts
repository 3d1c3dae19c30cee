// A new version takes over only once this one is doing nothing: on a poor line that can be minutes. All of it may end at once, for
// the next one repeats it.

let stepAside = (): void => {};
const aside = new Promise<never>((_, reject) => (stepAside = () => reject(new Error('A new version takes over'))));
aside.catch(() => {});

export { stepAside };

/** Rejects when this worker is to step aside. */
export const orAside = <T>(work: Promise<T>): Promise<T> => Promise.race([work, aside]);
