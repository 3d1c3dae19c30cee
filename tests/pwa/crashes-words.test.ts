// Every step of how things are written, sent and kept, failing or being the last one: see crashes.ts. Two files, because each takes a core for minutes.

import { OF_WORDS, tryEveryStep } from './crashes';

tryEveryStep(OF_WORDS);
