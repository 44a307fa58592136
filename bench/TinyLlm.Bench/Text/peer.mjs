// stdin: {tokenizer: FILE, chunks, samples, warmUps}; stdout: {cold, warm: [...], ids} in seconds, by @huggingface/tokenizers.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const entry = join(resolve(process.argv[2]), '@huggingface', 'tokenizers', 'dist', 'tokenizers.mjs');
const { Tokenizer } = await import(pathToFileURL(entry).href);
const { tokenizer: file, chunks, samples, warmUps } = JSON.parse(readFileSync(0, 'utf8'));
const tokenizer = new Tokenizer(JSON.parse(readFileSync(file, 'utf8')), {});
let ids = 0;
const pass = () => {
  const started = process.hrtime.bigint();
  ids = 0;
  for (const chunk of chunks) ids += tokenizer.encode(chunk, { add_special_tokens: false }).ids.length;
  return Number(process.hrtime.bigint() - started) / 1e9;
};
const cold = pass();
for (let i = 0; i < warmUps; i++) pass();
const warm = Array.from({ length: samples }, pass);
process.stdout.write(JSON.stringify({ cold, warm, ids }));
