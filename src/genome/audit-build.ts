/** The audit of a build: what the stages found, put together into the reports of its genome. */
import { join } from "node:path";
import { z } from "zod";
import { readJson } from "../formats/files.ts";
import type { AcquireOptions } from "./acquire.ts";
import { auditRepositories } from "./audit/audit-repositories.ts";
import type { RepositoryAudit } from "./audit/audit-repositories.ts";
import { writeIntegrationReport } from "./audit/integration-report.ts";
import { writeIntegrityReport } from "./audit/integrity-report.ts";
import type { BlobsRead } from "./audit/integrity-report.ts";
import type { StatusCounts } from "./audit/status.ts";
import { checkSums } from "./audit/sums.ts";
import type { NamedRepository } from "./read-repository.ts";
import { remoteHead } from "./remote.ts";

const clock = (): Date => new Date();

/**
 * Levels 1, 2 and 4: begins at once, so that it runs beside the reading.
 *
 * @param lockedTrees the trees of the lock that the build follows, by repository
 */
export function repositoryAudits(
  named: readonly NamedRepository[],
  lockedTrees: ReadonlyMap<string, string>,
  network: AcquireOptions,
): Promise<RepositoryAudit[]> {
  const repositories = named.map(({ name, url, ref, snapshot, fetched }) => ({
    name,
    url,
    ref,
    snapshot,
    fetched,
    lockedTree: lockedTrees.get(name) ?? null,
  }));
  const audits = auditRepositories(repositories, {
    git: network.git,
    offline: false,
    served: async ({ url, ref }) => remoteHead({ url: url!, ref }, network),
    clock,
  });
  audits.catch(() => {}); // Whoever awaits it sees the failure.
  return audits;
}

/** Writes `integration_report.json` and `integrity_report.json` into a folder whose other files are all there. */
export async function auditGenome(
  folder: string,
  build: {
    readonly named: readonly NamedRepository[];
    readonly audits: readonly RepositoryAudit[];
    readonly blobs: readonly BlobsRead[];
    /** `performance.now()` at its begin. */
    readonly began: number;
  },
): Promise<StatusCounts> {
  const integrated = build.named.map(({ name, url, snapshot: { commit, gitDir } }) => ({
    name,
    url,
    commit,
    location: gitDir,
  }));
  await writeIntegrationReport(folder, integrated, clock());
  const { counts } = await writeIntegrityReport(folder, {
    audits: build.audits,
    blobs: build.blobs,
    sums: await checkSums(folder),
    date: clock(),
    durationSeconds: Math.round(performance.now() - build.began) / 1000,
  });
  return counts;
}

const recordedSchema = z.object({
  summary: z.object({
    checks: z.object({ PASS: z.number(), FAIL: z.number(), ERROR: z.number(), SKIPPED: z.number() }),
  }),
});

/** The counts of the report that an earlier build left; undefined where it is not there. */
export async function recordedAudit(folder: string): Promise<StatusCounts | undefined> {
  const report = recordedSchema.safeParse(await readJson(join(folder, "integrity_report.json")).catch(() => undefined));
  return report.data?.summary.checks;
}
