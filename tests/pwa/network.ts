// The network between a phone and the pretend school, with everything that can go wrong on the way.

import type { Letter, SealedLetter } from '../../pwa/src/wire';
import { Intake } from './keys';
import { School, SCHOOL_ANSWER } from './school';

export type Fault =
  | 'none'
  | 'no signal'
  | 'answer lost'
  | 'stalled'
  | 'asked twice'
  | 'truncated'
  | 'garbage'
  | 'portal'
  | 'portal in json'
  | 'wrong receipts'
  | '413'
  | '413 of a proxy'
  | '429'
  | '500'
  | '500 after commit'
  | '502 of a proxy'
  | '400'
  | '401';

export const FAULTS: Fault[] = ['no signal', 'answer lost', 'stalled', 'asked twice', 'truncated', 'garbage', 'portal', 'portal in json', 'wrong receipts', '413', '413 of a proxy', '429', '500', '500 after commit', '502 of a proxy', '400', '401'];

export class Network {
  /** What befalls the next requests, one after the other; none when it is empty. */
  faults: Fault[] = [];
  /** Letters with such an edit make the school fail, for ever. */
  poison = (_: Letter): Fault => 'none';
  letters: Letter[] = [];
  requests: { path: string; method: string; headers: Record<string, string> }[] = [];
  /** Who a cookie or a grant belongs to; null: nobody is signed in. */
  cookie: string | null = 'amira';
  grants = new Map<string, string>();
  revoked = new Set<string>();
  /** Called when the school has answered and the answer is about to travel. */
  onTheWay = async (): Promise<void> => {};

  readonly intake: Intake;

  constructor(readonly school: School) {
    this.intake = new Intake(school);
  }

  fetch = async (path: string, request: RequestInit = {}): Promise<Response> => {
    const headers = request.headers as Record<string, string>;
    this.requests.push({ path, method: request.method ?? 'GET', headers });
    if (path === '/api/intake') return await this.sealed(request, headers);
    if (path !== '/api/sync') return this.plain(path);
    const letter = JSON.parse(await unpacked(request)) as Letter;
    this.letters.push(letter);
    const befallen = this.faults.shift() ?? 'none';
    const fault = befallen === 'none' ? this.poison(letter) : befallen;
    const answer = this.befall(fault, letter, headers);
    await this.onTheWay();
    return answer();
  };

  /** Takes in what is sealed, from a revoked phone too; nobody knows which of them it was that went wrong. */
  private async sealed(request: RequestInit, headers: Record<string, string>): Promise<Response> {
    const letter = JSON.parse(await unpacked(request)) as SealedLetter;
    const fault = this.faults.shift() ?? 'none';
    if (BEFORE_THE_SCHOOL[fault]) return BEFORE_THE_SCHOOL[fault]();
    const me = this.whoIs(headers);
    if (!('Authorization' in headers) || me === null || fault === '401') return ours(401, { refusal: 'sign_in' });
    const answer = await this.intake.take(letter, me, letter.phone);
    if (fault === 'answer lost') fail('TypeError');
    if (fault === '500 after commit') return ours(500, { refusal: 'ours' });
    if (fault === 'truncated') return cut(answer);
    if (fault === 'wrong receipts') return ours(200, { ...answer, kept: ['somebody else’s'] });
    return ours(200, answer);
  }

  private plain(path: string): Response {
    if (path.startsWith('/api/school')) return ours(200, SCHOOL_ANSWER, { ETag: '"1"' });
    if (path.startsWith('/api/people')) return ours(200, { pupils: [], contacts: [], staff: [], gone: [], cursor: '1', more: false });
    return ours(204, null);
  }

  private befall(fault: Fault, letter: Letter, headers: Record<string, string>): () => Response {
    const me = this.whoIs(headers);
    if (BEFORE_THE_SCHOOL[fault]) return BEFORE_THE_SCHOOL[fault];
    if (me === null || fault === '401') return () => ours(401, { refusal: 'sign_in' });
    if (this.revoked.has(letter.phone)) return () => ours(403, { refusal: 'phone_revoked' });
    const sendingOnly = 'Authorization' in headers;
    if (fault === 'asked twice') this.school.exchange(structuredClone(letter), me, sendingOnly);
    const answer = this.school.exchange(structuredClone(letter), me, sendingOnly);
    if (fault === 'answer lost') return () => fail('TypeError');
    if (fault === '500 after commit') return () => ours(500, { refusal: 'ours' });
    if (fault === 'truncated') return () => cut(answer);
    if (fault === 'wrong receipts') return () => ours(200, { ...answer, receipts: [{ id: 'somebody else’s', outcome: 'taken' }] });
    return () => ours(200, answer);
  }

  private whoIs(headers: Record<string, string>): string | null {
    const grant = headers.Authorization?.replace('Bearer ', '');
    return grant ? (this.grants.get(grant) ?? null) : this.cookie;
  }
}

/** What befalls a letter that the school never took in. */
const BEFORE_THE_SCHOOL: Partial<Record<Fault, () => Response>> = {
  'no signal': () => fail('TypeError'),
  stalled: () => fail('TimeoutError'),
  portal: () => new Response('<h1>Free Wi-Fi!</h1>', { status: 200, headers: { 'Content-Type': 'text/html' } }),
  'portal in json': () => new Response('{"receipts":[]}', { status: 200, headers: { 'Content-Type': 'application/json' } }),
  garbage: () => ours(200, { hello: 'world' }),
  '413': () => ours(413, { refusal: 'too_large', limit: 1_000_000 }),
  '413 of a proxy': () => new Response('<h1>413</h1>', { status: 413 }),
  '502 of a proxy': () => new Response('<h1>502</h1>', { status: 502 }),
  '429': () => ours(429, { refusal: 'too_many' }, { 'Retry-After': '1' }),
  '500': () => ours(500, { refusal: 'ours' }),
  '400': () => ours(400, { refusal: 'unreadable' }),
};

function fail(name: string): never {
  throw name === 'TypeError' ? new TypeError('Failed to fetch') : new DOMException('The operation timed out', name);
}

function ours(status: number, json: unknown, headers: Record<string, string> = {}): Response {
  return new Response(status === 204 ? null : JSON.stringify(json), { status, headers: { 'Content-Type': 'application/json', 'Lanyard-Protocol': '1', ...headers } });
}

function cut(json: unknown): Response {
  const whole = JSON.stringify(json);
  return new Response(whole.slice(0, whole.length - 5), { status: 200, headers: { 'Content-Type': 'application/json', 'Lanyard-Protocol': '1' } });
}

async function unpacked({ body, headers }: RequestInit): Promise<string> {
  const isPacked = (headers as Record<string, string>)['Content-Encoding'] === 'gzip';
  const stream = new Response(body as BodyInit).body!;
  return await new Response(isPacked ? stream.pipeThrough(new DecompressionStream('gzip')) : stream).text();
}
