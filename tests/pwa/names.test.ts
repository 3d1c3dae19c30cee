// Finding people by any part of any name.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexOf, search, wordsOf, type Named } from '../../pwa/src/local/names';

const person = (name: string, form = '', also = ''): Named => ({ id: name, name, also, form, year: form.split(' ')[0] ?? '', sortedBy: name.split(' ').reverse().join(' ') });

const PEOPLE = [
  person('Siobhán O’Brien', '9 KEL'),
  person('Conor O’Brien', '11 ASH'),
  person('José Álvarez-Núñez', '9 KEL'),
  person('Li Na', '7 BEE'),
  person('Kelly Marsh', '8 OAK'),
  person('Katie Marshall', '10 KEL', 'Katherine'),
  person('Zoë Smith-Jones', '9 OAK'),
  person('Sam Jones', '9 OAK'),
  person('Łukasz Wójcik', '8 BEE'),
  person('Muhammad Ali', '7 BEE'),
  person('Mohammed Ali', '9 ASH'),
  person('Mr Kell'),
];
const index = indexOf(PEOPLE);
const found = (text: string, limit = 10) => search(index, text, limit).map(({ id }) => id);

test('by the beginning of any name', () => {
  expect(found('mars')).toEqual(['Kelly Marsh', 'Katie Marshall']);
  expect(found('kat')).toEqual(['Katie Marshall']);
});

test('accents do not matter, on either side', () => {
  expect(found('siobhan')).toEqual(['Siobhán O’Brien']);
  expect(found('SIOBHÁN')).toEqual(['Siobhán O’Brien']);
  expect(found('alvarez nunez')).toEqual(['José Álvarez-Núñez']);
  expect(found('lukasz wojcik')).toEqual(['Łukasz Wójcik']);
  expect(found('zoe')).toEqual(['Zoë Smith-Jones']);
  expect(found('Jose\u0301', 1)).toEqual(['José Álvarez-Núñez']);
});

test('apostrophes and hyphens do not matter, and what follows them may be looked up', () => {
  for (const text of ["o'brien", 'o’brien', 'obrien', 'brien', 'o brien']) expect(found(text)).toEqual(['Conor O’Brien', 'Siobhán O’Brien']);
  for (const text of ['smith-jones', 'smithjones', 'smith jones', 'jones smith']) expect(found(text)).toEqual(['Zoë Smith-Jones']);
  expect(found('jones')).toEqual(['Sam Jones', 'Zoë Smith-Jones']);
});

test('by form, with or without the space, alone or with a name', () => {
  for (const text of ['9 kel', '9kel', '9KEL']) expect(found(text)).toEqual(['José Álvarez-Núñez', 'Siobhán O’Brien']);
  expect(found('kel', 3)).toEqual(['Mr Kell', 'Kelly Marsh', 'José Álvarez-Núñez']);
  expect(found('jones 9')).toEqual(['Sam Jones', 'Zoë Smith-Jones']);
  expect(found('ali 9 ash')).toEqual(['Mohammed Ali']);
});

test('by the forename on the register, where they go by another', () => {
  const [match] = search(index, 'kather', 5);
  expect(match).toMatchObject({ id: 'Katie Marshall', marks: { name: [], also: [[0, 6]] } });
});

test('forename and surname in either order', () => {
  expect(found('ali muhammad')).toEqual(['Muhammad Ali']);
});

test('one typing mistake is forgiven: wrong, missing, too many, changed round', () => {
  for (const text of ['marshell', 'marhall', 'marsshall', 'mrashall']) expect(found(text)).toEqual(['Katie Marshall']);
  expect(found('mohamed')).toContain('Mohammed Ali');
  expect(found('obrein')).toEqual(['Conor O’Brien', 'Siobhán O’Brien']);
  expect(found('xarshall')).toEqual(['Katie Marshall']);
});

test('two mistakes are not, nor one among three letters', () => {
  expect(found('marxhxll')).toEqual([]);
  expect(found('xam')).toEqual([]);
});

test('what is typed exactly comes before what only nearly fits', () => {
  const close = indexOf([person('Anna Brown'), person('Ann Brown'), person('Joann Brown'), person('Hannah Brown')]);
  expect(search(close, 'ann', 10).map(({ id }) => id)).toEqual(['Ann Brown', 'Anna Brown', 'Hannah Brown', 'Joann Brown']);
});

test('everything typed must be found, and nothing typed finds nobody', () => {
  expect(found('siobhan marsh')).toEqual([]);
  for (const text of ['', ' ', '-', '’', '\u0301']) expect(found(text)).toEqual([]);
});

test('the letters typed are the ones underlined, in the name as it is shown', () => {
  const marked = (text: string) => search(index, text, 1).map(({ id, marks }) => marks.name.map(([from, to]) => id.slice(from, to)))[0];
  expect(marked('siob brien')).toEqual(['Siob', 'Brien']);
  expect(marked('obri')).toEqual(['O’Bri']);
  expect(marked('zo')).toEqual(['Zo']);
  expect(marked('zoe')).toEqual(['Zoë']);
  expect(marked('joness')).toEqual(['Jones']);
  expect(search(index, '9 kel', 1)[0]!.marks.form).toEqual([[0, 1], [2, 5]]);
});

test('staff are found like pupils, and can be left out', () => {
  expect(found('mr kell')).toEqual(['Mr Kell']);
  expect(search(index, 'kell', 9, (id) => id !== 'Mr Kell').map(({ id }) => id)).toEqual(['Kelly Marsh']);
  expect(search(index, 'kell', 9, (id) => id === 'Mr Kell').map(({ id }) => id)).toEqual(['Mr Kell']);
});

test('everybody is found by any part of their own name, and the marks lie inside it', () => {
  const name = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 20 }), fc.nat(), (names, at) => {
      const people = names.map((one, place) => ({ ...person(one), id: String(place) }));
      const chosen = people[at % people.length]!;
      const words = wordsOf(chosen.name);
      fc.pre(words.length > 0);
      const { key } = words[at % words.length]!;
      const matches = search(indexOf(people), [...key].slice(0, 1 + (at % [...key].length)).join(''), 100);
      expect(matches.map(({ id }) => id)).toContain(chosen.id);
      for (const { id, marks } of matches) {
        for (const [from, to] of marks.name) expect(0 <= from && from < to && to <= people[Number(id)]!.name.length).toBe(true);
      }
    }),
  );
});

test('fifteen hundred pupils: a keystroke looks at every different word once, and not at every person', () => {
  const forenames = Array.from({ length: 300 }, (_, at) => `Fore${at.toString(36)}`);
  const surnames = Array.from({ length: 700 }, (_, at) => `Sur${at.toString(36)}`);
  const school = indexOf(Array.from({ length: 1_500 }, (_, at) => ({ ...person(`${forenames[at % 300]} ${surnames[(at * 7) % 700]}`, `${7 + (at % 5)} F${at % 8}`), id: String(at) })));
  expect(school.words.length).toBeLessThan(300 + 700 + 40 + 5 + 1);
  expect(search(school, 'sur', 20)).toHaveLength(20);
});
