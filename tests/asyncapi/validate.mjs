// Reads a JSON list of AsyncAPI documents from standard input; prints a JSON list of what there is to say about each:
// how many channels it has, and what is wrong with it.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "information", "hint"];
// 3.0 is what most tools read, and nothing of 3.1 is used.
const NOT_OURS = new Set(["asyncapi-latest-version"]);

const parser = new Parser();
const judgements = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  const { document, diagnostics } = await parser.parse(text);
  const found = diagnostics.filter(({ code }) => !NOT_OURS.has(code));
  judgements.push({
    channels: document ? document.channels().all().length : 0,
    faults: found.map(
      ({ severity, code, path, message }) => `${SEVERITIES[severity]} ${code} at ${path.join(".")}: ${message}`,
    ),
  });
}
console.log(JSON.stringify(judgements));
