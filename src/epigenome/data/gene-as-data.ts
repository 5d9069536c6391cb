/** Data files inside repositories: whether the text of a gene holds records, and which; what is done with them is not decided here. */

import { UserError } from "../../errors.ts";
import { csvRows } from "../../formats/csv.ts";
import { jsonArrayElements } from "../../formats/json-array.ts";
import { parseJson } from "../../formats/jsonl.ts";
import { SAMPLED_RECORDS, decideForm, fitRecord } from "./decide-form.ts";
import type { Located } from "./decide-form.ts";
import type { DataRecord, Form, ReadOptions } from "./forms.ts";

/** Longer texts stay text, in characters: all records of a gene are held at once. */
const MAX_CHARACTERS = 64 << 20;

export type GeneAsData =
  | {
      readonly isData: true;
      readonly form: Form;
      readonly records: readonly { readonly line: number; readonly record: DataRecord }[];
    }
  | {
      readonly isData: false;
      /** Why not, in a sentence without its full stop; names the line where there is one. */
      readonly reason: string;
    };

/**
 * Reads the text of a gene as records. Only a text whose records all have one form is data; anything else stays the text
 * that it is, with the reason, since nobody wrote it for this program.
 *
 * @param language of the gene: jsonl, json, csv or tsv; any other is not data
 * @param options.name what the reason calls the text
 * @param options.form default: what the first 100 records have
 */
export function geneAsData(
  text: string,
  language: string | null,
  options: ReadOptions & { readonly name: string; readonly form?: Form },
): GeneAsData {
  const { name } = options;
  if (text.length > MAX_CHARACTERS)
    return { isData: false, reason: `${name} is longer than ${MAX_CHARACTERS} characters` };
  try {
    const values = valuesOf(text, language, name);
    if (values === undefined) return { isData: false, reason: `${name} is in no language of data files` };
    const place = { source: name, unit: "line" } as const;
    const all = [...values];
    if (all.length === 0) return { isData: false, reason: `${name} holds no records` };
    const form = options.form ?? decideForm(all.slice(0, SAMPLED_RECORDS), place);
    const records = all.map((value) => ({ line: value.line, record: fitRecord(form, value, place, options) }));
    return { isData: true, form, records };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { isData: false, reason: error.message };
  }
}

function valuesOf(text: string, language: string | null, name: string): Iterable<Located> | undefined {
  switch (language) {
    case "jsonl":
      return jsonLines(text, name);
    case "json":
      return jsonArrayElements(text, name);
    case "csv":
    case "tsv":
      return csvRows(text, { tabs: language === "tsv", where: name });
    case null:
    default:
      return undefined;
  }
}

function* jsonLines(text: string, name: string): Generator<Located> {
  for (const [i, line] of text.split("\n").entries()) {
    const value = line.trim();
    if (value !== "") yield { line: i + 1, value: parseJson(value, `${name}, line ${i + 1}`) };
  }
}
