/** Held-out files as `heldout.jsonl` holds them, and what of them is scored: which files these are is heldout.ts. */
import * as z from "zod";
import type { Document } from "../eval/bits-per-byte.ts";
import type { Gene } from "../genome/manifest.ts";
import type { Tokenizer } from "../tokenizer/tokenizer.ts";
import { framingNames, framingOf, type FramingName } from "./framings/framings.ts";

/** A line of `heldout.jsonl`: with its text, whoever has the file can measure again. */
export interface HeldOutRecord {
  readonly repository: string;
  readonly path: string;
  readonly blob: string;
  readonly kind: string;
  /** Of the text. */
  readonly bytes: number;
  readonly text: string;
  /** What its framing measures it by; without, it is its text alone. */
  readonly framed?: Framed;
}

interface Framed extends Pick<Gene, "language" | "transforms"> {
  readonly framing: FramingName;
}

/**
 * Held-out genes with their texts, as written to and read back from `heldout.jsonl`.
 *
 * @param framingOfGene how a gene would be trained on
 */
export async function heldOutRecords(
  genes: readonly Gene[],
  text: (gene: Gene) => Promise<string>,
  framingOfGene: (gene: Gene) => FramingName,
): Promise<HeldOutRecord[]> {
  const records: HeldOutRecord[] = [];
  for (const gene of genes) {
    const { repository, path, blob, kind, language, transforms } = gene;
    const content = await text(gene);
    const framing = framingOfGene(gene);
    const framed = framingOf(framing).measure === undefined ? {} : { framed: { framing, language, transforms } };
    records.push({ repository, path, blob, kind, bytes: Buffer.byteLength(content), text: content, ...framed });
  }
  return records;
}

/** What is scored: named by repository and path, averaged by repository, read as its framing says. */
export function heldOutDocuments(records: readonly HeldOutRecord[], tokenizer: Tokenizer): Document[] {
  return records.map((record) => {
    const { repository, path, text } = record;
    const sequences = record.framed && framedSequences(record, record.framed, tokenizer);
    return { id: `${repository}/${path}`, text, group: repository, ...(sequences && { sequences }) };
  });
}

function framedSequences(
  { repository, path, blob, text }: Pick<HeldOutRecord, "repository" | "path" | "blob" | "text">,
  { framing, language, transforms }: Framed,
  tokenizer: Tokenizer,
): Document["sequences"] {
  return framingOf(framing).measure?.(
    { gene: { repository, path, blob, language, transforms: [...transforms] }, text },
    tokenizer,
  );
}

const framedLine = z.object({
  repository: z.string(),
  path: z.string(),
  blob: z.string(),
  text: z.string(),
  framed: z.object({
    framing: z.enum(framingNames),
    language: z.string().nullable(),
    transforms: z.array(z.string()),
  }),
});

/** What is scored of a line of `heldout.jsonl` that carries a framing; undefined for any other line. */
export function sequencesOfLine(line: unknown, tokenizer: Tokenizer): Document["sequences"] {
  const { data } = framedLine.safeParse(line);
  return data && framedSequences(data, data.framed, tokenizer);
}
