/** What predicates and predictions know of a genome: how much text there is, and of which kinds. */
import type { Gene, Kind } from "../genome/manifest.ts";

export interface GenomeFacts {
  /** Bytes of text, of each duplicate class the representative only; more than what will be expressed. */
  readonly bytes: number;
  /** The same by kind; kinds that do not occur are left out. */
  readonly kinds: Readonly<Partial<Record<Kind, number>>>;
}

/** Sums a genome up. */
export function genomeFacts(genes: readonly Pick<Gene, "kind" | "representative" | "textBytes">[]): GenomeFacts {
  const kinds: Partial<Record<Kind, number>> = {};
  let bytes = 0;
  for (const { kind, representative, textBytes } of genes) {
    if (!representative || textBytes === 0) continue;
    bytes += textBytes;
    kinds[kind] = (kinds[kind] ?? 0) + textBytes;
  }
  return { bytes, kinds };
}

/** Share of a kind in the text, 0 to 1. */
export function shareOfKind({ bytes, kinds }: GenomeFacts, kind: Kind): number {
  return bytes === 0 ? 0 : (kinds[kind] ?? 0) / bytes;
}
