// Finding names by any part of them, forgiving accents, apostrophes, hyphens and one typing mistake. Pure.

/** [from, to) pairs of places in the text as it is shown. */
export type Marks = [number, number][];

export type Named = { id: string; name: string; also: string; form: string; year: string; sortedBy: string };
export type Found = { id: string; marks: { name: Marks; also: Marks; form: Marks } };

type Part = 'name' | 'also' | 'form' | 'year';

/** A word as it is compared: letters folded, with the place in the shown text where each of them began and ended. */
type Word = { key: string; begins: number[]; from: number[]; to: number[] };
type Place = { who: number; part: Part; word: Word };

/** Every different word once, with everybody who has it. People stand in the order of the alphabet. */
export type Index = { people: Named[]; words: { key: string; begins: number[]; places: Place[] }[] };

/** How far from what was typed, the least first. Ties go by the alphabet. */
const WHOLE = 0;
const START = 1;
const START_OF_A_PART = 2;
const INSIDE = 4;
const ONE_MISTAKE = 7;
const NOT_IN_THE_NAME = 1; // in the form or the register's forename: a little further

/** Fewer letters than this say too little to allow a mistake among them. */
const MISTAKE_FROM = 4;
const MISTAKE_IN_FIRST_LETTER_FROM = 6;
const INSIDE_FROM = 2;

export function indexOf(people: readonly Named[]): Index {
  const sorted = inTheAlphabet(people);
  const words = new Map<string, Index['words'][number]>();
  sorted.forEach((person, who) => {
    for (const part of ['name', 'also', 'form', 'year'] as const) {
      for (const word of wordsOf(textOf(person, part))) {
        const same = `${word.key} ${word.begins}`;
        if (!words.has(same)) words.set(same, { key: word.key, begins: word.begins, places: [] });
        words.get(same)!.places.push({ who, part, word });
      }
    }
  });
  return { people: sorted, words: [...words.values()] };
}

function textOf(person: Named, part: Part): string {
  // 9 KEL is one word of two parts, so that 9 kel, 9kel and kel all find it, and then the year need not be told as well.
  if (part === 'form') return person.form.replaceAll(' ', '-');
  if (part === 'year') return person.form.startsWith(person.year) ? '' : person.year;
  return person[part];
}

/** By the folded letters: a collator takes longer than all the rest together. */
function inTheAlphabet(people: readonly Named[]): Named[] {
  const keyed = people.map((person) => ({ person, key: wordsOf(person.sortedBy).map(({ key }) => key).join(' ') }));
  return keyed.sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0)).map(({ person }) => person);
}

/** Everything typed must be found somewhere in a person; the closest come first. */
export function search(index: Index, text: string, limit: number, wanted: (id: string) => boolean = () => true): Found[] {
  const typed = wordsOf(text).map(({ key }) => key);
  if (typed.length === 0) return [];
  let people: Map<number, { far: number; hits: Hit[] }> | undefined;
  for (const word of typed) people = together(people, peopleWith(index, word));
  return [...people!]
    .filter(([who]) => wanted(index.people[who]!.id))
    .sort(([who, one], [whose, other]) => one.far - other.far || who - whose)
    .slice(0, limit)
    .map(([who, { hits }]) => ({ id: index.people[who]!.id, marks: marksOf(hits) }));
}

type Hit = { place: Place; from: number; to: number; far: number };

/** For one typed word, the closest hit in each person. */
function peopleWith(index: Index, typed: string): Map<number, Hit> {
  const closest = new Map<number, Hit>();
  for (const { key, begins, places } of index.words) {
    const match = matchOf(typed, key, begins);
    if (!match) continue;
    for (const place of places) {
      if (match.far === ONE_MISTAKE && (place.part === 'form' || place.part === 'year')) continue;
      const far = match.far + (place.part === 'name' ? 0 : NOT_IN_THE_NAME);
      if (far < (closest.get(place.who)?.far ?? Infinity)) closest.set(place.who, { place, far, from: match.from, to: match.to });
    }
  }
  return closest;
}

function together(before: Map<number, { far: number; hits: Hit[] }> | undefined, hits: Map<number, Hit>): Map<number, { far: number; hits: Hit[] }> {
  const both = new Map<number, { far: number; hits: Hit[] }>();
  for (const [who, hit] of hits) {
    const earlier = before ? before.get(who) : { far: 0, hits: [] };
    if (earlier) both.set(who, { far: earlier.far + hit.far, hits: [...earlier.hits, hit] });
  }
  return both;
}

