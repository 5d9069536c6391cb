/**
 * Instruct repair: what an instruct model has over its base is added to the base after that was trained further, weight by
 * weight (task arithmetic, Ilharco et al. 2022, arXiv 2212.04089; for this purpose arXiv 2410.10739).
 */
import { isDeepStrictEqual } from "node:util";
import { UserError, invariant } from "../errors.ts";
import type { Body, WeightTensor } from "../models/body.ts";
import type { InspectedBody } from "../models/load.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";

/** A model as far as it can be compared without its weights. */
export interface Comparable {
  readonly body: InspectedBody;
  readonly tokenizer: Pick<Tokenizer, "files">;
}

/** Types of weights whose difference is more than the rounding of their storage. */
const EXACT: ReadonlySet<string> = new Set(["F64", "F32", "F16", "BF16"]);

/**
 * Refuses a pair whose difference means nothing: other shapes, other tokens, or weights that were quantised.
 *
 * @throws UserError "mismatch" or "unsupported", naming what differs
 */
export function refuseUnrelated(base: Comparable, instruct: Comparable): void {
  const pair = `${instruct.body.path} and ${base.body.path}`;
  for (const { path, storedTypes } of [base.body, instruct.body]) {
    const rounded = storedTypes.find((type) => !EXACT.has(type));
    if (rounded === undefined) continue;
    throw new UserError(
      "unsupported",
      `${path} holds weights in ${rounded}: the difference to them would be their rounding`,
      {
        hint: "give both checkpoints in F16, BF16 or F32",
      },
    );
  }
  const of = { base: shapeOf(base), instruct: shapeOf(instruct) };
  for (const key of Object.keys(of.base) as (keyof typeof of.base)[]) {
    const [a, b] = [of.base[key], of.instruct[key]];
    if (isDeepStrictEqual(a, b)) continue;
    throw new UserError("mismatch", `${pair} differ in ${key}: ${JSON.stringify(b)} and ${JSON.stringify(a)}`, {
      hint: "give the instruct model that was made from this base",
    });
  }
  if (isDeepStrictEqual(vocabularyOf(base), vocabularyOf(instruct))) return;
  throw new UserError("mismatch", `the tokenizers of ${pair} are not of one vocabulary`, {
    hint: "give the instruct model that was made from this base",
  });
}

/** What decides the shapes and the meaning of the weights; how many positions are read does not. */
function shapeOf({ body: { config } }: Comparable): Omit<InspectedBody["config"], "maxPositions"> {
  const { maxPositions: _, ...shape } = config;
  return shape;
}

/** Tokens and merges; tokens that one of the two has added beyond the vocabulary are not counted. */
function vocabularyOf({ tokenizer }: Comparable): unknown {
  const bytes = tokenizer.files.get("tokenizer.json");
  invariant(bytes, "every tokenizer has its tokenizer.json");
  const { model } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { model: { vocab: unknown; merges: unknown } };
  return { vocab: model.vocab, merges: model.merges };
}

/**
 * The weights `trained base + (instruct - base)` after full training, in f32, in place of the instruct model's. (With an
 * adapter the sum is the adapter merged into the instruct model, and the base is not needed.)
 *
 * @param trained the weights that were trained; what is not among them is as in the base
 */
export function addDifference(
  { weights }: Pick<Body, "weights">,
  base: Pick<Body, "weights">,
  trained: readonly WeightTensor[],
): void {
  for (const { name, shape, data } of trained) {
    const [from, to] = [base.weights.get(name), weights.get(name)];
    invariant(from && to && from.data.length === data.length && to.data.length === data.length, `"${name}" fits`);
    // In f64: the difference is small beside the weights.
    weights.set(name, { name, shape, data: data.map((value, i) => value + (to.data[i]! - from.data[i]!)) });
  }
}
