/** The framing that says what a text says a second time: the text, and questions that the parent asked itself about it. */
import { createRecordRenderer } from "../data/render-record.ts";
import { pairRecord } from "../synthetic/pair-record.ts";
import type { Framing } from "./framing.ts";
import { stretchesOf } from "./records.ts";

/**
 * Knowledge is better asked for when questions are trained with the documents (arXiv 2402.12847). The questions are made
 * before training; where they are not, as in a preview, the text is alone.
 */
export const questionAnswer: Framing = {
  summary: "the text, and questions about it with answers, which the parent writes before training",
  needsPairs: true,
  asks: true,
  *frame({ gene, text, copy }, { tokenizer, pairsOf }) {
    yield [{ part: "text", text }];
    if (copy > 0) return;
    const render = createRecordRenderer(tokenizer);
    for (const pair of pairsOf?.(gene) ?? []) {
      const record = pairRecord(pair, tokenizer);
      yield stretchesOf(record, render(record, `a question about ${gene.repository}/${gene.path}`));
    }
  },
};
