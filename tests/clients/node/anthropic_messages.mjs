import Anthropic from "@anthropic-ai/sdk";

export const TITLE = "Anthropic for TypeScript, Messages";
export const PACKAGE = "@anthropic-ai/sdk";
export const ON = { thinking: { type: "enabled", budget_tokens: 1024 } };
export const OFF = { thinking: { type: "disabled" } };
export const SEES = {
  whole: "content[].thinking",
  streamed: "thinking event",
  tokens: "usage.output_tokens_details.thinking_tokens",
};

const { BASE_URL, API_KEY, MODEL } = process.env;
const client = new Anthropic({ baseURL: BASE_URL, apiKey: API_KEY });

function request(question, settings) {
  const messages = [{ role: "user", content: question }];
  return { model: MODEL, messages, max_tokens: 2048, temperature: 0, ...settings };
}

function seen(message, reply) {
  const all = (type) => message.content.filter((block) => block.type === type);
  return {
    thinking: all("thinking").map((block) => block.thinking).join(""),
    answer: all("text").map((block) => block.text).join(""),
    tokens: message.usage.output_tokens_details?.thinking_tokens,
    reply,
  };
}

export async function whole(question, settings) {
  const message = await client.messages.create(request(question, settings));
  return seen(message, message);
}

export async function stream(question, settings) {
  let thinking = "";
  const events = [];
  const stream = client.messages.stream(request(question, settings));
  stream.on("thinking", (delta) => (thinking += delta));
  for await (const event of stream) events.push(event);
  return { ...seen(await stream.finalMessage(), events), thinking };
}
