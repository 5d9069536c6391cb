/** The files of a nest through which the stages of a run meet, as types. */

import { existsSync } from "node:fs";
import type { HeldOutRecord } from "../../epigenome/heldout-records.ts";
import type { Document } from "../../eval/bits-per-byte.ts";
import { readJson } from "../../formats/files.ts";
import { readDocuments, readJsonLines, writeJsonl } from "../../formats/jsonl.ts";
import { openGenome } from "../../genome/manifest.ts";
import type { LockedRepository } from "../../genome/manifest.ts";
import type { Report } from "../../imago/report.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { hasRepositories } from "./nest.ts";
import type { Nest } from "./nest.ts";

/** The folder of the nest's genome; undefined for a run on data alone. */
export function genomeOf({ request, path }: Nest): string | undefined {
  return hasRepositories(request) ? path("genome") : undefined;
}

/** The repositories of the nest's genome, with their commits. */
export async function repositoriesOf(nest: Nest): Promise<readonly LockedRepository[]> {
  const dir = genomeOf(nest);
  if (dir === undefined) return [];
  const genome = await openGenome(dir);
  await genome.close();
  return genome.repositories;
}

/** The report of the nest's imago. */
export async function readReport(nest: Nest): Promise<Report> {
  return (await readJson(nest.path("imago", "report.json"))) as Report;
}

/** The held-out files with their texts. */
export async function readHeldOut(nest: Nest): Promise<HeldOutRecord[]> {
  const records: HeldOutRecord[] = [];
  for await (const { fields } of readDocuments(nest.path("heldout.jsonl")))
    records.push(fields as unknown as HeldOutRecord);
  return records;
}

/** Writes the retention text as measured. */
export async function writeRetention(nest: Nest, documents: readonly Document[]): Promise<void> {
  await writeJsonl(
    nest.path("retention.jsonl"),
    documents.map(({ id, text }) => ({ id, text })),
  );
}

/** The retention text as measured. */
export async function readRetention(nest: Nest): Promise<Document[]> {
  const documents: Document[] = [];
  for await (const { fields, text } of readDocuments(nest.path("retention.jsonl"))) {
    documents.push({ id: String(fields["id"]), text });
  }
  return documents;
}

/** Writes what the parent sampled for its divergence from the child: ids, and the text they stand for. */
export async function writeParentText(
  nest: Nest,
  sequences: readonly Int32Array[],
  { decode }: Pick<Tokenizer, "decode">,
): Promise<void> {
  await writeJsonl(
    nest.path(PARENT_TEXT),
    sequences.map((ids) => ({ ids: [...ids], text: decode([...ids]) })),
  );
}

/** The ids that the parent sampled; undefined where no divergence is watched. */
export async function readParentText(nest: Nest): Promise<Int32Array[] | undefined> {
  if (!existsSync(nest.path(PARENT_TEXT))) return undefined;
  const sequences: Int32Array[] = [];
  for await (const { value } of readJsonLines(nest.path(PARENT_TEXT))) {
    sequences.push(Int32Array.from((value as { ids: number[] }).ids));
  }
  return sequences;
}

export const PARENT_TEXT = "parent-text.jsonl";
