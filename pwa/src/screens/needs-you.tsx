// Needs you: the school has it; why it could not be added; your words as you wrote them; what we could do.

import { useState } from 'preact/hooks';
import { Chip } from '../form/chips';
import { fieldNamed, isEmpty, kindNamed, say } from '../form/say';
import { setAside, write } from '../local/outbox';
import { useLive } from '../local/store';
import { needsMe } from '../local/view';
import { announce } from '../look/announce';
import { back, focusOn, go } from '../look/address';
import { Icon } from '../look/icon';
import { Screen } from '../look/screen';
import { toast } from '../look/toast';
import { lower, when } from '../look/words';
import { syncNow } from '../sync';
import type { HeldEdit, SchoolAnswer } from '../wire';
import { bodyOf, heldTitle, reasonOf, reasonsOf } from './held';
import { useSchool } from './world';

export function NeedsYou({ asked }: { asked: URLSearchParams }) {
  const school = useSchool();
  const held = useLive((local) => needsMe(local), []);
  const chosen = asked.get('edit') ? held?.find(({ edit }) => edit === asked.get('edit')) : held?.length === 1 ? held[0] : undefined;
  if (held === undefined || !school) return <Screen title="Needs you">{null}</Screen>;
  if (chosen) return <Held key={chosen.edit} school={school} held={chosen} />;
  return (
    <Screen title="Needs you">
      {held.length === 0 ? (
        <div class="card empty"><Icon name="inbox" /><h2>Nothing needs you</h2><p class="meta">What the school could not add to a record comes here, with the reason and your words.</p></div>
      ) : (
        <ul class="card rows">
          {held.map((each) => (
            <li key={each.edit}>
              <a class="row" data-state="needs" href={`/needs-you?edit=${each.edit}`}>
                <span class="lead"><Icon name="needs" /></span>
                <span class="grow"><b>{heldTitle(school, each)}: held</b><span class="meta">{reasonOf(school, each)}</span></span>
                <Icon name="next" size="small" />
              </a>
            </li>
          ))}
        </ul>
      )}
    </Screen>
  );
}

type Doing = 'correct' | 'again' | 'aside';
const DOES: Record<Doing, string> = { correct: 'Correct it', again: 'Send again', aside: 'Set aside' };

function Held({ school, held }: { school: SchoolAnswer; held: HeldEdit }) {
  const kind = kindNamed(school, held.kind);
  const [doing, setDoing] = useState<Doing>('correct');
  const [why, setWhy] = useState('');
  const [missing, setMissing] = useState(false);
  const what = kind ? lower(kind.label) : 'record';

  async function act(): Promise<void> {
    if (doing === 'correct') return go(`/new/${held.kind}?amends=${held.edit}`);
    if (doing === 'aside' && !why.trim()) {
      setMissing(true);
      announce('Say why, in a few words', 'assertive');
      return focusOn('why');
    }
    try {
      if (doing === 'aside') await setAside(held, why.trim());
      else await write({ record: held.record, kind: held.kind, values: held.values, seen: null, amends: held.edit });
    } catch (trouble) {
      return toast('Not saved yet.', trouble instanceof Error ? trouble.message : 'Try again.');
    }
    toast('Saved on this phone.', doing === 'aside' ? 'It will be set aside; your words stay at the school.' : 'It will be sent again.');
    void syncNow('save');
    back();
  }

  return (
    <Screen title="Needs you" meta={heldTitle(school, held)} dock={<button type="button" class="button main" onClick={act}>{DOES[doing]}</button>}>
      <section class="stack">
        <h2 class="ask">The school has your {what}, but could not add it</h2>
        {reasonsOf(school, held).map(({ field, question, words }) => <p key={field}>{question && <b>{question} </b>}{words}.</p>)}
      </section>
      <section class="card pad voice" aria-label="What you wrote">
        <p class="meta num">You, {when(held.made_at)} · kept as you wrote it</p>
        <Written school={school} held={held} />
      </section>
      <fieldset class="stack">
        <legend>What should we do?</legend>
        <div class="chips wide">
          <Chip name="do" label="Correct it, then send it" on={doing === 'correct'} onChange={(on) => on && setDoing('correct')} />
          <Chip name="do" label="Send it again as it is" on={doing === 'again'} onChange={(on) => on && setDoing('again')} />
          <Chip name="do" label="Set it aside, and say why" on={doing === 'aside'} onChange={(on) => on && setDoing('aside')} />
        </div>
      </fieldset>
      {doing === 'aside' && (
        <div class={missing && !why.trim() ? 'field wrong' : 'field'}>
          <label for="why">Why is it not needed?</label>
          {missing && !why.trim() && <p class="why" id="why-why"><Icon name="needs" /><span>Say why, in a few words</span></p>}
          <input id="why" class="input" type="text" autocomplete="off" aria-invalid={missing && !why.trim() ? true : undefined} onInput={(event) => setWhy(event.currentTarget.value)} />
          <p class="meta">It stays in the history at the school, with your reason.</p>
        </div>
      )}
    </Screen>
  );
}

function Written({ school, held }: { school: SchoolAnswer; held: HeldEdit }) {
  const kind = kindNamed(school, held.kind);
  const body = bodyOf(kind, held.values);
  const names = Object.keys(held.values);
  const own = names.filter((name) => fieldNamed(kind, name)?.merge === 'own' && !isEmpty(held.values[name]));
  const rest = names.filter((name) => !own.includes(name) && !isEmpty(body[name]));
  return (
    <>
      {own.map((name) => <blockquote key={name}>{String(held.values[name])}</blockquote>)}
      <dl class="facts">
        {rest.map((name) => {
          const field = fieldNamed(kind, name);
          return [<dt key={`q-${name}`}>{field?.question ?? name}</dt>, <dd key={name}>{field ? say(school, field, body[name]) : JSON.stringify(held.values[name])}</dd>];
        })}
      </dl>
    </>
  );
}
