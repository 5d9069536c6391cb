/** Code of a repository read file after file: put in the order of imports, and joined where it stands in that order. */
import type { Genome } from "../genome/manifest.ts";
import { inImportOrder, knowsImports } from "./imports.ts";
import type { ExpressedGene } from "./select.ts";

/** Framings that leave a file one text. */
const whole: ReadonlySet<string> = new Set(["text", "document"]);

function isJoinable({ gene: { language }, dose: { framing } }: ExpressedGene): boolean {
  return knowsImports(language) && whole.has(framing);
}

/** The same genes, of each repository the code whose imports are understood first, in their order; the rest as it was. */
export async function codeInImportOrder(
  genome: Pick<Genome, "text">,
  expressed: readonly ExpressedGene[],
): Promise<ExpressedGene[]> {
  const ordered: ExpressedGene[] = [];
  for (const own of Map.groupBy(expressed, ({ gene }) => gene.repository).values()) {
    const files = [];
    for (const of of own.filter(isJoinable)) {
      const { path, language } = of.gene;
      files.push({ path, language, text: await genome.text(of.gene), of });
    }
    ordered.push(...inImportOrder(files).map(({ of }) => of), ...own.filter((of) => !isJoinable(of)));
  }
  return ordered;
}

/**
 * Which documents go on where the one before them ends, as `TokenCorpus.joined` has it: code after other code of its
 * repository, never a copy after its own text.
 *
 * @param genes of each document
 */
export function joinedDocuments(genes: readonly ExpressedGene[]): Uint8Array {
  return Uint8Array.from(genes, (of, i) => {
    const before = genes[i - 1];
    if (before === undefined || before.gene === of.gene || before.gene.repository !== of.gene.repository) return 0;
    return isJoinable(before) && isJoinable(of) ? 1 : 0;
  });
}
