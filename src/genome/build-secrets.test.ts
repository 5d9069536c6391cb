/** No piece of a secret may be anywhere in a genome's folder, its reports and logs included, nor in what a build tells. */
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { buildGenome } from "./build.ts";
import { secretSamples } from "./clean/testing.ts";
import { makeHistory } from "./history/testing.ts";
import { isolatedEnvironment, temporaryFolder } from "./testing.ts";

/** What switches secretlint's own scanner off. */
const off = "secretlint-disable";

test("one secret for every rule, in texts, notebooks, changes and messages: nothing of it remains", async (t) => {
  const folder = await temporaryFolder(t);
  const samples = secretSamples();
  const files: Record<string, string> = {};
  const changed: Record<string, string> = {};
  const harmless: Record<string, string> = {};
  for (const [i, { text }] of samples.entries()) {
    files[`plain/${i}.txt`] = `before\n/* ${off} */ ${text}\nafter\n`;
    // The keys of files are bytes as latin1, the contents are text.
    files[`crlf/${i}.md`] = `\u{1f98b}\u{1f98b} // ${off}\r\n${text.replaceAll("\n", "\r\n")}\r\n`;
    const cell = {
      cell_type: "code",
      source: [`# ${off}\n`, `x = '''${text}'''\n`],
      outputs: [{ text: [text] }],
    };
    files[`note/${i}.ipynb`] = JSON.stringify({ cells: [cell], nbformat: 4, nbformat_minor: 5, metadata: {} });
    files[`diff/${i}.diff`] = `--- a\n+++ b\n@@ -1 +1 @@\n${text.replaceAll(/^/gm, "+")}\n`;
    changed[`later/${i}.py`] = `x = 1\n# ${text}\ny = 2\n`;
    harmless[`later/${i}.py`] = "x = 1\n# nothing\ny = 2\n";
  }
  const message = `${samples.map(({ text }) => text).join("\n\n")} ${off}`;
  const token = samples.find(({ rule }) => rule === "github")!.text;
  const source = join(folder, "one");
  await makeHistory(source, [
    { message, files: { ...files, ...changed } },
    { message, files: harmless },
    { message: `see ${token}`, files: { [`${token}/a.md`]: "in a folder that is named by a token\n" } },
  ]);
  const events: string[] = [];
  const out = join(folder, "genome");
  const { masked, history } = await buildGenome({
    sources: [`${source}@main`],
    out,
    history: true,
    env: isolatedEnvironment(folder),
    onEvent: (event) => void events.push(JSON.stringify(event)),
  });
  const count = Object.values(masked).reduce((sum, each) => sum + each, 0);
  assert.ok(count >= 4 * samples.length, JSON.stringify(masked));
  assert.ok(history!.rows >= samples.length / 2, `${history!.rows} changes`);
  const texts = new Map([["events", events.join("\n")]]);
  for (const name of await readdir(out)) texts.set(name, await readFile(join(out, name), "utf8"));
  for (const { rule, secrets } of samples) {
    for (const secret of secrets.flatMap((one) => one.split(/\s+/))) {
      for (let at = 0; at + 8 <= secret.length; at++) {
        const piece = secret.slice(at, at + 8);
        for (const [name, text] of texts) {
          assert.ok(!text.includes(piece), `${rule}: "${piece}" is in ${name}`);
        }
      }
    }
  }
});
