// Whom to ring for a pupil, in order; and first of all, whom not to.

import type { Contact } from '../wire';
import { Icon } from '../look/icon';
import { Note } from '../look/note';

export const mayRing = (contact: Contact): boolean => !contact.do_not_contact && Boolean(contact.phone || contact.other_phone);

export function Contacts({ contacts, main = false, onRing }: { contacts: Contact[]; main?: boolean; onRing?: (contact: Contact, number: string) => void }) {
  const never = contacts.filter(({ do_not_contact }) => do_not_contact);
  const ring = contacts.filter(mayRing);
  const unreachable = contacts.filter((contact) => !contact.do_not_contact && !mayRing(contact));
  return (
    <div class="stack">
      {never.map((contact) => (
        <Note key={contact.id} state="alarm" icon="noring"><b>Do not ring {contact.name}.</b> {contact.note || 'Ask the safeguarding lead.'}</Note>
      ))}
      {ring.flatMap((contact, at) =>
        [contact.phone, contact.other_phone].filter((number) => number).map((number, which) => (
          <a key={`${contact.id} ${number}`} class={main && at === 0 && which === 0 ? 'button main dial' : 'button dial'} href={`tel:${dialled(number!)}`} onClick={() => onRing?.(contact, number!)}>
            <Icon name="ring" />
            <span>Ring {contact.name}<span class="meta num">{[contact.relationship, which === 0 ? ORDER[at] : 'other number', ''].filter((words) => words !== undefined).join(' · ')}<span class="keep-together">{number}</span></span></span>
          </a>
        )),
      )}
      {unreachable.map((contact) => <p key={contact.id} class="meta">{contact.name}{contact.relationship && `, ${contact.relationship.toLowerCase()}`}: no number that may be rung.</p>)}
      {contacts.length === 0 && <p class="meta">No contacts are on this phone for them.</p>}
    </div>
  );
}

const ORDER = ['first', 'second', 'third', 'fourth', 'fifth'];

const dialled = (number: string): string => number.replace(/[^\d+]/g, '');
