// A form for any kind of record, from what the school says the kind asks. It opens on a snapshot and never listens.

import { Fragment, type ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { drop, keep, type Draft } from '../local/drafts';
import { NotSaved, undo, write } from '../local/outbox';
import { SLOW, slowly } from '../local/trouble';
import { announce } from '../look/announce';
import { back, focusOn, go } from '../look/address';
import { Icon } from '../look/icon';
import { Note } from '../look/note';
import { Screen } from '../look/screen';
import { toast, UNDO_MS } from '../look/toast';
import { clock, count, nearDay } from '../look/words';
import { syncNow } from '../sync';
import type { Edit, Field, Kind, SchoolAnswer, Values } from '../wire';
import { Control, isSingle } from './controls';
import { useWriting, type Body, type Writing } from './draft';
import { MomentControl } from './moment';
import { problemsWith, saysSomething, type Problem } from './problems';
import { isEmpty, momentOf } from './say';

export type Manner =
  | { is: 'quick'; first?: string[] | undefined } // first what is asked standing up (as the kind says, or these); the rest behind More
  | { is: 'pages' } // one thing a page, for what is written sitting down
  | { is: 'only'; fields: string[]; title: string }; // a correction: these and no others

type Props = {
  school: SchoolAnswer;
  kind: Kind;
  me: string;
  draft: Draft;
  opened: Body; // what stood in the record when the form was opened
  manner: Manner;
  title?: string;
  meta?: string;
  after?: (edit: Edit) => void; // where to go once it is saved; back, if nowhere in particular
};

const STATE = new Set(['state', 'state_reason']);

export function Form({ school, kind, me, draft: start, opened, manner, title, meta, after }: Props) {
  const writing = useWriting(start, opened, me);
  const [touched, setTouched] = useState(start.changed_at !== start.opened_at || start.amends !== undefined); // what the address answered is nobody’s draft yet
  const [whole, setWhole] = useState(false);
  const [problems, setProblems] = useState<Problem[]>([]);
  const [told, setTold] = useState(0); // how often the problems were told: only then the focus moves to them
  const [notSaved, setNotSaved] = useState<string | null>(null);
  const saving = useRef(false);
  const beginning = start.seen === null && isEmpty(opened);

  const fields = useMemo(() => kind.fields.filter(({ name, retired }) => !STATE.has(name) && !retired), [kind]);
  const clockField = manner.is === 'only' ? undefined : fields.find(({ name }) => name === kind.moment);
  const pages = useMemo(() => groupsOf(fields), [fields]);
  const quick = useMemo(() => quickOf(fields, manner), [fields]);
  const sheets = useMemo(() => pagesOf(pages), [pages]);
  const [page, setPage] = useState(() => Math.max(0, sheets.findIndex(({ fields: on }) => on[0]?.name === start.page)));
  const paged = manner.is === 'pages' && sheets.length > 1;
  const last = !paged || page === sheets.length - 1;

  const answer = (field: Field) => writing.answer(field);
  const [, redraw] = useState(0);
  const onAnswer = (field: Field, value: Parameters<Writing['write']>[1]) => {
    setTouched(true);
    writing.write(field, value);
    if (problems.length) setProblems(problems.filter(({ field: of }) => of !== field && of.instead !== field.name));
    if (!isSingle(field)) redraw((times) => times + 1); // what is asked next may hang on a choice, never on a letter
  };
  const asked = (): Field[] => {
    if (manner.is === 'only') return fields.filter(({ name }) => manner.fields.includes(name));
    if (paged) return sheets[page]!.fields;
    return whole ? fields : [...quick.filter((field) => field !== clockField), ...(clockField ? [clockField] : [])];
  };

  async function save(anyway = false): Promise<void> {
    const wrong = problemsWith(school, kind, paged ? fields : asked(), answer, beginning && !anyway);
    const values = tidied(writing.draft.values);
    if (!wrong.length && beginning && !saysSomething(kind, values)) wrong.push({ field: firstOf(asked(), clockField), words: 'Answer this first, or any other question', missing: true });
    if (paged && wrong.length && !anyway) setPage(sheets.findIndex(({ fields: on }) => on.includes(wrong[0]!.field)));
    if (wrong.length || problems.length) setProblems(wrong); // an empty list anew would draw the whole form again before it is saved
    if (wrong.length) return setTold(told + 1);
    if (Object.keys(values).length === 0) return back();
    if (saving.current) return; // it is still being tried
    saving.current = true;
    const { record, seen, id, amends } = writing.draft;
    try {
      const saved = write({ record, kind: kind.name, values, seen, ...(amends ? { amends } : {}) }, { draft: id, undoFor: UNDO_MS });
      const edit = await slowly(saved, () => sayNotSaved(SLOW));
      const left = beginning ? problemsWith(school, kind, fields, answer, true).filter(({ missing }) => missing).length : 0;
      toast('Saved on this phone.', about(kind, manner) + (left ? ` ${count(left, 'question')} left for later.` : ''), () => takeBack(edit, writing.draft));
      void syncNow('save');
      if (after) after(edit);
      else back();
    } catch (why) {
      sayNotSaved(why instanceof NotSaved ? why.message : 'What you wrote is still here; try again.');
      if (!(why instanceof NotSaved)) throw why;
    } finally {
      saving.current = false;
    }
  }

  function sayNotSaved(why: string): void {
    setNotSaved(why);
    announce('Not saved yet', 'assertive');
  }

  function turn(to: number): void {
    setPage(to);
    if (touched) writing.turn(sheets[to]!.fields[0]!.name); // turning pages alone begins no draft
    setProblems([]);
    scrollTo(0, 0);
    requestAnimationFrame(() => document.getElementById('page')?.focus());
  }

  const draw = (field: Field) => (
    <Question key={field.name} field={field} wrong={problems.find((problem) => problem.field === field)?.words}>
      {(id, wrong) => <Control id={id} field={field} school={school} value={answer(field)} wrong={wrong} brief={manner.is === 'quick' && !whole && beginning} onAnswer={(value) => onAnswer(field, value)} />}
    </Question>
  );

  return (
    <Screen
      title={title ?? (manner.is === 'only' ? manner.title : kind.label)}
      meta={meta}
      drafting={touched}
      taps={clockField && !paged && <ClockTap field={clockField} school={school} writing={writing} onAnswer={onAnswer} />}
      pair={paged && !last}
      dock={
        <>
          {!last && <button type="button" class="button main second" onClick={() => save(true)}>Save</button>}
          {last ? <button type="submit" form="form" class="button main">Save</button> : <button type="button" class="button main" onClick={() => turn(page + 1)}>Continue</button>}
        </>
      }
    >
      <form id="form" autocomplete="off" class={paged && sheets[page]!.fields.length === 1 ? 'stack wide alone' : 'stack wide'} noValidate onSubmit={(event) => { event.preventDefault(); void save(); }}>
        {problems.length > 0 && <Summary problems={problems} told={told} onAnyway={problems.every(({ missing }) => missing) && saysSomething(kind, tidied(writing.draft.values)) ? () => save(true) : undefined} />}
        {(notSaved ?? writing.trouble) && <Note state="needs" alert><b>Not saved yet.</b> {notSaved ?? writing.trouble}</Note>}
        {paged && (
          <div>
            <h2 class="meta num" id="page" tabIndex={-1}>{sheets[page]!.heading || kind.label}{countedIn(sheets, page)}</h2>
            {!last && <p class="meta">You can save now and go on later.</p>}
          </div>
        )}
        {asked().filter((field) => field !== clockField || paged).filter((field) => !whole || quick.includes(field)).map((field) => (
          <Fragment key={field.name}>
            {draw(field)}
            {manner.is === 'quick' && <Instead of={field} fields={fields.filter((other) => !quick.includes(other))} whole={whole} draw={draw} answer={answer} wanted={problems.length > 0} />}
          </Fragment>
        ))}
        {whole && pages.map(({ heading, fields: grouped }) => {
          const rest = grouped.filter((field) => !quick.includes(field) && field !== clockField);
          return rest.length > 0 && (
            <section key={heading} class="stack wide" aria-label={heading || kind.label}>
              {heading && <h2 class="ask">{heading}</h2>}
              {rest.map(draw)}
            </section>
          );
        })}
        {manner.is === 'quick' && !whole && quick.length < fields.length && (
          <button type="button" class="button dial" onClick={() => setWhole(true)}><Icon name="plus" /><span>More to say<span class="meta">{series(pages)}</span></span></button>
        )}
        {paged && page > 0 && <button type="button" class="button link" onClick={() => turn(page - 1)}>The page before</button>}
        {touched && <ThrowAway writing={writing} kind={kind} />}
      </form>
    </Screen>
  );
}

/** What more there is to say, by the headings it stands under. */
const series = (pages: Page[]): string => pages.slice(0, 4).map(({ heading }, at) => (at ? heading.toLowerCase() : heading)).join(', ') + (pages.length > 4 ? ' and more' : '');

function quickOf(fields: Field[], manner: Manner): Field[] {
  if (manner.is === 'quick' && manner.first) return manner.first.flatMap((name) => fields.find((field) => field.name === name) ?? []);
  return fields.some(({ quick }) => quick) ? fields.filter(({ quick }) => quick) : fields;
}

type Page = { heading: string; fields: Field[] };

function groupsOf(fields: Field[]): Page[] {
  const pages = new Map<string, Field[]>();
  for (const field of fields) pages.set(field.group ?? '', [...(pages.get(field.group ?? '') ?? []), field]);
  return [...pages].map(([heading, on]) => ({ heading, fields: on }));
}

const TOGETHER = 3; // questions on a page, and a long one alone

/** One thing a page: a few short questions that belong together, or one that takes writing. */
function pagesOf(groups: Page[]): Page[] {
  return groups.flatMap(({ heading, fields }) => {
    const pages: Field[][] = [];
    for (const field of fields) {
      const page = pages[pages.length - 1];
      const joins = page && page.length < TOGETHER && !takesWriting(field) && !takesWriting(page[0]!);
      if (joins) page.push(field);
      else pages.push([field]);
    }
    return pages.map((on) => ({ heading, fields: on }));
  });
}

/** Where in its own section a page stands: how many there are in all would only frighten. */
function countedIn(sheets: Page[], page: number): string {
  const section = sheets.filter(({ heading }) => heading === sheets[page]!.heading);
  return section.length > 1 ? ` · ${section.indexOf(sheets[page]!) + 1} of ${section.length}` : '';
}

const firstOf = (asked: Field[], clockField: Field | undefined): Field => asked.find((field) => field !== clockField && field.shape.control !== 'record') ?? asked[0]!;

const takesWriting = ({ shape }: Field): boolean => shape.control === 'note';

const about = (kind: Kind, manner: Manner): string => (manner.is === 'only' ? `${manner.title}.` : `${kind.label}.`);

/** Blank words are no words. */
function tidied(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? value.trim() || null : value]));
}

