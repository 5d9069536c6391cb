/** `chrysalis blueprint lint`: what is wrong or doubtful in recipes of one's own, line by line. */

import { resolve } from "node:path";
import { lintBlueprint } from "../blueprint/lint.ts";
import { formatMany } from "./format.ts";
import { defineVerb } from "./verb.ts";

export const blueprintLint = defineVerb({
  name: "blueprint lint",
  summary: "Check recipes of your own: unknown keys, wrong values, values outside the evidence",
  usage: "FILE...",
  positionals: [{ name: "FILE", help: "A recipe's YAML file", many: true }],
  flags: {},
  examples: [
    {
      command: "chrysalis blueprint lint mine.yaml",
      does: "errors and warnings with their lines; exit code 1 on errors",
    },
    { command: "chrysalis blueprint lint recipes/*.yaml --json", does: "of many, for a program to read" },
  ],
  async run({ positionals }, { cwd }) {
    const files = [];
    for (const file of positionals) files.push(await lintBlueprint(resolve(cwd, file), file));
    return { valid: files.every(({ errors }) => errors.length === 0), files };
  },
  failed: ({ valid }) => !valid,
  human: ({ files }) => {
    const lines = files.flatMap(({ file, errors, warnings }) => [
      ...errors.map(({ line, message, hint }) => `${file}:${line}: error: ${message}${hint ? ` (${hint})` : ""}`),
      ...warnings.map(({ line, message }) => `${file}:${line}: warning: ${message}`),
    ]);
    const count = (of: "errors" | "warnings"): number => files.reduce((sum, file) => sum + file[of].length, 0);
    return [
      ...lines,
      `${formatMany(files.length, "file")}: ${formatMany(count("errors"), "error")}, ${formatMany(count("warnings"), "warning")}`,
    ].join("\n");
  },
});
