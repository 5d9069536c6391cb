import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Batch } from "../models/batch.ts";
import { type Document, type EncodedSequence, scoreDocuments } from "./bits-per-byte.ts";
import type { Scorer } from "./score-sequences.ts";

/** Byte-level: ids are the bytes, the separator is 256. */
const bytes = { separator: 256, encodeContent: (text: string) => [...Buffer.from(text)] };

/** An arbitrary but fixed bigram nll: exact in float32, so sums can be compared exactly. */
const bigram = (from: number, to: number): number => ((from * 31 + to * 17) % 64) / 8;

/** Scores by the bigram of id and target, and checks what a batch promises. */
function bigramScorer(B: number, T: number, seen: Batch[] = []): Scorer {
  return {
    B,
    T,
    evaluate: async (batch) => {
      seen.push(batch);
      return Float32Array.from(batch.ids, (id, i) => (batch.weights[i]! > 0 ? bigram(id, batch.targets[i]!) : 0));
    },
  };
}

function analytic(text: string): number {
  const ids = [bytes.separator, ...bytes.encodeContent(text)];
  return ids.slice(1).reduce((sum, to, i) => sum + bigram(ids[i]!, to), 0);
}

test("each byte counts once whatever B, T and the lengths are, and no window reaches into another document", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 2, max: 17 }),
      fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 12 }).filter((of) => of.some((s) => s !== "")),
      async (B, T, texts) => {
        const seen: Batch[] = [];
        const documents = texts.map((text, i): Document => ({ id: `d${i}`, text }));
        const score = await scoreDocuments(bigramScorer(B, T, seen), bytes, documents);
        assert.equal(
          score.nats,
          texts.reduce((sum, text) => sum + analytic(text), 0),
        );
        assert.equal(score.bytes, Buffer.byteLength(texts.join("")));
        assert.equal(score.bitsPerByte, score.nats / (Math.LN2 * score.bytes));
        score.perDocument.forEach((document, i) => assert.equal(document.nats, analytic(texts[i]!)));
        const weights = seen.reduce((sum, batch) => sum + batch.weights.reduce((a, b) => a + b, 0), 0);
        assert.equal(weights, score.tokens);
        for (const batch of seen) checkContinuity(batch);
      },
    ),
    { numRuns: 200 },
  );
});

/** Inside one document's window positions rise by one and each id is the target before it. */
function checkContinuity(batch: Batch): void {
  for (let i = 0; i < batch.ids.length; i++) {
    const starts = i % batch.T === 0 || batch.documents[i] !== batch.documents[i - 1];
    if (batch.documents[i] === -1) {
      assert.equal(batch.weights[i], 0);
    } else if (starts) {
      assert.equal(batch.positions[i], 0);
    } else {
      assert.equal(batch.positions[i], batch.positions[i - 1]! + 1);
      assert.equal(batch.ids[i], batch.targets[i - 1]);
    }
  }
}

test("a later window scores only what is new, with at least half a window of context before it", async () => {
  const seen: Batch[] = [];
  await scoreDocuments(bigramScorer(1, 8, seen), bytes, [{ id: "long", text: "abcdefghijklmnopqrst" }]);
  const scored = seen.map((batch) => [...batch.weights].join(""));
  assert.deepEqual(scored, ["11111111", "00001111", "00001111", "00001111"]);
  assert.deepEqual([...seen[1]!.positions], [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(seen[1]!.ids[0], "d".charCodeAt(0)); // the separator is position 0, so position 4 holds the fourth letter
});

test("of sequences what is scored counts once, with what stands before it as context; where all is, it is the text", async () => {
  const sequence = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.boolean()), { maxLength: 60 })
    .map((of): EncodedSequence => {
      const scored = of.map(([, isScored]) => isScored);
      return { ids: of.map(([id]) => id), scored, bytes: 2 * scored.filter(Boolean).length + 1 };
    });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 2, max: 17 }),
      fc.array(fc.array(sequence, { maxLength: 4 }), { minLength: 1, maxLength: 6 }),
      fc.string({ minLength: 1, maxLength: 40 }),
      async (B, T, all, text) => {
        const seen: Batch[] = [];
        const documents = all.map((sequences, i): Document => ({ id: `d${i}`, text: "never read", sequences }));
        const score = await scoreDocuments(bigramScorer(B, T, seen), bytes, [{ id: "plain", text }, ...documents]);
        seen.forEach(checkContinuity);
        const [plain, ...framed] = score.perDocument;
        assert.equal(plain!.nats, analytic(text));
        framed.forEach((found, i) => {
          // The slow way: every id after the one before it, and the sum of those that count.
          let [nats, tokens] = [0, 0];
          for (const { ids, scored } of all[i]!) {
            ids.forEach((to, at) => {
              if (!scored[at]) return;
              nats += bigram(at === 0 ? bytes.separator : ids[at - 1]!, to);
              tokens += 1;
            });
          }
          const length = all[i]!.reduce((sum, of) => sum + of.bytes, 0);
          const bitsPerByte = length === 0 ? 0 : nats / (Math.LN2 * length);
          assert.deepEqual(found, { id: `d${i}`, nats, bytes: length, bitsPerByte, tokens });
        });
        const ids = bytes.encodeContent(text);
        const whole = { ids, scored: ids.map(() => true), bytes: ids.length };
        const [same] = (
          await scoreDocuments(bigramScorer(B, T), bytes, [{ id: "plain", text: "", sequences: [whole] }])
        ).perDocument;
        assert.deepEqual(same, plain);
      },
    ),
    { seed: 3 },
  );
});

test("windows in which nothing is scored are not computed", async () => {
  const seen: Batch[] = [];
  const scored = Array.from({ length: 40 }, (_, i) => i === 3);
  const sequences = [{ ids: scored.map((_, i) => i), scored, bytes: 1 }];
  const { tokens } = await scoreDocuments(bigramScorer(1, 8, seen), bytes, [{ id: "d", text: "", sequences }]);
  assert.deepEqual([seen.length, tokens], [1, 1]);
  assert.deepEqual([...seen[0]!.weights], [0, 0, 0, 1, 0, 0, 0, 0]);
});

test("the same figure for one sequence at a time and for several, packed or alone", async () => {
  const documents = ["one", "two two", "three three three", "x".repeat(50)].map((text) => ({ id: text, text }));
  const together = await scoreDocuments(bigramScorer(4, 16), bytes, documents);
  const single = await Promise.all(documents.map((document) => scoreDocuments(bigramScorer(1, 16), bytes, [document])));
  assert.deepEqual(
    together.perDocument,
    single.map((score) => score.perDocument[0]!),
  );
});

test("progress ends at the number of tokens; an empty document has no bytes and no bits", async () => {
  const progress: [number, number][] = [];
  const score = await scoreDocuments(
    bigramScorer(2, 4),
    bytes,
    [
      { id: "a", text: "" },
      { id: "b", text: "héllo" },
    ],
    {
      onProgress: (done, total) => progress.push([done, total]),
    },
  );
  assert.deepEqual(progress.at(-1), [6, 6]);
  assert.deepEqual([score.perDocument[0]!.bytes, score.perDocument[0]!.bitsPerByte], [0, 0]);
  assert.equal(score.perDocument[1]!.bytes, 6);
});

test("nothing to measure is the user's error", async () => {
  await assert.rejects(scoreDocuments(bigramScorer(1, 4), bytes, [{ id: "a", text: "" }]), { code: "empty" });
});
