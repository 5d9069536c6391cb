import assert from "node:assert/strict";
import { test } from "node:test";
import { knownLicences } from "./catalogue.ts";
import { fileLicence, isLicenceCandidate, repositoryLicence } from "./licence.ts";
import { spdxText } from "./spdx-text.ts";
import { inComment, mit } from "./testing.ts";

const unrecognised = "LicenseRef-unrecognised";

/** Headers as they stand in real files, each with the licence it states. */
const headers: readonly (readonly [path: string, header: string, licence: string])[] = [
  ["a.ts", "// SPDX-License-Identifier: MIT", "MIT"],
  ["a.py", "#!/usr/bin/env python3\n# SPDX-License-Identifier: apache-2.0", "Apache-2.0"],
  [
    "a.c",
    "/* SPDX-License-Identifier: GPL-2.0+ WITH Classpath-exception-2.0 */",
    "GPL-2.0-or-later WITH Classpath-exception-2.0",
  ],
  ["a.html", "<!-- SPDX-License-Identifier: (MIT OR Apache-2.0) -->", "MIT OR Apache-2.0"],
  ["a.rs", "// SPDX-License-Identifier: MIT\n// SPDX-License-Identifier: ISC", "MIT AND ISC"],
  ["a.c", "// SPDX-License-Identifier: Our-Own", unrecognised],
  ["a.css", "/*! normalize.css v8.0.1 | MIT License | github.com/necolas/normalize.css */", "MIT"],
  ["a.js", "/**\n * @license MIT\n */", "MIT"],
  ["a.js", "/* Foo is MIT licensed. */", "MIT"],
  ["a.js", "// Foo lib (MIT License)", "MIT"],
  ["a.go", "// Copyright 2020 X, MIT License", "MIT"],
  ["a.py", "# Parses addresses. Licensed under the MIT License.", "MIT"],
  ["a.py", '__license__ = "MIT"\n# License: BSD-3-Clause', "BSD-3-Clause"],
  [
    "a.py",
    "# Licensed under the Apache License, Version 2.0 (the\n# 'License'); you may not use this file",
    "Apache-2.0",
  ],
  [
    "a.rs",
    "// Licensed under either of Apache License, Version 2.0 or MIT license, at your option.",
    "Apache-2.0 OR MIT",
  ],
  ["a.js", "// subject to the terms of the Mozilla Public\n// License, v. 2.0.", "MPL-2.0"],
  [
    "a.py",
    "# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)",
    "GPL-3.0-or-later",
  ],
  ["a.sh", "# GPL v2", "GPL-2.0-only"],
  ["a.c", "/* under the terms of version 2 of the GNU Lesser General Public License */", "LGPL-2.0-only"],
  [
    "a.sh",
    "# it under the terms of the GNU Affero General Public License as published by\n# the Free Software Foundation, either version 3 of the License, or\n# (at your option) any later version.",
    "AGPL-3.0-or-later",
  ],
  ["a.c", "// Part of LLVM, under the Apache License v2.0 with LLVM Exceptions.", "Apache-2.0 WITH LLVM-exception"],
  [
    "a.c",
    "/* Licensed under the MIT License. Parts are under the GNU General Public License, either version 2, or (at your option) any later version. */",
    "MIT AND GPL-2.0-or-later",
  ],
  ["a.c", "/* Licensed under the Frobnicate terms; the rest is licensed under the MIT License. */", unrecognised],
  ["a.md", "---\nlicense: cc-by-4.0\n---\n\n# Title", "CC-BY-4.0"],
  ["a.py", "# Licensed under the Frobnicate License.", unrecognised],
  ["a.py", "# Licensed under the MIT License, for non-commercial purposes.", unrecognised],
  ["a.py", "# Licensed under the Apache License 2.0 with Commons Clause", unrecognised],
  ["a.py", "# Copyright 2020 X. Proprietary and confidential.", unrecognised],
  ["a.c", "/* Permission is hereby granted, free of charge, to whoever asks nicely. */", unrecognised],
];

