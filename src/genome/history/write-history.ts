/** Writes history.jsonl: what commits changed in the files of a genome, as masked hunks with their dates and messages. */
import { UserError } from "../../errors.ts";
import type { Snapshot } from "../objects.ts";
import { add } from "../tally.ts";
import { TextWriter } from "../text-writer.ts";
import { historyDepth } from "./path-history.ts";
import type { PathHistory } from "./path-history.ts";
import { historyLimits, readRows } from "./rows.ts";
import type { HistoryLimits, RowOptions } from "./rows.ts";

export interface HistoryOptions extends Pick<RowOptions, "git" | "wanted" | "read" | "clean"> {
  /** Limits that differ from `historyLimits`. */
  readonly limits?: Partial<HistoryLimits>;
  readonly onProgress?: (progress: HistoryProgress) => void;
}

export interface HistoryProgress {
  readonly repository: string;
  /** Rows and bytes written so far, over all repositories. */
  readonly rows: number;
  readonly bytes: number;
  /** Repositories done, of all. */
  readonly done: number;
  readonly total: number;
}

export interface HistoryResult {
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  /** Changes of wanted files that are not in the rows, by reason (`HistorySkip`, or a word of the reader's). */
  readonly skipped: Readonly<Record<string, number>>;
  /** What was masked, by kind: for each row in both of its versions, for each of its commits in the message. */
  readonly masked: Readonly<Record<string, number>>;
  /** Repositories without rows because they are shallow, or with too few because their history is damaged. */
  readonly incomplete: readonly {
    readonly repository: string;
    readonly state: Exclude<PathHistory["state"], "complete">;
  }[];
}

/**
 * Writes the changes of the current files of repositories, one JSON object per line: repositories as given, in each
 * the newest commit first, in a commit by path in git's order. The same commits, reader and masks give the same bytes.
 * Both versions of a file are masked whole before they are compared, so that a secret at a hunk's border, or one that
 * only an old version holds, is masked as well. Memory is bounded by the tree of a repository and the limits.
 *
 * @param path a new file
 * @throws UserError "interrupted", "no-git"; whatever `read` and `clean` throw
 */
export async function writeHistory(
  path: string,
  repositories: readonly { readonly name: string; readonly snapshot: Snapshot }[],
  options: HistoryOptions,
): Promise<HistoryResult> {
  const writer = await TextWriter.create(path);
  try {
    const skipped: Record<string, number> = {};
    const masked: Record<string, number> = {};
    const incomplete: { repository: string; state: "shallow" | "damaged" }[] = [];
    let rows = 0;
    const rowOptions: RowOptions = {
      ...options,
      limits: { ...historyLimits, ...options.limits },
      onSkip: (reason) => add(skipped, reason, 1),
      onMasked: (counts) => {
        for (const [kind, count] of Object.entries(counts)) add(masked, kind, count);
      },
    };
    for (const [done, { name, snapshot }] of repositories.entries()) {
      const report = (finished: number): void =>
        options.onProgress?.({
          repository: name,
          rows,
          bytes: writer.bytes,
          done: finished,
          total: repositories.length,
        });
      const state = await historyDepth(options.git, snapshot.gitDir);
      if (state !== "complete") {
        incomplete.push({ repository: name, state });
        continue;
      }
      try {
        for await (const batch of readRows(name, snapshot, rowOptions)) {
          for (const row of batch) await writer.write(`${JSON.stringify(row)}\n`);
          rows += batch.length;
          report(done);
        }
      } catch (error) {
        if (!(error instanceof UserError) || error.code !== "damaged") throw error;
        incomplete.push({ repository: name, state: "damaged" });
      }
      report(done + 1);
    }
    const { bytes } = writer;
    return { rows, bytes, sha256: await writer.end(), skipped, masked, incomplete };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
