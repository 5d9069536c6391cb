/** Attention of new positions to a cache and to each other, as a graph: nothing of the cache is copied on the way. */

import { add } from "../tensor/elementwise.ts";
import type { Value } from "../tensor/graph.ts";
import { concat, reshape, slice, transpose } from "../tensor/layout.ts";
import { matmul } from "../tensor/matmul.ts";
import { softmax } from "../tensor/neural.ts";

export interface CachedAttention {
  /** Queries of the new positions, [B, T, H D]. */
  readonly q: Value;
  /** Their keys and values, [B, T, G D]. */
  readonly k: Value;
  readonly v: Value;
  /** Keys and values of earlier positions, [B, G, S, D]. */
  readonly cachedKeys: Value;
  readonly cachedValues: Value;
  /** Added to the scores, [B, 1, T, S + T]: 0, or a large negative number where a position may not look. */
  readonly bias: Value;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly scale: number;
}

/**
 * Grouped-query attention over S cached and T new positions -> [B, T, H D]. Scores and sums are taken of both parts apart,
 * since joining the keys would move the whole cache for every token.
 */
export function cachedAttention(of: CachedAttention): Value {
  const { q, k, v, cachedKeys, cachedValues, bias, heads: H, keyValueHeads: G, scale } = of;
  const [B, T, width] = q.shape as [number, number, number];
  const [, , S, D] = cachedKeys.shape as [number, number, number, number];
  const byHead = (x: Value, heads: number): Value => transpose(reshape(x, [B, T, heads, D]), [0, 2, 1, 3]);
  const rows = (H / G) * T;
  const queries = reshape(byHead(q, H), [B, G, rows, D]);
  const options = { transposeB: true, alpha: scale };
  const scores = concat(matmul(queries, cachedKeys, options), matmul(queries, byHead(k, G), options), 3);
  const weights = reshape(softmax(add(reshape(scores, [B, H, T, S + T]), bias)), [B, G, rows, S + T]);
  const old = matmul(slice(weights, 3, 0, S), cachedValues);
  const fresh = matmul(slice(weights, 3, S, S + T), byHead(v, G));
  return reshape(transpose(reshape(add(old, fresh), [B, H, T, D]), [0, 2, 1, 3]), [B, T, width]);
}
