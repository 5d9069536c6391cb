import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { UserError } from "../errors.ts";
import { parseFlags } from "./flags.ts";
import { counts, fit, rowWidth, shares, table } from "./genome-lines.ts";
import { createProgress } from "./progress.ts";
import { chrysalis, withFolder } from "./testing.ts";
import { loadVerb } from "./verbs.ts";
import type { VerbName } from "./verbs.ts";

const first =
  "<|repo_start|>one\n<|file_start|>docs/deep/a.md\n# A text of words\n\n<|file_end|>\n" +
  "<|file_start|>b.md\n# A text of words\n\n<|file_end|>\n<|repo_end|>\n\n";
const second = first
  .replace("b.md", "c.md")
  .replace("<|repo_end|>", "<|file_start|>new.py\nx = 1\n<|file_end|>\n<|repo_end|>");

/** Runs a verb in this process, as `main` would. */
async function perform(name: VerbName, ...args: string[]): Promise<{ result: object; text: string }> {
  const verb = await loadVerb(name);
  const { stdin, stdout, stderr, env } = process;
  const clock = (): number => 0;
  const progress = createProgress({ mode: "silent", write: () => {}, width: () => 80, stream: stderr, clock });
  const { signal } = new AbortController();
  const onInterrupt = () => () => {};
  const context = { cwd: process.cwd(), env, stdin, stdout, stderr, json: true, progress, signal, onInterrupt };
  const result = await verb.run(parseFlags(verb, args), context);
  return { result, text: verb.human(result, 80)! };
}

const code = (wanted: string) => (error: unknown) => error instanceof UserError && error.code === wanted;

test("import, show, stats, diff and export work on one genome after the other", () =>
  withFolder(async (folder) => {
    const at = (name: string): string => join(folder, name);
    await writeFile(at("first.txt"), first);
    await writeFile(at("second.txt"), `junk\n${second}`);
    const imported = await perform("genome import", at("first.txt"), "--out", at("first"));
    assert.match(imported.text, /^2 files \(36 B\) of 1 repository are in .*first, read as ecosystem\.\n/);
    const again = await perform("genome import", at("second.txt"), "--out", at("second"));
    assert.match(again.text, /\n1 place in it is not as an export writes them, with 5 B outside every file/);

    const shown = await perform("genome show", at("first"), "--svg", at("first.svg"), "--depth", "2");
    assert.match(
      shown.text,
      /\none +36 B +18 B +2 {2}unknown\n├─ docs\/ .*\n│ {2}└─ deep\/ .*\n└─ 1 file beside them\n/,
    );
    assert.match(shown.text, /2 files, 36 B, 18 B of it repeated, in 1 repository\.\nimported from a text/);
    assert.match(await readFile(at("first.svg"), "utf8"), /<title>Genome first<\/title>/);

    const stats = await perform("genome stats", at("second"));
    assert.match(stats.text, /\nexact +1 +2 +18 B\n[^]*\n +18 B +1 {2}one\/docs\/deep\/a\.md\n/);
    assert.equal((stats.result as { kinds: Record<string, { genes: number }> }).kinds["code"]!.genes, 1);

    const diff = await perform("genome diff", at("first"), at("second"));
    assert.match(diff.text, /^\+ one\/new\.py {2}\(5 B\)\n> one\/c\.md {2}\(from one\/b\.md\)\n/);
    assert.match(diff.text, /\n1 added, 0 removed, 0 changed, 1 moved; 1 file unchanged\.$/);
    const same = await perform("genome diff", at("first"), at("first"));
    assert.equal(same.text, "The two genomes hold the same texts: 2 files.");

    const dataset = await perform("genome export", at("second"), "--format", "ecosystem", "--out", at("again.txt"));
    assert.match(dataset.text, /again\.txt has \d+ B\.$/);
    assert.deepEqual(await readFile(at("again.txt")), await readFile(at("second.txt")));
    for (const [format, files] of Object.entries({ safe: 1, files: 2, parquet: 1, zip: 6 })) {
      const { result } = await perform("genome export", at("second"), "--format", format, "--out", at(format));
      assert.deepEqual(Object.keys(result), ["genome", "format", "out", "bytes", "files"]);
      assert.equal((result as { files: number }).files, files, format);
      await assert.rejects(
        perform("genome export", at("second"), "--format", format, "--out", at(format)),
        code("exists"),
      );
    }
    await assert.rejects(perform("genome show", folder), code("not-found"));
    await assert.rejects(perform("genome show", at("first"), "--svg", at("first.svg")), code("exists"));
    await assert.rejects(perform("genome import", at("first.svg"), "--out", at("x")), code("invalid"));
  }));

test("a folder that is no genome is a mistake of one line", () =>
  withFolder(async (folder) => {
    const none = await chrysalis(["genome", "show", folder]);
    assert.deepEqual([none.code, none.stdout], [2, ""]);
    assert.match(none.stderr, /holds no finished genome \(there is no manifest\.json\)/);
  }));

test("rows fit the width that there is", () => {
  const columns = [
    { heading: "", align: "rest" },
    { heading: "bytes", align: "right" },
  ] as const;
  const lines = table(
    columns,
    [
      ["x".repeat(200), "1 B"],
      ["├─ a\u001B[2Jb", "20 B"],
    ],
    60,
  );
  assert.deepEqual(
    lines.map((line) => [...line].length <= 60),
    [true, true, true],
  );
  assert.ok(lines.every((line) => !line.includes("\u001B")));
  assert.match(lines[2]!, /^├─ a \[2Jb +20 B$/);
  assert.deepEqual([20, 100, 300].map(rowWidth), [60, 100, 140]);
  assert.equal(shares({ prose: 991, data: 8, log: 1 }, 3), "prose 99 %, data 1 %");
  assert.equal(shares({ prose: 0 }, 2), "");
  assert.equal(counts({}), "none");
  assert.equal(fit("├─ one/two/three/four.md", 17), "├─ one/…e/four.md");
  assert.equal(fit("a".repeat(5), 1), "…");
});
