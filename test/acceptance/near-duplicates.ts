/** Judges the duplicate classes of a built genome by comparing every two of its texts, with strings instead of hashes. */
import { join } from "node:path";
import { openForReading, readExactly, readLimited } from "../../src/formats/files.ts";

/** What this needs of a row of genes.jsonl. */
export interface MarkedText {
  readonly repository: string;
  readonly path: string;
  readonly textSha256: string;
  readonly duplicateClass: string | null;
  readonly duplicateKind: string | null;
}

export interface DuplicateFigures {
  /** Pairs of different texts of at least 5 words whose word 5-grams have a Jaccard similarity of at least 0.8. */
  readonly pairs80: number;
  /** Those of them that are in one class, near or template. */
  readonly found: number;
  readonly recall: number;
  /** The least similarity of two texts of one near class; 1 where there is none. */
  readonly lowestPair: number;
  readonly nearClasses: number;
  /** Texts of under 5 words in a class that is not exact. */
  readonly shortTexts: number;
  /** Template classes in which the chosen logs are. */
  readonly templateClasses: number;
  /** Chosen logs, and those of them in a template class. */
  readonly logs: number;
  readonly logsInTemplates: number;
  /** Genes of other repositories than those allowed in the template classes of the chosen logs. */
  readonly strangers: readonly string[];
}

export interface LogChoice {
  readonly isLog: (gene: MarkedText) => boolean;
  /** Repositories whose genes may share a template with them. */
  readonly repositories: readonly string[];
}

/** The logs of the served corpus that are of a few templates. */
export const gameLogs: LogChoice = {
  isLog: ({ repository, path }) =>
    repository === "ml-visual-engine" && path.startsWith("assets/html-node-interaction/game-logs/"),
  repositories: ["ml-visual-engine", "asi-backups"],
};

/** The figures of a genome folder. Compares about 2,000 texts within a minute, in about 1 GB of memory. */
export async function judgeDuplicates(dir: string, logs: LogChoice = gameLogs): Promise<DuplicateFigures> {
  const rows = Buffer.from(await readLimited(join(dir, "genes.jsonl"), 1 << 30))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as MarkedText & { textOffset: number; textBytes: number });
  const path = join(dir, "genome.txt");
  const { handle } = await openForReading(path);
  try {
    return await judgeMarks(
      rows,
      async ({ textOffset, textBytes }) => {
        const bytes = Buffer.alloc(textBytes);
        await readExactly(handle, bytes, textOffset, path);
        return bytes.toString();
      },
      logs,
    );
  } finally {
    await handle.close();
  }
}

/** The figures of marked texts. */
export async function judgeMarks<G extends MarkedText>(
  genes: readonly G[],
  textOf: (gene: G) => Promise<string>,
  logs: LogChoice,
): Promise<DuplicateFigures> {
  const texts = [...Map.groupBy(genes, (gene) => gene.textSha256).values()].map((equal) => equal[0]!);
  const sets: number[] = [];
  const shortTexts = new Set<string>();
  const near = new Map<string, number[]>();
  const postings = new Map<string, number[]>();
  const similarities = new Map<number, number>();
  let pairs80 = 0;
  let found = 0;
  for (const [i, gene] of texts.entries()) {
    const shingles = wordShingles(await textOf(gene));
    sets.push(shingles.size);
    if (shingles.size === 0) shortTexts.add(gene.textSha256);
    const shared = new Uint32Array(i);
    for (const shingle of shingles) {
      const having = postings.get(shingle);
      if (having === undefined) postings.set(shingle, [i]);
      else {
        for (const j of having) shared[j]!++;
        having.push(i);
      }
    }
    for (let j = 0; j < i; j++) {
      if (shared[j] === 0) continue;
      const similarity = shared[j]! / (sets[i]! + sets[j]! - shared[j]!);
      const isTogether = gene.duplicateClass !== null && gene.duplicateClass === texts[j]!.duplicateClass;
      if (isTogether) similarities.set(i * texts.length + j, similarity);
      if (similarity < 0.8) continue;
      pairs80++;
      if (isTogether) found++;
    }
    if (gene.duplicateKind === "near") {
      near.set(gene.duplicateClass!, [...(near.get(gene.duplicateClass!) ?? []), i]);
    }
  }
  let lowestPair = 1;
  for (const members of near.values()) {
    for (const [k, i] of members.entries()) {
      for (const j of members.slice(0, k)) {
        lowestPair = Math.min(lowestPair, similarities.get(i * texts.length + j) ?? 0);
      }
    }
  }
  const chosen = genes.filter((gene) => logs.isLog(gene));
  const templated = chosen.filter((gene) => gene.duplicateKind === "template");
  const classes = new Set(templated.map((gene) => gene.duplicateClass));
  const strangers = genes.filter(
    (gene) => classes.has(gene.duplicateClass) && !logs.repositories.includes(gene.repository),
  );
  return {
    pairs80,
    found,
    recall: pairs80 === 0 ? 1 : found / pairs80,
    lowestPair,
    nearClasses: near.size,
    shortTexts: genes.filter(
      ({ textSha256, duplicateKind }) =>
        shortTexts.has(textSha256) && duplicateKind !== null && duplicateKind !== "exact",
    ).length,
    templateClasses: classes.size,
    logs: chosen.length,
    logsInTemplates: templated.length,
    strangers: strangers.map(({ repository, path }) => `${repository}/${path}`),
  };
}

function wordShingles(text: string): Set<string> {
  const words = text.split(/\s+/).filter((word) => word !== "");
  return new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(" ")));
}
