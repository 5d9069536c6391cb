/** Which groups a measurement of gradients looks at, and by which sequences: as many as training can afford. */

import { blankBatch, type Batch } from "../../models/batch.ts";
import { fillSequence, type PackedCorpus } from "../../epigenome/pack.ts";
import { permutation } from "../../formats/random.ts";

/** Sequences of the reference text, in two parts, and of each group, each a part. */
const OF_REFERENCE = 4;
export const OF_GROUP = 2;
/** With fewer groups than this the reference would cost most of it: the allowance is saved for later. */
const FEWEST_GROUPS = 4;

export interface Candidate {
  readonly group: number;
  /** The step at which it was looked at last; -1 for never. */
  readonly seen: number;
  /** Sequences times mark. */
  readonly weight: number;
}

/** The groups to look at, the longest unseen first and then the heaviest; none where too few can be afforded. */
export function chooseProbes(candidates: readonly Candidate[], sequences: number): number[] {
  const affordable = Math.floor((sequences - OF_REFERENCE) / OF_GROUP);
  if (affordable < Math.min(FEWEST_GROUPS, candidates.length)) return [];
  return candidates
    .toSorted((a, b) => a.seen - b.seen || b.weight - a.weight || a.group - b.group)
    .slice(0, Math.max(0, affordable))
    .map(({ group }) => group);
}

export interface ProbeOptions {
  readonly seed: number;
  readonly step: number;
}

/** The two parts of a reference text, as batches of one sequence; undefined for less than two sequences. */
export function referenceParts(packed: PackedCorpus, { seed, step }: ProbeOptions): Batch[][] | undefined {
  const order = permutation(seed, "probe reference", step, packed.sequences);
  const half = Math.min(OF_REFERENCE / 2, Math.floor(order.length / 2));
  if (half === 0) return undefined;
  const batches = Array.from(order.subarray(0, 2 * half), (sequence) => batchOf(packed, sequence));
  return [batches.slice(0, half), batches.slice(half)];
}

/** Sequences of a group, each a part, as batches of one. */
export function groupParts(
  packed: PackedCorpus,
  { group, sequences }: { readonly group: number; readonly sequences: readonly number[] },
  { seed, step }: ProbeOptions,
): Batch[][] {
  const order = permutation(seed, `probe ${group}`, step, sequences.length);
  return Array.from(order.subarray(0, OF_GROUP), (i) => [batchOf(packed, sequences[i]!)]);
}

function batchOf(packed: PackedCorpus, sequence: number): Batch {
  const batch = blankBatch(1, packed.T, packed.corpus.separator);
  fillSequence(batch, 0, packed, sequence);
  return batch;
}
