// The official client against a real host: the base URL and the key come from the environment as the client itself reads them
// (OPENAI_BASE_URL, OPENAI_API_KEY), the model and a prompt as arguments. Prints one JSON object of what it was answered.
import OpenAI from 'openai';

const [model, prompt] = process.argv.slice(2);
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

// The client asks for base64 by itself, and gives numbers.
const { embedding } = (await client.embeddings.create({ model, input: prompt })).data[0];

const missing = await client.chat.completions.create({ model: 'nothing', messages }).then(
  () => null,
  (error) => ({ status: error.status, code: error.code }),
);

console.log(JSON.stringify({ models, retrieved, completion, completionStreamed, chat, chatStreamed, embedding, missing }));
