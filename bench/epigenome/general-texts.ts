/** Retention and replay of a bench: those that a body brings, or samples of a given text, never the same documents. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../src/errors.ts";
import { refuseOverlap } from "../../src/epigenome/overlap.ts";
import { readGeneralText, sampleText } from "../../src/epigenome/texts.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";

export interface GeneralTexts {
  readonly retention: readonly Document[];
  readonly replay: readonly Document[];
  /** Of all their texts. */
  readonly sha256: string;
}

/** Not a run's seed: all runs are measured on the same text, or their difference would be of texts. */
const SAMPLE_SEED = 1;

/**
 * Seeded samples of whole documents. Of a given text retention is of its split "heldout" and replay of its split "train".
 *
 * @throws UserError `usage` for a body without texts of its own where none is given, `overlap`
 */
export async function generalTexts(
  model: string,
  text: string | undefined,
  { scoredBytes, replayBytes }: { readonly scoredBytes: number; readonly replayBytes: number },
): Promise<GeneralTexts> {
  const own = { retention: join(model, "retention.txt"), replay: join(model, "replay.txt") };
  if (text === undefined && !existsSync(own.retention)) {
    throw new UserError("usage", `${model} brings no retention.txt and replay.txt`, { hint: "give --text FILE" });
  }
  const read = async (name: keyof typeof own, split: string, maxBytes: number) => {
    const source = await (text === undefined ? readGeneralText(own[name]) : readGeneralText(text, { split }));
    return { name: source.name, documents: sampleText(source, { seed: SAMPLE_SEED, maxBytes }).documents };
  };
  const retention = await read("retention", "heldout", scoredBytes);
  const replay = await read("replay", "train", replayBytes);
  refuseOverlap(retention, replay);
  const hash = createHash("sha256");
  for (const { documents } of [retention, replay]) for (const document of documents) hash.update(`${document.text}\0`);
  return { retention: retention.documents, replay: replay.documents, sha256: hash.digest("hex") };
}
