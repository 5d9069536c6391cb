import assert from "node:assert/strict";
import test from "node:test";
import { duplicateClasses, repeatedBytes } from "./repeats.ts";

const gene = (path: string, bytes: number, duplicateClass: string | null, representative = true) => ({
  path,
  textBytes: bytes,
  duplicateClass,
  duplicateKind: duplicateClass === null ? null : (duplicateClass.split(":")[0] as "exact" | "near" | "template"),
  representative,
});

const genes = [
  gene("alone", 1000, null),
  gene("a", 10, "exact:1", false),
  gene("old", 90, "near:1", false),
  gene("b", 10, "exact:1"),
  gene("new", 100, "near:1"),
  gene("older", 80, "near:1", false),
  gene("log", 7, "template:1"),
];

test("classes come with their members, those that repeat most first", () => {
  const classes = duplicateClasses(genes);
  assert.deepEqual(
    classes.map(({ name, kind, representative, members, bytes, repeatedBytes: repeated }) => ({
      name,
      kind,
      representative: representative.path,
      members: members.map(({ path }) => path),
      bytes,
      repeated,
    })),
    [
      {
        name: "near:1",
        kind: "near",
        representative: "new",
        members: ["old", "new", "older"],
        bytes: 270,
        repeated: 170,
      },
      { name: "exact:1", kind: "exact", representative: "b", members: ["a", "b"], bytes: 20, repeated: 10 },
      { name: "template:1", kind: "template", representative: "log", members: ["log"], bytes: 7, repeated: 0 },
    ],
  );
});

test("repeated bytes are those of members that do not stand for their class", () => {
  assert.deepEqual(repeatedBytes(genes), { exact: 10, near: 170, template: 0 });
  assert.deepEqual(repeatedBytes([]), { exact: 0, near: 0, template: 0 });
});
