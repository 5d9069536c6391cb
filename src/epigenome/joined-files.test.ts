import assert from "node:assert/strict";
import { test } from "node:test";
import { codeInImportOrder, joinedDocuments } from "./joined-files.ts";
import { dosing } from "./rules.ts";
import type { Rule } from "./rules.ts";
import type { ExpressedGene } from "./select.ts";
import { gene } from "./testing.ts";

const expressed = (path: string, of: { repository?: string; rules?: readonly Rule[]; language?: string } = {}) => {
  const { repository = "one", rules = [], language = "typescript" } = of;
  const own = gene({ path, repository, language, kind: "code" });
  return { gene: own, dose: dosing(rules)(own), copies: 1 } satisfies ExpressedGene;
};

test("code comes in the order of imports of its repository, before what is no code; copies and strangers are not joined", async () => {
  const texts: Record<string, string> = {
    "a.ts": 'import "./z.ts"',
    "z.ts": "",
    "m.md": "",
    "b.ts": 'import "./a.ts"',
  };
  const genes = [
    expressed("a.ts"),
    expressed("b.ts"),
    expressed("m.md", { language: "markdown" }),
    expressed("q.ts", { rules: [{ match: "**", framing: "fill-in-the-middle" }] }),
    expressed("z.ts"),
    expressed("a.ts", { repository: "two" }),
    expressed("c.ts", { repository: "two" }),
  ];
  const ordered = await codeInImportOrder({ text: ({ path }) => Promise.resolve(texts[path] ?? "") }, genes);
  assert.deepEqual(
    ordered.map((of) => `${of.gene.repository}/${of.gene.path}`),
    ["one/z.ts", "one/a.ts", "one/b.ts", "one/m.md", "one/q.ts", "two/a.ts", "two/c.ts"],
  );
  const [z, a, b, ...rest] = ordered as [ExpressedGene, ExpressedGene, ExpressedGene, ...ExpressedGene[]];
  assert.deepEqual([...joinedDocuments([z, a, a, b, ...rest])], [0, 1, 0, 1, 0, 0, 0, 1]);
});
