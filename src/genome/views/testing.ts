/** Genes and small genomes for tests of the views. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Gene } from "../gene.ts";
import { writeEcosystemText } from "../text/ecosystem.ts";
import { piecesOf } from "../text/testing.ts";
import type { TestGenome } from "../text/testing.ts";
import { importGenome } from "./import.ts";

/** A gene of a text, with what a test says of it. */
export function gene(repository: string, path: string, text: string, more: Partial<Gene> = {}): Gene {
  const sha256 = createHash("sha256").update(text).digest("hex");
  return {
    repository,
    commit: null,
    path,
    blob: "0".repeat(40),
    sha256,
    bytes: Buffer.byteLength(text),
    textSha256: sha256,
    textOffset: 0,
    textBytes: Buffer.byteLength(text),
    transforms: [],
    kind: "prose",
    language: "markdown",
    licence: "unknown",
    repositoryLicence: "MIT",
    tokens: null,
    firstCommit: null,
    lastCommit: null,
    changes: null,
    quality: { lineLength: 1, alphabetic: 1, repetition: 0 },
    masked: {},
    flags: [],
    duplicateClass: null,
    duplicateKind: null,
    representative: true,
    ...more,
  };
}

/** Writes a genome folder of the given files and returns its path. */
export async function makeGenome(folder: string, genome: TestGenome, name = "genome"): Promise<string> {
  const file = join(folder, `${name}.txt`);
  await writeFile(file, Buffer.concat(await Array.fromAsync(writeEcosystemText(piecesOf(genome)))));
  await importGenome(file, join(folder, name));
  return join(folder, name);
}
