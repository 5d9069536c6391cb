/** Own data beside repositories: the records of a file or folder as a stream, each held to the form of its file. */

import { UserError } from "../../errors.ts";
import { dataFiles, readValues } from "./data-files.ts";
import { SAMPLED_RECORDS, decideForm, fitRecord } from "./decide-form.ts";
import type { Located, Place } from "./decide-form.ts";
import type { DataRecord, Form, ReadOptions } from "./forms.ts";

export interface DataOptions extends ReadOptions {
  /** The form of all files; default: of each file what its first 100 records have. */
  readonly form?: Form;
}

export interface DataItem {
  /** The file's path, as it was named or found below the folder that was. */
  readonly source: string;
  /** Where the record begins: a line from 1, of Parquet a row from 1. */
  readonly line: number;
  readonly record: DataRecord;
}

/**
 * Streams the records of a data file, or of all data files below a folder in the order of their paths.
 *
 * The form of a file is decided on its first 100 records, which must all have it, or given; every later record must fit.
 * Memory: 100 records, and of Parquet one row group.
 *
 * @throws UserError "not-found", "empty" (a folder without data files), "damaged", "unsupported", and naming
 *   file and line "invalid" (a record of no known form, or that does not fit) or "mismatch" (two forms in a file)
 * @example for await (const { record } of readData("chats.jsonl")) if (record.kind === "dialogue") use(record.messages);
 */
export async function* readData(path: string, options: DataOptions = {}): AsyncGenerator<DataItem, void, void> {
  for (const source of await dataFiles(path)) {
    const place = placeOf(source);
    let sample: Located[] = [];
    let form = options.form;
    for await (const located of readValues(source)) {
      if (form !== undefined) {
        yield { source, line: located.line, record: fitRecord(form, located, place, options) };
        continue;
      }
      sample.push(located);
      if (sample.length < SAMPLED_RECORDS) continue;
      form = decideForm(sample, place);
      yield* fitted(form, sample, place, options);
      sample = [];
    }
    if (sample.length > 0) yield* fitted(decideForm(sample, place), sample, place, options);
  }
}

export interface DataDescription {
  readonly path: string;
  readonly form: Form;
  /** Records that were read to decide the form: 100, or all of a shorter file. */
  readonly sampled: number;
  /** The first record. */
  readonly example: DataRecord;
}

/**
 * What the data files of a path are, by their first 100 records.
 *
 * @throws UserError as `readData`, for what the first records show; "empty" for a file without records
 */
export async function describeData(path: string, options: DataOptions = {}): Promise<DataDescription[]> {
  const descriptions: DataDescription[] = [];
  for (const source of await dataFiles(path)) {
    const place = placeOf(source);
    const sample: Located[] = [];
    for await (const located of readValues(source)) if (sample.push(located) === SAMPLED_RECORDS) break;
    if (sample.length === 0) {
      throw new UserError("empty", `${source} holds no records`, { hint: "remove it, or give a file with records" });
    }
    const form = options.form ?? decideForm(sample, place);
    const [example] = [...fitted(form, sample, place, options)];
    descriptions.push({ path: source, form, sampled: sample.length, example: example!.record });
  }
  return descriptions;
}

function* fitted(form: Form, sample: readonly Located[], place: Place, options: ReadOptions): Generator<DataItem> {
  for (const located of sample) {
    yield { source: place.source, line: located.line, record: fitRecord(form, located, place, options) };
  }
}

function placeOf(source: string): Place {
  return { source, unit: /\.parquet$/i.test(source) ? "row" : "line" };
}
