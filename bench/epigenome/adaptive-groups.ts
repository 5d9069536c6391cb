/** What the proof of adaptive marks trains and measures: the default epigenome's groups, the same in every run. */

import { beginnings } from "../../src/cli/pipeline/beginnings.ts";
import { UserError } from "../../src/errors.ts";
import { holdOut } from "../../src/epigenome/heldout.ts";
import { lineHashes, shareOf } from "../../src/epigenome/lines.ts";
import { groupsOf } from "../../src/epigenome/marks/groups.ts";
import type { Groups } from "../../src/epigenome/marks/groups.ts";
import { MAX_SHARED_LINES } from "../../src/epigenome/overlap.ts";
import { defaultRules } from "../../src/epigenome/rules.ts";
import { selectGenes } from "../../src/epigenome/select.ts";
import type { ExpressedGene } from "../../src/epigenome/select.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import type { Gene, Genome } from "../../src/genome/manifest.ts";

export interface AdaptiveTexts {
  readonly groups: Groups;
  readonly trained: readonly ExpressedGene[];
  /** Held-out documents by group: what marks are steered by, and what arms are measured on, which has no file in common. */
  readonly steering: readonly Document[];
  readonly measured: readonly Document[];
}

/** Not a run's seed: all runs are measured on the same files. */
const SPLIT_SEED = 1;
/** Of a group's bytes, twice: so that two files are held out where there are as many that may be. */
const SHARE = 0.15;
/** Each time at most; of what is held out the beginnings are scored. */
const HELD_OUT_BYTES = 64 * 1024;

/** Smaller ones say next to nothing. */
const SMALLEST = 256;

/**
 * Holds files of each group out; of those by falling size every other one is measured, and the rest steers. One of which
 * more than 20 % of the lines occur in what is trained is not used at all.
 */
export async function adaptiveTexts(
  genome: Pick<Genome, "genes" | "text">,
  options: {
    readonly capacity: number;
    /** Of a group, at most. */
    readonly measuredBytes: number;
    readonly steeringBytes: number;
  },
): Promise<AdaptiveTexts> {
  const { expressed } = selectGenes(genome.genes, {
    rules: defaultRules,
    seed: SPLIT_SEED,
    capacity: options.capacity,
  });
  const groups = groupsOf(expressed.map(({ gene }) => gene));
  const text = (gene: Gene): Promise<string> => genome.text(gene);
  const limits = { seed: SPLIT_SEED, share: SHARE, minFiles: 1, maxBytes: HELD_OUT_BYTES, text };
  const heldOut = new Map<string, Gene[]>();
  for (const [group, files] of Map.groupBy(expressed, ({ gene }) => groups.of(gene)!)) {
    const genes = files.map(({ gene }) => gene);
    const first = await holdOut(genes, limits).catch(nothingHeldOut(genes));
    const second = await holdOut(first.trained, limits).catch(nothingHeldOut(first.trained));
    const left = new Set(second.trained);
    heldOut.set(
      groups.names[group]!,
      genes.filter((gene) => !left.has(gene)),
    );
  }
  const out = new Set([...heldOut.values()].flat());
  const trained = expressed.filter(({ gene }) => !out.has(gene));
  const lines = new Set<number>();
  for (const { gene } of trained) for (const line of lineHashes(await text(gene), { mask: true })) lines.add(line);
  const steering: Document[] = [];
  const measured: Document[] = [];
  for (const [group, genes] of heldOut) {
    const documents: Document[] = [];
    for (const gene of genes.toSorted((a, b) => b.textBytes - a.textBytes)) {
      if (gene.textBytes < SMALLEST) continue;
      const content = await text(gene);
      if (shareOf(lineHashes(content, { mask: true }), (line) => lines.has(line)) > MAX_SHARED_LINES) continue;
      documents.push({ id: `${gene.repository}/${gene.path}`, text: content, group });
    }
    const every = (rest: number): Document[] => documents.filter((_, i) => i % 2 === rest);
    measured.push(...beginnings(every(0), options.measuredBytes));
    steering.push(...beginnings(every(1), options.steeringBytes));
  }
  return { groups, trained, steering, measured };
}

/** A group too small or too alike to hold a file out of is trained and not measured. */
function nothingHeldOut(genes: readonly Gene[]) {
  return (error: unknown): { readonly heldOut: readonly Gene[]; readonly trained: readonly Gene[] } => {
    if (error instanceof UserError) return { heldOut: [], trained: genes };
    throw error;
  };
}
