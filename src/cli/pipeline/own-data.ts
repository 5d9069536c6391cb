/** Data files beside repositories, as the verbs take them: `--data` and `--data-form`. */

import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import process from "node:process";
import type { DataInput } from "../../blueprint/plan.ts";
import type { Blueprint } from "../../blueprint/schema.ts";
import { forms, formsInWords } from "../../epigenome/data/forms.ts";
import type { Form } from "../../epigenome/data/forms.ts";
import { isDataPath } from "../../epigenome/data/data-files.ts";
import { MOST_BYTES, readOwnData } from "../../epigenome/data/own-data.ts";
import type { DataFile, DataSource } from "../../epigenome/data/own-data.ts";
import { noGenome, withData } from "../../epigenome/data/with-data.ts";
import type { GenomeTexts } from "../../epigenome/data/with-data.ts";
import { framingOf } from "../../epigenome/framings/framings.ts";
import { dataRule, dosing } from "../../epigenome/rules.ts";
import { fetchDataset, parseHubId } from "../../formats/hub.ts";
import { clean } from "../../genome/clean/clean.ts";
import { openGenome } from "../../genome/manifest.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { Flags } from "../flags.ts";
import { formatCount, formatMany } from "../format.ts";

export const dataFlags = {
  data: {
    kind: "text",
    value: "FILE|DIR|ID",
    repeated: true,
    help: "Data file (.jsonl, .json, .csv, .tsv, also .gz; .parquet), a folder of them, or a data set of the Hugging Face hub (owner/name, also with @revision), that is trained on too, record by record",
  },
  dataForm: {
    kind: "choice",
    choices: forms,
    help: `Form of the records of --data (default: of each file what its first 100 records have): ${formsInWords}`,
  },
} as const satisfies Flags;

export interface OwnData {
  readonly files: readonly DataFile[];
  /** What was given, data sets of the hub at the commit that was read. */
  readonly sources: readonly string[];
  /** What a user must know of how they were read. */
  readonly notes: readonly string[];
}

/** What a user gives as data: a path that is there, made absolute, or the id of a data set on the hub. */
export function dataSource(text: string, cwd: string): string {
  const path = resolve(cwd, text);
  return existsSync(path) || parseHubId(text) === undefined ? path : text;
}

/**
 * Reads data files, masked as a genome's texts are; data sets of the hub are fetched first.
 *
 * @param sources as `dataSource` gives them
 * @throws UserError as `readOwnData` and `fetchDataset`
 */
export async function readDataFiles(
  sources: readonly string[],
  form: Form | undefined,
  onFetching: (done: number, total: number) => void,
): Promise<OwnData> {
  const pinned: string[] = [];
  const notes: string[] = [];
  const places: DataSource[] = [];
  for (const source of sources) {
    const id = isAbsolute(source) ? undefined : parseHubId(source);
    if (id === undefined) {
      pinned.push(source);
      places.push({ path: source });
      continue;
    }
    const { folder, commit, isFromCache } = await fetchDataset(id, {
      wanted: isDataPath,
      mostBytes: MOST_BYTES,
      environment: process.env,
      onProgress: onFetching,
    });
    if (isFromCache)
      notes.push(`the hub was not asked for ${id.name}: what the cache holds of ${commit.slice(0, 12)} was read`);
    pinned.push(`${id.name}@${commit}`);
    places.push({ path: folder, name: id.name.split("/")[1]! });
  }
  return { files: await readOwnData(places, { form, mask: clean }), sources: pinned, notes };
}

/** The genome in a folder with data beside it; without a folder the data alone. The caller's to close. */
export async function openWithData(dir: string | undefined, data: readonly DataFile[]): Promise<GenomeTexts> {
  return withData(dir === undefined ? noGenome : await openGenome(dir), data);
}

/**
 * Refuses what the first records of each file show that cannot be trained on, before anything is built: dialogues where
 * there is no chat template, or of roles that it refuses.
 *
 * @throws UserError "unsupported", "invalid", naming file and line
 */
export function checkRendering(data: readonly DataFile[], { epigenome }: Blueprint, tokenizer: Tokenizer): void {
  const doseOf = dosing([dataRule, ...(epigenome?.rules ?? [])]);
  for (const { chunks } of data) {
    const [first] = chunks;
    if (first === undefined) continue;
    const { gene, text } = first;
    framingOf(doseOf(gene).framing).measure?.({ gene, text: text.toString("utf8") }, tokenizer);
  }
}

/** Data files as a plan names them; undefined where there are none. */
export function dataInputs(data: readonly DataFile[]): readonly DataInput[] | undefined {
  if (data.length === 0) return undefined;
  return data.map(({ name, sha256, form, records }) => ({ name, sha256, form, records }));
}

type DataSummary = Omit<DataFile, "chunks">;

/** Data files as `--json` gives them. */
export function dataSummaries(data: readonly DataFile[]): DataSummary[] {
  return data.map(({ name, sha256, form, records, repeated, untrained, masked }) => {
    return { name, sha256, form, records, repeated, untrained, masked };
  });
}

/** What people read of data files. */
export function dataLines(data: readonly DataSummary[]): string[] {
  return [...data.map((file) => `data ${dataLine(file)}`), ...dataWarnings(data).map((warning) => `Note: ${warning}.`)];
}

/** A data file in a line. */
export function dataLine({ name, form, records }: DataInput): string {
  return `${name}: ${formatMany(records, "record")} of the form ${form}`;
}

/** What is worth a note about data files. */
export function dataWarnings(data: readonly DataSummary[]): string[] {
  return data.flatMap((file) => {
    const left = leftOut(file);
    const masked = Object.entries(file.masked).map(([kind, pieces]) => `${kind}: ${formatCount(pieces)}`);
    return [
      ...(left === "" ? [] : [`of the data ${file.name} ${left}`]),
      ...(masked.length === 0
        ? []
        : [`in the data ${file.name} secrets or personal data were masked (${masked.join(", ")})`]),
    ];
  });
}

function leftOut({ repeated, untrained }: Pick<DataFile, "repeated" | "untrained">): string {
  const parts = [
    ...(repeated === 0
      ? []
      : [`${formatMany(repeated, "record")} left out that repeat${repeated === 1 ? "s" : ""} another`]),
    ...(untrained === 0 ? [] : [`${formatMany(untrained, "record")} left out with nothing to train`]),
  ];
  return parts.join(", ");
}
