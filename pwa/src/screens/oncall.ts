// What is only needed on call comes in one piece of its own, when it is asked for.

export { Call } from './call';
export { OnDuty } from './duty';
