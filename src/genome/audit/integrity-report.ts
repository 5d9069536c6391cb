/** `integrity_report.json`: five levels of checks with the ecosystem's keys and ours. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RepositoryAudit } from "./audit-repositories.ts";
import type { DamageRecord } from "./damage.ts";
import { countStatuses, overallStatus } from "./status.ts";
import type { Status, StatusCounts } from "./status.ts";
import type { SumsResult } from "./sums.ts";

/** What the build found when it read a repository's blobs, each hashed and compared with its id. */
export interface BlobsRead {
  readonly name: string;
  /** Files of the commit's tree: every entry that is a blob, symbolic links among them. */
  readonly files: number;
  /** Files whose blob holds the content of its id. */
  readonly verified: number;
  readonly damaged: readonly DamageRecord[];
  /** SHA-256 of a few blobs by path, for a glance. */
  readonly samples?: Readonly<Record<string, string>>;
}

export interface IntegrityReport {
  readonly audits: readonly RepositoryAudit[];
  /** By name; a repository without one is SKIPPED at level 3, as in a build that left a standing genome as it was. */
  readonly blobs: readonly BlobsRead[];
  /** The genome's own files, as `checkSums` found them. */
  readonly sums: Pick<SumsResult, "ok" | "failed" | "unlisted">;
  readonly date: Date;
  readonly durationSeconds: number;
}

export interface AuditSummary {
  readonly overall: Status;
  /** How many checks ended in each status: four levels of each repository, and the one of the genome's own files. */
  readonly counts: StatusCounts;
  readonly levels: Readonly<Record<`level_${1 | 2 | 3 | 4 | 5}`, StatusCounts>>;
}

/** Writes the report into the genome's folder and sums it up. */
export async function writeIntegrityReport(folder: string, report: IntegrityReport): Promise<AuditSummary> {
  const repositories = report.audits.map(({ name, timestamp, level1, level2, level4 }) => {
    const blobs = report.blobs.find((read) => read.name === name);
    const levels = { level_1: level1, level_2: level2, level_3: hashedBlobs(blobs), level_4: level4 };
    const overall = overallStatus(Object.values(levels).map(({ status }) => status));
    return { repo: name, timestamp, levels, overall_status: overall };
  });
  const level5 = ownFiles(report.sums);
  const of = (level: "level_1" | "level_2" | "level_3" | "level_4"): Status[] =>
    repositories.map(({ levels }) => levels[level].status);
  const all = [...of("level_1"), ...of("level_2"), ...of("level_3"), ...of("level_4"), level5.status];
  const overall = overallStatus(all);
  const endings = countStatuses(repositories.map(({ overall_status }) => overall_status));
  const text = {
    verification_date: report.date.toISOString(),
    duration_seconds: report.durationSeconds,
    levels_checked: [1, 2, 3, 4, 5],
    summary: {
      total: repositories.length,
      passed: endings.PASS,
      failed: endings.FAIL + endings.ERROR,
      skipped: endings.SKIPPED,
      checks: countStatuses(all),
    },
    repositories,
    genome: { level_5: level5 },
    overall_status: overall,
  };
  await writeFile(join(folder, "integrity_report.json"), `${JSON.stringify(text, null, 2)}\n`);
  return {
    overall,
    counts: countStatuses(all),
    levels: {
      level_1: countStatuses(of("level_1")),
      level_2: countStatuses(of("level_2")),
      level_3: countStatuses(of("level_3")),
      level_4: countStatuses(of("level_4")),
      level_5: countStatuses([level5.status]),
    },
  };
}

function hashedBlobs(blobs: BlobsRead | undefined) {
  if (blobs === undefined) return { status: "SKIPPED" as Status, message: "the blobs were not read" };
  const { files, verified, damaged, samples } = blobs;
  const unread = files - verified - damaged.length;
  return {
    ...blobStatus(files, unread, damaged.length),
    total_files_checked: verified + damaged.length,
    total_files_in_repo: files,
    corrupted_files: damaged.map(({ path, blob, damage }) => ({ path, blob, damage })),
    sample_hashes: samples ?? {},
  };
}

function blobStatus(files: number, unread: number, damaged: number): { status: Status; message?: string } {
  if (damaged > 0) return { status: "FAIL" };
  if (unread !== 0) return { status: "ERROR", message: `${unread} files were not hashed` };
  return files === 0 ? { status: "SKIPPED", message: "the commit holds no file" } : { status: "PASS" };
}

function ownFiles({ ok, failed, unlisted }: IntegrityReport["sums"]) {
  const status: Status = failed.length > 0 || unlisted.length > 0 ? "FAIL" : "PASS";
  return { status, files_checked: ok.length + failed.length, failed_files: failed, unlisted_files: unlisted };
}
