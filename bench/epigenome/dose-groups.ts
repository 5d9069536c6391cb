/** The groups of the dose-response proof: which files each trains and which measure it, the same in every run. */

import { UserError } from "../../src/errors.ts";
import { holdOut } from "../../src/epigenome/heldout.ts";
import { lineHashes, shareOf } from "../../src/epigenome/lines.ts";
import { MAX_SHARED_LINES } from "../../src/epigenome/overlap.ts";
import { byHash, bytesOf } from "../../src/epigenome/select.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import type { Gene, Genome, Kind } from "../../src/genome/manifest.ts";

/** Files of one repository and kind. */
export interface DoseGroup {
  readonly name: string;
  readonly repository: string;
  readonly kind: Kind;
  /** What a dose is a part of. */
  readonly trainable: readonly Gene[];
  readonly heldOut: readonly Document[];
}

export interface DoseGroups {
  readonly groups: readonly DoseGroup[];
  /** Groups of enough files that cannot be measured, and why. */
  readonly dropped: readonly { readonly name: string; readonly reason: string }[];
}

const MIN_FILES = 5;
const HELD_OUT_SHARE = 0.25;
/** Not a run's seed: a within-group slope compares runs on the same files. */
const SPLIT_SEED = 1;

/**
 * Groups with at least five files that have text and stand for their duplicate class. Of a larger group as many files
 * as fit into `maxBytes` take part, in the order of a hash, so that none drowns the others. About a quarter is held out;
 * a held-out file of which more than 20 % of the lines occur in what any group trains is not measured.
 */
export async function doseGroups(
  { genes, text }: Pick<Genome, "genes" | "text">,
  { maxBytes, heldOutBytes }: { readonly maxBytes: number; readonly heldOutBytes: number },
): Promise<DoseGroups> {
  const dropped: { name: string; reason: string }[] = [];
  const split: (Omit<DoseGroup, "heldOut"> & { readonly heldOut: readonly Gene[] })[] = [];
  const files = genes.filter(
    ({ bytes, textBytes, duplicateClass, representative }) =>
      bytes > 0 && textBytes > 0 && (duplicateClass === null || representative),
  );
  for (const [name, all] of Map.groupBy(files, ({ repository, kind }) => `${repository} ${kind}`)) {
    if (all.length < MIN_FILES) continue;
    const { repository, kind } = all[0]!;
    const own = within(all, maxBytes);
    if (own.length < MIN_FILES) {
      dropped.push({ name, reason: `${own.length} of ${all.length} files fit into ${maxBytes} bytes` });
      continue;
    }
    try {
      const options = { seed: SPLIT_SEED, share: HELD_OUT_SHARE, minFiles: 2, maxBytes: heldOutBytes, text };
      const { heldOut, trained } = await holdOut(own, options);
      split.push({ name, repository, kind, trainable: trained, heldOut });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      dropped.push({ name, reason: error.message });
    }
  }
  const lines = new Set<number>();
  for (const gene of split.flatMap(({ trainable }) => trainable))
    for (const line of lineHashes(await text(gene), { mask: true })) lines.add(line);
  const groups: DoseGroup[] = [];
  for (const group of split) {
    const heldOut: Document[] = [];
    for (const gene of group.heldOut) {
      const content = await text(gene);
      if (shareOf(lineHashes(content, { mask: true }), (line) => lines.has(line)) > MAX_SHARED_LINES) continue;
      heldOut.push({ id: `${gene.repository}/${gene.path}`, text: content, group: group.name });
    }
    if (heldOut.length > 0) groups.push({ ...group, heldOut });
    else dropped.push({ name: group.name, reason: "the lines of its held-out files occur in what other groups train" });
  }
  return { groups, dropped };
}

function within(genes: readonly Gene[], maxBytes: number): readonly Gene[] {
  if (bytesOf(genes) <= maxBytes) return genes;
  let room = maxBytes;
  const chosen = new Set<Gene>();
  for (const gene of byHash(genes, SPLIT_SEED, "dose group")) {
    if (gene.textBytes > room) continue;
    room -= gene.textBytes;
    chosen.add(gene);
  }
  return genes.filter((gene) => chosen.has(gene));
}
