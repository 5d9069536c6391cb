/** What an expression holds and what it leaves silent, counted. */
import type { Gene } from "../genome/manifest.ts";
import type { ExpressedGene, Selection } from "./select.ts";

export interface Part {
  readonly files: number;
  /** Of text in one pass, repeats counted. */
  readonly bytes: number;
  readonly tokens: number;
  /** Of all expressed tokens, 0 to 1. */
  readonly share: number;
}

export interface ExpressionSummary {
  readonly expressed: Part & {
    readonly byKind: Readonly<Record<string, Part>>;
    readonly byRepository: Readonly<Record<string, Part>>;
  };
  readonly silent: {
    readonly files: number;
    readonly bytes: number;
    readonly byReason: Readonly<Record<string, { readonly files: number; readonly bytes: number }>>;
  };
}

/** @param tokensOf tokens of a gene's text */
export function summariseExpression(
  { expressed, silent }: Pick<Selection, "expressed" | "silent">,
  tokensOf: (gene: Gene) => number,
): ExpressionSummary {
  const sizes = expressed.map((file) => ({
    file,
    files: 1,
    bytes: file.gene.textBytes * file.copies,
    tokens: tokensOf(file.gene) * file.copies,
  }));
  const total = sizes.reduce((sum, { tokens }) => sum + tokens, 0);
  const part = (of: typeof sizes): Part => {
    const tokens = of.reduce((sum, size) => sum + size.tokens, 0);
    return {
      files: of.length,
      bytes: of.reduce((sum, size) => sum + size.bytes, 0),
      tokens,
      share: total === 0 ? 0 : tokens / total,
    };
  };
  const by = (key: (file: ExpressedGene) => string): Record<string, Part> =>
    Object.fromEntries(
      [...Map.groupBy(sizes, ({ file }) => key(file))]
        .map(([name, of]) => [name, part(of)] as const)
        .sort(([a, one], [b, other]) => other.tokens - one.tokens || (a < b ? -1 : 1)),
    );
  const reasons = [...Map.groupBy(silent, ({ reason }) => reason)].map(([reason, of]) => {
    const bytes = of.reduce((sum, { gene }) => sum + gene.textBytes, 0);
    return [reason, { files: of.length, bytes }] as const;
  });
  return {
    expressed: { ...part(sizes), byKind: by(({ gene }) => gene.kind), byRepository: by(({ gene }) => gene.repository) },
    silent: {
      files: silent.length,
      bytes: silent.reduce((sum, { gene }) => sum + gene.textBytes, 0),
      byReason: Object.fromEntries(reasons.sort(([, a], [, b]) => b.bytes - a.bytes)),
    },
  };
}
