import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const run = (script: string, folder: string): void => {
  const { ORT_DISABLE_TELEMETRY: _, CI: __, ...env } = process.env;
  execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
    env: { ...env, TMPDIR: folder, HOME: folder },
    stdio: "pipe",
  });
};

test("the runtime leaves no trace of telemetry", () => {
  const folder = mkdtempSync(join(tmpdir(), "silent-"));
  run(
    `import { createSession } from "./session.ts";
     import { Graph } from "../tensor/graph.ts";
     import { extract } from "../tensor/program.ts";
     import { scale } from "../tensor/elementwise.ts";
     const graph = new Graph();
     const program = extract(new Map([["y", scale(graph.input("x", [1]), 2)]]));
     const session = await createSession(program);
     const y = new Float32Array(1);
     await session.run({ x: new Float32Array([21]) }, { y });
     if (y[0] !== 42) throw new Error("wrong result");`,
    folder,
  );
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
});
