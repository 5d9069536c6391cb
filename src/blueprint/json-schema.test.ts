import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { blueprintJsonSchema } from "./json-schema.ts";
import { BLUEPRINTS, loadBlueprints } from "./load.ts";

test("the published JSON Schema is that of the code", async () => {
  const published: unknown = JSON.parse(await readFile(join(BLUEPRINTS, "blueprint.schema.json"), "utf8"));
  assert.deepEqual(published, blueprintJsonSchema(), "write it again: npm run schema");
});

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly prefixItems?: readonly Node[];
  readonly anyOf?: readonly Node[];
}

/** Paths of keys without a description. */
function undescribed({ properties = {}, items, anyOf = [] }: Node, path: string): string[] {
  const own = [
    ...Object.entries(properties).flatMap(([key, child]) => [
      ...(child.description === undefined ? [`${path}${key}`] : []),
      ...undescribed(child, `${path}${key}.`),
    ]),
    ...anyOf.flatMap((child) => undescribed(child, path)),
  ];
  return items === undefined ? own : [...own, ...undescribed(items, `${path}[].`)];
}

test("editors can explain every key", () => {
  const keys = undescribed(blueprintJsonSchema(), "");
  assert.deepEqual(keys, []);
});

test("every recipe names the schema to editors", async () => {
  for (const { yaml, file } of await loadBlueprints()) {
    assert.ok(yaml.startsWith("# yaml-language-server: $schema=./blueprint.schema.json\n"), file);
  }
});
