// Every step of how things are closed and opened, failing or being the last one: see crashes.ts. Two files, because each takes a core for minutes.

import { OF_KEYS, tryEveryStep } from './crashes';

tryEveryStep(OF_KEYS);
