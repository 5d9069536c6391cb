/** Verifies a finished genome: its own files, its text against its genes, its genes against their repositories. */
import { join } from "node:path";
import type { z } from "zod";
import { UserError } from "../../errors.ts";
import { lockSchema, manifestSchema } from "../gene.ts";
import type { GenomeLock, GenomeManifest, LockedRepository } from "../gene.ts";
import type { Git } from "../git.ts";
import { checkBlobs } from "./blob-check.ts";
import { Findings } from "./findings.ts";
import { listFolder, readInside } from "./folder.ts";
import { readLocations } from "./integration-report.ts";
import type { Status } from "./status.ts";
import { checkSums, sumsName } from "./sums.ts";
import type { SumsResult } from "./sums.ts";
import { checkTexts } from "./text-check.ts";
import type { TextCounts } from "./text-check.ts";

/** `sums`: SHA256SUMS; `lock`, `manifest`: these files; `texts`: genome.txt against genes.jsonl; `blobs`: one repository. */
export type CheckName = "sums" | "lock" | "texts" | "manifest" | "blobs";

export interface VerifyCheck {
  readonly check: CheckName;
  /** Only of `blobs`: the repository's name. */
  readonly repository?: string;
  readonly status: Status;
  /** Why it was SKIPPED or ended in ERROR. */
  readonly message?: string;
  /** How many files (`sums`), repositories (`lock`), genes (`texts`, `blobs`) or entries (`manifest`) were compared. */
  readonly checked: number;
  /** How many things were wrong. */
  readonly failures: number;
}

export interface VerifyResult {
  /** Whether nothing failed. What could not be reached does not count against it. */
  readonly ok: boolean;
  readonly checks: readonly VerifyCheck[];
  /** One line for each thing that is wrong, at most a hundred for each check. */
  readonly failures: readonly string[];
}

export interface VerifyOptions {
  readonly git: Git;
  /** Hears of every check as it ends. */
  readonly onEvent?: ((event: { readonly type: "check-done" } & VerifyCheck) => void) | undefined;
  /**
   * Finds or brings a repository's objects where `integration_report.json` does not lead to them, as from the folder of
   * clones; gives a git directory, or null. This is the only way by which a verification can use the network.
   */
  readonly obtain?: ((repository: LockedRepository) => Promise<string | null>) | undefined;
}

const smallFileBytes = 256 << 20;

/**
 * Verifies the genome in a folder. Any changed byte of `SHA256SUMS` or of a file it lists is found without a
 * repository; a forged set of files that agree with each other is found where the repositories can be reached.
 *
 * @throws UserError "not-found" where there is no genome, "interrupted"
 */
