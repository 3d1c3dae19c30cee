// Ids minted on this phone when a person acts: UUIDv7, so that they sort by when they were made.

/** A version 7 UUID: 48 bits of milliseconds, then 74 random bits. A clock before 1970 or after 10889 is brought into range. */
export function newId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const moment = Math.min(Math.max(Math.trunc(now) || 0, 0), 2 ** 48 - 1);
  for (let place = 0; place < 6; place++) bytes[place] = Math.trunc(moment / 2 ** (8 * (5 - place))) % 256;
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
