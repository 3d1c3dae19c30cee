// Finding a pupil by two or three letters of any name, or a form.

import { Search } from '../form/people';
import { go } from '../look/address';
import { Screen } from '../look/screen';
import { when } from '../look/words';
import { useStatus } from '../sync';

export function People() {
  const { lastContact } = useStatus();
  return (
    <Screen title="Find a pupil" meta={lastContact ? `People as at ${when(lastContact)}` : undefined}>
      <section class="stack" aria-label="Search">
        <Search id="find" label="Find a pupil" icon="next" among="pupil" eager onAdd={({ person }) => go(`/pupil/${person.id}`)} />
        <p class="meta">Any part of any name: Rah finds Rahman, Sarah and Rahilly. A form works too: 9 KEL.</p>
      </section>
    </Screen>
  );
}
