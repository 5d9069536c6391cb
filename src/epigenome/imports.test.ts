import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { importFinder, inImportOrder, knowsImports, type SourceFile } from "./imports.ts";

/** Path, language and text of files. */
type Files = readonly (readonly [path: string, language: string, text: string])[];
const asFiles = (files: Files): SourceFile[] => files.map(([path, language, text]) => ({ path, language, text }));

function importsOf(path: string, language: string, text: string, paths: readonly string[]): string[] {
  return importFinder([...paths, path])({ path, language, text });
}

/** The test of rooms takes what is written here for this file's own imports. */
const script = (text: string, word = "import"): string => text.replaceAll("&", word);

test("imports of each language are found among the files that are there", () => {
  const cases: readonly [
    path: string,
    language: string,
    text: string,
    paths: readonly string[],
    found: readonly string[],
  ][] = [
    [
      "src/a/main.ts",
      "typescript",
      script(
        '& { x } from "../b.ts";\n& type { Y } from "./c.js";\nexport * from "./d";\n& "./e.css";\nawait &("../lib");\n& fs from "node:fs";\n& "./missing";',
      ),
      ["src/b.ts", "src/a/c.ts", "src/a/d.tsx", "src/a/e.css", "src/lib/index.ts", "node:fs"],
      ["src/b.ts", "src/a/c.ts", "src/a/d.tsx", "src/a/e.css", "src/lib/index.ts"],
    ],
    [
      "a.js",
      "javascript",
      script("const b = &('./b'), c = &(\"./c.cjs\");", "require"),
      ["b.js", "c.cjs"],
      ["b.js", "c.cjs"],
    ],
    [
      "pkg/sub/m.py",
      "python",
      "import os\nimport pkg.one\nfrom pkg.two import x\nfrom . import near\nfrom .rel import y\nfrom ..up import z\n  from late import q\n",
      ["pkg/one.py", "pkg/two/__init__.py", "pkg/sub/near.py", "pkg/sub/rel.py", "pkg/up.py", "late.py", "src/os.txt"],
      ["pkg/one.py", "pkg/two/__init__.py", "late.py", "pkg/sub/near.py", "pkg/sub/rel.py", "pkg/up.py"],
    ],
    [
      "src/x.c",
      "c",
      '#include <stdio.h>\n#include "x.h"\n#  include <lib/util.h>\n',
      ["src/x.h", "include/lib/util.h"],
      ["src/x.h", "include/lib/util.h"],
    ],
    [
      "src/main.rs",
      "rust",
      "mod net;\npub(crate) mod io;\nuse crate::store::Cache;\nuse std::fs;\n",
      ["src/net.rs", "src/io/mod.rs", "src/store.rs"],
      ["src/net.rs", "src/io/mod.rs", "src/store.rs"],
    ],
    [
      "app/src/main/java/a/Main.java",
      "java",
      "import a.b.Helper;\nimport static a.c.Util.run;\nimport java.util.List;\n",
      ["app/src/main/java/a/b/Helper.java", "app/src/main/java/a/c/Util.java"],
      ["app/src/main/java/a/b/Helper.java", "app/src/main/java/a/c/Util.java"],
    ],
    [
      "lib/x.rb",
      "ruby",
      "require 'x/y'\nrequire_relative \"z\"\n",
      ["lib/x/y.rb", "lib/z.rb"],
      ["lib/z.rb", "lib/x/y.rb"],
    ],
    [
      "index.php",
      "php",
      "<?php\nrequire_once __DIR__ . '/inc/a.php';\nuse App\\Model\\User;\n",
      ["inc/a.php", "src/Model/User.php"],
      ["inc/a.php", "src/Model/User.php"],
    ],
    ["s/a.scss", "sass", '@use "b";\n@import "c/d";', ["s/_b.scss", "s/c/d.scss"], ["s/_b.scss", "s/c/d.scss"]],
    [
      "bin/run.sh",
      "shell",
      'source ./lib.sh\n. "$HERE/env.sh"\n',
      ["bin/lib.sh", "bin/env.sh"],
      ["bin/lib.sh", "bin/env.sh"],
    ],
  ];
  for (const [path, language, text, paths, found] of cases) {
    assert.deepEqual(importsOf(path, language, text, paths), found, path);
    assert.ok(knowsImports(language));
  }
  assert.deepEqual(importsOf("a.md", "markdown", 'from "./b.md"', ["b.md"]), []);
  assert.ok(!knowsImports("markdown") && !knowsImports(null));
});

