/**
 * Compares our token ids with llama.cpp's on real files: node test/acceptance/token-ids.ts GGUF CORPUS LLAMA [COUNT]
 *
 * GGUF is a model file, CORPUS a folder of repositories, COUNT how many of their text files of 1 KB to 1 MB are compared (30;
 * chosen by hash, at most a tenth of them from one repository), LLAMA a folder where
 * `npm install --ignore-scripts node-llama-cpp @node-llama-cpp/linux-x64` was run: it is no dependency of ours.
 * Prints one line a file and exits with 1 where ids differ, our own do not decode back to the text, or files are too few.
 */

import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { openGguf } from "../../src/formats/gguf.ts";
import { tokenizerFromGguf } from "../../src/tokenizer/from-gguf.ts";

const smallestBytes = 1 << 10;
const largestBytes = 1 << 20;

interface LlamaModel {
  tokenize(text: string, specialTokens: boolean): readonly number[];
  dispose(): Promise<void>;
}
interface LlamaModule {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<LlamaModel>; dispose(): Promise<void> }>;
}

const [gguf, corpus, llamaFolder, count = "30"] = process.argv.slice(2);
const fileCount = Number(count);
if (gguf === undefined || corpus === undefined || llamaFolder === undefined || !(fileCount > 0)) {
  console.error("usage: node test/acceptance/token-ids.ts GGUF CORPUS LLAMA [COUNT]");
  process.exit(2);
}

const entry = createRequire(resolve(llamaFolder, "package.json")).resolve("node-llama-cpp");
const { getLlama } = (await import(pathToFileURL(entry).href)) as LlamaModule;
const llama = await getLlama({ build: "never", gpu: false, logLevel: "error" });
const theirs = await llama.loadModel({ modelPath: resolve(gguf), vocabOnly: true });
const file = await openGguf(gguf);
const ours = tokenizerFromGguf(file);

let failures = 0;
let tokens = 0;
const chosen = await chooseFiles(corpus);
for (const name of chosen) {
  const text = await readFile(join(corpus, name), "utf8");
  const ids = ours.encode(text);
  const reference = theirs.tokenize(text, true);
  const differs =
    ids.length === reference.length ? ids.findIndex((id, i) => id !== reference[i]) : firstDifference(ids, reference);
  const back = ours.decode(ids) === text;
  tokens += ids.length;
  if (differs >= 0 || !back) failures++;
  const verdict =
    differs < 0 ? "equal" : `differs at token ${differs}: ${window(ids, differs)} / ${window(reference, differs)}`;
  console.log(`${name}: ${ids.length} tokens, ${verdict}${back ? "" : ", does not decode back"}`);
}
console.log(`${chosen.length - failures} of ${chosen.length} files agree, ${tokens} tokens`);

await file.close();
await theirs.dispose();
await llama.dispose();
process.exit(failures === 0 && chosen.length === fileCount ? 0 : 1);

function firstDifference(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((id, i) => id !== other[i]);
  return at >= 0 ? at : one.length;
}

function window(ids: readonly number[], at: number): string {
  return JSON.stringify(ours.decode(ids.slice(Math.max(0, at - 2), at + 6)));
}

async function chooseFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of await readdir(folder, { recursive: true })) {
    if (![".md", ".txt", ".json", ".csv", ".yaml", ".yml"].includes(extname(name))) continue;
    const size = await stat(join(folder, name));
    if (size.isFile() && size.size >= smallestBytes && size.size <= largestBytes) names.push(name);
  }
  const rank = new Map(names.map((name) => [name, createHash("sha256").update(name).digest("hex")]));
  names.sort((one, other) => (rank.get(one)! < rank.get(other)! ? -1 : 1));
  const taken = new Map<string, number>();
  const spread = names.filter((name) => {
    const repository = name.split(sep)[0]!;
    taken.set(repository, (taken.get(repository) ?? 0) + 1);
    return taken.get(repository)! <= Math.ceil(fileCount / 10);
  });
  return spread.slice(0, fileCount);
}
