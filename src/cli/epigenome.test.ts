/** The verbs about what is expressed, as a user types them. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { sha256OfFile } from "../formats/files.ts";
import { isolatedEnvironment, makeRepository } from "../genome/testing.ts";
import { chrysalis, writeTinyModel } from "./testing.ts";

describe("chrysalis epigenome", () => {
  let folder = "";
  const run = (...args: string[]) => chrysalis(args, { cwd: folder, env: isolatedEnvironment(folder) });
  const of = ["--genome", "g", "--model", "m"];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "epigenome-verbs-"));
    await makeRepository(join(folder, "notes"), [
      [
        { path: "a.md", content: "the sea and the shore and the ship\n" },
        { path: "old/a.md", content: "the sea and the shore and the ship\n" },
        { path: "play.log", content: "2026-01-01 10:00 the sea\n" },
        { path: "b.py", content: "sea = 'shore'\n" },
      ],
    ]);
    await writeTinyModel(join(folder, "m"));
    const { code, stderr } = await run("genome", "build", "notes", "--out", "g");
    assert.equal(code, 0, stderr);
    await writeFile(
      join(folder, "r.yaml"),
      "name: mine\ndescription: x\nmethod: full\noptimizer: {learningRate: 1e-3}\nepigenome:\n  rules:\n" +
        "    - {match: {kind: log}, mark: 1, repeat: 2}\n    - {match: notes/b.py, mark: 0}\n    - {match: notes/c.*, mark: 0}\n",
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("show counts what is expressed and what is silent, by reason", async () => {
    const { code, stdout, stderr } = await run("epigenome", "show", ...of, "--json", "--svg", "g.svg");
    assert.equal(code, 0, stderr);
    const { expressed, silent } = JSON.parse(stdout);
    assert.deepEqual(Object.keys(expressed.byKind).sort(), ["code", "prose"]);
    assert.deepEqual([expressed.byKind.prose.files, expressed.byKind.prose.bytes], [1, 35]);
    assert.equal(expressed.byRepository.notes.bytes, 49);
    assert.ok(Math.abs(expressed.byKind.prose.share + expressed.byKind.code.share - 1) < 1e-9);
    assert.equal(expressed.tokens, expressed.byKind.prose.tokens + expressed.byKind.code.tokens);
    assert.deepEqual(silent.byReason, { duplicate: { files: 1, bytes: 35 }, log: { files: 1, bytes: 25 } });
    assert.match(await readFile(join(folder, "g.svg"), "utf8"), /^<svg[^]*Expressed by small-body/);
    const all = JSON.parse((await run("epigenome", "show", ...of, "--express", "all", "--json")).stdout);
    assert.deepEqual([all.expressed.files, all.expressed.bytes, all.silent.files], [4, 109, 0]);
    const text = await run("epigenome", "show", ...of, "--blueprint", "r.yaml");
    assert.match(text.stdout, /^mine: 2 files, 85 B, .*\n[^]*^log +1 +50 B/m);
    assert.match(text.stdout, /^notes\/b\.py +1 +14 B$/m);
  });

  test("explain names the rule of each field", async () => {
    const { stdout } = await run("epigenome", "explain", "play.log", ...of, "--blueprint", "r.yaml", "--json");
    const { expressed, copies, mark, by, reason } = JSON.parse(stdout);
    assert.deepEqual([expressed, copies, mark, reason], [true, 2, 1, null]);
    assert.deepEqual(by, { mark: '{"kind":"log"}', repeat: '{"kind":"log"}' });
    const silent = await run("epigenome", "explain", "notes/old/a.md", ...of);
    assert.match(silent.stdout, /^silent in small-body: duplicate$/m);
    for (const [path, line] of [
      ["nothing.md", /nothing\.md is no file of the genome/],
      ["a.md", /2 files end in a\.md: notes\/a\.md, notes\/old\/a\.md/],
    ] as const) {
      const { code, stderr } = await run("epigenome", "explain", path, ...of);
      assert.equal(code, 2);
      assert.match(stderr, line);
    }
  });

  test("preview shows sequences with the borders of documents", async () => {
    const { code, stdout, stderr } = await run("preview", ...of, "--json");
    assert.equal(code, 0, stderr);
    const { sequences, positions } = JSON.parse(stdout);
    assert.ok(positions <= 64);
    const pieces = sequences.flatMap(
      ({ pieces }: { pieces: readonly { file: string; endsDocument: boolean }[] }) => pieces,
    );
    assert.deepEqual(pieces.map(({ file }: { file: string }) => file).sort(), ["notes/a.md", "notes/b.py"]);
    const texts = pieces.map(({ runs }: { runs: readonly { text: string }[] }) =>
      runs.map(({ text }) => text).join(""),
    );
    assert.ok(texts.includes("the sea and the shore and the ship\n<|endoftext|>"), JSON.stringify(texts));
    const human = await run("preview", ...of, "--sequences", "1");
    assert.match(human.stdout, /== sequence 1: \d+ tokens, \d documents?\n/);
  });

  test("preview shows code in the order of imports, and says where it cannot know the order", async () => {
    const files = [
      { path: "a.py", content: "import z\nsea = z.sea\n" },
      { path: "z.py", content: "sea = 'the shore'\n" },
    ];
    await makeRepository(join(folder, "code"), [files]);
    assert.equal((await run("genome", "build", "code", "--out", "code-genome")).code, 0);
    const recipe = "name: mine\ndescription: x\nmethod: full\noptimizer: {learningRate: 1e-3}\nbatch: {sequence: 64}\n";
    const preview = async (order: string, ...more: string[]): Promise<string> => {
      await writeFile(join(folder, "order.yaml"), `${recipe}order: ${order}\n`);
      const asked = ["--genome", "code-genome", "--model", "m", "--blueprint", "order.yaml", ...more];
      const { code, stdout, stderr } = await run("preview", ...asked);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const { sequences } = JSON.parse(await preview("{imports: true}", "--json"));
    const shown = sequences[0].pieces.map(({ file }: { file: string }) => file);
    assert.deepEqual([sequences.length, shown], [1, ["code/z.py", "code/a.py"]]);
    assert.doesNotMatch(await preview("{imports: true}"), /shuffled: /);
    assert.match(await preview("{by: loss}"), /shuffled: the order of the recipe goes by what a run measures first/);
  });

  test("data beside a genome, or alone, is shown as it would be trained on", async () => {
    const chat = (question: string, answer: string) => ({
      conversations: [
        { from: "human", value: question },
        { from: "gpt", value: answer },
      ],
    });
    const written = [chat("the sea", "and the shore"), chat("the sea", "and the shore"), chat("a ship", "the sea")];
    await writeFile(join(folder, "chats.jsonl"), written.map((of) => `${JSON.stringify(of)}\n`).join(""));
    const chatTemplate =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}" +
      "{% if add_generation_prompt %}<assistant>{% endif %}";
    await writeTinyModel(join(folder, "chat"), { chatTemplate });
    const data = ["--data", "chats.jsonl", "--model", "chat"];

    const alone = JSON.parse((await run("preview", ...data, "--json")).stdout);
    assert.deepEqual(alone.data, [
      {
        sha256: await sha256OfFile(join(folder, "chats.jsonl")),
        name: "chats.jsonl",
        form: "sharegpt",
        records: 2,
        repeated: 1,
        untrained: 0,
        masked: {},
      },
    ]);
    const pieces = alone.sequences.flatMap((of: { objective: string; pieces: object[] }) => {
      assert.equal(of.objective, "sft");
      return of.pieces;
    });
    assert.deepEqual(
      pieces.map(({ file, framing, runs }: { file: string; framing: string; runs: object[] }) => [file, framing, runs]),
      [
        [
          "chats.jsonl/000001-000003.jsonl",
          "records",
          [
            { text: "<user>the sea<|endoftext|><assistant>", weight: 0 },
            { text: "and the shore<|endoftext|><|endoftext|>", weight: 1 },
          ],
        ],
        [
          "chats.jsonl/000001-000003.jsonl",
          "records",
          [
            { text: "<user>a ship<|endoftext|><assistant>", weight: 0 },
            { text: "the sea<|endoftext|><|endoftext|>", weight: 1 },
          ],
        ],
      ],
    );
    const human = await run("preview", ...data);
    assert.match(human.stdout, /^data chats\.jsonl: 2 records of the form sharegpt\n/m);
    assert.match(human.stdout, /^Note: of the data chats\.jsonl 1 record left out that repeats another\.$/m);

    const beside = JSON.parse((await run("epigenome", "show", "--genome", "g", ...data, "--json")).stdout);
    assert.deepEqual(Object.keys(beside.expressed.byRepository).sort(), ["chats.jsonl", "notes"]);
    assert.equal(beside.expressed.byKind.dialogue.files, 1);
    for (const express of ["default", "all"]) {
      const asked = ["000001-000003.jsonl", "--genome", "g", ...data, "--express", express, "--json"];
      const { framing, by, share } = JSON.parse((await run("epigenome", "explain", ...asked)).stdout);
      assert.deepEqual([framing, share, by.framing], ["records", 1, "own data"]);
    }

    for (const [args, line] of [
      [["preview", "--model", "m"], /neither a genome nor data is given. Give --genome/],
      [
        ["preview", "--data", "chats.jsonl", "--model", "m"],
        /chats\.jsonl\/0.*line 1: .*no chat template.*Add chat_template/,
      ],
      [["preview", ...data, "--data-form", "text"], /chats\.jsonl, line 1 is not of the form text: it has no `text`/],
      [["epigenome", "show", "--data", "r.yaml"], /r\.yaml has none of the extensions of data files/],
    ] as const) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 2);
      assert.match(stderr, line);
    }
  });
});
