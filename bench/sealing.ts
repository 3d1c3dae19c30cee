// Sealing one edit as the phone does it, and beside it the least that any sealing costs: how long each takes, in milliseconds.

import { asJson, utf8 } from '../pwa/src/local/bytes';
import { newSigning, seal, type Sealing } from '../pwa/src/local/seal';

type Took = { seal: number[]; floor: number[] };

const CURVE = { name: 'ECDH', namedCurve: 'P-256' } as const;
const EDIT = {
  kind: 'incident',
  record: '019aab00-0000-7000-8000-000000000000',
  values: { category: 'fight', place: 'yard', pupils: { put: { 'pupil-0': { part: 'harmed' } }, drop: [] }, account: 'He would not leave the stairwell, and I asked him twice. '.repeat(5) },
};
const OUTSIDE = { what: 'edit', id: '019aab00-0000-7000-8000-000000000001', phone: '019aab00-0000-7000-8000-000000000002', number: 1, made_at: '2026-11-16T08:30:00.000Z' } as const;

/** One after the other, so that whatever else the machine does meets both alike. */
async function measure(times: number): Promise<Took> {
  const school = (await crypto.subtle.generateKey(CURVE, false, ['deriveBits'])) as CryptoKeyPair;
  const { privateKey: sign } = (await newSigning()).pair;
  const intake = { kid: 'bench', public: new Uint8Array(await crypto.subtle.exportKey('raw', school.publicKey)) };
  const sealing: Sealing = { school: 'bench', staff: 'teacher0', sign, intake };
  const closing = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  const bare = () => floor(school.publicKey, closing as CryptoKey, sign);
  const took: Took = { seal: [], floor: [] };
  for (let n = 0; n < times; n++) {
    took.seal.push(await timed(() => seal(EDIT, OUTSIDE, sealing)));
    took.floor.push(await timed(bare));
  }
  return took;
}

/** A key pair of its own, agreed upon with the school's, then closed, hashed and signed: with every other key ready and no standard kept. */
async function floor(school: CryptoKey, closing: CryptoKey, sign: CryptoKey): Promise<void> {
  const ours = (await crypto.subtle.generateKey(CURVE, false, ['deriveBits'])) as CryptoKeyPair;
  await crypto.subtle.exportKey('raw', ours.publicKey);
  await crypto.subtle.deriveBits({ name: 'ECDH', public: school }, ours.privateKey, 256);
  const closed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, closing, asJson(EDIT));
  const hash = await crypto.subtle.digest('SHA-256', closed);
  await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, sign, utf8(String(hash.byteLength)));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

Object.assign(globalThis, { measureSealing: measure });
