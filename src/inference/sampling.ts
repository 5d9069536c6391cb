/** Choosing the next token from its logits. */

export interface PickOptions {
  /** 0: the likeliest. */
  readonly temperature: number;
  /** Keeps the likeliest tokens that together have this probability (nucleus sampling, arXiv 1904.09751). */
  readonly topP: number;
  /** In [0, 1). */
  readonly random: number;
}

/** Id of the chosen token; `logits` [V] stay as they are. Ties go to the smaller id. */
export function pickToken(logits: Float32Array, { temperature, topP, random }: PickOptions): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  if (temperature === 0) return best;
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let id = 0; id < logits.length; id++) {
    weights[id] = Math.exp((logits[id]! - logits[best]!) / temperature);
    total += weights[id]!;
  }
  const order =
    topP < 1 ? Uint32Array.from(weights.keys()).sort((a, b) => weights[b]! - weights[a]! || a - b) : undefined;
  let kept = total;
  if (order) {
    kept = 0;
    for (const id of order) {
      kept += weights[id]!;
      if (kept >= topP * total) break;
    }
  }
  let rest = random * kept;
  for (let i = 0; i < weights.length; i++) {
    const id = order ? order[i]! : i;
    rest -= weights[id]!;
    if (rest < 0) return id;
  }
  return best;
}
