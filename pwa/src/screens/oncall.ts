// What is only needed on call, on a visit, a sweep or the morning's calls comes in one piece of its own, when it is asked for.

export { Call } from './call';
export { Calls } from './calls';
export { ClosingWords } from './closing-words';
export { OnDuty } from './duty';
export { Sweep } from './sweep';
export { Visit, Visiting } from './visit';
export { Visits } from './watching';
