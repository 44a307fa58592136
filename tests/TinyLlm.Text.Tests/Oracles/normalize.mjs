// stdin: {texts: [...]}; stdout: {NFC: [...], NFD: [...], NFKC: [...], NFKD: [...]} by the JavaScript engine.
import { readFileSync } from 'node:fs';

const { texts } = JSON.parse(readFileSync(0, 'utf8'));
const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'];
process.stdout.write(JSON.stringify(Object.fromEntries(forms.map((form) => [form, texts.map((text) => text.normalize(form))]))));
