import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { packageRoot } from "../formats/package-root.ts";
import { loadBody } from "../models/load.ts";
import { chrysalis, withFolder } from "./testing.ts";

const shape = "--vocabulary 270 --hidden 16 --intermediate 24 --layers 1 --heads 2 --kv-heads 1 --context 16";
const pace = "--batch-tokens 32 --sequences 2 --threads 1 --split train --heldout-split heldout";

test("hatch is stopped by Ctrl-C, goes on with --resume, and leaves a model that is never overwritten", () =>
  withFolder(async (folder) => {
    const text = join(folder, "text.jsonl");
    const lines = Array.from({ length: 60 }, (_, i) => ({
      text: `the sea and the shore number ${i} and the ship of the sea`,
      split: i % 10 === 0 ? "heldout" : "train",
    }));
    await writeFile(text, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const out = join(folder, "out");
    const args = ["hatch", "--text", text, "--out", out, ...shape.split(" "), ...pace.split(" "), "--steps", "400"];

    const stopped = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, [join(packageRoot(), "src/cli/main.ts"), ...args], { stdio: "pipe" });
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (part: string) => {
        const before = stderr;
        stderr += part;
        if (stderr.includes("training:") && !before.includes("training:")) child.kill("SIGINT");
      });
      child.on("close", (code) => resolve({ code, stderr }));
    });
    assert.equal(stopped.code, 1, stopped.stderr);
    assert.match(
      stopped.stderr,
      /chrysalis: training was interrupted after \d+ steps\. Nothing is lost; go on with .*--resume\.\n$/,
    );

    const again = await chrysalis(args);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /out already holds a run or other files\. Go on with it by --resume, or choose/);

    const resumed = await chrysalis([...args, "--resume", "--json"]);
    assert.equal(resumed.code, 0, resumed.stderr);
    const result = JSON.parse(resumed.stdout) as {
      model: string;
      parameters: number;
      steps: number;
      heldOut: { bitsPerByte: number; bytes: number };
    };
    assert.equal(result.steps, 400);
    assert.equal(
      result.heldOut.bytes,
      lines.filter(({ split }) => split === "heldout").reduce((sum, line) => sum + line.text.length, 0),
    );
    // An untrained model of this vocabulary needs 5 bits per byte or more, where tokens are hardly longer than bytes.
    assert.ok(result.heldOut.bitsPerByte < 2.5, String(result.heldOut.bitsPerByte));
    const body = await loadBody(result.model);
    const values = [...body.weights.values()].reduce((sum, { data }) => sum + data.length, 0);
    assert.equal(values, result.parameters);
    assert.deepEqual([body.config.vocabularySize, body.config.layers, body.dtype], [270, 1, "BF16"]);

    const finished = await chrysalis([...args, "--resume"]);
    assert.equal(finished.code, 2);
    assert.match(finished.stderr, /out already holds a finished model/);
  }));

test("hatch refuses what does not fit together", async () => {
  const both = await chrysalis(["hatch", "--text", "README.md", "--out", "x", "--steps", "1", "--minutes", "1"]);
  assert.equal(both.code, 2);
  assert.match(both.stderr, /--minutes and --steps are both given\. Give one of them\./);
  const heads = await chrysalis(["hatch", "--text", "README.md", "--out", "/nonexistent/x", "--heads", "3"]);
  assert.equal(heads.code, 2);
  assert.match(heads.stderr, /a width of 256 has no 3 heads/);
});
