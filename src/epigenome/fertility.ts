/** How many bytes of text a token of a tokenizer stands for, measured on samples of what is expressed. */
import type { Gene, Genome } from "../genome/manifest.ts";
import { byHash } from "./select.ts";

/** Enough for two digits of the ratio; a tokenizer reads it in a tenth of a second. */
const SAMPLE_BYTES = 64 * 1024;

export interface FertilityOptions {
  readonly tokenizer: { encodeContent(text: string): number[] };
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Bytes of text for each token, by kind of file: of each kind whole files in a seeded order, up to 64 KB and at least one. */
export async function measureFertility(
  genome: Pick<Genome, "text">,
  genes: readonly Gene[],
  { tokenizer, seed, signal }: FertilityOptions,
): Promise<ReadonlyMap<Gene["kind"], number>> {
  const fertility = new Map<Gene["kind"], number>();
  for (const [kind, own] of Map.groupBy(genes, (gene) => gene.kind)) {
    let bytes = 0;
    let tokens = 0;
    for (const gene of byHash(own, seed, "fertility")) {
      if (bytes > 0 && bytes + gene.textBytes > SAMPLE_BYTES) continue;
      signal.throwIfAborted();
      bytes += gene.textBytes;
      tokens += tokenizer.encodeContent(await genome.text(gene)).length;
    }
    fertility.set(kind, bytes / Math.max(1, tokens));
  }
  return fertility;
}
