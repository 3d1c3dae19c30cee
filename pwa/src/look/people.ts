// Everybody's names, as a screen follows them: they are read a moment after the first one is drawn.

import { useEffect, useState } from 'preact/hooks';
import { peopleKnown, watchPeople } from '../local/people';

/** How many people are known; a screen that shows names draws itself again when they have been read. */
export function usePeople(): number {
  const [known, setKnown] = useState(0);
  const [, redraw] = useState({});
  useEffect(() => {
    const tell = () => (setKnown(peopleKnown()), redraw({}));
    tell();
    return watchPeople(tell);
  }, []);
  return known;
}