/** Text that speaks of licences, or leaves the terms to another file. */
const mentions: readonly (readonly [path: string, text: string])[] = [
  ["a.js", "// Detects whether a text is the MIT License"],
  ["a.js", "// MIT License parser"],
  ["a.js", "// Finds packages released under the MIT License"],
  ["a.js", "/* the field may hold MIT or the MIT License */"],
  ["a.js", "// see https://example.org/MIT-license for what the MIT license means"],
  ["a.py", "# Tests of the licence classifier: MIT License, Apache License 2.0, ISC license."],
  ["a.py", "# We compare with the Apache License 2.0 text."],
  ["a.py", "# GPL v2 detection"],
  ["a.py", "# Masks confidential data before it is shown; licences do not matter."],
  ["a.js", "// files available under /licences"],
  ["a.go", "// governed by a BSD-style license that can be found in the LICENSE file."],
  ["a.go", "// Distributed under the license that is in the LICENSE file."],
  ["a.md", '"""\nLicensed under the MIT License.\n"""'],
  ["a.md", "# Licensed under the MIT License"],
  ["a.c", `/*\n${"long\n".repeat(1000)}SPDX-License-Identifier: MIT\n*/`],
  ["a.js", 'write("// SPDX-License-Identifier: MIT");'],
  ["a.js", "const header =\n  `SPDX-License-Identifier: MIT`;"],
  ["a.js", 'const header = "Licensed under the MIT License";'],
  ["a.md", "# Project\n\nLicensed under the MIT License."],
  ["a.js", `${"let x = 1;\n".repeat(6)}// SPDX-License-Identifier: MIT`],
];

test("fileLicence reads what a file's opening comment states", () => {
  for (const [path, header, licence] of headers)
    assert.equal(fileLicence(path, `${header}\nx = 1;\n`), licence, header);
});

test("fileLicence passes over licences that a text only mentions", () => {
  for (const [path, text] of mentions) assert.equal(fileLicence(path, `${text}\nx = 1;\n`), "unknown", text);
});

test("fileLicence recognises the text of a short licence in every comment style", () => {
  for (const [path, opener, sign, closer] of [
    ["a.c", "/*", " * ", "*/"],
    ["a.py", "#", "# ", "#"],
    ["a.go", "//", "// ", "//"],
    ["b.py", '"""', "", '"""'],
    ["a.sql", "--", "-- ", "--"],
  ] as const) {
    assert.equal(fileLicence(path, `${opener}\n${mit.replaceAll(/^/gm, sign)}\n${closer}\nx`), "MIT", path);
  }
});

test("fileLicence tells apart licences that share their words", () => {
  for (const id of ["MIT-0", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "X11", "NCSA", "Zlib"]) {
    assert.equal(fileLicence("a.c", inComment(spdxText(id))), id);
  }
  // The Khronos header: MIT's grant and conditions about "Materials", which MIT-0's text is also a part of.
  const khronos = mit
    .slice(mit.indexOf("Copyright"))
    .replaceAll("the Software", "the Materials")
    .replaceAll("THE SOFTWARE", "THE MATERIALS");
  assert.equal(fileLicence("a.c", inComment(khronos)), unrecognised);
  assert.equal(fileLicence("a.c", inComment(`"Commons Clause" License Condition v1.0\n\n${mit}`)), unrecognised);
});

test("fileLicence takes a licence file by its text, wherever it lies", () => {
  for (const path of ["LICENSE", "vendor/x/LICENCE.md", "COPYING", "LICENSES/MIT.txt", "LICENSE-MIT"]) {
    assert.equal(fileLicence(path, mit), "MIT", path);
  }
  assert.equal(fileLicence("license.ts", mit), "unknown");
  assert.equal(fileLicence("LICENSE", ""), "unknown");
});

const apache = spdxText("Apache-2.0");
const ids = knownLicences.map(({ id }) => id);

