// What is only needed on call, on a visit or a sweep, comes in one piece of its own, when it is asked for.

export { Call } from './call';
export { ClosingWords } from './closing-words';
export { OnDuty } from './duty';
export { Sweep } from './sweep';
export { Visit, Visiting } from './visit';
export { Visits } from './watching';
