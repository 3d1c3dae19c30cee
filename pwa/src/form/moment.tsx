// When, and how exactly: to the minute, about then, or in a lesson.

import { useId, useState } from 'preact/hooks';
import { Icon } from '../look/icon';
import { clock, nearDay } from '../look/words';
import type { Moment, SchoolAnswer } from '../wire';
import { Chip } from './chips';
import type { Asked } from './controls';
import { momentOf } from './say';

const PRECISIONS = [
  { code: 'exact', label: 'Exactly then' },
  { code: 'about', label: 'About then' },
  { code: 'lesson', label: 'In a lesson' },
] as const;

/** Asked for a time to come: when one is back, until when a sweep goes. */
const AHEAD = new Set(['back_by', 'ends_at']);
const HOUR = 60 * 60_000;

export function MomentControl({ id, field, school, value, wrong, onAnswer }: Asked) {
  const name = useId();
  const [moment, setMoment] = useState(momentOf(value));
  const [times, setTimes] = useState(0); // the input is drawn again only when we, not the person, moved the time

  function answer(change: Partial<Moment> | undefined, moved = false): void {
    const now = change && { ...(moment ?? { at: new Date().toISOString(), precision: 'exact' as const }), ...change };
    setMoment(now);
    if (moved) setTimes(times + 1);
    onAnswer(now && clean(now));
  }

  const precision = moment?.precision;
  const isAhead = AHEAD.has(field.name);
  return (
    <div class="stack" id={id} tabIndex={-1}>
      <div class="line">
        <span class="when grow">
          <input
            key={times}
            class="input num"
            type="datetime-local"
            aria-label={field.question}
            aria-invalid={wrong || undefined}
            defaultValue={moment ? localTime(moment.at) : ''}
            onClick={({ currentTarget }) => pick(currentTarget)}
            onInput={(event) => answer(fromLocal(event.currentTarget.value))}
          />
          <span class={moment ? 'num' : 'meta'} aria-hidden="true">{moment ? `${nearDay(moment.at)}, ${clock(moment.at)}` : 'Day and time'}<Icon name="calendar" size="small" /></span>
        </span>
        <button type="button" class="button" onClick={() => answer({ at: new Date(Date.now() + (isAhead ? HOUR : 0)).toISOString(), precision: 'exact' }, true)}>{isAhead ? 'In an hour' : 'Now'}</button>
      </div>
      {moment && (
        <div class="chips" role="group" aria-label="How exactly do you know?">
          {PRECISIONS.map(({ code, label }) => (
            <Chip key={code} name={name} label={label} on={precision === code} onChange={(on) => on && answer(code === 'lesson' ? lessonAt(school, moment.at) : { precision: code })} />
          ))}
        </div>
      )}
      {precision === 'lesson' && (
        <div class="chips" role="group" aria-label="Which lesson?">
          {(school.periods ?? []).map((period) => (
            <Chip key={period.code} name={`${name}-lesson`} label={`${period.label}, ${period.starts}`} on={moment?.lesson === period.code} onChange={(on) => on && answer({ lesson: period.code, at: onThatDay(moment!.at, period.starts) }, true)} />
          ))}
        </div>
      )}
    </div>
  );
}

/** A tap anywhere on it: our words lie over the browser's own, which may put the month first. */
function pick(input: HTMLInputElement): void {
  try {
    input.showPicker();
  } catch {
    // This browser opens it by itself, or not at all.
  }
}

const clean = ({ at, precision, lesson }: Moment): Moment => (precision === 'lesson' && lesson ? { at, precision, lesson } : { at, precision });

/** The lesson that was on then, if one was. */
function lessonAt(school: SchoolAnswer, at: string): Partial<Moment> {
  const time = clock(at);
  const period = school.periods?.find(({ starts, ends }) => starts <= time && time < ends);
  return period ? { precision: 'lesson', lesson: period.code } : { precision: 'lesson' };
}

export function localTime(at: string): string {
  const then = new Date(at);
  if (Number.isNaN(then.getTime())) return '';
  return new Date(then.getTime() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function fromLocal(typed: string): Partial<Moment> | undefined {
  const then = new Date(typed);
  return Number.isNaN(then.getTime()) ? undefined : { at: then.toISOString() };
}

function onThatDay(at: string, time: string): string {
  const then = new Date(`${localTime(at).slice(0, 10)}T${time}`);
  return Number.isNaN(then.getTime()) ? at : then.toISOString();
}
