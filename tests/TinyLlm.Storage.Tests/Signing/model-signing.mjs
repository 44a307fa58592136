// Signs and verifies as `model_signing sign key` and `model_signing verify key` do (OpenSSF Model Signing v1.0), written from the format's description with
// node's own crypto: another implementation for the tests to meet.
// stdin: JSON. {"sign": {name, files: {path: sha256}, ignore, curve, pretty}} answers {bundle, public_key};
// {"verify": {bundle, public_key}} answers the files of the statement, or an error.
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const hashes = { 'P-256': 'sha256', 'P-384': 'sha384', 'P-521': 'sha512', prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' };
const payloadType = 'application/vnd.in-toto+json';
const pae = payload => Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload]);
const hintOf = pem => createHash('sha256').update(pem).digest('hex');
const rootOf = files => files.reduce((hash, file) => hash.update(Buffer.from(file.digest, 'hex')), createHash('sha256')).digest('hex');

function signModel({ name, files, ignore, curve, pretty }) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const resources = Object.keys(files).sort().map(path => ({ digest: files[path], algorithm: 'sha256', name: path }));
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { sha256: rootOf(resources) } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: { resources, serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: ignore } },
  };
  const payload = Buffer.from(pretty ? JSON.stringify(statement, null, 2) : JSON.stringify(statement));
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: hintOf(pem) }, tlogEntries: [] },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: sign(hashes[curve], pae(payload), privateKey).toString('base64'), keyid: '' }],
    },
  };
  return { bundle: JSON.stringify(bundle), public_key: pem };
}

function verifyModel({ bundle, public_key }) {
  const read = JSON.parse(bundle);
  const key = createPublicKey(public_key);
  if (read.mediaType !== 'application/vnd.dev.sigstore.bundle.v0.3+json') return { error: 'media type' };
  if (read.verificationMaterial.publicKey.hint !== hintOf(key.export({ type: 'spki', format: 'pem' }))) return { error: 'key mismatch' };
  const payload = Buffer.from(read.dsseEnvelope.payload, 'base64');
  const signature = Buffer.from(read.dsseEnvelope.signatures[0].sig, 'base64');
  if (!verify(hashes[key.asymmetricKeyDetails.namedCurve], pae(payload), key, signature)) return { error: 'invalid signature' };
  const statement = JSON.parse(payload);
  if (read.dsseEnvelope.payloadType !== payloadType || statement._type !== 'https://in-toto.io/Statement/v1') return { error: 'payload type' };
  if (statement.predicateType !== 'https://model_signing/signature/v1.0') return { error: 'predicate type' };
  if (statement.subject.length !== 1 || statement.subject[0].digest.sha256 !== rootOf(statement.predicate.resources)) return { error: 'root digest' };
  return { files: Object.fromEntries(statement.predicate.resources.map(file => [file.name, file.digest])), ignore: statement.predicate.serialization.ignore_paths };
}

const request = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(request.sign ? signModel(request.sign) : verifyModel(request.verify)));
