// Whether an answer is one: whole, in the shape agreed, and with a receipt for exactly what was sent.

import type { Answer, Letter } from '../wire';

/** Null for anything else; nothing is then known of what became of the letter. */
export function readAnswer(json: unknown, letter: Letter): Answer | null {
  const answer = json as Answer | null;
  if (!answer || typeof answer !== 'object') return null;
  const lists = [answer.receipts, answer.records, answer.held, answer.gone, answer.wanted, answer.unopened ?? [], answer.unreadable ?? []];
  if (!lists.every(Array.isArray) || typeof answer.more !== 'boolean' || typeof answer.now !== 'string') return null;
  if (answer.cursor !== null && typeof answer.cursor !== 'string') return null;
  return receiptsMatch(answer, letter) && recordsAreWhole(answer) ? answer : null;
}

function receiptsMatch({ receipts, unreadable = [] }: Answer, { edits }: Letter): boolean {
  const sent = new Set(edits.map(({ id }) => id));
  const receipted = new Set([...receipts.map((receipt) => receipt?.id), ...unreadable.map((place) => edits[place]?.id)]);
  return sent.size === receipted.size && [...sent].every((id) => receipted.has(id));
}

const recordsAreWhole = ({ records, held }: Answer): boolean =>
  records.every((one) => typeof one?.id === 'string' && typeof one.version === 'string' && one.body !== null && typeof one.body === 'object') &&
  held.every((one) => typeof one?.edit === 'string' && typeof one.record === 'string');
