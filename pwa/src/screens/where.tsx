// Where a visit goes to: taken along from the school when its visitor asks, and let go when it is over.

import { useEffect, useState } from 'preact/hooks';
import { isEmpty } from '../form/say';
import type { ShownRecord } from '../local/overlay';
import { useLive } from '../local/store';
import { letGo, takeAlong, takenAlong } from '../local/taken-along';
import { announce } from '../look/announce';
import { Icon } from '../look/icon';
import { Note } from '../look/note';
import { when } from '../look/words';

/** Addresses are at the school; for a visit they may be taken along, until it is over or a day has gone by. */
export function Where({ record }: { record: ShownRecord }) {
  const along = useLive((from) => takenAlong(record.id, from), [record.id]);
  const isOver = !isEmpty(record.body.left_at);
  useEffect(() => void (isOver && along && letGo(record.id)), [isOver, !along]);
  const [asking, setAsking] = useState(false);
  const [why, setWhy] = useState<string | null>(null);
  async function take(): Promise<void> {
    setAsking(true);
    const refused = await takeAlong(record.id).catch(() => 'This phone could not keep it. Try again.');
    setAsking(false);
    setWhy(refused);
    if (refused) announce(refused, 'assertive');
    else announce('The address is on this phone.');
  }
  if (!along) {
    if (isOver) return null;
    return (
      <section class="stack" aria-label="Where to">
        {why && <Note state="needs" alert>{why}</Note>}
        <button type="button" class="button whole" aria-disabled={asking} onClick={() => asking || void take()}><Icon name="visit" size="small" />{asking ? 'Asking the school' : 'Take the address along'}</button>
      </section>
    );
  }
  const { pupils, other_address, contacts, until } = along;
  return (
    <section class="stack" aria-labelledby="where-to">
      <h2 id="where-to">Where to</h2>
      <ul class="card rows">
        {other_address && <Home whose="The visit is to" home={other_address} />}
        {pupils.map(({ id, name, address, address_withheld }) => <Home key={id} whose={name} home={told(address, address_withheld)} />)}
        {contacts.filter(({ address, do_not_contact }) => address || do_not_contact).map((adult, at) => (
          <Home key={at} whose={[adult.name, adult.relationship.toLowerCase()].filter(Boolean).join(', ')} home={adult.do_not_contact ? 'Do not contact' : adult.address!} />
        ))}
      </ul>
      <p class="meta num">On this phone until {when(until)}, then it is let go.</p>
      <button type="button" class="button link" onClick={() => void letGo(record.id)}>Let it go now</button>
    </section>
  );
}

const Home = ({ whose, home }: { whose: string; home: string }) => <li class="row"><span class="grow"><span class="meta">{whose}</span><b>{home}</b></span></li>;

const told = (address: string | null, isWithheld: boolean): string => address ?? (isWithheld ? 'Withheld: ask the safeguarding lead' : 'No address is known');
