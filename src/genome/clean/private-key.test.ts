import assert from "node:assert/strict";
import { test } from "node:test";
import { clean } from "./clean.ts";
import { characters, glue, privateKey } from "./testing.ts";

const kind = (label: string) => `${label}PRIVATE ${glue("", "KEY")}`;
const mask = "[masked:private-key]";

test("keys of every label are masked whole, the lines around them stay", () => {
  for (const label of ["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED "]) {
    const { text } = privateKey(kind(label));
    assert.equal(clean(`before\n${text}\nafter\n${text}`).text, `before\n${mask}\nafter\n${mask}`, label);
  }
});

test("an encrypted key with headers is masked whole", () => {
  const { text } = privateKey(kind("RSA "), 12, "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B2C3D\n\n");
  assert.deepEqual(clean(text), { text: mask, masked: { "private-key": 1 } });
});

test("a PGP key with a version and a checksum is masked whole", () => {
  const { text } = privateKey(`PGP ${kind("")} BLOCK`, 12, "Version: GnuPG v2\n\n");
  assert.equal(clean(text).text, mask);
  assert.equal(clean(text.split("\n").slice(0, 9).join("\n")).text, mask);
});

test("a short Ed25519 key is masked", () => {
  const dashes = "-".repeat(5);
  const text = `${dashes}BEGIN ${kind("")}${dashes}\nMC4C${characters(60, "ed25519")}\n${dashes}END ${kind("")}${dashes}`;
  assert.equal(clean(text).text, mask);
});

test("a key that is cut off is masked to its last line", () => {
  const { text } = privateKey(kind("EC "));
  const lines = text.split("\n").slice(0, 7);
  assert.equal(clean(`${lines.join("\n")}\n`).text, `${mask}\n`);
  assert.equal(clean(`+${lines.join("\n+")}\n@@ -1 +1 @@`).text, `+${mask}\n@@ -1 +1 @@`);
});

test("a key that is cut off is masked whatever stands between its lines", () => {
  const { text } = privateKey(kind("RSA "), 8);
  const lines = text.split("\n").slice(0, 7);
  for (const between of [
    "\n// ",
    "\n 12 | ",
    "\n12: ",
    "<br>",
    "&#10;",
    "%0A",
    "\\n",
    "\\\\n",
    "\\u000a",
    "`n\n",
    "\\\n",
    '", "',
    "\r\n+",
  ]) {
    for (const write of [(x: string) => x, (x: string) => x.replaceAll(/(?<!<)\//g, "\\/")]) {
      const left = clean(`a ${lines.map(write).join(between)}"`).text;
      assert.equal(left.replace(/["\s]*$/, ""), `a ${mask}`, between);
    }
  }
});

test("an encrypted key without line breaks is masked", () => {
  const { text } = privateKey(
    kind("RSA "),
    6,
    `Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,${"0A1B2C3D".repeat(6)}\n`,
  );
  assert.equal(clean(text.replaceAll("\n", "")).text, mask);
});

test("what separates the lines of a key is looked at once", () => {
  const begin = `-----BEGIN ${kind("")}-----${"Ab".repeat(20)}`;
  for (const unit of ["\\", "`", "\\n", "1:", "&a;", "/", "+", "`n\\"]) {
    const started = process.cpuUsage();
    clean((begin + unit.repeat(2000)).repeat(8));
    const { user } = process.cpuUsage(started);
    assert.ok(user < 1e6, `${unit}: ${user / 1e6} s of CPU`);
  }
});

test("code and prose that only name the markers stay", () => {
  const begin = `-----BEGIN ${kind("")}-----`;
  const end = `-----END ${kind("")}-----`;
  for (const text of [
    `if (s.startsWith("${begin}") && s.endsWith("${end}")) {}`,
    `${begin}\n...\n${end}`,
    `${begin}\nYOUR KEY HERE\n${end}`,
    `${begin}\n${characters(64, "digest", "hex")}\n${end}`,
    `${begin} ${"comes before the body. ".repeat(30)}${characters(64, "far")}`,
  ]) {
    assert.deepEqual(clean(text), { text, masked: {} });
  }
});
