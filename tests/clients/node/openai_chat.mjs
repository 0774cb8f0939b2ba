import OpenAI from "openai";

export const TITLE = "OpenAI for JavaScript, Chat Completions";
export const PACKAGE = "openai";
export const ON = { chat_template_kwargs: { enable_thinking: true } };
export const OFF = { chat_template_kwargs: { enable_thinking: false } };
export const SEES = {
  whole: "message.reasoning_content",
  streamed: "delta.reasoning_content",
  tokens: "usage.completion_tokens_details.reasoning_tokens",
};

const { BASE_URL, API_KEY, MODEL } = process.env;
const client = new OpenAI({ baseURL: `${BASE_URL}/v1`, apiKey: API_KEY });

function request(question, settings) {
  const messages = [{ role: "user", content: question }];
  return { model: MODEL, messages, temperature: 0, ...settings };
}

export async function whole(question, settings) {
  const completion = await client.chat.completions.create(request(question, settings));
  const { message } = completion.choices[0];
  return {
    thinking: message.reasoning_content,
    answer: message.content,
    tokens: completion.usage.completion_tokens_details.reasoning_tokens,
    reply: completion,
  };
}

export async function stream(question, settings) {
  const seen = { thinking: "", answer: "", tokens: null, reply: [] };
  const chunks = await client.chat.completions.create({
    ...request(question, settings),
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const chunk of chunks) {
    seen.reply.push(chunk);
    if (chunk.usage) seen.tokens = chunk.usage.completion_tokens_details.reasoning_tokens;
    for (const { delta } of chunk.choices) {
      seen.thinking += delta.reasoning_content ?? "";
      seen.answer += delta.content ?? "";
    }
  }
  return seen;
}
