/** Sets aside genes that a run has in another role already: as the text that forgetting is measured on, or as replay. */
import type { Gene } from "../genome/manifest.ts";
import { lineHashes, shareOf } from "./lines.ts";
import { MAX_SHARED_LINES } from "./overlap.ts";
import type { SilentGene } from "./select.ts";

export interface KnownTexts {
  readonly reason: "retention text" | "replay text";
  readonly texts: readonly string[];
}

/**
 * A gene is set aside where more than 20 % of its lines of 20 characters and more occur in the known texts, or more than
 * 20 % of the lines of one of these occur in it. The first reason that holds is given.
 */
export async function withoutKnownTexts(
  genes: readonly Gene[],
  text: (gene: Gene) => Promise<string>,
  known: readonly KnownTexts[],
): Promise<{ genes: Gene[]; silent: SilentGene[] }> {
  const roles = known
    .map(({ reason, texts }) => {
      const documents = texts.map((one) => lineHashes(one, { mask: false })).filter((lines) => lines.length > 0);
      return { reason, documents, all: new Set(documents.flat()) };
    })
    .filter(({ documents }) => documents.length > 0);
  const kept: Gene[] = [];
  const silent: SilentGene[] = [];
  for (const gene of genes) {
    const lines = roles.length === 0 ? [] : lineHashes(await text(gene), { mask: false });
    const own = new Set(lines);
    const role = roles.find(
      ({ documents, all }) =>
        shareOf(lines, (line) => all.has(line)) > MAX_SHARED_LINES ||
        documents.some((document) => shareOf(document, (line) => own.has(line)) > MAX_SHARED_LINES),
    );
    if (role) silent.push({ gene, reason: role.reason });
    else kept.push(gene);
  }
  return { genes: kept, silent };
}
