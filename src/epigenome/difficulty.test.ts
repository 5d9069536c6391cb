import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scorer } from "../eval/score-sequences.ts";
import { classesOf, compressionDifficulty, lossDifficulty } from "./difficulty.ts";
import { CorpusBuilder } from "./pack.ts";
import { tokenLosses } from "./token-losses.ts";

/** Ids are Unicode code points. */
const decode = (ids: readonly number[]): string => String.fromCodePoint(...ids);
const idsOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0)!);

/** Loses half the target's id in nats, and tells how often it was asked. */
function scorer(B: number, T: number): Scorer & { batches: number } {
  const self = {
    B,
    T,
    batches: 0,
    evaluate: (batch: Parameters<Scorer["evaluate"]>[0]) => {
      self.batches++;
      return Promise.resolve(batch.targets.map((id, i) => (batch.weights[i] === 0 ? 0 : id))).then((nll) =>
        Float32Array.from(nll, (of) => of / 2),
      );
    },
  };
  return self;
}

test("each token's loss stands in its place, long documents cut, one forward pass in all", async () => {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 1000 });
  const documents = [[5, 6, 7, 8, 9, 10, 11], [3], [4, 2]];
  builder.addStretches([{ ids: documents[0]!, loss: 1 }]);
  builder.addStretches([{ ids: documents[1]!, loss: 1 }]);
  builder.addStretches([
    { ids: [4], loss: 0 },
    { ids: [2], loss: 3 },
  ]);
  const corpus = builder.build();
  const told: number[] = [];
  const model = scorer(2, 4);
  const losses = await tokenLosses(model, corpus, { onProgress: (done, total) => void told.push(done, total) });
  assert.deepEqual([...losses], [0, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 0, 1.5, 0, 0, 1, 0]);
  assert.equal(model.batches, 2);
  assert.deepEqual(told.slice(-2), [13, 13]);
  const aborted = AbortSignal.abort(new Error("stop"));
  await assert.rejects(tokenLosses(scorer(1, 4), corpus, { signal: aborted }), /stop/);
});

test("difficulty is bits per byte of what is trained, by loss and by compression", async () => {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 60_000 });
  const same = "a".repeat(400);
  const other = Array.from({ length: 400 }, (_, i) =>
    String.fromCodePoint(97 + ((i * i * 7919) % 101) * ((i % 13) + 1)),
  );
  builder.addStretches([
    { ids: idsOf("#".repeat(50)), loss: 0 },
    { ids: idsOf(same), loss: 1 },
  ]);
  builder.add(idsOf(other.join("")));
  builder.addStretches([{ ids: idsOf("xyz"), loss: 0 }]);
  builder.add(idsOf("é"));
  const corpus = builder.build();
  const [easy, hard, none] = compressionDifficulty(corpus, decode);
  assert.ok(easy! < 0.4 && hard! > 2, `${easy} ${hard}`);
  assert.equal(none, null);
  const losses = await tokenLosses(scorer(1, 64), corpus);
  const byLoss = lossDifficulty(corpus, losses, decode);
  assert.ok(Math.abs(byLoss[0]! - 97 / 2 / Math.LN2) < 1e-6);
  assert.equal(byLoss[2], null);
  // Two bytes; the closing separator is not counted.
  assert.ok(Math.abs(byLoss[3]! - 233 / 2 / (2 * Math.LN2)) < 1e-6);
});

test("classes end where their part of the tokens is reached, equally hard documents in their order", () => {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 1000 });
  for (const length of [10, 40, 10, 30, 10]) builder.add(new Uint16Array(length).fill(7));
  const corpus = builder.build();
  assert.deepEqual([...classesOf(corpus, [1, 2, 3, 4, 5], [])], [0, 0, 0, 0, 0]);
  assert.deepEqual([...classesOf(corpus, [1, 2, 3, 4, 5], [0.5])], [0, 0, 1, 1, 1]);
  assert.deepEqual([...classesOf(corpus, [5, 4, 3, 2, 1], [0.25, 0.8])], [2, 1, 1, 1, 0]);
  assert.deepEqual([...classesOf(corpus, [1, 1, null, 1, 1], [0.4])], [0, 0, 0, 1, 1]);
});
