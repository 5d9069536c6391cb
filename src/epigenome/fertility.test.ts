import assert from "node:assert/strict";
import { test } from "node:test";
import { measureFertility } from "./fertility.ts";
import { gene } from "./testing.ts";

test("bytes per token are measured by kind, on a sample where there is much", async () => {
  const genes = [
    ...Array.from({ length: 40 }, (_, i) => gene({ path: `${i}.md`, textBytes: 4096 })),
    gene({ path: "a.csv", kind: "data", textBytes: 200_000 }),
  ];
  let read = 0;
  const text = async ({ textBytes, kind }: (typeof genes)[number]): Promise<string> => {
    read += textBytes;
    return (kind === "data" ? "1" : "four").repeat(kind === "data" ? textBytes : textBytes / 4);
  };
  const tokenizer = { encodeContent: (of: string) => of.match(/four|./g)!.map(() => 0) };
  const { signal } = new AbortController();
  const fertility = await measureFertility({ text }, genes, { tokenizer, seed: 1, signal });
  assert.deepEqual(
    [...fertility],
    [
      ["prose", 4],
      ["data", 1],
    ],
  );
  assert.equal(read, 64 * 1024 + 200_000, "the only file of a kind is read whatever its size");
});
