// Screens that are not needed for the first paint come a moment later; the worker keeps them, so they come with no signal too.

import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Screen } from './screen';

const loaders: (() => Promise<unknown>)[] = [];

export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let Loaded: ComponentType<Props> | undefined;
  const fetched = () => load().then((screen) => (Loaded = screen));
  loaders.push(fetched);
  return function Later(props: Props) {
    const [failed, setFailed] = useState(false);
    const [, redraw] = useState(0);
    const waits = !Loaded; // as it was drawn: it may have come since, and must then be drawn all the same
    useEffect(() => {
      if (waits) fetched().then(() => redraw(1), () => setFailed(true));
    }, []);
    if (Loaded) return <Loaded {...props} />;
    return <Screen title="Opening">{failed && <p>This part of Lanyard is not on this phone yet. It comes with the first signal; nothing that you wrote is lost.</p>}</Screen>;
  };
}

/** When there is nothing else to do, so that every later tap is quick. */
export function fetchTheRest(): void {
  const idle: (then: () => void) => unknown = window.requestIdleCallback ?? ((then) => setTimeout(then, 1_000));
  idle(() => loaders.forEach((load) => void load().catch(() => {})));
}
