// Times, counts and names as people say them.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayFormat = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const yearFormat = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });

type Time = string | number | Date;

const date = (time: Time) => new Date(time);
const readable = (time: Time) => !Number.isNaN(date(time).getTime());

/** 10:42 */
export const clock = (time: Time): string => (readable(time) ? clockFormat.format(date(time)) : '–');

/** Tue 24 Nov; with the year when it is not this one */
export function day(time: Time, now = Date.now()): string {
  if (!readable(time)) return '–';
  const that = date(time);
  return (that.getFullYear() === new Date(now).getFullYear() ? dayFormat : yearFormat).format(that).replace(',', '');
}

/** today, yesterday, or the day */
export function nearDay(time: Time, now = Date.now()): string {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const at = date(time).getTime();
  if (at >= midnight && at < midnight + DAY) return 'Today';
  if (at >= midnight - DAY && at < midnight) return 'Yesterday';
  return day(time, now);
}

/** 10:42 when it was today, else the day as well */
export function when(time: Time, now = Date.now()): string {
  if (!readable(time)) return 'at a time this phone cannot read';
  const near = nearDay(time, now);
  return near === 'Today' ? clock(time) : `${near}, ${clock(time)}`;
}

/** 6 minutes ago */
export function ago(time: Time, now = Date.now()): string {
  const past = now - date(time).getTime();
  return past < MINUTE ? 'just now' : `${span(past)} ago`;
}

/** 6 minutes, 2 hours, 3 days */
export function span(ms: number): string {
  if (ms < MINUTE) return 'less than a minute';
  if (ms < HOUR) return count(Math.floor(ms / MINUTE), 'minute');
  if (ms < 2 * DAY) return count(Math.floor(ms / HOUR), 'hour');
  return count(Math.floor(ms / DAY), 'day');
}

/** How long to wait, as a button says it. */
export const patience = (seconds: number): string => (seconds > 90 ? count(Math.ceil(seconds / 60), 'minute') : count(Math.ceil(seconds), 'second'));

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** what comes in the middle of a sentence: Home visit → home visit, but not CCTV → cCTV */
export const lower = (words: string): string => (/^[A-Z][^A-Z]/.test(words) ? words[0]!.toLowerCase() + words.slice(1) : words);

export const initials = (name: string): string => {
  const parts = name.trim().split(/\s+/);
  const ends = parts.length > 1 ? [parts[0]!, parts[parts.length - 1]!] : parts;
  return ends.map((part) => [...part][0] ?? '').join('').toUpperCase() || '?';
};

/** a, b and c */
export function series(words: string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}
