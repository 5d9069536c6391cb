/** The frame: help, errors, exit codes, pipes; run as a user would. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { packageRoot, packageVersion } from "../formats/package-root.ts";
import { placeholder, typedName } from "./flags.ts";
import { verbHelp } from "./help.ts";
import { chrysalis } from "./testing.ts";
import { loadVerbs } from "./verbs.ts";

const verbs = await loadVerbs();

describe("chrysalis", { concurrency: 2 }, () => {
  test("--version and --help", async () => {
    const version = await chrysalis(["--version"]);
    assert.deepEqual(version, { code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
    const help = await chrysalis(["--help"]);
    assert.equal(help.code, 0);
    for (const { name, summary } of verbs) assert.match(help.stdout, new RegExp(`  ${name} +${summary.slice(0, 30)}`));
    assert.deepEqual(await chrysalis(["help", "score"]), await chrysalis(["score", "-h"]));
  });

  for (const verb of verbs) {
    test(`the help of ${verb.name} names every flag and has examples that begin as it does`, () => {
      const text = verbHelp(verb, { stream: process.stderr, width: 80 });
      for (const [name, flag] of Object.entries(verb.flags)) {
        assert.ok(text.includes(`  --${typedName(name)} ${placeholder(flag)}`.trimEnd()), `--${typedName(name)}`);
        assert.doesNotMatch(flag.help, /\.$/, `${verb.name} --${typedName(name)}: no full stop`);
        if (flag.kind !== "switch" && flag.default !== undefined) assert.ok(text.includes(`${flag.default})`));
      }
      assert.ok(verb.examples.length > 0);
      for (const { command } of verb.examples) assert.ok(command.startsWith(`chrysalis ${verb.name}`), command);
      assert.doesNotMatch(verb.summary, /\.$/);
    });
  }

  const wrong: [args: string[], line: RegExp][] = [
    [["evla"], /^chrysalis: there is no verb "evla"\. The nearest is eval; see: chrysalis --help\.\n$/],
    [["--jsno"], /^chrysalis: there is no flag "--jsno"\. .*--help/],
    [["score", "--idz", "f"], /^chrysalis: score has no flag --idz\. The nearest is --ids/],
    [["hatch", "--minutes", "x"], /^chrysalis: --minutes is "x"\. It must be a number greater than 0\.\n$/],
    [
      ["score", "nowhere/to-be", "--ids", "f"],
      /^chrysalis: nowhere\/to-be is neither a folder nor a GGUF file here\. Give /,
    ],
  ];
  for (const [args, line] of wrong) {
    test(`exit code 2 and one line: chrysalis ${args.join(" ")}`, async () => {
      const { code, stdout, stderr } = await chrysalis(args);
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(stderr, line);
      assert.equal(stderr.trimEnd().split("\n").length, 1);
    });
  }

  test("no verb shows the overview as an error", async () => {
    const { code, stdout, stderr } = await chrysalis([]);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /Verbs\n[^]*chrysalis: no verb is given/);
  });

  test("with --json errors are JSON too", async () => {
    const { code, stdout, stderr } = await chrysalis(["hatch", "--stepz", "3", "--json"]);
    assert.equal(code, 2);
    assert.equal(JSON.parse(stdout).error.code, "usage");
    assert.match(JSON.parse(stdout).error.message, /--stepz/);
    assert.match(stderr, /^chrysalis: /);
  });

  test("a reader that has seen enough is no error", async () => {
    const child = spawn(process.execPath, [join(packageRoot(), "src/cli/main.ts"), "--help"]);
    child.stdout.destroy();
    let stderr = "";
    child.stderr.on("data", (text) => (stderr += String(text)));
    const code = await new Promise((resolve) => child.on("close", resolve));
    assert.deepEqual([code, stderr], [0, ""]);
  });
});
