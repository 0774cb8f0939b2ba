// What an agent does with Anthropic's client for TypeScript; prints what came of it as JSON.
import { createRequire } from "node:module";

// The packages are those of the folder that it is started in.
const { Anthropic } = createRequire(`${process.cwd()}/`)("@anthropic-ai/sdk");

const TOOL = {
  name: "get_weather",
  description: "Get the current weather in a city.",
  input_schema: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
  },
};
const QUESTION = { role: "user", content: "What is the weather in Paris?" };
const COMPARE = { role: "user", content: "What is greater between 7.8 and 7.11 ?" };
const { BASE_URL, API_KEY, MODEL } = process.env;
const thinking = { type: "enabled", budget_tokens: 1024 };

const options = { baseURL: BASE_URL, apiKey: API_KEY, maxRetries: 0 };
const client = new Anthropic(options);
const create = (messages, settings = {}, by = client) =>
  by.messages.create({ model: MODEL, max_tokens: 2048, temperature: 0, messages, ...settings });

const checks = {
  named_tool_choice: () =>
    create([QUESTION], { tools: [TOOL], tool_choice: { type: "tool", name: "get_weather" } }),

  // Asks until no tool is called; each answer goes back whole, with its thinking.
  agent_loop: async () => {
    const messages = [QUESTION];
    const answers = [];
    while (answers.length < 3) {
      const message = await create(messages, { tools: [TOOL], thinking });
      answers.push(message);
      const calls = message.content.filter((block) => block.type === "tool_use");
      if (!calls.length) break;
      const content = calls.map(({ id }) => ({
        type: "tool_result",
        tool_use_id: id,
        content: "18 C",
      }));
      messages.push({ role: "assistant", content: message.content }, { role: "user", content });
    }
    return answers;
  },

  thinking_echoed: async () => {
    const first = await create([COMPARE], { thinking });
    const history = [COMPARE, { role: "assistant", content: first.content }, COMPARE];
    return [first, await create(history, { thinking })];
  },

  count_tokens: async () => {
    const count = (body) => client.messages.countTokens({ model: MODEL, ...body });
    const short = await count({ messages: [COMPARE] });
    const long = await count({ messages: [QUESTION], tools: [TOOL] });
    const { usage } = await create([COMPARE], { thinking: { type: "disabled" } });
    const used = usage.input_tokens;
    return { short: short.input_tokens, with_tool: long.input_tokens, used };
  },

  wrong_key: () => create([COMPARE], {}, new Anthropic({ ...options, apiKey: "sk-wrong" })),
  unknown_model: () => create([COMPARE], { model: "no-such-model" }),
  bad_request: () => create([]),
};

const outcomes = {};
for (const [name, check] of Object.entries(checks)) {
  try {
    outcomes[name] = { returned: await check() };
  } catch (error) {
    if (!(error instanceof Anthropic.APIError)) throw error;
    outcomes[name] = {
      raised: error.constructor.name,
      shape: error.error?.type ?? null,
      type: error.type ?? null,
      request_id: error.requestID ?? null,
    };
  }
}
console.log(JSON.stringify(outcomes));