test("repositoryLicence goes by the texts, then by the manifests", () => {
  const cases: readonly (readonly [files: Readonly<Record<string, string>>, licence: string])[] = [
    [{}, "unknown"],
    [{ "README.md": "MIT License" }, "unknown"],
    [{ "sub/LICENSE": mit, "sub/package.json": '{"license":"MIT"}' }, "unknown"],
    [{ LICENSE: mit }, "MIT"],
    [{ LICENSE: "All rights are mine." }, unrecognised],
    [{ "LICENSE-MIT": mit, "LICENSE-APACHE": apache }, "Apache-2.0 OR MIT"],
    [{ LICENSE: mit, COPYING: apache }, "Apache-2.0 AND MIT"],
    [{ LICENSE: mit, COPYING: apache, "Cargo.toml": '[package]\nlicense = "MIT OR Apache-2.0"' }, "MIT OR Apache-2.0"],
    [{ LICENSE: spdxText("GPL-3.0-only") }, "GPL-3.0-only"],
    [{ LICENSE: spdxText("GPL-3.0-only"), "package.json": '{"license":"GPL-3.0+"}' }, "GPL-3.0-or-later"],
    [{ COPYING: spdxText("GPL-3.0-only"), "COPYING.LESSER": spdxText("LGPL-3.0-only") }, "LGPL-3.0-only"],
    [{ LICENSE: mit, "package.json": '{"license":"ISC"}' }, "MIT"],
    [{ LICENSE: "See LICENSE-MIT for details.", "LICENSE-MIT": mit }, "MIT"],
    [{ "package.json": '\ufeff{"license":"mit"}' }, "MIT"],
    [{ "package.json": '{"license":{"type":"MIT"}}' }, "MIT"],
    [{ "package.json": '{"licenses":[{"type":"MIT"},{"type":"ISC"}]}' }, "MIT OR ISC"],
    [{ "package.json": '{"license":"UNLICENSED"}' }, unrecognised],
    [{ "package.json": '{"license":"SEE LICENSE IN terms.txt"}' }, "unknown"],
    [{ "package.json": "{broken" }, "unknown"],
    [{ "package.json": `{"license":"MIT"}${" ".repeat(1 << 20)}` }, "unknown"],
    [{ "package.json": JSON.stringify({ license: ids }) }, ids.slice(0, 16).join(" OR ")],
    [{ "Cargo.toml": '[package]\nlicense = "MIT/Apache-2.0"' }, "MIT OR Apache-2.0"],
    [{ "Cargo.toml": '[dependencies.x]\nlicense = "MIT"' }, "unknown"],
    [{ "pyproject.toml": '[project]\nname = "x"\nlicense = { text = "Apache License 2.0" } # ours' }, "Apache-2.0"],
    [{ "pyproject.toml": "[tool.poetry]\nlicense = 'BSD-3-Clause'" }, "BSD-3-Clause"],
    [{ "pyproject.toml": '[project]\nlicense = "MIT"', "package.json": '{"license":"ISC"}' }, "ISC AND MIT"],
  ];
  for (const [files, licence] of cases) {
    const list = Object.entries(files).map(([path, text]) => ({ path, text }));
    assert.equal(repositoryLicence(list), licence, JSON.stringify(files).slice(0, 200));
    assert.equal(repositoryLicence(list.toReversed()), licence, "in the other order");
  }
});

test("isLicenceCandidate is true of the files repositoryLicence reads", () => {
  const yes = ["LICENSE", "LICENCE.txt", "license.md", "COPYING.LESSER", "UNLICENSE", "LICENSE-MIT", "MIT-LICENSE.txt"];
  const no = [
    "sub/LICENSE",
    "LICENSE.ts",
    "licenses.json",
    "LICENSE-third-party.txt",
    "LICENSES/a/LICENSE",
    "relicensed",
  ];
  const manifests = ["package.json", "composer.json", "Cargo.toml", "pyproject.toml", "LICENSES/MIT.txt"];
  for (const path of [...yes, ...manifests]) assert.ok(isLicenceCandidate(path), path);
  for (const path of [...no, "sub/package.json", "constructor", "README.md"])
    assert.ok(!isLicenceCandidate(path), path);
});

test("hostile files take no time", () => {
  const parts = [
    "license ",
    "(",
    "# SPDX-License-Identifier: (",
    "MIT License ",
    ". MIT License",
    "<!--",
    "/*",
    "gpl ",
    "\n",
    " ",
  ];
  const started = performance.now();
  for (const size of [4000, 200_000, 1 << 20]) {
    for (const part of parts) {
      const filler = part.repeat(size / part.length);
      for (const path of ["a.js", "a.md", "LICENSE", "package.json", "Cargo.toml"]) {
        for (const text of [`// licensed\n${filler}`, `${mit}\n${filler}foo`]) {
          fileLicence(path, text);
          repositoryLicence([{ path, text }]);
        }
      }
    }
  }
  assert.ok(performance.now() - started < 5000);
});