test("what leads out of the repository or to itself is passed over; of several ends the shortest path counts", () => {
  assert.deepEqual(importsOf("a.ts", "typescript", script('& "../../a.ts"; & "./a.ts"'), []), []);
  assert.deepEqual(importsOf("x/m.c", "c", '#include "u/h.h"', ["deep/er/u/h.h", "b/u/h.h", "a/u/h.h"]), ["a/u/h.h"]);
});

test("each file comes after those that it imports, near them", () => {
  const files = asFiles([
    ["a.ts", "typescript", script('& "./lib/z.ts"; & "./m.ts"')],
    ["b.ts", "typescript", ""],
    ["lib/y.ts", "typescript", ""],
    ["lib/z.ts", "typescript", script('& "./y.ts"')],
    ["m.ts", "typescript", script('& "./lib/y.ts"')],
  ]);
  const order = ["lib/y.ts", "lib/z.ts", "m.ts", "a.ts", "b.ts"];
  assert.deepEqual(
    inImportOrder(files).map(({ path }) => path),
    order,
  );
  assert.deepEqual(
    inImportOrder(files.toReversed()).map(({ path }) => path),
    order,
  );
});

test("circles are broken where they close; long chains are no trouble", () => {
  const circle = asFiles([
    ["a.ts", "typescript", script('& "./b.ts"')],
    ["b.ts", "typescript", script('& "./c.ts"')],
    ["c.ts", "typescript", script('& "./a.ts"')],
  ]);
  assert.deepEqual(
    inImportOrder(circle).map(({ path }) => path),
    ["c.ts", "b.ts", "a.ts"],
  );
  const chain = Array.from({ length: 20_000 }, (_, i): Files[number] => [
    `${i}.ts`,
    "typescript",
    script(`& "./${i + 1}.ts"`),
  ]);
  assert.equal(inImportOrder(asFiles(chain))[0]!.path, "19999.ts");
});

test("every file comes once, and without circles none before one that it imports", () => {
  const edges = fc.array(fc.tuple(fc.nat(14), fc.nat(14)), { maxLength: 40 });
  fc.assert(
    fc.property(edges, (pairs) => {
      // From larger to smaller numbers only: no circle.
      const of = (i: number): number[] =>
        pairs.flatMap(([a, b]) => (Math.max(a, b) === i && a !== b ? [Math.min(a, b)] : []));
      const names = Array.from({ length: 15 }, (_, i) => `${(i * 7) % 15}-${i}.js`);
      const files = names.map((path, i) => ({
        path,
        language: "javascript",
        text: of(i)
          .map((to) => script(`&("./${names[to]}")`, "require"))
          .join("\n"),
      }));
      const place = new Map(inImportOrder(files).map(({ path }, at) => [path, at]));
      assert.equal(place.size, 15);
      names.forEach((path, i) => of(i).forEach((to) => assert.ok(place.get(names[to]!)! < place.get(path)!)));
    }),
  );
});

test("hostile text costs time in proportion to its length", () => {
  const began = performance.now();
  for (const part of ["import ", "from .", "use a::", "#include <", "require(", '@import "', "from\t", "import a."]) {
    const text = part.repeat(200_000 / part.length);
    for (const language of ["typescript", "python", "c", "rust", "java", "ruby", "php", "sass", "shell"]) {
      importsOf("x/y", language, text, ["a"]);
    }
  }
  assert.ok(performance.now() - began < 10_000);
});
