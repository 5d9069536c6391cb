/** What a blueprint may say of the epigenome, each key described for editors and readers. */
import * as z from "zod";
import { framingNames, framingsInWords } from "../epigenome/framings/framings.ts";
import type { TokenClass } from "../epigenome/token-classes.ts";
import { duplicateKinds, kinds } from "../genome/manifest.ts";

const share = z.number().min(0).max(1);
const count = z.int().min(1);
const oneOrMore = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema).min(1)]);
const glob = z.string().min(1);
const date = z.iso.date().or(z.iso.datetime());

const partsSchema = z.strictObject({
  repository: glob.optional().describe("Glob over the repository's name"),
  path: glob.optional().describe("Glob over the path in the repository"),
  kind: oneOrMore(z.enum(kinds)).optional().describe("Kind of the file, or several"),
  language: oneOrMore(z.string().min(1)).optional().describe("Language, or several, as genome show names them"),
  licence: oneOrMore(z.string().min(1))
    .optional()
    .describe("SPDX id of the file, or of its repository where the file says nothing"),
  flag: oneOrMore(z.string().min(1)).optional().describe("Flag of genes.jsonl, such as fixture-over-64KB"),
  duplicate: oneOrMore(z.enum(duplicateKinds)).optional().describe("Kind of its duplicate class"),
  bytes: z
    .strictObject({
      atLeast: z.int().min(0).optional().describe("Bytes of text at least"),
      below: count.optional().describe("Bytes of text below"),
    })
    .optional()
    .describe("Size of the text"),
  changed: z
    .strictObject({
      since: date.optional().describe("Last changed on this day or later"),
      before: date.optional().describe("Last changed before this day"),
    })
    .optional()
    .describe("Date of the last commit that changed it; a file without one does not match"),
});

const factor = (of: string) =>
  z.number().min(0).max(100).optional().describe(`Factor of the loss weight of ${of} (default 1)`);

const emphasisSchema = z
  .strictObject({
    path: factor("paths and URLs"),
    number: factor("numbers"),
    identifier: factor("names that no prose has"),
    prose: factor("all other words"),
  } satisfies Record<TokenClass, z.ZodType>)
  .describe("Factors of the loss weight by class of token (default none: all weigh the same)");

const ruleSchema = z.strictObject({
  name: z.string().min(1).optional().describe("How the rule is called in tables (default: what it matches)"),
  match: z.union([glob, partsSchema]).describe("A glob over repository/path, or parts that must all hold"),
  mark: share.optional().describe("Part of the matching bytes that is expressed, in whole files (default 1)"),
  share: share.optional().describe("At most this part of all trained bytes comes from the matching files (default 1)"),
  repeat: z.number().min(1).max(100).optional().describe("How often a file comes in one pass (default 1)"),
  loss: z.number().positive().max(100).optional().describe("Weight of its tokens in the loss (default 1)"),
  emphasis: emphasisSchema.optional(),
  framing: z.enum(framingNames).optional().describe(`${framingsInWords} (default text)`),
  stage: z.string().min(1).optional().describe("Stage of the recipe that trains on it (default: every stage)"),
});

/** The part `epigenome:` of a blueprint. */
export const epigenomeSchema = z
  .strictObject({
    express: z
      .enum(["default", "all"])
      .optional()
      .describe(
        "default: the rules here come after the default ones; all: the rules here alone; --express goes before it",
      ),
    bytesPerParameter: z
      .number()
      .positive()
      .optional()
      .describe("Bytes of text in one pass for each trained parameter at most (default 1.6)"),
    budgetMultiple: z
      .number()
      .positive()
      .optional()
      .describe("Text of one pass in multiples of what the training is expected to see, at most (default 4)"),
    rules: z
      .array(ruleSchema)
      .optional()
      .describe("In every field the last rule counts that matches a file and speaks of the field"),
  })
  .describe("What of the genome is trained on, how often and with what weight");
