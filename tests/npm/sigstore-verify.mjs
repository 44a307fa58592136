// Sigstore's own JavaScript library judges a bundle. stdin: JSON with bundle (text) and keys (PEM by hint);
// stdout: {"payload": base64} of what was verified, or {"error": code}.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, toTrustMaterial, VerificationError, Verifier } from '@sigstore/verify';

const request = JSON.parse(readFileSync(0, 'utf8'));

function findKey(hint) {
  if (!request.keys[hint]) throw new VerificationError({ code: 'PUBLIC_KEY_ERROR', message: 'another key' });
  return { publicKey: createPublicKey(request.keys[hint]), validFor: () => true };
}

try {
  const bundle = bundleFromJSON(JSON.parse(request.bundle));
  // Signed by a key: no certificate, no transparency log, no timestamp.
  const trust = toTrustMaterial({ certificateAuthorities: [], ctlogs: [], timestampAuthorities: [], tlogs: [] }, findKey);
  new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 }).verify(toSignedEntity(bundle));
  process.stdout.write(JSON.stringify({ payload: bundle.content.dsseEnvelope.payload.toString('base64') }));
} catch (error) {
  process.stdout.write(JSON.stringify({ error: error.code ?? error.name }));
}
