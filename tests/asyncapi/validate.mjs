// Reads an AsyncAPI document from standard input; prints what is wrong with it, a line each, and ends with 1 if
// anything is.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const SEVERITIES = ["error", "warning", "information", "hint"];
// 3.0 is what most tools read, and nothing of 3.1 is used.
const NOT_OURS = new Set(["asyncapi-latest-version"]);

const { document, diagnostics } = await new Parser().parse(readFileSync(0, "utf8"));
const found = diagnostics.filter(({ code }) => !NOT_OURS.has(code));
for (const { severity, code, path, message } of found) {
  console.log(`${SEVERITIES[severity]} ${code} at ${path.join(".")}: ${message}`);
}
if (document) {
  console.log(`channels: ${document.channels().all().length}`);
}
process.exit(document && found.length === 0 ? 0 : 1);
