/** Holds the records of one file to one form: the form that all of its first records have, or one that is given. */

import { UserError } from "../../errors.ts";
import { describeUnknown, detectForm, formsInWords, readRecord } from "./forms.ts";
import type { DataRecord, Form, ReadOptions } from "./forms.ts";

/** Records of a file that decide its form. */
export const SAMPLED_RECORDS = 100;

/** A value of a file, with the line (of Parquet the row) that it starts on, from 1. */
export interface Located {
  readonly line: number;
  readonly value: unknown;
}

/** What a file is called in errors, and what its records are counted in. */
export interface Place {
  readonly source: string;
  readonly unit: "line" | "row";
}

/**
 * The form that all of a file's first records have.
 *
 * @param sample not empty
 * @throws UserError naming file and line: "invalid" for a record of no known form, "mismatch" where two differ
 */
export function decideForm(sample: readonly Located[], { source, unit }: Place): Form {
  let form: Form | undefined;
  for (const { line, value } of sample) {
    const found = detectForm(value);
    if (found === undefined) {
      throw new UserError("invalid", `${source}, ${unit} ${line}: ${describeUnknown(value)}`, {
        hint: `the forms are ${formsInWords}`,
      });
    }
    form ??= found;
    if (found !== form) {
      const [first, second] = [`${unit} ${sample[0]!.line}`, `${unit} ${line}`];
      throw new UserError("mismatch", `${source} mixes forms: ${first} is ${form}, ${second} is ${found}`, {
        hint: "write each form into a file of its own, or give the form where all records have its fields",
      });
    }
  }
  return form!;
}

/**
 * A value of a file as a record of the file's form.
 *
 * @throws UserError "invalid" naming file and line where it does not fit
 */
export function fitRecord(form: Form, { line, value }: Located, place: Place, options: ReadOptions): DataRecord {
  const record = readRecord(form, value, options);
  if (record.kind !== "misfit") return record;
  throw new UserError(
    "invalid",
    `${place.source}, ${place.unit} ${line} is not of the form ${form}: ${record.problem}`,
    {
      hint: "mend or remove it, or give another form",
    },
  );
}
