/** The framings of data files: each record a document, or a dialogue in the model's chat template. */
import { geneAsData } from "../data/gene-as-data.ts";
import type { DataRecord } from "../data/forms.ts";
import { createRecordRenderer } from "../data/render-record.ts";
import { parseDialogue } from "../../genome/manifest.ts";
import type { RenderedRecord } from "../data/render-dialogue.ts";
import type { Framed, FramedGene, FramedStretch, Framing, FramingContext } from "./framing.ts";

export const records: Framing = {
  summary: "its records: texts, prompts with their completions, dialogues in the model's chat template; else the text",
  asks: true,
  frame: (of, context) => framedRecords(of, context, false),
};

export const dialogue: Framing = {
  summary: "its records as dialogues in the model's chat template, prompts and answers too; else the text",
  asks: true,
  frame: (of, context) => framedRecords(of, context, true),
};

function* framedRecords(of: FramedGene, { tokenizer }: FramingContext, asDialogue: boolean): Generator<Framed> {
  const records = recordsOf(of, asDialogue);
  if (records === undefined) {
    yield [{ part: "text", text: of.text }];
    return;
  }
  const render = createRecordRenderer(tokenizer);
  for (const record of records) yield stretchesOf(record, render(record));
}

/** Undefined where the text is no data. The genome has already written tables of dialogue as conversations. */
function recordsOf({ gene, text }: FramedGene, asDialogue: boolean): readonly DataRecord[] | undefined {
  if (gene.transforms.includes("dialogue@1")) {
    return parseDialogue(text).map((messages) => ({ kind: "dialogue", messages }));
  }
  const data = geneAsData(text, gene.language, { name: `${gene.repository}/${gene.path}`, asDialogue });
  return data.isData ? data.records.map(({ record }) => record) : undefined;
}

/** Neighbouring ids of one part together. */
function stretchesOf(record: DataRecord, { ids, trained }: RenderedRecord): Framed {
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
