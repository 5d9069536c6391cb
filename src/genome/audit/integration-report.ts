/** `integration_report.json`: what went into a genome, with the ecosystem's keys, and where its objects lie here. */
import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { atomicStream } from "../../formats/files.ts";
import { fileEnd, fileHeader, repositoryEnd, repositoryHeader } from "../genome-text.ts";
import { openInside, piecesOf, readInside } from "./folder.ts";
import { rawPath, readGenes } from "./genes-file.ts";

const reportName = "integration_report.json";
const limitBytes = 512 << 20;
/** A repository can have hundreds of thousands of files. */
const pathsAtOnce = 1000;

export interface IntegratedRepository {
  readonly name: string;
  readonly url: string | null;
  readonly commit: string | null;
  /** Absolute path of the git directory that holds its objects on this machine; null where there is none. */
  readonly location: string | null;
}

/**
 * Writes the report into a folder that holds `genes.jsonl` and `genome.txt` already. `hash_sha256` of a repository is
 * that of its part of genome.txt, from `<|repo_start|>` to the empty line behind `<|repo_end|>`.
 *
 * @param repositories in the order of genome.txt
 */
export async function writeIntegrationReport(
  folder: string,
  repositories: readonly IntegratedRepository[],
  date: Date,
): Promise<void> {
  const text = await openInside(folder, "genome.txt");
  try {
    await atomicStream(join(folder, reportName), (report) =>
      writeReport(report, text.handle, folder, repositories, date),
    );
  } finally {
    await text.handle.close();
  }
}

async function writeReport(
  report: FileHandle,
  text: FileHandle,
  folder: string,
  repositories: readonly IntegratedRepository[],
  date: Date,
): Promise<void> {
  // The ecosystem's form of a time, in UTC.
  const timestamp = date.toISOString().slice(0, 19).replace("T", " ");
  const head = { integration_timestamp: timestamp, total_repositories: repositories.length };
  await report.writeFile(`${JSON.stringify(head, null, 2).slice(0, -2)},\n  "repositories": [`);
  const genes = readGenes(folder);
  let gene = await genes.next();
  let [at, files, bytes] = [0, 0, 0];
  for (const [i, { name, url, commit, location }] of repositories.entries()) {
    let end = at + Buffer.byteLength(repositoryHeader(Buffer.from(name)));
    const paths: string[] = [];
    let size = 0;
    for (; gene.done !== true && gene.value.repository === name; gene = await genes.next()) {
      end += Buffer.byteLength(fileHeader(rawPath(gene.value))) + gene.value.textBytes + fileEnd.length;
      paths.push(gene.value.path);
      size += gene.value.bytes;
    }
    end += repositoryEnd.length;
    const entry = {
      name,
      files_processed: paths.length,
      total_size_bytes: size,
      hash_sha256: await hashOf(text, at, end),
      url,
      commit,
      location,
    };
    await report.writeFile(
      `${i === 0 ? "" : ","}\n${indented(entry, 4).slice(0, -"\n    }".length)},\n      "files": [`,
    );
    for (let from = 0; from < paths.length; from += pathsAtOnce) {
      const lines = paths.slice(from, from + pathsAtOnce).map((path) => `\n        ${JSON.stringify(path)}`);
      await report.writeFile(`${from === 0 ? "" : ","}${lines.join(",")}`);
    }
    await report.writeFile(`${paths.length === 0 ? "" : "\n      "}]\n    }`);
    at = end;
    files += paths.length;
    bytes += size;
  }
  const summary = { total_files_processed: files, total_size_mb: Math.round(bytes / 10_000) / 100 };
  await report.writeFile(`\n  ],\n  "summary": ${indented(summary, 2).trimStart()}\n}\n`);
}

async function hashOf(text: FileHandle, from: number, to: number): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of piecesOf(text, from, to - from)) hash.update(piece);
  return hash.digest("hex");
}

function indented(value: unknown, by: number): string {
  return JSON.stringify(value, null, 2).replace(/^/gm, " ".repeat(by));
}

const locationsSchema = z.object({
  repositories: z.array(z.object({ name: z.string(), location: z.string().nullable() })),
});

/**
 * Where a genome's report says that the objects of its repositories lie, by name. A hint and no more: nothing protects
 * that file, and it may come from another machine. A file that is not there, or is no report, gives no hints.
 */
export async function readLocations(folder: string): Promise<ReadonlyMap<string, string>> {
  let value: unknown;
  try {
    value = JSON.parse((await readInside(folder, reportName, limitBytes)).toString("utf8"));
  } catch (error) {
    if (error instanceof UserError || error instanceof SyntaxError) return new Map();
    throw error;
  }
  const entries = locationsSchema.safeParse(value).data?.repositories ?? [];
  return new Map(entries.flatMap(({ name, location }) => (location === null ? [] : [[name, location] as const])));
}