export async function verifyGenome(dir: string, options: VerifyOptions): Promise<VerifyResult> {
  const names = new Set((await listFolder(dir)).map(({ name }) => name));
  if (!names.has("manifest.json") && !names.has(sumsName)) {
    throw new UserError("not-found", `${dir} holds no finished genome`, { hint: "Name the folder of a genome." });
  }
  const checks: VerifyCheck[] = [];
  const failures: string[] = [];
  const report = (check: VerifyCheck, findings: Findings): void => {
    checks.push(check);
    failures.push(...findings.lines);
    options.onEvent?.({ type: "check-done", ...check });
  };
  /** Runs one check; what it throws of the genome's own faults is a finding, what the system refuses is an ERROR. */
  const attempt = async <T>(name: CheckName, work: (findings: Findings) => Promise<{ checked: number; value: T }>) => {
    const findings = new Findings();
    let done: { checked: number; value: T } | undefined;
    let message: string | undefined;
    try {
      done = await work(findings);
    } catch (error) {
      if (error instanceof UserError && error.code !== "interrupted") findings.add(error.message);
      else if (isSystemError(error)) message = error.message;
      else throw error;
    }
    const status = message !== undefined ? "ERROR" : findings.count > 0 ? "FAIL" : "PASS";
    const told = message === undefined ? {} : { message };
    report({ check: name, status, ...told, checked: done?.checked ?? 0, failures: findings.count }, findings);
    return done?.value;
  };
  const skip = (check: CheckName, message: string, repository?: string): void => {
    const of = repository === undefined ? {} : { repository };
    report({ check, ...of, status: "SKIPPED", message, checked: 0, failures: 0 }, new Findings());
  };

  const sums = await attempt("sums", async (findings) => {
    const result = await checkSums(dir);
    for (const { file, why } of result.failed) findings.add(`${file}: ${why}`);
    for (const file of result.unlisted) findings.add(`${file}: is there, but not listed in ${sumsName}`);
    return { checked: result.ok.length + result.failed.length, value: result };
  });
  const lock = await attempt("lock", async () => {
    const value = await readParsed(dir, "genome.lock.json", lockSchema);
    return { checked: value.repositories.length, value };
  });
  let manifest: GenomeManifest | undefined;
  let unreadable: unknown;
  try {
    manifest = await readParsed(dir, "manifest.json", manifestSchema);
  } catch (error) {
    unreadable = error;
  }
  let counts: TextCounts | undefined;
  if (lock === undefined) skip("texts", "the lock cannot be read");
  else {
    counts = await attempt("texts", async (findings) => {
      const value = await checkTexts(dir, lock.repositories, findings);
      return { checked: value.genes, value };
    });
  }
  await attempt("manifest", async (findings) => {
    if (manifest === undefined) throw unreadable;
    return { checked: compareManifest(manifest, { lock, sums, counts }, findings), value: undefined };
  });
  if (lock === undefined) skip("blobs", "the lock cannot be read");
  else if (manifest?.imported === true) skip("blobs", "it was imported from a text");
  else await verifyBlobs(lock);
  const ok = checks.every(({ status }) => status === "PASS" || status === "SKIPPED");
  return { ok, checks, failures };

  async function verifyBlobs({ repositories }: GenomeLock): Promise<void> {
    const { git, obtain } = options;
    try {
      const locations = await readLocations(dir);
      for (const check of await checkBlobs(dir, repositories, { git, locations, obtain })) {
        const { findings, ...rest } = check;
        report({ check: "blobs", ...rest, failures: findings.count }, findings);
      }
    } catch (error) {
      if (!(error instanceof UserError) || error.code === "interrupted") throw error;
      skip("blobs", error.message); // What makes genes.jsonl unreadable is a finding of `texts` already.
    }
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

async function readParsed<T>(dir: string, name: string, schema: z.ZodType<T>): Promise<T> {
  const path = join(dir, name);
  const bytes = await readInside(dir, name, smallFileBytes);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new UserError("damaged", `${path} is not JSON in UTF-8`, { cause });
  }
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const issue = error.issues[0];
  throw new UserError("damaged", `${path}: ${issue?.path.join(".") ?? "it"}: ${issue?.message ?? "invalid"}`);
}

/** Compares the manifest with what was found; returns how many entries were compared. */
function compareManifest(
  manifest: GenomeManifest,
  found: { lock: GenomeLock | undefined; sums: SumsResult | undefined; counts: TextCounts | undefined },
  findings: Findings,
): number {
  let compared = 0;
  const compare = (what: string, says: unknown, is: unknown): void => {
    compared++;
    if (says !== is) findings.add(`manifest.json: ${what} is ${String(says)}, found ${String(is)}`);
  };
  const { files, counts, genomeBytes } = manifest;
  if (found.sums !== undefined) {
    const { hashes } = found.sums;
    for (const [name, hash] of Object.entries(files)) compare(`the SHA-256 of ${name}`, hash, hashes.get(name));
    for (const name of hashes.keys()) {
      if (name !== "manifest.json" && !Object.hasOwn(files, name)) findings.add(`manifest.json: ${name} is not named`);
    }
  }
  if (found.lock !== undefined) {
    const { repositories } = found.lock;
    compare("counts.repositories", counts.repositories, repositories.length);
    const withoutCommit = repositories.filter(({ commit }) => commit === null).length;
    compare("imported", manifest.imported, withoutCommit > 0);
    if (manifest.imported) compare("repositories without a commit", repositories.length, withoutCommit);
  }
  if (found.counts !== undefined) {
    const { genes, bytes, kinds, genomeBytes: size } = found.counts;
    compare("counts.genes", counts.genes, genes);
    compare("counts.bytes", counts.bytes, bytes);
    compare("genomeBytes", genomeBytes, size);
    for (const kind of new Set([...Object.keys(kinds), ...Object.keys(counts.kinds)])) {
      compare(`counts.kinds.${kind}`, counts.kinds[kind] ?? 0, kinds[kind] ?? 0);
    }
  }
  return compared;
}
