// Asking the school something, and knowing whether it was really the school that answered.

import { PROTOCOL, type RefusalAnswer } from './wire';

/** Long enough for a stairwell, short enough to try again from the yard. */
export const PATIENCE_MS = 30_000;
/** Below this, packing a request costs more than it saves. */
const WORTH_PACKING_BYTES = 1_000;

export type Question = {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  json?: unknown;
  /** The phone this tab signed in with: the school answers 401 if somebody else has signed in meanwhile. */
  phone?: string | undefined;
  /** Instead of the cookie: may only send. */
  grant?: string | undefined;
  etag?: string | undefined;
  /** How long it is waited for. */
  patience_ms?: number;
};

/** `answered`: the school itself, in its own words. `not heard`: nobody, or somebody else; nothing is known about what became of the question. */
export type Heard =
  | { heard: 'answered'; status: number; json: unknown; etag: string | null; retryAfter_s: number | null }
  | { heard: 'not heard'; why: 'no signal' | 'too slow' | 'somebody else' | 'garbled'; status: number | null };

export type Ask = (path: string, question?: Question) => Promise<Heard>;

export const ask: Ask = async (path, question = {}) => {
  try {
    return await understood(await fetch(path, await asRequest(question)));
  } catch (error) {
    return { heard: 'not heard', why: (error as Error).name === 'TimeoutError' ? 'too slow' : 'no signal', status: null };
  }
};

async function asRequest({ method = 'GET', json, phone, grant, etag, patience_ms = PATIENCE_MS }: Question): Promise<RequestInit> {
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Lanyard': '1' };
  if (phone) headers['Lanyard-Phone'] = phone;
  if (grant) headers.Authorization = `Bearer ${grant}`;
  if (etag) headers['If-None-Match'] = etag;
  const request: RequestInit = {
    method,
    headers,
    cache: 'no-store',
    redirect: 'error', // ours never redirects: a captive portal does
    credentials: grant ? 'omit' : 'same-origin',
    signal: AbortSignal.timeout(patience_ms),
  };
  if (json !== undefined) {
    headers['Content-Type'] = 'application/json';
    request.body = await packed(JSON.stringify(json), headers);
  }
  return request;
}

async function packed(text: string, headers: Record<string, string>): Promise<BodyInit> {
  if (text.length < WORTH_PACKING_BYTES || typeof CompressionStream === 'undefined') return text;
  headers['Content-Encoding'] = 'gzip';
  return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).blob();
}

/** A bare 200 proves nothing: hotels, trains and school filters answer 200 with a page of their own. */
async function understood(response: Response): Promise<Heard> {
  if (response.headers.get('Lanyard-Protocol') !== String(PROTOCOL)) return { heard: 'not heard', why: 'somebody else', status: response.status };
  const text = await response.text(); // a failure here is a broken line, caught above
  const isJson = /^application\/(.+\+)?json\b/.test(response.headers.get('Content-Type') ?? '');
  let json: unknown = null;
  try {
    if (isJson) json = JSON.parse(text);
  } catch {
    return { heard: 'not heard', why: 'garbled', status: response.status };
  }
  const { status, headers } = response;
  return { heard: 'answered', status, json, etag: headers.get('ETag'), retryAfter_s: seconds(headers.get('Retry-After')) };
}

/** A proxy may name a date instead of seconds; an hour at most, whatever is asked. */
function seconds(retryAfter: string | null): number | null {
  if (!retryAfter) return null;
  const asked = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(asked) ? Math.min(Math.max(asked, 0), 3_600) : null;
}

export const refusal = (json: unknown): RefusalAnswer =>
  json && typeof json === 'object' && typeof (json as RefusalAnswer).refusal === 'string' ? (json as RefusalAnswer) : { refusal: '' };
