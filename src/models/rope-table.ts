/** Cosine and sine tables of rotary positions, with the scaling a config asks for. */

import type { ModelConfig } from "./config.ts";

/**
 * Angle per position of each pair of dimensions, [D / 2]: theta^(-2i/D), for Llama 3 with low frequencies divided by a
 * factor and the band between interpolated (as `transformers` computes `rope_type: llama3`).
 */
export function inverseFrequencies(config: ModelConfig): Float64Array {
  const { theta, scaling } = config.rope;
  return Float64Array.from({ length: config.headSize / 2 }, (_, i) => {
    const frequency = theta ** ((-2 * i) / config.headSize);
    if (!scaling) return frequency;
    const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions } = scaling;
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > originalMaxPositions / lowFrequencyFactor) return frequency / factor;
    if (wavelength < originalMaxPositions / highFrequencyFactor) return frequency;
    const smooth =
      (originalMaxPositions / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** Tables [positions, D / 2] for positions 0 to `positions` - 1. */
export function ropeTable(config: ModelConfig, positions: number): { cosine: Float32Array; sine: Float32Array } {
  const frequencies = inverseFrequencies(config);
  const half = frequencies.length;
  const cosine = new Float32Array(positions * half);
  const sine = new Float32Array(positions * half);
  for (let position = 0; position < positions; position++) {
    for (let i = 0; i < half; i++) {
      cosine[position * half + i] = Math.cos(position * frequencies[i]!);
      sine[position * half + i] = Math.sin(position * frequencies[i]!);
    }
  }
  return { cosine, sine };
}