async function takeBack(edit: Edit, draft: Draft): Promise<void> {
  if (await undo(edit.id)) {
    await keep({ ...draft, changed_at: new Date().toISOString() }); // somebody meant it, even where nothing was typed
    announce('Taken back. It is a draft again.');
    go(`/new/${draft.kind}?draft=${draft.id}`);
  } else {
    toast('It is too late to take it back.', 'Open it to correct it, or to say that it was a mistake.');
  }
}

/** One question: its words are the label of one input, or the legend of several. */
function Question({ field, wrong, children }: { field: Field; wrong?: string; children: (id: string, wrong: boolean) => ComponentChildren }) {
  const id = `ask-${field.name}`;
  const inside = (
    <>
      {field.hint && <p class="meta" id={`${id}-hint`}>{field.hint}</p>}
      {wrong && <p class="why" id={`${id}-why`}><Icon name="needs" /><span>{wrong}</span></p>}
      {children(id, Boolean(wrong))}
    </>
  );
  if (isSingle(field)) return <div class={wrong ? 'field wrong' : 'field'}><label for={id}>{field.question}</label>{inside}</div>;
  return <fieldset class={wrong ? 'wrong' : ''}><legend>{field.question}</legend><div class="stack">{inside}</div></fieldset>;
}

/** What to do first, as GOV.UK does it: at the top, read aloud, each a way to its field. */
function Summary({ problems, told, onAnyway }: { problems: Problem[]; told: number; onAnyway?: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.focus();
    box.current?.scrollIntoView({ block: 'center' });
  }, [told]);
  return (
    <div class="problems" role="alert" tabIndex={-1} ref={box}>
      <h2>{problems.every(({ missing }) => missing) ? 'Still to say' : 'There is a problem'}</h2>
      <ul class="stack">
        {problems.map(({ field, words, missing }) => (
          <li key={field.name}><a href={`#ask-${field.name}`} onClick={(event) => { event.preventDefault(); focusOn(`ask-${field.name}`); }}>{field.question}{!missing && ` ${words}`}</a></li>
        ))}
      </ul>
      {onAnyway && <button type="button" class="button" onClick={onAnyway}>Save it as it is, and finish later</button>}
    </div>
  );
}

