/** What a probe found, for people. */

import type { ProbeRecord } from "../blueprint/plan.ts";
import { formatCount, formatFigure, oneLine } from "./format.ts";

/** Repositories that are shown: those the parent knows least of. */
const MOST = 5;

export function probeRows(probe: ProbeRecord): string[] {
  const { bitsPerByte, bitsPerByteAfter, deflatedBits, byteEntropy, bytesPerToken, tokensPerSecond, steps } = probe;
  const after = bitsPerByteAfter === null ? "" : `, ${formatFigure(bitsPerByteAfter)} after ${steps} steps`;
  const known = probe.perRepository.toSorted((a, b) => b.bitsPerByte - a.bitsPerByte);
  return [
    `probe: the parent reads a sample at ${formatFigure(bitsPerByte)} bits per byte${after} (DEFLATE ${formatFigure(deflatedBits)}, ` +
      `byte frequencies ${formatFigure(byteEntropy)}); ${bytesPerToken.toFixed(2)} bytes per token; ` +
      `${formatCount(tokensPerSecond)} tokens/s of training`,
    ...(known.length < 2
      ? []
      : [
          `  least known: ${known
            .slice(0, MOST)
            .map(({ repository, bitsPerByte: of }) => `${oneLine(repository, 60)} ${formatFigure(of)}`)
            .join(", ")}`,
        ]),
  ];
}
