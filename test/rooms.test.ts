/** Holds the source to the order of its rooms; prints every offending line. The linter holds the same rules. */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, test } from "node:test";
import { packageRoot } from "../src/formats/package-root.ts";

const ROOMS = [
  "errors",
  "formats",
  "tensor",
  "onnx",
  "tokenizer",
  "models",
  "inference",
  "eval",
  "genome",
  "epigenome",
  "blueprint",
  "chrysalis",
  "imago",
  "server",
  "cli",
];
const PRINTING_ROOMS = ["server", "cli"];
/** The rooms that may know a genome only by its manifest: the stages after it. `cli` puts the stages together. */
const LATER_STAGES = ["epigenome", "blueprint", "chrysalis", "imago", "server"];
/** Modules that one file alone may import. */
const SOLE_IMPORTERS: Readonly<Record<string, string>> = {
  "onnxruntime-node": "src/onnx/session.ts",
  "node:child_process": "src/genome/git.ts",
  child_process: "src/genome/git.ts",
};

interface Import {
  readonly line: number;
  readonly specifier: string;
  readonly reExport: boolean;
}

/** Blanks comments that begin a line, keeping the line numbers; strings may hold what looks like a comment. */
function withoutComments(text: string): string {
  return text
    .replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/^[ \t]*\/\/.*$/gm, "");
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Every module that a file names: static and dynamic imports, re-exports, `import("...")` types, `require`. */
function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const statement = /^[ \t]*(import|export)\b[^"'`;]*?\bfrom\s*["']([^"']+)["']/gm;
  const bare = /^[ \t]*import\s*["']([^"']+)["']/gm;
  const call = /\b(?:import|require)\s*\(\s*(?:["'`]([^"'`]*)["'`])?/g;
  const add = (match: RegExpMatchArray, specifier: string, reExport: boolean): void => {
    const index = (match.index ?? 0) + match[0].length;
    found.push({ line: lineAt(text, index), specifier, reExport });
  };
  for (const match of text.matchAll(statement)) add(match, match[2] ?? "", match[1] === "export");
  for (const match of text.matchAll(bare)) add(match, match[1] ?? "", false);
  for (const match of text.matchAll(call)) add(match, match[1] ?? "", false);
  return found;
}

function roomOf(path: string): string {
  const [, first = "", ...rest] = path.split("/");
  return rest.length === 0 ? first.replace(/\.ts$/, "") : first;
}

/** The rules of one file as lines `path:line: what is wrong`; `path` is relative to the package, with slashes. */
function violations(path: string, text: string): string[] {
  const code = withoutComments(text);
  const lines = text.split("\n");
  const isTest = /\.test\.ts$|\/testing\.ts$|\/testing\//.test(path); // testing.ts: helpers of a room's tests
  const wrong: string[] = [];
  const report = (line: number, what: string): void => {
    wrong.push(`${path}:${line}: ${what}\n    ${(lines[line - 1] ?? "").trim()}`);
  };

  if (path === "src/index.ts") {
    const kept = code.replace(/^export\b[^"';]*\bfrom\s*["'][^"']+["'];?/gm, "");
    if (kept.trim() !== "") report(lineAt(kept, kept.search(/\S/)), "src/index.ts holds re-exports only");
    return wrong;
  }
  if (posix.basename(path) === "index.ts") report(1, "no barrels: only src/index.ts may be called index.ts");
  const room = roomOf(path);
  const rank = ROOMS.indexOf(room);
  if (rank < 0) {
    report(1, `${room} is no room; the rooms are ${ROOMS.join(", ")}`);
    return wrong;
  }

  for (const { line, specifier } of importsOf(code)) {
    if (specifier === "" || specifier.includes("${")) report(line, "imports something that only running it can tell");
    const sole = SOLE_IMPORTERS[specifier];
    const testMay = isTest && specifier !== "onnxruntime-node";
    if (sole !== undefined && path !== sole && !testMay) report(line, `only ${sole} imports ${specifier}`);
    if (specifier === "symbiotic-chrysalis") report(line, "the package does not import itself by name");
    if (!specifier.startsWith(".")) continue;

    const target = posix.join(posix.dirname(path), specifier);
    if (!target.startsWith("src/")) {
      if (!isTest) report(line, "src/ imports nothing from outside src/");
      continue;
    }
    const other = roomOf(target);
    if (ROOMS.indexOf(other) > rank) report(line, `${room} comes before ${other}, so it must not import from it`);
    if (ROOMS.indexOf(other) < 0) report(line, `${other} is no room`);
    if (other === "genome" && LATER_STAGES.includes(room) && !isTest && target !== "src/genome/manifest.ts") {
      report(line, `${room} knows a genome only by src/genome/manifest.ts`);
    }
  }
  if (isTest || PRINTING_ROOMS.includes(room)) return wrong;
  for (const match of code.matchAll(/\bconsole\s*\.\s*\w+|\bprocess\s*\.\s*(?:stdout|stderr|exit|exitCode)\b/g)) {
    report(lineAt(code, match.index), `${match[0]}: only ${PRINTING_ROOMS.join(" and ")} print or exit`);
  }
  return wrong;
}

describe("rooms", () => {
  test("every file of src keeps the order of the rooms", () => {
    const files = globSync("src/**/*.ts", { cwd: packageRoot() }).map((path) => path.replaceAll("\\", "/"));
    assert.ok(files.includes("src/errors.ts"), "src/errors.ts is among the files");
    const wrong = files.sort().flatMap((path) => violations(path, readFileSync(join(packageRoot(), path), "utf8")));
    assert.ok(wrong.length === 0, `${wrong.length} lines break the rules of the rooms:\n${wrong.join("\n")}`);
  });

  test("the linter's rules know the same order", () => {
    type Rule = [string, { patterns?: { regex: string }[]; paths?: { name: string }[] }];
    interface Override {
      files: string[];
      rules: Record<string, Rule | undefined>;
    }
    const config = JSON.parse(readFileSync(join(packageRoot(), ".oxlintrc.json"), "utf8")) as { overrides: Override[] };
    for (const [rank, room] of ROOMS.entries()) {
      const files = room === "errors" ? "src/errors.ts" : `src/${room}/**`;
      const rule = config.overrides.find((entry) => entry.files[0] === files)?.rules["no-restricted-imports"];
      assert.ok(rule?.[0] === "error", `.oxlintrc.json has an error-level rule for ${files}`);
      const patterns = (rule[1].patterns ?? []).map((pattern) => new RegExp(pattern.regex));
      for (const [otherRank, other] of ROOMS.entries()) {
        if (other === "errors" || other === room) continue;
        const specifier = `${room === "errors" ? "./" : "../"}${other}/${other === "genome" ? "manifest" : "x"}.ts`;
        const forbidden = patterns.some((pattern) => pattern.test(specifier));
        assert.equal(forbidden, otherRank > rank, `${room} importing ${specifier}`);
      }
      if (room === "errors") continue;
      for (const name of Object.keys(SOLE_IMPORTERS)) {
        assert.ok(
          rule[1].paths?.some((entry) => entry.name === name),
          `${room} must not import ${name}`,
        );
      }
    }
  });

  const bad: [what: string, path: string, text: string][] = [
    ["an import against the order", "src/tensor/a.ts", 'import { x } from "../models/step.ts";'],
    ["a type import against the order", "src/errors.ts", 'import type { X } from "./formats/x.ts";'],
    ["an import over several lines", "src/onnx/a.ts", 'import {\n  x,\n  y,\n} from "../cli/main.ts";'],
    ["a re-export", "src/formats/a.ts", 'export * from "../tensor/graph.ts";'],
    ["a bare import", "src/formats/a.ts", 'import "../tensor/graph.ts";'],
    ["a dynamic import", "src/formats/a.ts", 'const x = await import("../tensor/graph.ts");'],
    ["a type that is an import", "src/formats/a.ts", 'type X = import("../tensor/graph.ts").Graph;'],
    ["a computed import", "src/formats/a.ts", "const x = await import(name);"],
    ["an import from a deeper folder", "src/chrysalis/optimisers/a.ts", 'import { x } from "../../imago/card.ts";'],
    ["a test against the order", "src/tensor/a.test.ts", 'import { x } from "../onnx/emit.ts";'],
    ["an import from outside src", "src/eval/a.ts", 'import { x } from "../../bench/x.ts";'],
    ["the package by its own name", "src/cli/a.ts", 'import { x } from "symbiotic-chrysalis";'],
    ["more of the genome than its manifest", "src/epigenome/a.ts", 'import { x } from "../genome/build.ts";'],
    ["the runtime elsewhere", "src/models/a.ts", 'import * as ort from "onnxruntime-node";'],
    ["a process elsewhere", "src/cli/a.ts", 'import { spawn } from "node:child_process";'],
    ["printing", "src/genome/a.ts", 'function f() {\n  console.log("x");\n}'],
    ["writing to standard output", "src/genome/a.ts", 'process.stdout.write("x");'],
    ["an exit", "src/imago/a.ts", "if (x) process.exit(1);"],
    ["a barrel", "src/genome/index.ts", 'export { x } from "./build.ts";'],
    ["an unknown room", "src/utils/a.ts", "export const x = 1;"],
    ["code in src/index.ts", "src/index.ts", 'export { x } from "./errors.ts";\nexport const y = 1;'],
  ];
  for (const [what, path, text] of bad) {
    test(`the check finds ${what}`, () => {
      const found = violations(path, text);
      assert.equal(found.length, 1, found.join("\n") || "nothing was found");
      assert.match(found[0] ?? "", new RegExp(`^${path}:\\d+: `));
    });
  }

  const good: [what: string, path: string, text: string][] = [
    ["imports along the order", "src/cli/a.ts", 'import { x } from "../genome/build.ts";\nconsole.log(x);'],
    ["a room's own files", "src/genome/a.ts", 'export { x } from "./build.ts";\nimport y from "../errors.ts";'],
    ["the manifest of a genome", "src/imago/a.ts", 'import type { Gene } from "../genome/manifest.ts";'],
    ["comments", "src/formats/a.ts", '/**\n * import { x } from "../cli/main.ts";\n */\n// console.log("x")\n'],
    ["strings that look like comments", "src/formats/a.ts", 'const glob = "src/**/*.ts";\nconst other = "*/";'],
    ["the runtime in its place", "src/onnx/session.ts", 'import * as ort from "onnxruntime-node";'],
    ["git in its place", "src/genome/git.ts", 'import { spawn } from "node:child_process";'],
    ["a process in a test", "src/genome/a.test.ts", 'import { spawn } from "node:child_process";'],
    ["re-exports in src/index.ts", "src/index.ts", '/** Public. */\nexport {\n  x,\n  y,\n} from "./cli/main.ts";'],
  ];
  for (const [what, path, text] of good) {
    test(`the check lets pass ${what}`, () => assert.deepEqual(violations(path, text), []));
  }
});
