/** The files of a genome folder as types with their schemas: one gene per text file, the lock, the manifest. */
import { z } from "zod";
import { kinds } from "./content/classify.ts";

export const schemaName = "symbiotic-chrysalis/genome";
export const schemaVersion = 1;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const objectId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const count = z.number().int().nonnegative();

export const geneSchema = z
  .object({
    /** The repository's name in genome.txt. */
    repository: z.string(),
    commit: objectId,
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
    duplicateClass: z.string().nullable(),
    duplicateKind: z.literal("exact").nullable(),
    /** True for the first gene of its class, and for a gene without one. */
    representative: z.boolean(),
    flags: z.array(z.string()),
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
          /** Without credentials; null for a repository that was given as a local path. */
          url: z.string().nullable(),
          commit: objectId,
          tree: objectId,
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
    /** SHA-256 of each other file of the folder. */
    files: z.object({ "genome.lock.json": sha256, "genes.jsonl": sha256, "genome.txt": sha256 }),
    genomeBytes: count,
    limits: z.object({ fileBytes: count }),
    counts: z.object({
      repositories: count,
      genes: count,
      /** Bytes of the raw blobs. */
      bytes: count,
      kinds: z.record(z.string(), count),
      /** Files that are in the repositories but not in the genome, by reason. */
      skipped: z.record(z.string(), count),
      /** Bytes of the genes that are not their class's representative, by class kind. */
      duplicateBytes: z.object({ exact: count }),
    }),
  })
  .readonly();
export type GenomeManifest = z.infer<typeof manifestSchema>;
