// C2SP chunked-encryption, Cobblestone-256, written from the specification alone (https://c2sp.org/chunked-encryption): the tests compare its bytes with ours.
// stdin: JSON with key, salt, context and message in hex; stdout: the encrypted message in hex, as a JSON string.
import { createCipheriv, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

const request = JSON.parse(readFileSync(0, 'utf8'));
const [inputKey, salt, context, message] = ['key', 'salt', 'context', 'message'].map(name => Buffer.from(request[name], 'hex'));

function expand(prk, info, length) {
  let output = Buffer.alloc(0);
  let previous = Buffer.alloc(0);
  for (let i = 1; output.length < length; i++) {
    previous = createHmac('sha512', prk).update(previous).update(info).update(Buffer.from([i])).digest();
    output = Buffer.concat([output, previous]);
  }
  return output.subarray(0, length);
}

const info = Buffer.concat([Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'), Buffer.from([0]), salt, context]);
const derived = expand(inputKey, info, 32 + 12 + 32);
const [key, baseNonce, commitment] = [derived.subarray(0, 32), derived.subarray(32, 44), derived.subarray(44)];

const parts = [salt, commitment];
for (let chunk = 0; ; chunk++) {
  const plaintext = message.subarray(chunk * 16384, (chunk + 1) * 16384);
  const nonce = Buffer.from(baseNonce);
  for (let i = 0, rest = chunk; i < 5; i++, rest = Math.floor(rest / 256)) nonce[11 - i] ^= rest & 0xff;
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  parts.push(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  if (plaintext.length < 16384) break;
}
process.stdout.write(JSON.stringify(Buffer.concat(parts).toString('hex')));
