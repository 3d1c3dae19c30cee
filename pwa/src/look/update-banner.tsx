// A new version lies ready. It never starts under somebody's thumbs: it waits for a tap.

import { useEffect, useState } from 'preact/hooks';
import { takeUpdate, useUpdate } from '../update';
import { announce } from './announce';

const STARTING = 'Starting the new version…';
const NOT_YET = 'It has not started yet: the one before may still be sending. Nothing is lost.';
const SOON_MS = 10_000;

export const UpdateBanner = () => (useUpdate() ? <Banner /> : null);

function Banner() {
  const [isStarting, setStarting] = useState(false);
  const [why, setWhy] = useState<string | null>(null);
  useEffect(() => {
    if (!isStarting) return;
    const timer = setTimeout(() => (setStarting(false), setWhy(NOT_YET), announce(NOT_YET)), SOON_MS);
    return () => clearTimeout(timer);
  }, [isStarting]);
  async function update(): Promise<void> {
    setStarting(true);
    const refused = await takeUpdate();
    setStarting(!refused);
    setWhy(refused);
    announce(refused ?? STARTING);
  }
  return (
    <section class="banner" aria-label="Update">
      <p class="grow"><b>{isStarting ? STARTING : 'A new version is ready.'}</b> {why ?? 'What you wrote stays.'}</p>
      {!isStarting && <button type="button" class="button" onClick={update}>Update</button>}
    </section>
  );
}
