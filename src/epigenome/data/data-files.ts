/** Which files of a path hold data, and how their values are read; what the values mean is not known here. */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { readCsv } from "../../formats/csv.ts";
import { asUserError } from "../../formats/files.ts";
import { readJsonArray } from "../../formats/json-array.ts";
import { readJsonLines } from "../../formats/jsonl.ts";
import { readParquet } from "../../formats/parquet.ts";
import { formFields } from "./forms.ts";
import type { Located } from "./decide-form.ts";

const readers: readonly (readonly [RegExp, (path: string) => AsyncIterable<Located>])[] = [
  [/\.(?:jsonl|ndjson)(?:\.gz)?$/i, readJsonLines],
  [/\.json(?:\.gz)?$/i, readJsonArray],
  [/\.[ct]sv(?:\.gz)?$/i, readCsv],
  [/\.parquet$/i, (path) => readParquet(path, formFields)],
];
const extensions = ".jsonl, .ndjson, .json, .csv, .tsv (each also .gz) or .parquet";
/** What the Hugging Face hub and its library lay beside data files. */
const beside = new Set(["dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"]);

/**
 * The data files of a path: itself, or those below the folder by their extensions, sorted by code point. Hidden files and
 * folders are passed over; links to files are followed (the hub's cache is made of them), links to folders are not.
 *
 * @throws UserError "not-found"; "unsupported" for a file of another kind; "empty" for a folder without data files
 */
export async function dataFiles(path: string): Promise<readonly string[]> {
  const status = await statOf(path);
  if (status.isDirectory()) {
    const files = await filesBelow(path);
    if (files.length > 0) return files.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    throw new UserError("empty", `${path} holds no data files`, { hint: `data files are ${extensions}` });
  }
  if (!status.isFile()) {
    throw new UserError("invalid", `${path} is not a regular file`, { hint: "copy its content into a file first" });
  }
  if (isDataFile(path)) return [path];
  throw new UserError("unsupported", `${path} has none of the extensions of data files`, {
    hint: `data files are ${extensions}`,
  });
}

/** The values of a data file in order. */
export function readValues(path: string): AsyncIterable<Located> {
  return readers.find(([pattern]) => pattern.test(path))![1](path);
}

/** Whether a file inside a folder is taken for data, by its path in it. */
export function isDataPath(path: string): boolean {
  const parts = path.split("/");
  return isDataFile(path) && !beside.has(parts.at(-1)!) && !parts.some((part) => part.startsWith("."));
}

function isDataFile(name: string): boolean {
  return readers.some(([pattern]) => pattern.test(name));
}

async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await entriesOf(folder)) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(path)));
    else if (isDataFile(entry.name) && !beside.has(entry.name)) {
      const isFile = entry.isFile() || (entry.isSymbolicLink() && (await statOf(path)).isFile());
      if (isFile) files.push(path);
    }
  }
  return files;
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw asUserError(error, folder);
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    throw asUserError(error, path);
  }
}
