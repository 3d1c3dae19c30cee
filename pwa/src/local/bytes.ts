// Bytes as they travel: base64url without padding, and text as UTF-8.

export type Bytes = Uint8Array<ArrayBuffer>;

const A_PIECE = 0x8000; // more arguments at once than this, and some engines give up

export function toText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += A_PIECE) text += String.fromCharCode(...bytes.subarray(at, at + A_PIECE));
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** Throws on anything that is no base64url. */
export function toBytes(text: string): Bytes {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function joined(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);
export const random = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));

// ── Closed for this phone alone ────────────────────────────────────────────────────────────

/** AES-256-GCM under a random 96-bit number. */
export type Closed = { iv: Bytes; bytes: Bytes };

/** `about` is not secret, but it must be the same when it is opened: nothing can be moved to another place. */
export async function close(key: CryptoKey, plain: Bytes, about: string): Promise<Closed> {
  const iv = random(12);
  return { iv, bytes: new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: utf8(about) }, key, plain)) };
}

/** Rejects when the key is another, or a single bit has changed. */
export async function unclose(key: CryptoKey, { iv, bytes }: Closed, about: string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: utf8(about) }, key, bytes));
}

export const asJson = (value: unknown): Bytes => utf8(JSON.stringify(value));
export const fromJson = (bytes: Bytes): unknown => JSON.parse(new TextDecoder().decode(bytes));
