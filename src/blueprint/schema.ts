/** What a blueprint may say. Everything but the name, the method and the learning rate has a default (resolve.ts). */
import * as z from "zod";
import { framings } from "../epigenome/framings.ts";
import { kinds } from "../genome/manifest.ts";

const share = z.number().min(0).max(1);
const count = z.int().min(1);

/** The linear modules of a block, by the last part of their names. */
export const LINEAR_MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"] as const;

const oneOrMore = <T extends z.ZodType>(schema: T) => z.union([schema, z.array(schema).min(1)]);
const date = z.iso.date().or(z.iso.datetime());

/** Which files a rule speaks of: a glob over `repository/path`, or parts that must all hold. */
const matchSchema = z.union([
  z.string().min(1),
  z.strictObject({
    repository: z.string().min(1).optional(),
    path: z.string().min(1).optional(),
    kind: oneOrMore(z.enum(kinds)).optional(),
    language: oneOrMore(z.string().min(1)).optional(),
    licence: oneOrMore(z.string().min(1)).optional(),
    flag: oneOrMore(z.string().min(1)).optional(),
    duplicate: oneOrMore(z.enum(["exact", "near", "template"])).optional(),
    bytes: z.strictObject({ atLeast: z.int().min(0).optional(), below: count.optional() }).optional(),
    changed: z.strictObject({ since: date.optional(), before: date.optional() }).optional(),
  }),
]);

const ruleSchema = z.strictObject({
  name: z.string().min(1).optional(),
  match: matchSchema,
  /** Part of the matching bytes that is expressed. */
  mark: share.optional(),
  /** At most this part of all trained bytes. */
  share: share.optional(),
  /** How often a file comes in one pass. */
  repeat: z.number().min(1).max(100).optional(),
  /** Weight of its tokens in the loss. */
  loss: z.number().positive().max(100).optional(),
  framing: z.enum(framings).optional(),
});

const keysSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "must be lower-case letters, digits and hyphens"),
  description: z.string().min(1),
  /** Which bodies the recipe is for; without it, all. */
  applies: z
    .strictObject({ parameters: z.strictObject({ atLeast: count.optional(), below: count.optional() }) })
    .optional(),
  /** `full` trains all weights, `lora` an adapter around them. */
  method: z.enum(["full", "lora"]),
  lora: z
    .strictObject({
      rank: count.optional(),
      alpha: z.number().positive().optional(),
      targets: z.array(z.enum(LINEAR_MODULES)).min(1).optional(),
      rslora: z.boolean().optional(),
    })
    .optional(),
  optimizer: z.strictObject({
    name: z.enum(["adamw", "muon"]).optional(),
    /** Of the stable phase. */
    learningRate: z.number().positive().max(1),
    betas: z.tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)]).optional(),
    epsilon: z.number().positive().optional(),
    weightDecay: z.number().min(0).optional(),
    /** Largest global gradient norm. */
    clip: z.number().positive().optional(),
  }),
  /** Parts of the steps in which the learning rate rises and falls. */
  schedule: z.strictObject({ warmup: share.optional(), decay: share.optional() }).optional(),
  /** Tokens of an optimiser step, and of a sequence. */
  batch: z.strictObject({ tokens: count.optional(), sequence: z.int().min(8).optional() }).optional(),
  /** Part of the trained tokens that comes from the replay text. */
  replay: z.number().min(0).max(0.9).optional(),
  /** What of the genome is expressed. */
  epigenome: z
    .strictObject({
      /** `default`: after the rules that silence what small bodies do not get; `all`: by the rules here alone. */
      express: z.enum(["default", "all"]).optional(),
      /** Bytes of text in one pass per trained parameter, at most. */
      bytesPerParameter: z.number().positive().optional(),
      /** In every field the last rule that matches a file and speaks of the field counts. */
      rules: z.array(ruleSchema).optional(),
    })
    .optional(),
  heldOut: z
    .strictObject({
      /** Glob over `repository/path`: of what is trained on, only such files are held out. */
      match: z.string().min(1).optional(),
      share: z.number().gt(0).max(0.5).optional(),
      minFiles: count.optional(),
      maxBytes: count.optional(),
    })
    .optional(),
  evaluation: z
    .strictObject({
      /** Positions of a scoring window. */
      window: z.int().min(8).optional(),
      /** Evaluations after the one at the start. */
      times: count.optional(),
      /** At most this part of the training time goes into them. */
      share: z.number().gt(0).max(0.5).optional(),
    })
    .optional(),
  checkpoint: z
    .strictObject({ seconds: z.number().positive().optional(), steps: count.optional() })
    .refine((of) => (of.seconds === undefined) !== (of.steps === undefined), "needs either seconds or steps")
    .optional(),
  budget: z
    .strictObject({ minutes: z.number().positive().optional(), steps: count.optional() })
    .refine((of) => (of.minutes === undefined) !== (of.steps === undefined), "needs either minutes or steps")
    .optional(),
  epochs: z.strictObject({ max: z.number().positive() }).optional(),
  seed: z.int().min(0).optional(),
});

/** With what would contradict itself, though each value alone is right. */
export const blueprintSchema = keysSchema
  .refine((of) => of.method === "lora" || of.lora === undefined, { path: ["lora"], message: "needs method: lora" })
  .refine((of) => (of.applies?.parameters.atLeast ?? 0) < (of.applies?.parameters.below ?? Infinity), {
    path: ["applies", "parameters"],
    message: "atLeast must be less than below",
  });

/** A blueprint as written. */
export type Blueprint = z.infer<typeof blueprintSchema>;
