// Records: what this phone holds, newest first, with what is only here marked so.

import { useState } from 'preact/hooks';
import { Chip } from '../form/chips';
import { useLive } from '../local/store';
import { records, type Filter } from '../local/view';
import { Icon } from '../look/icon';
import { Screen } from '../look/screen';
import { when } from '../look/words';
import { useStatus } from '../sync';
import { RecordRow } from './record-row';
import { useSchool } from './world';

const PAGE = 30;

type Which = 'all' | 'mine' | 'disputed' | 'open';
const WHICH: [Which, string, Filter][] = [
  ['all', 'All', {}],
  ['mine', 'Written by me', { mine: true }],
  ['disputed', 'Two answers', { disputed: true }],
  ['open', 'Open', { state: 'open' }],
];

export function Records({ asked }: { asked: URLSearchParams }) {
  const school = useSchool();
  const [which, setWhich] = useState<Which>((asked.get('which') as Which | null) ?? 'all');
  const [kind, setKind] = useState(asked.get('kind') ?? '');
  const [pages, setPages] = useState(1);
  const { lastContact } = useStatus();
  const filter = { ...WHICH.find(([name]) => name === which)?.[2], ...(kind ? { kind } : {}) };
  const shown = useLive((local) => records({ ...filter, limit: pages * PAGE + 1 }, local), [which, kind, pages]);

  return (
    <Screen close title="Records" meta={lastContact ? `As at ${when(lastContact)}` : 'As this phone has them'} dock={<a class="button main" href="/new/incident"><Icon name="plus" />Incident</a>}>
      <section class="stack" aria-label="Which ones?">
        <div class="chips" role="group" aria-label="Whose">
          {WHICH.map(([name, label]) => <Chip key={name} name="which" label={label} on={which === name} onChange={(on) => setWhich(on ? name : 'all')} />)}
        </div>
        <div class="field">
          <label for="kind" class="hidden">Kind</label>
          <select id="kind" class="input" value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="">Every kind</option>
            {school?.kinds.map(({ name, label, plural }) => <option key={name} value={name}>{plural ?? label}</option>)}
          </select>
        </div>
      </section>
      {shown === undefined ? <p class="meta">Reading…</p> : shown.length === 0 ? <Empty filtered={which !== 'all' || kind !== ''} /> : (
        <ul class="card rows" aria-label="Records">
          {shown.slice(0, pages * PAGE).map((record) => <li key={record.id}><RecordRow school={school} record={record} /></li>)}
        </ul>
      )}
      {shown && shown.length > pages * PAGE && <button type="button" class="button whole" onClick={() => setPages(pages + 1)}>Show more</button>}
    </Screen>
  );
}

function Empty({ filtered }: { filtered: boolean }) {
  return (
    <div class="card empty">
      <Icon name="inbox" />
      <h2>{filtered ? 'None of those on this phone' : 'Nothing here yet'}</h2>
      <p class="meta">{filtered ? 'Choose another kind, or all.' : 'What you write down comes here, and what the school shares with you.'}</p>
    </div>
  );
}
