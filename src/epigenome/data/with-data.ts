/** A genome with own data beside its repositories, which later stages read as they read a genome alone. */
import { createHash } from "node:crypto";
import { UserError } from "../../errors.ts";
import type { Gene, Genome, GenomeManifest } from "../../genome/manifest.ts";
import { geneAsData } from "./gene-as-data.ts";
import { isOwnData } from "../rules.ts";
import type { DataFile } from "./own-data.ts";
import { contentsOfRecord } from "./record-line.ts";

/** What later stages read of a genome. */
export interface GenomeTexts extends Omit<Genome, "manifest"> {
  readonly manifest: Pick<GenomeManifest, "genomeBytes">;
}

/** The genome of no repository: own data may be all there is. */
export const noGenome: GenomeTexts = {
  dir: "no genome",
  sha256: createHash("sha256").digest("hex"),
  manifest: { genomeBytes: 0 },
  repositories: [],
  genes: [],
  text: ({ repository, path }) =>
    Promise.reject(new UserError("not-found", `${repository}/${path} is in no genome`, { hint: "give repositories" })),
  // oxlint-disable-next-line require-yield
  async *changes() {
    throw new UserError("not-found", "data files have no history, and there is no repository that has", {
      hint: "give repositories, or another framing than change",
    });
  },
  close: () => Promise.resolve(),
};

/**
 * A genome whose genes are followed by the chunks of data files. The genome itself, its hash and its repositories stay as
 * they are; where data is called as a repository is, its name gets a number.
 */
export function withData(genome: GenomeTexts, files: readonly DataFile[]): GenomeTexts {
  if (files.length === 0) return genome;
  const taken = new Set(genome.repositories.map(({ name }) => name));
  const names = new Map<string, string>();
  const texts = new Map<string, Buffer>();
  const own = files
    .flatMap(({ chunks }) => chunks)
    .map(({ gene, text }): Gene => {
      const { repository } = gene;
      if (!names.has(repository)) names.set(repository, freeName(repository, taken));
      const named = { ...gene, repository: names.get(repository)! };
      taken.add(named.repository);
      texts.set(keyOf(named), text);
      return named;
    });
  return {
    ...genome,
    genes: [...genome.genes, ...own],
    text: async (gene) => (isOwnData(gene) ? texts.get(keyOf(gene))!.toString("utf8") : genome.text(gene)),
  };
}

/**
 * What somebody wrote of a gene's text, for comparing it with other texts: of own data the contents of its records, of
 * anything else the text.
 */
export function contentsOf(gene: Pick<Gene, "repository" | "path" | "flags">, text: string): string {
  if (!isOwnData(gene)) return text;
  const data = geneAsData(text, "jsonl", { name: `${gene.repository}/${gene.path}` });
  return data.isData ? data.records.map(({ record }) => contentsOfRecord(record)).join("\n") : text;
}

/** A name, with a number where it is taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${name}-${n}`;
  return free;
}

function keyOf({ repository, path }: Pick<Gene, "repository" | "path">): string {
  return `${repository}\0${path}`;
}
