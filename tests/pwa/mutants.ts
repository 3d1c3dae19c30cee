// Mistakes on purpose: with any one of them in the phone, its tests must fail. tests/test_phone_mutants.py runs them one by one:
//   MUTANT='a fork loses what is unsent' npx vitest run --config ../tests/pwa/mutants.ts

import phone from '../../pwa/vite.config.ts';

/** `by`: the tests that notice it, the quickest where there are several. */
type Mutant = { name: string; by: string; file: string; from: string; to: string };

export const MUTANTS: Mutant[] = [
  {
    name: 'a purge that eats unsent edits',
    by: 'outbox',
    file: 'exchange/keep.ts',
    from: `for (const kept of await tx.objectStore('edits').index('receipted_at').getAll(old, FORGOTTEN_AT_ONCE)) {
    if (!kept.unsent && !kept.again && !kept.over)`,
    to: `for (const kept of await tx.objectStore('edits').getAll()) {
    if (old)`,
  },
  { name: 'saved is said before the transaction is complete', by: 'database', file: 'local/database.ts', from: 'await complete;\n', to: '' },
  { name: 'an edit counts as sent when it leaves', by: 'exchange', file: 'exchange/letter.ts', from: '{ ...kept, offered: true }', to: '{ ...kept, offered: true, unsent: undefined }' },
  { name: 'a bare 200 counts as an answer', by: 'exchange', file: 'exchange/reading.ts', from: 'return receiptsMatch(answer, letter) && ', to: 'return ' },
  { name: 'an answer that was overtaken is kept', by: 'exchange', file: 'exchange/keep.ts', from: 'if (!isStillOurs) return false;', to: '' },
  { name: 'a receipted edit is lifted before its record has come', by: 'exchange', file: 'exchange/keep.ts', from: 'else if (kept.over) receipted.landing = kept.order;', to: 'else delete receipted.over;' },
  { name: 'a rebuild empties what is shown', by: 'exchange', file: 'exchange/keep.ts', from: 'const { spare } = await sets(tx);\n', to: 'const { base: spare } = await sets(tx);\n' },
  { name: 'a restored school is offered nothing again', by: 'exchange', file: 'exchange/keep.ts', from: "if (rebuild !== 'rights') await offerAgain(tx);", to: '' },
  { name: 'a fork loses what is unsent', by: 'exchange', file: 'exchange/keep.ts', from: "await tx.objectStore('edits').put({ ...kept, edit: { ...kept.edit, phone: to, number: ++number } });", to: "await tx.objectStore('edits').delete(kept.edit.id);" },
  { name: 'one edit that fails holds up the others', by: 'exchange', file: 'exchange/plan.ts', from: 'return { size: 1, failures: 0, aside: [...plan.aside, ...batch] };', to: 'return { ...plan, size: 1, failures: 0 };' },
  { name: 'what may have left can still be undone', by: 'outbox', file: 'local/outbox.ts', from: 'if (!taken || taken.offered) return takenBack;', to: 'if (!taken) return takenBack;' },
  { name: 'an undo leaves a gap in the numbers', by: 'outbox', file: 'local/outbox.ts', from: 'number: one.edit.number - 1', to: 'number: one.edit.number' },
  { name: 'the cursor moves without what it covers', by: 'exchange', file: 'exchange/keep.ts', from: 'for (const record of answer.records) await', to: 'for (const record of answer.records) if (!answer.more) await' },
  { name: 'an edit numbered anew keeps its old seal', by: 'shelves', file: 'local/closing.ts', from: '!wasInPages && before.kept?.edit === edit && ', to: '!wasInPages && before.kept !== undefined && ' },
  { name: 'what no cursor proves counts as sent', by: 'exchange', file: 'exchange/keep.ts', from: '...(!isProof && { again: kept.order })', to: '' },
  { name: 'what the intake has kept counts as sent', by: 'exchange', file: 'local/closing.ts', from: 'again: now.order, ', to: '' },
  { name: 'a new history proves what was sent before it', by: 'exchange', file: 'exchange/keep.ts', from: "while ((await db.writing(['edits'], (tx) => doubtSome(tx, going), () => [])) === DOUBTED_AT_ONCE);", to: 'void going;' },
  { name: 'what lies sealed is kept without a cursor', by: 'orphans', file: 'exchange/keep.ts', from: 'if (changesNothing(sent, answer) || (await keepAll(db, sent, answer))) await offerOrphansAgain(db.disk, false);', to: 'await keepAll(db, sent, answer);' },
  { name: 'what lies sealed is forgotten in a new history', by: 'orphans', file: 'exchange/keep.ts', from: 'await offerOrphansAgain(db.disk, true);', to: '' },
  { name: 'what is to go once more leaves the outbox', by: 'exchange', file: 'local/closing.ts', from: '!kept?.unsent && !kept?.again', to: '!kept?.unsent' },
  { name: 'what is sealed leaves while it can be undone', by: 'shelves', file: 'exchange/intake.ts', from: 'offered || not_before <= now || not_before > now + UNDO_AT_MOST_MS', to: 'true || offered || not_before || now' },
  { name: 'an intake that names what it was never sent is believed', by: 'shelves', file: 'exchange/intake.ts', from: 'return answer.kept.every((id) => sent.has(id)) ? answer : null;', to: 'return sent && answer;' },
  { name: 'what lies sealed is named as lost', by: 'orphans', file: 'exchange/keep.ts', from: '!kept && !sealed.has(number) && ', to: '!kept && ' },
  { name: 'trying again saves twice', by: 'outbox', file: 'local/outbox.ts', from: 'failed.get(what) ?? newId()', to: 'newId()' },
  { name: 'any list of keys is believed', by: 'shelves', file: 'local/seal.ts', from: "if (!(await crypto.subtle.verify(SIGNED, key, toBytes(signature), utf8(`${head}.${claims}`)))) return undefined;", to: 'void key;' },
];

function mistake(name: string | undefined) {
  const mutant = MUTANTS.find((one) => one.name === name);
  if (!mutant) throw new Error(`no mutant is called ${name}`);
  return {
    name: 'mistake',
    enforce: 'pre' as const,
    transform(code: string, file: string) {
      if (!file.endsWith(`/src/${mutant.file}`)) return null;
      if (!code.includes(mutant.from)) throw new Error(`${mutant.file} has changed: “${name}” finds nothing to spoil`);
      return code.replace(mutant.from, mutant.to);
    },
  };
}

export default { ...phone, plugins: [mistake(process.env.MUTANT)] };
