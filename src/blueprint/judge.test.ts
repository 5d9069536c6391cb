import assert from "node:assert/strict";
import { test } from "node:test";
import type { Applies } from "./applies.ts";
import { describeApplies } from "./describe-applies.ts";
import { genomeFacts } from "./genome-facts.ts";
import { type Facts, judge, readable, readableBytes } from "./judge.ts";

const facts: Facts = {
  architecture: "llama",
  parameters: 135e6,
  context: 2048,
  genome: { bytes: 20e6, kinds: { code: 15e6, prose: 5e6 } },
  memoryBytes: 8e9,
};

test("every part is judged with its value, and the borders belong to the upper range", () => {
  const cases: [Applies, holds: boolean, text: string][] = [
    [{ architecture: ["llama"] }, true, "architecture llama, one of llama"],
    [{ architecture: ["qwen3"] }, false, "architecture llama, none of qwen3"],
    [{ parameters: { atLeast: 135e6 } }, true, "135 M parameters, at least 135 M"],
    [{ parameters: { below: 135e6 } }, false, "135 M parameters, not below 135 M"],
    [{ context: { atLeast: 4096 } }, false, "2,048 positions of context, not at least 4,096"],
    [{ genome: { bytes: { atLeast: 10e6 } } }, true, "20 MB of distinct text, at least 10 MB"],
    [{ genome: { bytes: { below: 10e6 } } }, false, "20 MB of distinct text, not below 10 MB"],
    [{ genome: { kinds: { code: { atLeast: 0.75 } } } }, true, "75 % of the text is code, at least 75 %"],
    [{ genome: { kinds: { log: { atLeast: 0.1 } } } }, false, "0 % of the text is log, not at least 10 %"],
    [{ memory: { atLeast: 4e9 } }, true, "at least 4 GB of memory free"],
    [{ memory: { atLeast: 9e9 } }, false, "8 GB of memory free, not at least 9 GB of memory free"],
  ];
  for (const [applies, holds, text] of cases) {
    const judged = judge(applies, facts);
    assert.deepEqual(
      [judged.applies, judged.reasons, judged.failed],
      [holds, holds ? [text] : [], holds ? [] : [text]],
    );
    assert.equal(judged.distance > 0, !holds, text);
  }
  assert.deepEqual(judge(undefined, facts).reasons, ["for every body"]);
});

test("what is asked of a genome that is not known counts as met, and says so", () => {
  const applies = { genome: { bytes: { atLeast: 1e9 }, kinds: { code: { atLeast: 0.9 } } } };
  const judged = judge(applies, { ...facts, genome: undefined });
  assert.deepEqual([judged.applies, judged.reasons], [true, ["size, share of code of the genome not known"]]);
});

test("a nearer miss has the smaller distance, another architecture the largest", () => {
  const off = (applies: Applies): number => judge(applies, facts).distance;
  assert.ok(off({ parameters: { below: 130e6 } }) < off({ parameters: { below: 50e6 } }));
  assert.ok(off({ parameters: { atLeast: 1e9 } }) < off({ architecture: ["qwen3"] }));
});

test("a genome's facts count each duplicate class once", () => {
  const gene = { kind: "prose", representative: true, textBytes: 10 } as const;
  const facts = genomeFacts([gene, { ...gene, representative: false }, { ...gene, kind: "code", textBytes: 5 }]);
  assert.deepEqual(facts, { bytes: 15, kinds: { prose: 10, code: 5 } });
});

test("predicates and figures in words", () => {
  assert.equal(describeApplies(undefined), "every body");
  const applies: Applies = {
    architecture: ["llama", "qwen3"],
    parameters: { atLeast: 5e7, below: 1e9 },
    context: { atLeast: 1024 },
    genome: { bytes: { below: 1e6 }, kinds: { code: { atLeast: 0.5 } } },
    memory: { atLeast: 3e9 },
  };
  assert.equal(
    describeApplies(applies),
    "llama or qwen3, 50 M to 1 B parameters, 1,024 positions of context or more, below 1 MB of text, 50 % code or more, 3 GB of memory free or more",
  );
  assert.deepEqual([0, 999, 4e6, 134_515_008, 2e15].map(readable), ["0", "999", "4 M", "135 M", "2000 T"]);
  assert.deepEqual([0.5, 1500, 3e9].map(readableBytes), ["0.5 B", "1.5 KB", "3 GB"]);
});
