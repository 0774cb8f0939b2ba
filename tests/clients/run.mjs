// Asks as a client of tests/clients/node does, and prints what it saw as run.py does. It takes the
// packages of the folder that it is started in: cd $(tools/clients-env node)
//
//   BASE_URL=http://127.0.0.1:8000 API_KEY=... MODEL=... bin/node .../run.mjs .../CLIENT.mjs
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";

const QUESTION = "What is greater between 7.8 and 7.11 ?";

const file = pathToFileURL(process.argv[2]).href;
const packages = pathToFileURL("./").href;
registerHooks({
  resolve: (name, context, next) =>
    next(name, context.parentURL === file ? { ...context, parentURL: packages } : context),
});

// Settings as they stand in a call: effort: "none".
const code = (settings) =>
  inspect(settings, { depth: null }).slice(2, -2).replaceAll("'", '"').replaceAll(/\s+/g, " ");
const print = (line) => console.log(JSON.stringify(line, (_, value) => value ?? null));

const client = await import(file);
const { version } = JSON.parse(readFileSync(`node_modules/${client.PACKAGE}/package.json`, "utf8"));
const { TITLE: title, SEES: sees } = client;
print({ title, version, off: code(client.OFF), sees });
for (const thinks of [true, false]) {
  for (const streamed of [false, true]) {
    const ask = streamed ? client.stream : client.whole;
    print({ thinks, streamed, ...(await ask(QUESTION, thinks ? client.ON : client.OFF)) });
  }
}
