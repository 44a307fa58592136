// stdin: {tokenizer: FILE, texts: [...]}; stdout: {encoded: [[id...]...], decoded: [text...]} by @huggingface/tokenizers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const packages = process.argv[2];
const entry = join(packages, '@huggingface', 'tokenizers', 'dist', 'tokenizers.mjs');
const { Tokenizer } = await import(pathToFileURL(entry).href);
const { tokenizer: file, texts } = JSON.parse(readFileSync(0, 'utf8'));
const tokenizer = new Tokenizer(JSON.parse(readFileSync(file, 'utf8')), {});
const encoded = texts.map((text) => tokenizer.encode(text, { add_special_tokens: true }).ids);
const decoded = encoded.map((ids) =>
  ids.length ? tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false }) : '');
process.stdout.write(JSON.stringify({ encoded, decoded }));
