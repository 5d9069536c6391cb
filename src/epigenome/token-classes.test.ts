import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { makeTokenizer } from "../tokenizer/tokenizer.ts";
import { tokenizerFiles } from "../tokenizer/tokenizer-files.ts";
import { encodeCorpus } from "./pack.ts";
import { classesOfIds, classesOfText, emphasisOfIds, tokenClasses } from "./token-classes.ts";

const json = readFileSync(new URL("../../test/fixtures/tokenizer-small.json", import.meta.url), "utf8");
const files = tokenizerFiles(json, { bos: "<|endoftext|>", eos: "<|endoftext|>" });
const tokenizer = makeTokenizer(files, { where: "fixture" });

/** The stretches of a class, in order. */
function of(text: string, wanted: string): string[] {
  const classes = classesOfText(text);
  const found: string[] = [];
  for (let from = 0; from < text.length;) {
    let to = from + 1;
    while (to < text.length && classes[to] === classes[from]) to++;
    if ((tokenClasses[classes[from]!] ?? "none") === wanted) found.push(text.slice(from, to));
    from = to;
  }
  return found;
}

test("paths are what is rooted, nested, named like a file, or a URL; not tags, dates and alternatives", () => {
  assert.deepEqual(of("See src/a.ts, ./b, ../c/d, ~/e and /etc/hosts or (https://h.i/j?k=l#m).", "path"), [
    "src/a.ts",
    "./b",
    "../c/d",
    "~/e",
    "/etc/hosts",
    "https://h.i/j?k=l#m",
  ]);
  assert.deepEqual(of("a/b/c C:\\d\\e.txt import 'x/y.js'", "path"), ["a/b/c", "C:\\d\\e.txt", "x/y.js"]);
  assert.deepEqual(of('and/or 10/12/2020 </div> a / b "\\n\\tc" // note', "path"), []);
});

test("numbers are digits that no word holds, with fraction, thousands, exponent or prefix", () => {
  assert.deepEqual(of("3, 3,000.5 1e-5 0xFf 0b10 -7 3px 10/12 ९९", "number"), [
    "3",
    "3,000.5",
    "1e-5",
    "0xFf",
    "0b10",
    "7",
    "3",
    "10",
    "12",
    "९९",
  ]);
  assert.deepEqual(of("v2 x_1 sha256", "number"), []);
});

test("identifiers are words that no prose has, or joined as in code; all others are prose", () => {
  const text = "The getName(x) of obj.field a_b, T2 and std::vec ends. Don't état-major plain ($v).";
  assert.deepEqual(of(text, "identifier"), ["getName", "obj", "field", "a_b", "T2", "std", "vec", "$v"]);
  assert.deepEqual(of(text, "prose"), ["The", "x", "of", "and", "ends", "Don't", "état-major", "plain"]);
});

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc
    .array(
      fc.constantFrom(
        "\ufeff",
        "e\u0301",
        "\ud83d",
        "👩‍👩‍👧",
        "<|endoftext|>",
        " a",
        "b1",
        "/x/y",
        "\r\n",
        "\0",
        "日本",
        " 12",
      ),
    )
    .map((parts) => parts.join("")),
);

test("what ids stand for joins to the text, whatever it is", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const bytes = tokenizer.encodeContent(text).map((id) => tokenizer.bytesOf(id)!);
      assert.deepEqual(Buffer.concat(bytes), Buffer.from(text));
    }),
    { seed: 5, numRuns: 500 },
  );
  assert.equal(tokenizer.bytesOf(tokenizer.separator), undefined);
  assert.equal(tokenizer.bytesOf(1 << 20), undefined);
});

test("the same of a tokenizer that normalises, with added tokens that are plain text", () => {
  const own = JSON.parse(json) as { added_tokens: object[] };
  const added = {
    id: 520,
    content: "hello",
    special: false,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
  };
  const changed = { ...own, normalizer: { type: "NFC" }, added_tokens: [...own.added_tokens, added] };
  const other = makeTokenizer(new Map(files).set("tokenizer.json", Buffer.from(JSON.stringify(changed))), {
    where: "x",
  });
  const text = "say hello to cafe\u0301";
  assert.ok(other.encodeContent(text).includes(520));
  assert.equal(
    Buffer.concat(other.encodeContent(text).map((id) => other.bytesOf(id)!)).toString(),
    text.normalize("NFC"),
  );
});

test("a token has the class of most of its bytes; of equally many the one named first", () => {
  const bytes = new Map(
    ["ab", " ab", " a", "1a", "é", "é ", "/x/yz.q", "\xff"].map((text, id) => [id, Buffer.from(text)]),
  );
  const classOf = (...ids: number[]): string[] =>
    Array.from(
      classesOfIds(ids, (id) => bytes.get(id)),
      (k) => tokenClasses[k] ?? "none",
    );
  assert.deepEqual(classOf(0, 1, 2), ["prose", "prose", "prose"]);
  assert.deepEqual(classOf(3), ["number"]);
  assert.deepEqual(classOf(4, 5), ["prose", "prose"]);
  assert.deepEqual(classOf(6), ["path"]);
  // A special token ends what stands before it: "ab" and "1a" are not one word.
  assert.deepEqual(classOf(0, 3), ["identifier", "identifier"]);
  assert.deepEqual(classOf(0, 99, 3), ["prose", "none", "number"]);
  bytes.set(7, Buffer.from([0xc3]));
  assert.deepEqual(classOf(0, 7, 0), ["none", "none", "none"]);
});

test("classes that weigh the same leave no trace; others multiply the weight of the stretch", async () => {
  const stretch = { text: "call getName(12) now", loss: 1 };
  const corpus = (loss: number, emphasis: object | undefined) =>
    encodeCorpus([{ stretches: [{ ...stretch, loss, emphasis }] }], tokenizer);
  const plain = await corpus(1, undefined);
  assert.deepEqual(await corpus(1, { prose: 1, number: 1 }), plain);
  assert.equal(plain.weights, undefined);
  assert.deepEqual(await corpus(2, { path: 3 }), await corpus(2, undefined));
  const { weights, ids } = await corpus(2, { number: 3, identifier: 0 });
  const inner = ids.subarray(1, -1);
  const factors = emphasisOfIds(inner, { number: 3, identifier: 0 }, (id) => tokenizer.bytesOf(id));
  assert.ok(factors.includes(3) && factors.includes(0) && factors.includes(1));
  assert.deepEqual([...weights!], [1, ...factors.map((factor) => 2 * factor), 2]);
});

test("a tokenizer that does not tell what its tokens stand for is refused", async () => {
  const documents = [{ stretches: [{ text: "a 1", loss: 1, emphasis: { number: 2 } }] }];
  await assert.rejects(encodeCorpus(documents, { ...tokenizer, bytesOf: () => undefined }), { code: "unsupported" });
});
