/** Whether an earlier genome in the same folder may stand, or what of it need not be found out again. */
import { join } from "node:path";
import { canonicalJson, readJson } from "../formats/files.ts";
import { checkSums } from "./audit/sums.ts";
import { lockSchema, manifestSchema } from "./gene.ts";
import type { GenomeManifest, LockedRepository } from "./gene.ts";
import type { NamedRepository } from "./read-repository.ts";

/** What decides the bytes of a genome beside its repositories. */
export interface Asked {
  readonly tool: GenomeManifest["tool"];
  readonly rules: readonly string[];
  readonly options: GenomeManifest["options"];
}

/** A whole genome that an earlier build left in a folder. */
export interface EarlierGenome {
  readonly manifest: GenomeManifest;
  readonly repositories: readonly LockedRepository[];
}

/** The genome in `dir` with every file as its hashes say; undefined where there is none that this version built. */
export async function earlierGenome(dir: string): Promise<EarlierGenome | undefined> {
  const manifest = manifestSchema.safeParse(await readJson(join(dir, "manifest.json")).catch(() => undefined)).data;
  if (manifest === undefined || manifest.imported) return undefined;
  const lock = lockSchema.safeParse(await readJson(join(dir, "genome.lock.json")).catch(() => undefined)).data;
  const sums = await checkSums(dir).catch(() => undefined);
  if (lock === undefined || sums === undefined || sums.failed.length > 0 || sums.unlisted.length > 0) return undefined;
  return { manifest, repositories: lock.repositories };
}

/** Whether its texts and annotations are those that the same blobs would get now. */
export function sameReading({ manifest }: EarlierGenome, { rules, options }: Asked): boolean {
  const { extensions, mask, tokenizer } = manifest.options;
  const before = { rules: manifest.rules, extensions, mask, tokenizer };
  const now = { rules, extensions: options.extensions, mask: options.mask, tokenizer: options.tokenizer };
  return canonicalJson(before) === canonicalJson(now);
}

/** Whether it is what a build would write now: by the same program, of the same commits, for the same request. */
export function stands(earlier: EarlierGenome, named: readonly NamedRepository[], asked: Asked): boolean {
  const { tool, rules, options, damaged } = earlier.manifest;
  if (damaged.length > 0) return false;
  const before = {
    asked: { tool, rules, options },
    repositories: earlier.repositories.map(pinOf),
  };
  const now = {
    asked,
    repositories: named.map(({ snapshot, ...repository }) => pinOf({ ...repository, ...snapshot })),
  };
  return canonicalJson(before) === canonicalJson(now);
}

/** What of a repository decides what is read of it. */
function pinOf(repository: Omit<LockedRepository, "licence">): Omit<LockedRepository, "licence"> {
  const { name, url, ref, commit, tree, shallow } = repository;
  return { name, url, ref, commit, tree, shallow };
}
