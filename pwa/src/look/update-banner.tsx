// A new version lies ready. It never starts under somebody's thumbs: it waits for a tap.

import { useState } from 'preact/hooks';
import { takeUpdate, useUpdate } from '../update';
import { announce } from './announce';

const STARTING = 'Starting the new version…';
const STILL_STARTING = 'The one before is still finishing what it was sending. Nothing is lost.';
const SOON_MS = 10_000;

export const UpdateBanner = () => (useUpdate() ? <Banner /> : null);

function Banner() {
  const [isStarting, setStarting] = useState(false);
  const [why, setWhy] = useState<string | null>(null);
  async function update(): Promise<void> {
    setStarting(true);
    const refused = await takeUpdate();
    setStarting(!refused);
    setWhy(refused);
    announce(refused ?? STARTING);
    if (!refused) setTimeout(() => (setWhy(STILL_STARTING), announce(STILL_STARTING)), SOON_MS);
  }
  return (
    <section class="banner" aria-label="Update">
      <p class="grow"><b>{isStarting ? STARTING : 'A new version is ready.'}</b> {why ?? 'What you wrote stays.'}</p>
      {!isStarting && <button type="button" class="button" onClick={update}>Update</button>}
    </section>
  );
}
