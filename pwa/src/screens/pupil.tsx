// One pupil, as this phone knows them: whom to ring, and what was written.

import { contacts as contactsOf, nameOf, pupil as pupilNamed } from '../local/people';
import { useLive } from '../local/store';
import { records } from '../local/view';
import { Icon } from '../look/icon';
import { Pass } from '../look/person';
import { Screen } from '../look/screen';
import { when } from '../look/words';
import { useStatus } from '../sync';
import { Contacts } from './contacts';
import { RecordRow } from './record-row';
import { useMe, useSchool } from './world';

const RECORDS_SHOWN = 20;

export function Pupil({ id }: { id: string }) {
  const school = useSchool();
  const me = useMe();
  const { lastContact } = useStatus();
  const pupil = pupilNamed(id);
  const contacts = useLive((local) => contactsOf(id, local), [id]);
  const written = useLive((local) => records({ pupil: id, limit: RECORDS_SHOWN }, local), [id]);
  if (!pupil) return <Screen title="Not on this phone" upTo="/people"><p>This pupil is not among the people on this phone. They come from the school, as at the last time it answered.</p></Screen>;
  const name = nameOf(pupil);
  return (
    <Screen title={name} tab="A pupil" meta={`Year ${pupil.year} · ${pupil.form}`} upTo="/people" dock={<a class="button main" href={`/new/incident?pupils=${id}`}><Icon name="plus" />Incident</a>}>
      <div class="who"><Pass name={name} /><p class="grow meta">{pupil.preferred && pupil.preferred !== pupil.forename && `On the register as ${pupil.forename} ${pupil.surname}. `}{lastContact && `As at ${when(lastContact)}.`}</p></div>
      {me?.may.includes('contacts') && (
        <section class="stack" aria-labelledby="contacts">
          <h2 id="contacts">Whom to ring</h2>
          {contacts && <Contacts contacts={contacts} />}
        </section>
      )}
      <section class="stack" aria-labelledby="write">
        <h2 id="write">Write something down</h2>
        <div class="tiles pair">
          <a class="button" href={`/new/contact?pupils=${id}`}>Contact</a>
          <a class="button" href={`/new/statement?pupils=${id}`}>Statement</a>
        </div>
      </section>
      <section class="stack" aria-labelledby="written">
        <h2 id="written">What was written</h2>
        {written && written.length > 0 ? <ul class="card rows">{written.map((record) => <li key={record.id}><RecordRow school={school} record={record} /></li>)}</ul> : <p class="meta">Nothing about them is on this phone.</p>}
      </section>
    </Screen>
  );
}
