import assert from "node:assert/strict";
import { test } from "node:test";
import { idleRule, lastMatching, nameMatcher } from "./weight-names.ts";

const names = ["model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight", "model.layers.10.mlp.up_proj.weight"];

test("a glob is over the weight's or its module's name, part by part", () => {
  const matched = (glob: string): number[] => names.flatMap((name, i) => (nameMatcher(glob)(name) ? [i] : []));
  assert.deepEqual(matched("**"), [0, 1, 2]);
  assert.deepEqual(matched("**.mlp.**"), [1, 2]);
  assert.deepEqual(matched("**.up_proj"), [1, 2]);
  assert.deepEqual(matched("model.layers.0.**"), [1]);
  assert.deepEqual(matched("model.layers.[0-4].*.*"), [1]);
  assert.deepEqual(matched("model.embed_tokens.weight"), [0]);
  assert.deepEqual(matched("model.layers.1"), []);
  assert.deepEqual(matched("up_proj"), []);
});

test("the last rule counts that matches and says anything", () => {
  const rules = [{ match: "**.mlp.**", value: 2 }, { match: "**.layers.10.**", value: 0 }, { match: "**.up_proj" }];
  const valueOf = lastMatching<{ match: string; value?: number }>(rules, ({ value }) => value, 1);
  assert.deepEqual(names.map(valueOf), [1, 2, 0]);
  assert.equal(idleRule(rules, names), undefined);
  assert.deepEqual(idleRule([...rules, { match: "**.mpl.**" }], names), { match: "**.mpl.**" });
});
