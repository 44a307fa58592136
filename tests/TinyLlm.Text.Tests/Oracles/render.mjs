// stdin: {cases: [{template, variables}...]}; stdout: [{text} or {error}...] by @huggingface/jinja.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const entry = join(process.argv[2], '@huggingface', 'jinja', 'dist', 'index.js');
const { Template } = await import(pathToFileURL(entry).href);
const { cases } = JSON.parse(readFileSync(0, 'utf8'));
const answers = cases.map(({ template, variables }) => {
  try {
    return { text: new Template(template).render(variables) };
  } catch (error) {
    return { error: String(error) };
  }
});
process.stdout.write(JSON.stringify(answers));
