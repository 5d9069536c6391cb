import assert from "node:assert/strict";
import { test } from "node:test";
import { knownLicences, permissiveLicences } from "./catalogue.ts";
import { spdxText } from "./spdx-text.ts";
import { mit } from "./testing.ts";
import { licenceOfText } from "./text.ts";

const unrecognised = "LicenseRef-unrecognised";
const apache = spdxText("Apache-2.0");
/** The beginning of the rider that takes the right to sell. */
const commonsClause = `"Commons Clause" License Condition v1.0

The Software is provided to you by the Licensor under the License, as defined below, subject to the following
condition. The grant of rights under the License will not include the right to Sell the Software.`;

test("every known licence is recognised by SPDX's own text, and all permissive ones are known", () => {
  for (const { id } of knownLicences) {
    assert.equal(licenceOfText(spdxText(id)), id);
  }
  const known = knownLicences.map(({ id }) => id);
  assert.deepEqual(
    permissiveLicences.filter((id) => !known.includes(id)),
    [],
  );
});

test("layout, title, holders and markup do not matter", () => {
  for (const text of [
    mit.replaceAll("\n", "\r\n"),
    mit.replaceAll(/\n(?!\n)/g, " "),
    mit.replaceAll(/^/gm, "    "),
    `# License\n\n${mit.split("\n").slice(2).join("\n")}`,
    `${mit}\n\nCopyright (c) 2019-2023 Others and Contributors`,
    `${mit}\n${"Copyright (c) 2019-2023 Somebody and others\n".repeat(20)}`,
    `<!-- not for the reader: commons clause -->${mit}`,
    mit.replace(/FROM,\s+OUT OF/, "FROM, OUT OF"),
  ]) {
    assert.equal(licenceOfText(text), "MIT", text.slice(0, 80));
  }
});

test("a rider or a changed condition makes another licence", () => {
  for (const text of [
    `${commonsClause}\n\n${mit}`,
    `${mit}\n\n${commonsClause}`,
    `${apache}\n\n${commonsClause}`,
    `${mit}\n\nThe Software must not be used for training.`,
    `${mit}\n\nFor research use only.`,
    `Licensed under the Apache License 2.0.\n\n${mit}`,
    `${mit}\n\n${"Some other words that we agreed on with our partners. ".repeat(10)}`,
    mit.replace("without restriction", "for noncommercial purposes"),
    "MIT License\n\nYou may use this software, but not sell it.",
    `MIT License\n\n${"You may use this software as you and we agree upon. ".repeat(8)}`,
    "You may look at it.",
    `${mit.slice(mit.indexOf("Copyright"))}\n`.repeat(300),
  ]) {
    assert.equal(licenceOfText(text), unrecognised, text.slice(0, 80));
  }
});

test("the Business Source License keeps its name with its parameters filled in", () => {
  const parameters = `Parameters

Licensor: Example Inc.
Licensed Work: Example 1.2, (c) 2024 Example Inc.
Additional Use Grant: You may make production use of the Licensed Work, except as a hosted service for third parties.
Change Date: 2028-01-01
Change License: Apache License, Version 2.0

`;
  assert.equal(licenceOfText(parameters + spdxText("BUSL-1.1")), "BUSL-1.1");
});

test("several licences in one text hold together unless the text offers a choice", () => {
  assert.equal(licenceOfText(`${mit}\n\n${apache}`), "Apache-2.0 AND MIT");
  const choice = "Licensed under either of the MIT License or the Apache License, Version 2.0, at your option.";
  assert.equal(licenceOfText(`${choice}\n\n${mit}\n\n${apache}`), "MIT OR Apache-2.0");
});

test("a short notice stands for the licence it names", () => {
  assert.equal(licenceOfText("This project uses the MIT License."), "MIT");
  const boilerplate = apache.slice(apache.indexOf("Licensed under the Apache License"));
  assert.equal(licenceOfText(`Copyright 2024 Ada Example\n\n${boilerplate}`), "Apache-2.0");
  assert.equal(licenceOfText("The code is under MIT and the CC-BY-NC-4.0."), "MIT AND CC-BY-NC-4.0");
  assert.equal(licenceOfText("Dual-licensed under MIT and ISC; you may choose."), "MIT OR ISC");
  assert.equal(licenceOfText("See the license file of each folder."), "unknown");
});
