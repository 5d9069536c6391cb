/** The files of a genome folder as types with their schemas: one gene per text file, the lock, the manifest. */
import { z } from "zod";
import { kinds } from "./content/classify.ts";

export const schemaName = "symbiotic-chrysalis/genome";
export const schemaVersion = 2;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** The id of an object: 40 hexadecimal digits, or 64 in a SHA-256 repository. */
export const objectId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const count = z.number().int().nonnegative();
const isoDate = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

/** From the narrowest class to the widest. */
export const duplicateKinds = ["exact", "near", "template"] as const;
export type DuplicateKind = (typeof duplicateKinds)[number];

export const geneSchema = z
  .object({
    /** The repository's name in genome.txt. */
    repository: z.string(),
    /** Null in an imported genome. */
    commit: objectId.nullable(),
    /** Path in the repository; with the flag "path-escaped" in the escaped form of genome.txt, since it is not UTF-8. */
    path: z.string(),
    blob: objectId,
    /** SHA-256 and size in bytes of the raw blob. */
    sha256,
    bytes: count,
    /** SHA-256, byte offset and size in bytes of the content as it stands in genome.txt, escapes included. */
    textSha256: sha256,
    textOffset: count,
    textBytes: count,
    /** How the text differs from the blob, with the version of each rule. */
    transforms: z.array(z.string()),
    kind: z.enum(kinds),
    language: z.string().nullable(),
    /** SPDX id or expression of the file itself, or "unknown". */
    licence: z.string(),
    /** The same of its repository. */
    repositoryLicence: z.string(),
    /** Tokens of the text; null where no tokenizer was given. */
    tokens: count.nullable(),
    /** Commit dates (UTC) of the first and the last change, and how many there were; null without full history. */
    firstCommit: isoDate.nullable(),
    lastCommit: isoDate.nullable(),
    changes: count.nullable(),
    quality: z
      .object({
        /** Mean characters of the lines that are not empty. */
        lineLength: z.number().nonnegative(),
        /** Share of letters among the characters that are not white space, 0 to 1. */
        alphabetic: z.number().min(0).max(1),
        /** Share of characters in lines of 20 characters and more that stood in the text before, 0 to 1. */
        repetition: z.number().min(0).max(1),
      })
      .readonly(),
    /** How many pieces were masked, by kind. */
    masked: z.record(z.string(), count),
    flags: z.array(z.string()),
    duplicateClass: z.string().nullable(),
    duplicateKind: z.enum(duplicateKinds).nullable(),
    /** True for the gene that stands for its class, and for a gene without one. */
    representative: z.boolean(),
  })
  .readonly();
/** One text file of the genome, with where it comes from and what it is. */
export type Gene = z.infer<typeof geneSchema>;

export const lockSchema = z
  .object({
    schemaVersion: z.literal(schemaVersion),
    repositories: z.array(
      z
        .object({
          name: z.string(),
          /** Without credentials; null for a repository that was given as a local path, and in an imported genome. */
          url: z.string().nullable(),
          /** The branch, tag or commit that was asked for; null for the remote's HEAD. */
          ref: z.string().nullable(),
          /** Null in an imported genome. */
          commit: objectId.nullable(),
          tree: objectId.nullable(),
          /** Whether its history is cut off, so that genes have no dates. */
          shallow: z.boolean(),
          /** SPDX id or expression, or "unknown". */
          licence: z.string(),
        })
        .readonly(),
    ),
  })
  .readonly();
export type GenomeLock = z.infer<typeof lockSchema>;
export type LockedRepository = GenomeLock["repositories"][number];

export const manifestSchema = z
  .object({
    schema: z.literal(schemaName),
    schemaVersion: z.literal(schemaVersion),
    tool: z.object({ name: z.string(), version: z.string() }),
    format: z.literal("safe"),
    /** Whether it was read from a genome text rather than built from repositories. */
    imported: z.boolean(),
    /** The versions of the rules that made the texts and the annotations. */
    rules: z.array(z.string()),
    /** What was asked for; with the lock it decides every byte. */
    options: z
      .object({
        fileBytes: count,
        repositoryBytes: count,
        extensions: z.enum(["any", "ecosystem"]),
        licences: z.string(),
        mask: z.boolean(),
        history: z.boolean(),
        /** SHA-256 of the tokenizer that counted; null where none was given. */
        tokenizer: sha256.nullable(),
      })
      .readonly(),
    /** SHA-256 of the other files that reproduce, by name. */
    files: z
      .object({ "genome.lock.json": sha256, "genes.jsonl": sha256, "genome.txt": sha256 })
      .catchall(sha256)
      .readonly(),
    genomeBytes: count,
    counts: z
      .object({
        repositories: count,
        genes: count,
        /** Bytes of the raw blobs. */
        bytes: count,
        kinds: z.record(z.string(), count),
        /** Files that are in the repositories but not in the genome, by reason. */
        skipped: z.record(z.string(), count),
        /** Pieces masked, by kind. */
        masked: z.record(z.string(), count),
        /** Bytes of the texts that are not their class's representative, by class kind. */
        duplicateBytes: z.object({ exact: count, near: count, template: count }),
        /** What history.jsonl holds and leaves out; null where it was not asked for. */
        history: z
          .object({
            rows: count,
            bytes: count,
            skipped: z.record(z.string(), count),
            masked: z.record(z.string(), count),
            /** Repositories whose rows are none or too few, since their history is cut off or damaged. */
            incomplete: z.array(z.object({ repository: z.string(), state: z.enum(["shallow", "damaged"]) })).readonly(),
          })
          .nullable(),
      })
      .readonly(),
    /** Blobs that could not be had and were left out, which only `--allow-damaged` accepts. */
    damaged: z.array(
      z
        .object({
          repository: z.string(),
          path: z.string(),
          blob: objectId,
          damage: z.enum(["absent", "unreadable", "different content"]),
        })
        .readonly(),
    ),
  })
  .readonly();
export type GenomeManifest = z.infer<typeof manifestSchema>;
