import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

export const TITLE = "Vercel's AI SDK, @ai-sdk/openai-compatible";
export const PACKAGE = "ai";
export const ON = { reasoning: "medium" };
export const OFF = { reasoning: "none" };
export const SEES = {
  whole: "reasoningText",
  streamed: "fullStream part of type reasoning-delta",
  tokens: "usage.outputTokenDetails.reasoningTokens",
};

const { BASE_URL, API_KEY, MODEL } = process.env;
const provider = createOpenAICompatible({
  name: "hybrid-llm",
  baseURL: `${BASE_URL}/v1`,
  apiKey: API_KEY,
  includeUsage: true,
});

function request(prompt, settings) {
  return { model: provider(MODEL), prompt, temperature: 0, ...settings };
}

export async function whole(question, settings) {
  const result = await generateText(request(question, settings));
  return {
    thinking: result.reasoningText,
    answer: result.text,
    tokens: result.usage.outputTokenDetails.reasoningTokens,
    reply: result.content,
  };
}

export async function stream(question, settings) {
  const seen = { thinking: "", answer: "", tokens: null, reply: [] };
  const result = streamText(request(question, settings));
  for await (const part of result.fullStream) {
    seen.reply.push(part);
    if (part.type === "reasoning-delta") seen.thinking += part.text;
    if (part.type === "text-delta") seen.answer += part.text;
    if (part.type === "error") throw part.error;
  }
  seen.tokens = (await result.usage).outputTokenDetails.reasoningTokens;
  return seen;
}
