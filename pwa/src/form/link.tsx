// Another record that this one belongs to: a statement's incident, a sighting's sweep.

import { useId, useState } from 'preact/hooks';
import { useLive } from '../local/store';
import { record, records } from '../local/view';
import { Chip } from './chips';
import type { Asked } from './controls';
import { kindNamed, titleOf, whenOf } from './say';

const OFFERED = 6;

export function LinkControl({ id, field, school, value, onAnswer }: Asked) {
  const name = useId();
  const [chosen, setChosen] = useState(typeof value === 'string' ? value : undefined);
  const wanted = field.shape.kind;
  const recent = useLive((local) => records({ ...(wanted ? { kind: wanted } : {}), limit: OFFERED }, local), [wanted]);
  const linked = useLive(async (local) => (chosen ? (await record(chosen, local))?.record : undefined), [chosen]);
  const offered = [...(linked && !recent?.some((each) => each.id === linked.id) ? [linked] : []), ...(recent ?? [])];

  if (chosen && !linked && recent) return <p class="meta" id={id} tabIndex={-1}>Linked to a record that is not on this phone.</p>;
  if (recent && offered.length === 0) return <p class="meta" id={id} tabIndex={-1}>No {wanted ? `${kindNamed(school, wanted)?.label.toLowerCase() ?? 'record'} ` : 'records '}on this phone to choose from.</p>;
  return (
    <div class="chips wide" id={id} tabIndex={-1}>
      {offered.map((each) => (
        <Chip
          key={each.id}
          name={name}
          label={`${titleOf(school, each)} · ${whenOf(school, each)}`}
          on={chosen === each.id}
          onChange={(on) => {
            setChosen(on ? each.id : undefined);
            onAnswer(on ? each.id : undefined);
          }}
        />
      ))}
    </div>
  );
}
