// What somebody should know before they go on; and what is wrong with what they gave.

import type { ComponentChildren } from 'preact';
import { focusOn } from './address';
import { Icon, type IconName } from './icon';

type Told = { state: 'draft' | 'waiting' | 'needs' | 'alarm'; icon?: IconName; alert?: boolean | undefined; children: ComponentChildren };

export const Note = ({ state, icon = state, alert = false, children }: Told) => (
  <p class="note" role={alert ? 'alert' : undefined} data-state={state}><Icon name={icon} /><span>{children}</span></p>
);

/** At the top, and focused: a way to the field that it is about. */
export const ThereIsAProblem = ({ words, field, children }: { words: string; field: string; children?: ComponentChildren }) => (
  <div class="problems" id="problem" role="alert" tabIndex={-1}>
    <h2>There is a problem</h2>
    <a href={`#${field}`} onClick={(event) => { event.preventDefault(); focusOn(field); }}>{words}</a>
    {children}
  </div>
);
