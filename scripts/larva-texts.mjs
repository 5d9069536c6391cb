/**
 * Writes the two texts that stand beside the shipped larva: retention.txt from the split `heldout`, replay.txt from
 * `train`, only from public-domain and CC0 sources. Documents are taken by hash, in turn from each source, the long ones
 * cut at a paragraph.
 *
 *     node scripts/larva-texts.mjs general.jsonl.gz models/larva
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { gunzipSync } from "node:zlib";

const [source, folder] = process.argv.slice(2);
const free = new Set(["CC0-1.0", "CC0-1.0 (text: US public domain)", "public domain", "public domain / CC0-1.0"]);
/** Bytes of each file, and most of one document. */
const targets = { heldout: ["retention.txt", 115_000], train: ["replay.txt", 299_000] };
const LONGEST = 8_000;

const lines = gunzipSync(readFileSync(source)).toString("utf8").split("\n").filter(Boolean);
const documents = lines.map((line) => JSON.parse(line)).filter(({ licence }) => free.has(licence));
const hash = (text) => createHash("sha256").update(text).digest("hex");

for (const [split, [name, bytes]] of Object.entries(targets)) {
  const groups = new Map();
  for (const document of documents.filter((one) => one.split === split)) {
    // All books are one source: one in four documents, as in the whole text.
    const group = document.source.startsWith("standardebooks/") ? "books" : document.source;
    groups.set(group, [...(groups.get(group) ?? []), document]);
  }
  const queues = [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => group.toSorted((a, b) => (hash(a.source + a.path) < hash(b.source + b.path) ? -1 : 1)));
  const texts = [];
  let size = 0;
  while (queues.some((queue) => queue.length > 0) && size < bytes) {
    for (const queue of queues) {
      const document = queue.shift();
      if (document === undefined || size >= bytes) continue;
      let text = document.text.slice(0, LONGEST);
      if (text.length < document.text.length) text = text.slice(0, Math.max(text.lastIndexOf("\n\n"), LONGEST / 2));
      text = `${text.trim()}\n`;
      if (size + Buffer.byteLength(text) + 1 > bytes) text = "";
      if (text === "") size = bytes;
      else size += Buffer.byteLength(text) + 1;
      if (text !== "") texts.push(text);
    }
  }
  const whole = texts.join("\n");
  writeFileSync(path.join(folder, name), whole);
  process.stdout.write(`${name}: ${texts.length} documents, ${Buffer.byteLength(whole)} bytes\n`);
}
