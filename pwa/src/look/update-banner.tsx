// A new version lies ready. It never starts under somebody's thumbs: it waits for a tap.

import { useState } from 'preact/hooks';
import { takeUpdate, useUpdate } from '../update';
import { announce } from './announce';

export function UpdateBanner() {
  const ready = useUpdate();
  const [why, setWhy] = useState<string | null>(null);
  if (!ready) return null;
  async function update(): Promise<void> {
    const refused = await takeUpdate();
    setWhy(refused);
    if (refused) announce(refused);
  }
  return (
    <section class="banner" aria-label="Update">
      <p class="grow"><b>A new version is ready.</b> {why ?? 'What you wrote stays.'}</p>
      <button type="button" class="button" onClick={update}>Update</button>
    </section>
  );
}