function marksOf(hits: Hit[]): Found['marks'] {
  const marks: Found['marks'] = { name: [], also: [], form: [] };
  for (const { place, from, to } of hits) {
    if (place.part !== 'year' && to > from) marks[place.part].push([place.word.from[from]!, place.word.to[to - 1]!]);
  }
  for (const part of Object.values(marks)) merge(part);
  return marks;
}

/** In order, and none overlapping: `ann an` underlines once. */
function merge(marks: Marks): void {
  marks.sort(([one], [other]) => one - other);
  for (let at = marks.length - 1; at > 0; at--) {
    const [from, to] = marks[at]!;
    const before = marks[at - 1]!;
    if (from <= before[1]) {
      before[1] = Math.max(before[1], to);
      marks.splice(at, 1);
    }
  }
}

// ── One typed word against one known word ────────────────────────────────────────────────────

type WordMatch = { far: number; from: number; to: number };

function matchOf(typed: string, key: string, begins: number[]): WordMatch | null {
  if (key.startsWith(typed)) return { far: key.length === typed.length ? WHOLE : START, from: 0, to: typed.length };
  for (const from of begins) if (from > 0 && key.startsWith(typed, from)) return { far: START_OF_A_PART, from, to: from + typed.length };
  if (typed.length >= INSIDE_FROM) {
    const from = key.indexOf(typed);
    if (from > 0) return { far: INSIDE, from, to: from + typed.length };
  }
  if (typed.length >= MISTAKE_FROM) {
    for (const from of begins) {
      const length = lengthWithOneMistake(typed, key, from);
      if (length) return { far: ONE_MISTAKE, from, to: from + length };
    }
  }
  return null;
}

/**
 * How many letters of `key`, from `from` on, are `typed` but for one letter missing, too many, wrong, or two changed round;
 * 0: none.
 */
function lengthWithOneMistake(typed: string, key: string, from: number): number {
  let at = 0;
  while (at < typed.length && typed[at] === key[from + at]) at++;
  if (at === 0 && typed.length < MISTAKE_IN_FIRST_LETTER_FROM) return 0;
  const rest = typed.slice(at);
  const here = from + at;
  if (rest.length > 1 && rest[0] === key[here + 1] && rest[1] === key[here] && key.startsWith(rest.slice(2), here + 2)) return typed.length; // changed round
  if (here < key.length && key.startsWith(rest.slice(1), here + 1)) return typed.length; // wrong
  if (key.startsWith(rest, here + 1)) return typed.length + 1; // one missing
  if (key.startsWith(rest.slice(1), here)) return typed.length - 1; // one too many
  return 0;
}

// ── Folding ────────────────────────────────────────────────────────────────────────────────

/** Letters that no decomposition brings to plain ones. */
const PLAIN: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i', ħ: 'h', ŧ: 't' };
const LETTER = /[\p{L}\p{N}]/u;
const MARK = /\p{M}/u;
const JOINS = /['’‘ʼʻ`´\-‐‑–.]/u;

/** O’Brien-Smith is one word, obriensmith, that may also be looked up from b or from s. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let word: Word | null = null;
  let place = 0;
  let joined = false;
  for (const letter of text) {
    const end = place + letter.length;
    const plain = plainOf(letter);
    if (plain !== null) {
      word ??= { key: '', begins: [], from: [], to: [] };
      const isNewPart = word.key === '' || joined || isDigit(letter) !== isDigit(word.key.at(-1)!);
      if (isNewPart) word.begins.push(word.key.length);
      word.key += plain;
      for (let unit = 0; unit < plain.length; unit++) {
        word.from.push(place);
        word.to.push(end);
      }
      joined = false;
    } else if (word && MARK.test(letter)) {
      word.to[word.to.length - 1] = end;
    } else if (word && JOINS.test(letter)) {
      joined = true;
    } else if (word) {
      words.push(word);
      word = null;
      joined = false;
    }
    place = end;
  }
  return word ? [...words, word] : words;
}

const isDigit = (letter: string): boolean => letter >= '0' && letter <= '9';

/** The plain letters that a letter is compared by; null for what is no letter. A school has few different ones, and each is looked at once. */
function plainOf(letter: string): string | null {
  const known = plains.get(letter);
  if (known !== undefined) return known;
  const lower = letter.toLowerCase();
  const plain = LETTER.test(letter) ? (PLAIN[lower] ?? lower.normalize('NFD').replace(/\p{M}/gu, '')) : null;
  plains.set(letter, plain);
  return plain;
}

const plains = new Map<string, string | null>();
