// Which of the documents parse and validate, by Ajv (JSON Schema 2020-12, formats asserted). In: {cases: [{schema, documents: [text]}]}; out: [[true, ...], ...].
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.argv[2], 'x.js'));
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;

let text = '';
for await (const chunk of process.stdin) text += chunk;
const answers = JSON.parse(text).cases.map(({ schema, documents }) => {
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  return documents.map((document) => {
    try {
      return validate(JSON.parse(document));
    } catch {
      return false;
    }
  });
});
console.log(JSON.stringify(answers));
