/** Blends: models on the line between a parent and its child, weight by weight. */
import { UserError, invariant } from "../errors.ts";
import type { Body, WeightTensor } from "../models/body.ts";
import { idleRule, lastMatching } from "../models/weight-names.ts";
import type { NameRule } from "../models/weight-names.ts";

export interface BlendRule extends NameRule {
  readonly alpha: number;
}

/** How far each weight goes from parent (0) to child (1). */
export interface Blend {
  readonly alpha: number;
  /** For weights whose names match; the last match counts. */
  readonly modules: readonly BlendRule[];
}

/**
 * The weights `parent + alpha (child - parent)`, in f32, as new arrays: linear interpolation between a model and the one
 * that was trained from it (Wortsman et al. 2022, arXiv 2109.01903). At alpha 0 and 1 they are those of parent and child, bit
 * for bit.
 *
 * @throws UserError "mismatch" where the two are not of one shape, "invalid" where a rule matches no weight
 */
export function blendWeights(
  parent: Pick<Body, "weights">,
  child: Pick<Body, "weights">,
  blend: Blend,
): Map<string, WeightTensor> {
  const idle = idleRule(blend.modules, child.weights.keys());
  if (idle !== undefined) {
    throw new UserError("invalid", `no weight's name matches ${idle.match}`, {
      hint: `names are such as ${[...child.weights.keys()].slice(0, 3).join(", ")}`,
    });
  }
  const alphaFor = alphaOf(blend);
  const blended = new Map<string, WeightTensor>();
  for (const [name, to] of child.weights) {
    const from = parent.weights.get(name);
    if (from === undefined || String(from.shape) !== String(to.shape)) {
      throw new UserError("mismatch", `the child's ${name} [${to.shape.join(", ")}] has no counterpart in the parent`, {
        hint: "blend a model with the one that it was trained from",
      });
    }
    blended.set(name, { ...to, data: interpolate(from.data, to.data, alphaFor(name)) });
  }
  return blended;
}

/** The alpha of a weight, by its name. */
export function alphaOf({ alpha, modules }: Blend): (weight: string) => number {
  return lastMatching(modules, (rule) => rule.alpha, alpha);
}

function interpolate(from: Float32Array, to: Float32Array, alpha: number): Float32Array {
  invariant(from.length === to.length, "shapes are equal");
  if (alpha === 1) return to.slice();
  const data = new Float32Array(from.length);
  for (let i = 0; i < data.length; i++) data[i] = from[i]! + alpha * (to[i]! - from[i]!);
  return data;
}
