/** A question with its answer as the record that is trained, and scored: the same form for both. */
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import { invariant } from "../../errors.ts";
import { readRecord } from "../data/forms.ts";
import type { DataRecord } from "../data/forms.ts";
import type { Pair } from "./judge-pair.ts";

/** A dialogue where there is a chat template, else the question on a line and the answer below. */
export function pairRecord({ question, answer }: Pair, { chatTemplate }: Pick<Tokenizer, "chatTemplate">): DataRecord {
  const record = readRecord("question-answer", { question, answer }, { asDialogue: chatTemplate !== undefined });
  invariant(record.kind !== "misfit", "a pair is a record");
  return record;
}
