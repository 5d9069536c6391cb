/** What every proof of the bench is given and gives; the proofs themselves are files beside this one. */

import type { TokenCorpus } from "../../src/epigenome/pack.ts";
import type { Document } from "../../src/eval/bits-per-byte.ts";
import type { Genome } from "../../src/genome/manifest.ts";
import type { BenchBody } from "./body.ts";
import type { Store, StoreOptions } from "./store.ts";

/** Sizes of a proof: those of the full run, or of `--quick`; flags go before them. */
export interface Sizes {
  /** Tokens that one arm trains. */
  readonly tokens: number;
  readonly seeds: readonly number[];
  /** Bytes of each text that is scored, at most: retention, and held-out (of a group where a proof has groups). */
  readonly scoredBytes: number;
}

export interface Bench extends Sizes {
  readonly body: BenchBody;
  readonly genome: Genome;
  readonly quick: boolean;
  /** Optimiser steps that `tokens` make. */
  readonly steps: number;
  readonly threads: number;
  /** Of --text: where general text comes from; undefined: what the body brings. */
  readonly text: string | undefined;
  readonly retention: readonly Document[];
  readonly replay: TokenCorpus;
  /** Arms asked for by name; undefined: all. */
  readonly arms: readonly string[] | undefined;
  /** Opens what this proof has kept under settings of its own, beside those of body, genome, texts and sizes. */
  store(options: Pick<StoreOptions, "planned"> & { readonly settings?: unknown }): Promise<Store>;
  /** A line of progress. */
  readonly say: (line: string) => void;
}

/**
 * A proof. Its result is plain JSON: what the tables and figures show, and what they are drawn from again without any
 * training. Trainings go through a store, so that a stopped proof goes on where it was.
 */
export interface Proof<R = unknown> {
  /** Of `--proof`, and of the figure's files. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  readonly full: Sizes;
  readonly quick: Sizes;
  run(bench: Bench): Promise<R>;
  /** What the result says, in lines. */
  report(result: R): readonly string[];
  /** The result as SVG, figure by figure: a name for its file, and the drawing. */
  draw(result: R): Readonly<Record<string, string>>;
}
