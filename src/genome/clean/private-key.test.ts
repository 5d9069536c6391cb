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

test("code and prose that only name the markers stay", () => {
  const begin = `-----BEGIN ${kind("")}-----`;
  const end = `-----END ${kind("")}-----`;
  for (const text of [
    `if (s.startsWith("${begin}") && s.endsWith("${end}")) {}`,
    `${begin}\n...\n${end}`,
    `${begin}\nYOUR KEY HERE\n${end}`,
  ]) {
    assert.deepEqual(clean(text), { text, masked: {} });
  }
});
