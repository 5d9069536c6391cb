import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../errors.ts";
import { licenceGate } from "./gate.ts";

const cases: readonly (readonly [spec: string, licence: string, verdict: string])[] = [
  ["any", "unknown", "allowed"],
  [" ANY ", "LicenseRef-unrecognised", "allowed"],
  ["permissive", "MIT", "allowed"],
  ["permissive", "GPL-3.0-only", "excluded"],
  ["permissive", "CC-BY-NC-4.0", "excluded"],
  ["permissive", "BUSL-1.1", "excluded"],
  ["permissive", "unknown", "unknown"],
  ["permissive", "LicenseRef-unrecognised", "unknown"],
  ["permissive", "MIT AND LicenseRef-unrecognised", "unknown"],
  ["permissive", "MIT OR LicenseRef-unrecognised", "allowed"],
  ["permissive", "GPL-3.0-only AND LicenseRef-unrecognised", "excluded"],
  ["permissive", "GPL-3.0-only OR LicenseRef-unrecognised", "unknown"],
  ["permissive", "MIT OR GPL-2.0-or-later", "allowed"],
  ["permissive", "MIT AND GPL-2.0-or-later", "excluded"],
  ["permissive", "MIT AND (ISC OR GPL-2.0-or-later)", "allowed"],
  ["permissive", "Apache-2.0 WITH LLVM-exception", "allowed"],
  ["permissive", "GPL-2.0-only WITH Classpath-exception-2.0", "excluded"],
  ["mit, apache-2.0", "Apache-2.0", "allowed"],
  ["mit, apache-2.0", "ISC", "excluded"],
  ["permissive,MPL-2.0", "MPL-2.0", "allowed"],
  ["permissive,MPL-2.0", "Zlib", "allowed"],
  ["GPL-3.0", "GPL-3.0-only", "allowed"],
  ["GPL-3.0-only", "GPL-3.0-or-later", "allowed"],
  ["GPL-3.0-or-later", "GPL-3.0-only", "excluded"],
  ["LicenseRef-unrecognised", "LicenseRef-unrecognised", "allowed"],
];

test("the gate judges expressions by the licences it was given", () => {
  for (const [spec, licence, verdict] of cases) {
    assert.equal(licenceGate(spec)(licence), verdict, `${spec}: ${licence}`);
  }
});

test("a list that is no list of licences is the user's error and named", () => {
  for (const [spec, named] of [
    ["", '""'],
    ["MIT,", '""'],
    ["MIT,Foo", '"Foo"'],
    ["MIT OR ISC", '"MIT OR ISC"'],
    ["permissive,any", '"any"'],
  ] as const) {
    assert.throws(
      () => licenceGate(spec),
      (error) => error instanceof UserError && error.code === "usage" && error.message.includes(named),
      spec,
    );
  }
});
