// What is only needed on call, or on a visit, comes in one piece of its own, when it is asked for.

export { Call } from './call';
export { OnDuty } from './duty';
export { Visit, Visiting } from './visit';
export { Visits } from './watching';
