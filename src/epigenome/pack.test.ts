import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { blankBatch } from "../models/batch.ts";
import { CorpusBuilder, encodeCorpus, fillSequence, packCorpus, type TokenCorpus } from "./pack.ts";
import { piecesOfSequence } from "./pieces.ts";

const SEPARATOR = 0;

function corpusOf(documents: readonly (readonly number[])[], vocabularySize = 1000): TokenCorpus {
  const builder = new CorpusBuilder({ separator: SEPARATOR, vocabularySize });
  for (const ids of documents) builder.add(ids);
  return builder.build();
}

/** Documents of ids that no other document has, so that every prediction can be told from every other. */
const distinctDocuments = fc
  .array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 20 })
  .map((lengths) => lengths.map((length, d) => Array.from({ length }, (_, i) => 1 + d * 64 + i)));

test("every token and every closing separator is trained exactly once, each after its predecessor", () => {
  fc.assert(
    fc.property(distinctDocuments, fc.integer({ min: 1, max: 40 }), (documents, T) => {
      const packed = packCorpus(corpusOf(documents, 2000), T);
      const trained = new Map<string, number>();
      for (let s = 0; s < packed.sequences; s++) {
        const batch = blankBatch(1, T, SEPARATOR);
        fillSequence(batch, 0, packed, s);
        for (let i = 0; i < T; i++) {
          if (batch.weights[i] === 0) {
            assert.equal(batch.documents[i], -1);
            continue;
          }
          assert.equal(batch.weights[i], 1);
          const pair = `${batch.ids[i]}>${batch.targets[i]}`;
          trained.set(pair, (trained.get(pair) ?? 0) + 1);
          const opens = i === 0 || batch.documents[i] !== batch.documents[i - 1];
          assert.equal(batch.positions[i], opens ? 0 : batch.positions[i - 1]! + 1);
          if (!opens) assert.equal(batch.ids[i], batch.targets[i - 1]);
        }
      }
      const expected = new Map<string, number>();
      for (const ids of documents.filter((of) => of.length > 0)) {
        const all = [SEPARATOR, ...ids, SEPARATOR];
        for (let i = 0; i + 1 < all.length; i++) expected.set(`${all[i]}>${all[i + 1]}`, 1);
      }
      assert.deepEqual(trained, expected);
      assert.equal(packed.tokens, expected.size);
    }),
  );
});

