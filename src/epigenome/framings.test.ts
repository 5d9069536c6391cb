import assert from "node:assert/strict";
import { test } from "node:test";
import { frame } from "./framings.ts";
import { gene } from "./testing.ts";

test("a text stands alone with its weight", () => {
  const options = { framing: "text", loss: 2, seed: 1, copy: 0 } as const;
  assert.deepEqual(frame(gene({ path: "a.md" }), "x", options), [{ text: "x", loss: 2 }]);
});

test("a document has a header that is not trained, but for a quarter of them; the same again for the same seed", () => {
  const framed = (seed: number, copy: number) =>
    Array.from({ length: 400 }, (_, i) =>
      frame(gene({ path: `${i}.md` }), "x", { framing: "document", loss: 1, seed, copy }),
    );
  const first = framed(1, 0);
  const plain = first.filter((stretches) => stretches.length === 1).length;
  assert.ok(plain > 70 && plain < 130, `${plain} of 400 without a header`);
  const header = first.find((stretches) => stretches.length === 2)!;
  assert.deepEqual(header[0], { text: `repo/${first.indexOf(header)}.md\n\n`, loss: 0 });
  assert.deepEqual(framed(1, 0), first);
  assert.notDeepEqual(framed(2, 0), first);
  assert.notDeepEqual(framed(1, 1), first, "another copy may go without");
});