/** The answer that will do in place of another: "I do not know who" opens "Who else?". */
function Instead({ of: field, fields, whole, draw, answer, wanted }: { of: Field; fields: Field[]; whole: boolean; draw: (field: Field) => ComponentChildren; answer: (field: Field) => unknown; wanted: boolean }) {
  const other = fields.find(({ name }) => name === field.instead);
  const [open, setOpen] = useState(other !== undefined && !isEmpty(answer(other) as never));
  const tapped = useRef(false);
  // At once: a frame later, on a slow phone, they may be writing in another field already.
  useLayoutEffect(() => void (tapped.current && other && focusOn(`ask-${other.name}`)), [open]);
  if (!other || whole || !isEmpty(answer(field) as never)) return null;
  if (open || wanted || !isEmpty(answer(other) as never)) return <>{draw(other)}</>;
  return <div class="under"><button type="button" class="chip" onClick={() => { tapped.current = true; setOpen(true); }}>I do not know who</button></div>;
}

/** When it happened, in the bar: now, unless somebody says otherwise. */
function ClockTap({ field, school, writing, onAnswer }: { field: Field; school: SchoolAnswer; writing: Writing; onAnswer: (field: Field, value: never) => void }) {
  const sheet = useRef<HTMLDialogElement>(null);
  const [, redraw] = useState(0);
  const moment = momentOf(writing.answer(field));
  const opened = writing.draft.opened_at;
  const untouched = moment?.at === opened;
  const near = moment ? nearDay(moment.at) : '';
  const words = !moment ? 'When?' : untouched && near === 'Today' ? `Now, ${clock(moment.at)}` : `${near === 'Today' ? '' : `${near}, `}${moment.precision === 'about' ? 'about ' : ''}${clock(moment.at)}`;
  return (
    <>
      <button type="button" class="button num" id={`ask-${field.name}`} aria-label={`${field.question} ${words}`} onClick={() => sheet.current?.showModal()}><Icon name="clock" size="small" />{words}</button>
      <dialog class="sheet" ref={sheet} aria-labelledby="when-title">
        <div class="stack">
          <h2 id="when-title">{field.question}</h2>
          <MomentControl id="when" field={field} school={school} value={writing.answer(field)} wrong={false} onAnswer={(value) => { onAnswer(field, value as never); redraw((n) => n + 1); }} />
          <button type="button" class="button main" onClick={() => sheet.current?.close()}>Done</button>
        </div>
      </dialog>
    </>
  );
}

function ThrowAway({ writing, kind }: { writing: Writing; kind: Kind }) {
  async function away(): Promise<void> {
    const thrown = writing.draft;
    await drop(thrown.id);
    toast('Draft thrown away.', kind.label, async () => {
      await keep(thrown);
      go(`/new/${thrown.kind}?draft=${thrown.id}`);
    });
    back();
  }
  return <p><button type="button" class="button link" onClick={away}>Throw this draft away</button></p>;
}