test("short documents share a sequence with a separator before and after each", () => {
  const packed = packCorpus(corpusOf([[5, 6], [7], [8, 9, 10]]), 8);
  assert.equal(packed.sequences, 2);
  const batch = blankBatch(2, 8, SEPARATOR);
  fillSequence(batch, 0, packed, 0);
  fillSequence(batch, 1, packed, 1);
  assert.deepEqual([...batch.ids], [0, 8, 9, 10, 0, 5, 6, 0, 0, 7, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...batch.targets], [8, 9, 10, 0, 5, 6, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([...batch.documents], [0, 0, 0, 0, 1, 1, 1, -1, 0, 0, -1, -1, -1, -1, -1, -1]);
});

test("a long document is cut into consecutive pieces, positions from 0 in each", () => {
  const packed = packCorpus(corpusOf([[1, 2, 3, 4, 5, 6, 7]]), 3);
  const rows = Array.from({ length: packed.sequences }, (_, s) => {
    const batch = blankBatch(1, 3, SEPARATOR);
    fillSequence(batch, 0, packed, s);
    return [[...batch.ids], [...batch.targets], [...batch.positions], [...batch.weights]];
  });
  assert.deepEqual(rows, [
    [
      [0, 1, 2],
      [1, 2, 3],
      [0, 1, 2],
      [1, 1, 1],
    ],
    [
      [3, 4, 5],
      [4, 5, 6],
      [0, 1, 2],
      [1, 1, 1],
    ],
    [
      [6, 7, 0],
      [7, 0, 0],
      [0, 1, 0],
      [1, 1, 0],
    ],
  ]);
});

test("joined documents share a piece where they fit as wholes, in sight of each other, and are shown apart", () => {
  const corpus = corpusOf([[1, 2, 3, 4, 5, 6, 7], [8, 9], [10, 11, 12], [13], [14, 15]]);
  const packed = packCorpus({ ...corpus, joined: Uint8Array.from([0, 1, 1, 0, 1]) }, 6);
  const rows = Array.from({ length: packed.sequences }, (_, s) => {
    const batch = blankBatch(1, 6, SEPARATOR);
    fillSequence(batch, 0, packed, s);
    return [[...batch.targets], [...batch.documents], [...batch.positions]];
  });
  assert.deepEqual(rows, [
    [
      [1, 2, 3, 4, 5, 6],
      [0, 0, 0, 0, 0, 0],
      [0, 1, 2, 3, 4, 5],
    ],
    // The end of the long one has room for the next.
    [
      [7, 0, 8, 9, 0, 0],
      [0, 0, 0, 0, 0, -1],
      [0, 1, 2, 3, 4, 0],
    ],
    [
      [13, 0, 14, 15, 0, 0],
      [0, 0, 0, 0, 0, -1],
      [0, 1, 2, 3, 4, 0],
    ],
    [
      [10, 11, 12, 0, 0, 0],
      [0, 0, 0, 0, -1, -1],
      [0, 1, 2, 3, 0, 0],
    ],
  ]);
  const shown = piecesOfSequence(packed, 1).map(({ document, from, targets }) => ({ document, from, targets }));
  assert.deepEqual(shown, [
    { document: 0, from: 6, targets: [7, 0] },
    { document: 1, from: 0, targets: [8, 9, 0] },
  ]);
  assert.equal(packed.tokens, packCorpus(corpus, 6).tokens);
});

test("ids above 65535 keep their value, small vocabularies take two bytes a token", () => {
  assert.deepEqual([...corpusOf([[70_000]], 100_000).ids], [0, 70_000, 0]);
  assert.ok(corpusOf([[1]], 65_536).ids instanceof Uint16Array);
});

test("documents are encoded one by one and progress is told", async () => {
  const tokenizer = { separator: 0, vocabularySize: 256, encodeContent: (text: string) => [...Buffer.from(text)] };
  const heard: [number, number][] = [];
  const corpus = await encodeCorpus([{ text: "ab" }, { text: "" }, { text: "c" }], tokenizer, {
    onProgress: (...of) => heard.push(of),
  });
  assert.deepEqual([...corpus.ids], [0, 97, 98, 0, 99, 0]);
  assert.deepEqual([...corpus.offsets], [0, 3, 5]);
  assert.deepEqual(heard, [
    [1, 2],
    [2, 2],
    [3, 3],
  ]);
});

test("tens of millions of tokens pack within seconds", () => {
  const builder = new CorpusBuilder({ separator: 0, vocabularySize: 6144 });
  for (let d = 0, tokens = 0; tokens < 10_000_000; d++) {
    const ids = new Uint16Array(20 + ((d * 7919) % 900)).fill(1 + (d % 6000));
    builder.add(ids);
    tokens += ids.length;
  }
  const started = performance.now();
  const packed = packCorpus(builder.build(), 512);
  assert.ok(performance.now() - started < 30_000);
  assert.ok(packed.sequences * 512 < packed.tokens * 1.02);
});

test("each target has the weight of its stretch, the closing separator that of the last, in batches and in pieces", () => {
  const builder = new CorpusBuilder({ separator: SEPARATOR, vocabularySize: 1000 });
  builder.add([1, 2]);
  builder.addStretches([
    { ids: [10, 11, 12], loss: 0 },
    { ids: [20, 21], loss: 2.5 },
  ]);
  builder.add([3]);
  const corpus = builder.build();
  assert.deepEqual([...corpus.weights!], [1, 1, 1, 1, 0, 0, 0, 2.5, 2.5, 2.5, 1, 1]);
  const packed = packCorpus(corpus, 4);
  const seen = new Map<number, number>();
  const pieces: [document: number, from: number, targets: readonly number[]][] = [];
  for (let s = 0; s < packed.sequences; s++) {
    const batch = blankBatch(1, 4, SEPARATOR);
    fillSequence(batch, 0, packed, s);
    for (let i = 0; i < 4; i++) if (batch.documents[i]! >= 0) seen.set(batch.targets[i]!, batch.weights[i]!);
    for (const { document, from, targets, weights } of piecesOfSequence(packed, s)) {
      pieces.push([document, from, targets]);
      for (const [i, target] of targets.entries()) if (target !== SEPARATOR) assert.equal(weights[i], seen.get(target));
    }
  }
  assert.deepEqual(
    [1, 2, 10, 11, 12, 20, 21, 3].map((id) => seen.get(id)),
    [1, 1, 0, 0, 0, 2.5, 2.5, 1],
  );
  assert.deepEqual(
    pieces.sort((a, b) => a[0] - b[0] || a[1] - b[1]),
    [
      [0, 0, [1, 2, SEPARATOR]],
      [1, 0, [10, 11, 12, 20]],
      [1, 4, [21, SEPARATOR]],
      [2, 0, [3, SEPARATOR]],
    ],
  );
});
