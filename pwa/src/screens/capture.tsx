// Writing one down: opens a new form, a draft where it was left, a record to correct, or a held edit to send again.

import { useEffect, useState } from 'preact/hooks';
import { Form, type Manner } from '../form/form';
import { newDraft, type Body } from '../form/draft';
import { fieldNamed, kindNamed, titleOf, whenOf } from '../form/say';
import { draft as draftNamed, type Draft } from '../local/drafts';
import { newId } from '../local/outbox';
import { needsMe, record as recordNamed } from '../local/view';
import { go } from '../look/address';
import { later } from '../look/later';
import { Screen } from '../look/screen';
import type { Kind, SchoolAnswer, Values } from '../wire';
import { Help } from './help';
import { useWorld } from './world';

export const Calls = later(() => import('./oncall').then(({ Calls }) => Calls));

const WRITTEN_SITTING_DOWN = new Set(['home_visit', 'statement']);
const ON_ITS_OWN_SCREEN = new Set(['home_visit', 'sweep']); // once it is saved
const PLANNED_AHEAD = new Set(['home_visit']); // no time is assumed

/** On a sweep, standing up: whose they are was the tap that opened it. */
const ON_A_SWEEP: Record<string, string[]> = {
  ours: ['pupils', 'where', 'company', 'outcome', 'concern'],
  other_school: ['whose', 'said_name', 'said_born', 'said_school', 'description', 'where', 'company', 'outcome', 'concern'],
};

type Opening = { school: SchoolAnswer; kind: Kind; draft: Draft; opened: Body; manner: Manner; title?: string; meta?: string };

export function Capture({ kindName, asked }: { kindName: string; asked: URLSearchParams }) {
  const { school, me } = useWorld();
  const [opening, setOpening] = useState<Opening | string>();
  const kind = kindNamed(school, kindName);
  const bare = ['draft', 'record', 'amends'].every((name) => !asked.has(name));
  const Own = !bare ? undefined : kindName === 'call_out' ? Help : kindName === 'attendance_call' && !asked.has('form') ? Calls : undefined;

  useEffect(() => {
    if (!school || !kind || Own) return; // or a draft would stand in the address, and its form be opened over what is there
    openForm(school, kind, asked).then(setOpening, () => setOpening('This phone could not open the form.'));
  }, [kindName, asked.toString(), !school, Own]);

  if (!school || !me) return <Screen title="Opening"><p class="meta">The school’s questions are not on this phone yet. They come with the first signal.</p></Screen>;
  if (!kind) return <Screen title="Not known"><p>This school does not keep that kind of record, or this app is too old for it.</p></Screen>;
  if (Own) return <Own kind={kind} asked={asked} />;
  if (!opening) return <Screen title={kind.label}>{null}</Screen>;
  if (typeof opening === 'string') return <Screen title={kind.label}><p>{opening}</p></Screen>;
  const { draft, opened, manner, title, meta } = opening;
  return <Form key={draft.id} school={opening.school} kind={opening.kind} me={me.id} draft={draft} opened={opened} manner={manner} title={title} meta={meta} after={ON_ITS_OWN_SCREEN.has(kindName) && !opening.draft.seen ? ({ record }) => go(`/record/${record}`, 'replace') : undefined} />;
}

async function openForm(school: SchoolAnswer, kind: Kind, asked: URLSearchParams): Promise<Opening | string> {
  const kept = asked.has('draft') ? await draftNamed(asked.get('draft')!) : undefined;
  const amended = asked.get('amends') ?? kept?.amends;
  const held = amended ? (await needsMe()).find(({ edit }) => edit === amended) : undefined;
  if (amended && !held && !kept) return 'That is settled already: nothing more is needed.';
  const into = asked.get('record') ?? held?.record ?? kept?.record;
  const standing = into ? await recordNamed(into) : undefined;
  if (asked.has('record') && !standing) return 'That record is not on this phone.';
  const opened = (standing?.record.body ?? {}) as Body;

  const now = new Date().toISOString();
  const draft = kept ?? newDraft(kind, asked.get('draft') ?? newId(), into ?? newId(), {
    seen: standing?.record.version ?? null,
    opened_at: now,
    changed_at: now,
    values: held?.values ?? given(kind, asked, standing ? undefined : now),
    ...(held ? { amends: held.edit } : {}),
  });
  rememberIn(asked, draft);
  const fields = asked.get('field')?.split(',').filter((name) => fieldNamed(kind, name));
  const manner: Manner = fields?.length
    ? { is: 'only', fields, title: asked.get('as') ?? fieldNamed(kind, fields[0]!)!.question }
    : WRITTEN_SITTING_DOWN.has(kind.name) ? { is: 'pages' } : { is: 'quick', first: kind.name === 'sighting' && asked.has('sweep') ? ON_A_SWEEP[asked.get('whose') ?? ''] : undefined };
  const meta = standing ? `${titleOf(school, standing.record)} · ${whenOf(school, standing.record)}` : undefined;
  return { school, kind, draft, opened, manner, meta, ...(held ? { title: 'Put it right' } : {}) };
}

/** What the address already answers: the sweep that a sighting belongs to, whom a call is about; and the time, when it is now. */
function given(kind: Kind, asked: URLSearchParams, now: string | undefined): Values {
  const values: Values = {};
  for (const field of kind.fields) {
    const value = asked.get(field.name);
    if (value === null || ['field', 'record', 'draft', 'amends'].includes(field.name)) continue;
    if (field.merge === 'gather') values[field.name] = { put: Object.fromEntries(value.split(',').map((key) => [key, {}])), drop: [] };
    else values[field.name] = value;
  }
  if (now && kind.moment && !PLANNED_AHEAD.has(kind.name)) values[kind.moment] = { at: now, precision: 'exact' };
  return values;
}

/** So that an app that was killed, or a page loaded again, opens the same draft. */
function rememberIn(asked: URLSearchParams, draft: Draft): void {
  const to = new URLSearchParams(asked);
  to.set('draft', draft.id);
  history.replaceState(history.state, '', `${location.pathname}?${to}`);
}
