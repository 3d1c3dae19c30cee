// Our sealing, opened by another hand's HPKE: whatever the browser here can seal, and nobody else can open.

import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8, type Bytes } from '../../pwa/src/local/bytes';
import { sealTo } from '../../pwa/src/local/hpke';

const suite = new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

async function school(): Promise<{ point: Bytes; open: (sealed: Bytes, info: Bytes) => Promise<Uint8Array> }> {
  const { publicKey, privateKey } = await suite.kem.generateKeyPair();
  return {
    point: new Uint8Array(await suite.kem.serializePublicKey(publicKey)),
    open: async (sealed, info) => new Uint8Array(await suite.open({ recipientKey: privateKey, enc: sealed.slice(0, 65).buffer, info }, sealed.slice(65).buffer)),
  };
}

const bytes = fc.uint8Array({ maxLength: 3_000 }).map((array) => Uint8Array.from(array));

test('whatever is sealed is opened by the holder of the key, and by nobody else, nor under other words', async () => {
  const [one, another] = [await school(), await school()];
  await fc.assert(
    fc.asyncProperty(bytes, bytes, async (info, plain) => {
      const sealed = await sealTo(one.point, info, plain);
      expect(sealed.length).toBe(65 + plain.length + 16);
      expect(await one.open(sealed, info)).toEqual(plain);
      await expect(another.open(sealed, info)).rejects.toThrow();
      await expect(one.open(sealed, utf8(`not ${info.length}`))).rejects.toThrow();
      const flipped = sealed.slice();
      flipped[65 + (plain.length >> 1)]! ^= 1;
      await expect(one.open(flipped, info)).rejects.toThrow();
    }),
    { numRuns: 60 },
  );
});

test('the same words are never sealed the same twice', async () => {
  const { point } = await school();
  const sealed = await Promise.all(Array.from({ length: 20 }, () => sealTo(point, utf8('about'), utf8('the same'))));
  expect(new Set(sealed.map((each) => each.slice(0, 65).join())).size).toBe(20);
  expect(new Set(sealed.map((each) => each.slice(65).join())).size).toBe(20);
});

test('a key that is no point of the curve seals nothing', async () => {
  const { point } = await school();
  for (const wrong of [new Uint8Array(65), point.slice(1), Uint8Array.from([...point.slice(0, 64), point[64]! ^ 1])]) {
    await expect(sealTo(wrong, utf8('about'), utf8('words'))).rejects.toThrow();
  }
});
