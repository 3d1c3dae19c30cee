// Passkeys, as this browser keeps them: shown to the school instead of a password, or beside it.

import type { ShownPasskey, WantedPasskey } from '../wire';
import { toBytes, toText } from './bytes';

export const hasPasskeys = (): boolean => typeof PublicKeyCredential !== 'undefined' && navigator.credentials !== undefined;

/** Null where there is none, or the person would rather not. */
export const show = (wanted: WantedPasskey): Promise<ShownPasskey | null> => answered(() => navigator.credentials.get({ publicKey: asRequest(wanted) }));

export const make = (wanted: WantedPasskey): Promise<ShownPasskey | null> => answered(() => navigator.credentials.create({ publicKey: asCreation(wanted) }));

async function answered(ask: () => Promise<Credential | null>): Promise<ShownPasskey | null> {
  try {
    const credential = (await ask()) as PublicKeyCredential | null;
    return credential && asJson(credential);
  } catch {
    return null;
  }
}

// ── To and from JSON: not every browser has its own functions for that ──────────────────────────────

type Named = { id: string } & Record<string, unknown>;

const withBytes = (named: unknown): unknown => ((named ?? []) as Named[]).map((one) => ({ ...one, id: toBytes(one.id) }));

function asRequest(wanted: WantedPasskey): PublicKeyCredentialRequestOptions {
  return { ...wanted, challenge: toBytes(wanted.challenge), allowCredentials: withBytes(wanted.allowCredentials) } as PublicKeyCredentialRequestOptions;
}

function asCreation(wanted: WantedPasskey): PublicKeyCredentialCreationOptions {
  const user = wanted.user as Named;
  const excludeCredentials = withBytes(wanted.excludeCredentials);
  return { ...wanted, challenge: toBytes(wanted.challenge), user: { ...user, id: toBytes(user.id) }, excludeCredentials } as unknown as PublicKeyCredentialCreationOptions;
}

const PARTS = ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle'] as const;

function asJson(credential: PublicKeyCredential): ShownPasskey {
  const { id, type } = credential;
  const said = credential.response as unknown as Record<string, ArrayBuffer | null | undefined>;
  const response = Object.fromEntries(PARTS.flatMap((part) => (said[part] ? [[part, toText(new Uint8Array(said[part]))]] : [])));
  return { id, rawId: toText(new Uint8Array(credential.rawId)), type, clientExtensionResults: {}, response };
}
