/** The framings of data files: each record a document, or a dialogue in the model's chat template. */
import { geneAsData } from "../data/gene-as-data.ts";
import type { DataRecord } from "../data/forms.ts";
import type { EncodedSequence } from "../../eval/bits-per-byte.ts";
import { createRecordRenderer } from "../data/render-record.ts";
import { parseDialogue } from "../../genome/manifest.ts";
import type { RenderedRecord } from "../data/render-dialogue.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type { Framed, FramedGene, FramedStretch, Framing, FramingContext } from "./framing.ts";

export const records: Framing = {
  summary: "its records: texts, prompts with their completions, dialogues in the model's chat template; else the text",
  asks: true,
  frame: (of, context) => framedRecords(of, context, false),
  measure: (of, tokenizer) => measuredRecords(of, tokenizer, false),
};

export const dialogue: Framing = {
  summary: "its records as dialogues in the model's chat template, prompts and answers too; else the text",
  asks: true,
  frame: (of, context) => framedRecords(of, context, true),
  measure: (of, tokenizer) => measuredRecords(of, tokenizer, true),
};

function* framedRecords(of: FramedGene, { tokenizer }: FramingContext, asDialogue: boolean): Generator<Framed> {
  const rendered = renderedRecords(of, tokenizer, asDialogue);
  if (rendered === undefined) yield [{ part: "text", text: of.text }];
  else for (const [record, ids] of rendered) yield stretchesOf(record, ids);
}

function measuredRecords(
  of: Omit<FramedGene, "copy">,
  tokenizer: Tokenizer,
  asDialogue: boolean,
): EncodedSequence[] | undefined {
  const rendered = renderedRecords(of, tokenizer, asDialogue);
  return rendered && Array.from(rendered, ([, { ids, trained, bytes }]) => ({ ids, scored: trained, bytes }));
}

/** The records as they are read; undefined where the text is no data. */
function renderedRecords(
  of: Omit<FramedGene, "copy">,
  tokenizer: Tokenizer,
  asDialogue: boolean,
): Iterable<readonly [DataRecord, RenderedRecord]> | undefined {
  const records = recordsOf(of, asDialogue);
  if (records === undefined) return undefined;
  const render = createRecordRenderer(tokenizer);
  return records.map(({ record, place }) => [record, render(record, place)] as const);
}

interface PlacedRecord {
  readonly record: DataRecord;
  /** File and line, for messages. */
  readonly place: string;
}

/** Undefined where the text is no data. The genome has already written tables of dialogue as conversations. */
function recordsOf(
  { gene, text }: Omit<FramedGene, "copy">,
  asDialogue: boolean,
): IteratorObject<PlacedRecord> | undefined {
  const name = `${gene.repository}/${gene.path}`;
  if (gene.transforms.includes("dialogue@1")) {
    return parseDialogue(text)
      .values()
      .map((messages, i) => ({ record: { kind: "dialogue", messages }, place: `${name}, conversation ${i + 1}` }));
  }
  const data = geneAsData(text, gene.language, { name, asDialogue });
  if (!data.isData) return undefined;
  return data.records.values().map(({ line, record }) => ({ record, place: `${name}, line ${line}` }));
}

/** A record as stretches: neighbouring ids of one part together. */
export function stretchesOf(record: DataRecord, { ids, trained }: RenderedRecord): Framed {
  if (record.kind === "text") return [{ part: "text", ids }];
  const stretches: FramedStretch[] = [];
  for (let from = 0; from < ids.length;) {
    let to = from + 1;
    while (to < ids.length && trained[to] === trained[from]) to++;
    stretches.push({ part: trained[from] === true ? "answer" : "prompt", ids: ids.slice(from, to) });
    from = to;
  }
  return stretches;
}
