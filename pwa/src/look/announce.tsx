// What a screen reader is told without being asked: two live regions that are always there.

import { useEffect, useState } from 'preact/hooks';

type Manner = 'polite' | 'assertive';
type Told = Record<Manner, string>;

const HEARD_MS = 10_000; // by then it was read out: who comes upon the region later must not take it for news

let tell: ((manner: Manner, words: string) => void) | undefined;

export function announce(words: string, manner: Manner = 'polite'): void {
  tell?.(manner, words);
}

export function Announcer() {
  const [told, setTold] = useState<Told>({ polite: '', assertive: '' });
  useEffect(() => {
    // The same words twice must be heard twice, so a space that nobody hears comes and goes.
    tell = (manner, words) => setTold((before) => ({ ...before, [manner]: before[manner] === words ? `${words}\u00a0` : words }));
    return () => (tell = undefined);
  }, []);
  useEffect(() => {
    const heard = setTimeout(() => setTold({ polite: '', assertive: '' }), HEARD_MS);
    return () => clearTimeout(heard);
  }, [told.polite, told.assertive]);
  return (
    <>
      <div class="hidden" role="status" aria-live="polite">{told.polite}</div>
      <div class="hidden" role="alert" aria-live="assertive">{told.assertive}</div>
    </>
  );
}
