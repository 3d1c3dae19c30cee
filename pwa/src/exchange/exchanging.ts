// All that exchanging needs, in one piece: it comes a moment after the first paint.

export { exchangeForEverybody } from './everybody';
export { refreshPeople, refreshSchool } from './reference';
export { needsMe } from '../local/view';
