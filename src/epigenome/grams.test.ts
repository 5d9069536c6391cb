import assert from "node:assert/strict";
import { test } from "node:test";
import { uniform } from "../formats/random.ts";
import { sharedGrams } from "./grams.ts";
import { CorpusBuilder, type TokenCorpus } from "./pack.ts";

const noise = (seed: number, length: number): number[] =>
  Array.from({ length }, (_, i) => 1 + Math.floor(uniform(seed, "token", 0, i) * 4000));

function corpus(...documents: number[][]): TokenCorpus {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 4096 });
  for (const ids of documents) builder.add(ids);
  return builder.build();
}

/** The definition, gram by gram as strings. */
function slowly(own: TokenCorpus, other: TokenCorpus): number {
  const grams = ({ ids, offsets }: TokenCorpus): Set<string> => {
    const found = new Set<string>();
    for (let d = 0; d + 1 < offsets.length; d++) {
      for (let i = offsets[d]! + 1; i + 50 <= offsets[d + 1]!; i++) found.add(ids.subarray(i, i + 50).join(" "));
    }
    return found;
  };
  const others = grams(other);
  const of = [...grams(own)];
  return of.length === 0 ? 0 : of.filter((gram) => others.has(gram)).length / of.length;
}

test("the share of common 50-grams is that of the definition", () => {
  const common = noise(1, 300);
  const one = corpus(noise(2, 400), [...noise(3, 100), ...common], noise(4, 49));
  const other = corpus([...common.slice(0, 180), ...noise(5, 100)], noise(6, 30));
  assert.equal(sharedGrams(one, other), slowly(one, other));
  assert.equal(sharedGrams(other, one), slowly(other, one));
  assert.ok(sharedGrams(one, other) > 0.1);
  assert.equal(sharedGrams(one, one), 1);
  assert.equal(sharedGrams(corpus(noise(7, 49)), one), 0, "too short for a gram");
  assert.equal(sharedGrams(corpus(noise(2, 25), noise(2, 50).slice(25)), one), 0, "none crosses documents");
});
