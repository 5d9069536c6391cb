/** Whether a genome is worth a training run: what speaks against it, from the plan's own figures. It decides nothing else. */
import { UserError } from "../errors.ts";
import type { Gene } from "../genome/manifest.ts";
import type { Plan, ProbeRecord } from "./plan.ts";

/**
 * A genome of one text cannot be measured, whatever the user accepts: nothing would be left to hold out.
 *
 * @throws UserError "unready"
 */
export function refuseCopies(
  genes: readonly Pick<Gene, "repository" | "path" | "duplicateClass" | "textSha256" | "textBytes">[],
): void {
  const files = genes.filter(({ textBytes }) => textBytes > 0);
  const texts = new Set(files.map(({ duplicateClass, textSha256 }) => duplicateClass ?? textSha256));
  if (files.length < 2 || texts.size > 1) return;
  const { repository, path } = files[0]!;
  throw new UserError(
    "unready",
    `all ${files.length} files of the genome are copies or near copies of one (${repository}/${path})`,
    { hint: "give repositories with more than one text: of one there is nothing to hold out and measure" },
  );
}

/**
 * When a text counts as noise: neither a general compressor nor the parent, before and after some steps of training, comes below
 * this part of the entropy of its byte frequencies. A model that has learned how often each byte comes, and nothing else, reaches that
 * entropy (Shannon 1948), whatever the alphabet: 6 bits for base64, 4 for hexadecimal digits. Text has half of it under DEFLATE.
 */
export const NOISE = { part: 0.95, steps: 8 } as const;
/** Below this a compressor's own tables weigh too much to tell. */
const NOISE_BYTES = 4096;

/** What speaks against training as planned, in words; nothing where all is well. */
export function unreadiness({ diet, settings, predicted, probe }: Plan): string[] {
  const trained = diet.stages.reduce((sum, stage) => sum + stage.trained, 0);
  const step = Math.round(predicted.tokensPerStep * (1 - settings.replay.value));
  const reasons: string[] = [];
  if (trained < step) {
    const count = (value: number): string => value.toLocaleString("en");
    reasons.push(
      `the genome is too small: one pass trains ${count(trained)} tokens of it, one optimiser step takes ${count(step)}`,
    );
  }
  if (probe !== null && isNoise(probe)) {
    const figure = (bits: number): string => bits.toFixed(2);
    reasons.push(
      `the genome looks like noise: the parent needs ${figure(probe.bitsPerByte)} bits per byte, ` +
        `${figure(probe.bitsPerByteAfter!)} after ${probe.steps} steps, a compressor ${figure(probe.deflatedBits)}; ` +
        `who knows how often each byte comes, and nothing else, needs ${figure(probe.byteEntropy)}`,
    );
  }
  return reasons;
}

function isNoise({ bitsPerByte, bitsPerByteAfter, byteEntropy, deflatedBits, sampleBytes }: ProbeRecord): boolean {
  if (sampleBytes < NOISE_BYTES || bitsPerByteAfter === null) return false;
  return Math.min(bitsPerByte, bitsPerByteAfter, deflatedBits) >= NOISE.part * byteEntropy;
}

/**
 * Refuses a plan that something speaks against.
 *
 * @param accepted whether the user wants it all the same: then the reasons are warnings
 * @returns warnings
 * @throws UserError "unready"
 */
export function refuseUnready(reasons: readonly string[], accepted: boolean): readonly string[] {
  if (reasons.length === 0 || accepted) return reasons;
  throw new UserError("unready", reasons.join("; "), {
    hint: "give more or other repositories, or --unready to train all the same",
  });
}
