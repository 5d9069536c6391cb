/** What a recipe would express of a genome for a body, in estimated tokens. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Planned } from "../blueprint/plan.ts";
import { BYTES_PER_TOKEN } from "../blueprint/workload.ts";
import { measureFertility } from "../epigenome/fertility.ts";
import { selectGenes } from "../epigenome/select.ts";
import type { SelectOptions } from "../epigenome/select.ts";
import { summariseExpression } from "../epigenome/summary.ts";
import type { Gene, Genome } from "../genome/manifest.ts";
import type { BodyFiles } from "../models/load.ts";
import { loadTokenizer } from "../tokenizer/tokenizer.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { openTokenizer } from "./model.ts";

export interface MatchDiet {
  /** Of one pass; nothing is held out here. */
  readonly bytes: number;
  readonly tokens: number;
  readonly bytesByKind: Readonly<Record<string, number>>;
  readonly tokensByKind: Readonly<Record<string, number>>;
  /** Bytes that one pass may hold, and why; null where nothing limits it. */
  readonly capacity: number | null;
  readonly limitedBy: string;
  /** Whether bytes per token were measured with the model's own tokenizer, or are those of any. */
  readonly probed: boolean;
}

/** Bytes per token of a kind of file. */
export type Fertility = (kind: Gene["kind"]) => number;

/** The tokenizer of a model whose weights need not be there; undefined where it has none. */
export async function tokenizerBeside(model: string, kind: BodyFiles["kind"]): Promise<Tokenizer | undefined> {
  if (kind === "gguf") return openTokenizer(model);
  return existsSync(join(model, "tokenizer.json")) ? loadTokenizer(model) : undefined;
}

/** Measures a tokenizer on the text of a genome that stands for its duplicates. */
export async function fertilityOn(
  genome: Genome,
  tokenizer: Tokenizer | undefined,
  signal: AbortSignal,
): Promise<Fertility | undefined> {
  if (tokenizer === undefined) return undefined;
  const genes = genome.genes.filter(({ representative, textBytes }) => representative && textBytes > 0);
  const measured = await measureFertility(genome, genes, { tokenizer, seed: 1, signal });
  return (kind) => measured.get(kind) ?? BYTES_PER_TOKEN;
}

/** @param fertility undefined where the model has no tokenizer */
export function dietFor(
  genome: Genome,
  { options, capacity }: { readonly options: SelectOptions; readonly capacity: Planned<number | null> },
  fertility: Fertility | undefined,
): MatchDiet {
  const tokensOf = ({ kind, textBytes }: Gene): number =>
    Math.ceil(textBytes / (fertility === undefined ? BYTES_PER_TOKEN : fertility(kind)));
  const { expressed } = summariseExpression(selectGenes(genome.genes, options), tokensOf);
  const byKind = (of: "bytes" | "tokens"): Record<string, number> =>
    Object.fromEntries(Object.entries(expressed.byKind).map(([kind, part]) => [kind, part[of]]));
  return {
    bytes: expressed.bytes,
    tokens: expressed.tokens,
    bytesByKind: byKind("bytes"),
    tokensByKind: byKind("tokens"),
    capacity: capacity.value,
    limitedBy: capacity.reason,
    probed: fertility !== undefined,
  };
}
