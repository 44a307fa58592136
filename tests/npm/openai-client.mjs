// The official client against a real host: the base URL and the key come from the environment as the client itself reads them
// (OPENAI_BASE_URL, OPENAI_API_KEY), the model and a prompt as arguments. Prints one JSON object of what it was answered.
import OpenAI from 'openai';

const [model, prompt, schema] = process.argv.slice(2);
const client = new OpenAI({ maxRetries: 0 });
const greedy = { model, temperature: 0 };
const messages = [{ role: 'user', content: prompt }];

const models = [];
for await (const item of client.models.list()) models.push(item.id);
const retrieved = (await client.models.retrieve(model)).id;

const completion = (await client.completions.create({ ...greedy, prompt, max_tokens: 196 })).choices[0].text;
let completionStreamed = '';
for await (const chunk of await client.completions.create({ ...greedy, prompt, max_tokens: 196, stream: true })) {
  completionStreamed += chunk.choices[0]?.text ?? '';
}

const chat = (await client.chat.completions.create({ ...greedy, messages, max_tokens: 24 })).choices[0].message.content;
let chatStreamed = '';
for await (const chunk of await client.chat.completions.create({ ...greedy, messages, max_tokens: 24, stream: true })) {
  chatStreamed += chunk.choices[0]?.delta?.content ?? '';
}

// Three choices of one request, whole and streamed; log-probabilities; an answer held to a schema.
const three = { model, prompt, max_tokens: 16, n: 3, seed: 11 };
const choices = (await client.completions.create(three)).choices;
const choicesStreamed = ['', '', ''];
for await (const chunk of await client.completions.create({ ...three, stream: true })) {
  for (const choice of chunk.choices) choicesStreamed[choice.index] += choice.text;
}
const scored = await client.chat.completions.create({ ...greedy, messages, max_tokens: 4, logprobs: true, top_logprobs: 3 });
const logprobs = scored.choices[0].logprobs.content;
const json = (
  await client.chat.completions.create({
    ...greedy,
    messages,
    max_tokens: 400,
    frequency_penalty: 2, // a model of stories, asked for JSON, would go on with blanks
    response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: JSON.parse(schema) } },
  })
).choices[0].message.content;
// The client asks for base64 by itself, and gives numbers.
const { embedding } = (await client.embeddings.create({ model, input: prompt })).data[0];

const missing = await client.chat.completions.create({ model: 'nothing', messages }).then(
  () => null,
  (error) => ({ status: error.status, code: error.code }),
);

console.log(
  JSON.stringify({ models, retrieved, completion, completionStreamed, chat, chatStreamed, choices, choicesStreamed, logprobs, json, embedding, missing }),
);
