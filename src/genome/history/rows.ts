/** The changes of one repository's files as rows of history.jsonl: chosen, read, compared, bounded. */
import { UserError } from "../../errors.ts";
import { genePath } from "../genome-text.ts";
import type { Git } from "../git.ts";
import { listTree } from "../objects.ts";
import type { Snapshot } from "../objects.ts";
import { readLog } from "./log.ts";
import type { LoggedCommit, Sides } from "./log.ts";
import { decodeMessage, splitMessage } from "./message.ts";
import { isoDate } from "./path-history.ts";
import { diffTexts } from "./text-diff.ts";
import type { Hunk } from "./text-diff.ts";
import { createPairReader } from "./versions.ts";
import type { Cleaned, Version, VersionReader } from "./versions.ts";

/** One line of history.jsonl: one commit's change of one file. `applyChange` turns the older text into the newer. */
export interface HistoryRow {
  /** The repository's name and the file's path as in genes.jsonl. */
  readonly repository: string;
  readonly path: string;
  readonly commit: string;
  /** Committer date, "2026-01-01T00:00:00Z"; null where the commit has none that can be. */
  readonly date: string | null;
  /** First line and rest of the commit's message, masked, without trailers, of at most 500 and 4,000 characters. */
  readonly subject: string;
  readonly body: string;
  /** Object ids of the file before and after. The hunks lie between their texts, decoded and masked. */
  readonly oldBlob: string;
  readonly newBlob: string;
  readonly hunks: readonly Hunk[];
}

export interface HistoryLimits {
  /** Newest changes per file that are looked at. */
  readonly changesPerFile: number;
  /** Bytes of hunks per file, with their context; a change that would exceed them is left out whole. */
  readonly bytesPerFile: number;
  /** Bytes of one hunk's old and new text; a change with a larger one is left out whole. */
  readonly hunkBytes: number;
  /** Bytes of a blob; changes from or to a larger one are left out. */
  readonly fileBytes: number;
}

export const historyLimits: HistoryLimits = {
  changesPerFile: 32,
  bytesPerFile: 256 << 10,
  hunkBytes: 16 << 10,
  fileBytes: 512 << 10,
};

/**
 * Why a change of a wanted file is no row: it adds or deletes the file, resolves a merge, changes the mode only, or
 * one side is a link or submodule; one of the limits; nothing differs once both texts are decoded and masked; the
 * texts differ too much (`diffTexts`); a blob is damaged. To these come the reader's own words, such as "binary".
 */
export type HistorySkip =
  | "addition"
  | "deletion"
  | "merge"
  | "mode-only"
  | "not-a-file"
  | "changes-per-file"
  | "bytes-per-file"
  | "hunk-too-large"
  | "too-large"
  | "same-text"
  | "too-different"
  | "damaged";

export interface RowOptions extends VersionReader {
  readonly git: Git;
  /** Whether changes of a file are wanted, by its path as in genes.jsonl. */
  readonly wanted: (path: string, repository: string) => boolean;
  readonly limits: HistoryLimits;
  /** Told of each change that is no row; `reason` is a `HistorySkip` or a word of the reader's. */
  readonly onSkip: (reason: string) => void;
  /** Told of what was masked on the way to a row. */
  readonly onMasked: (masked: Cleaned["masked"]) => void;
}

/** A file of the tree and what is left of its limits. */
interface FileBudget {
  readonly path: string;
  changes: number;
  bytes: number;
}

interface Candidate {
  readonly file: FileBudget;
  readonly commit: LoggedCommit;
  readonly oldId: string;
  readonly newId: string;
}

/** Changes whose blobs are read with one git process. */
const batchChanges = 256;

/**
 * The rows of one repository in batches: newest commit first, in a commit by path in git's order.
 *
 * @throws UserError "damaged" where the tree, or the history at some point, cannot be read; after the rows before it
 */
export async function* readRows(
  repository: string,
  snapshot: Snapshot,
  options: RowOptions,
): AsyncGenerator<readonly HistoryRow[], void, void> {
  const { git, limits } = options;
  const files = new Map<string, FileBudget>();
  for (const { latin1Path, path: bytes } of await listTree(git, snapshot, repository)) {
    const path = genePath(bytes);
    if (!options.wanted(path, repository)) continue;
    files.set(latin1Path, {
      path,
      changes: limits.changesPerFile,
      bytes: limits.bytesPerFile,
    });
  }
  const readPairs = createPairReader(git, snapshot.gitDir, repository, { ...options, limit: limits.fileBytes });
  const describe = createDescriber(options);
  const toRows = async (batch: readonly Candidate[]): Promise<HistoryRow[]> => {
    const rows: HistoryRow[] = [];
    let next = 0;
    for await (const pair of readPairs(batch.map(({ file, oldId, newId }) => ({ path: file.path, oldId, newId })))) {
      const { file, commit, oldId, newId } = batch[next++]!;
      const hunks = compare(pair, file, limits);
      if (typeof hunks === "string") {
        options.onSkip(hunks);
        continue;
      }
      for (const version of pair) if (typeof version !== "string") options.onMasked(version.masked);
      rows.push({ repository, path: file.path, ...(await describe(commit)), oldBlob: oldId, newBlob: newId, hunks });
    }
    return rows;
  };

  let batch: Candidate[] = [];
  let damage: UserError | undefined;
  try {
    for await (const changes of readLog(git, snapshot, repository, { messages: true })) {
      for (const { commit, path, sides } of changes) {
        const file = files.get(path);
        if (file === undefined) continue;
        if (sides === null) {
          options.onSkip("merge");
          continue;
        }
        const reason = reasonToSkip(sides, file);
        if (reason !== undefined) {
          options.onSkip(reason);
          continue;
        }
        // Whatever comes of it, a change that is read counts: this bounds the work.
        file.changes -= 1;
        batch.push({ file, commit, ...sides });
        if (batch.length < batchChanges) continue;
        yield await toRows(batch);
        batch = [];
      }
    }
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== "damaged") throw error;
    damage = error;
  }
  if (batch.length > 0) yield await toRows(batch);
  if (damage !== undefined) throw damage;
}

/** Whether the entry of the log already tells that a change is no row. */
function reasonToSkip({ oldMode, newMode, oldId, newId }: Sides, file: FileBudget): HistorySkip | undefined {
  if (oldMode === "000000") return "addition";
  if (newMode === "000000") return "deletion";
  if (!oldMode.startsWith("100") || !newMode.startsWith("100")) return "not-a-file";
  if (oldId === newId) return "mode-only";
  return file.changes === 0 ? "changes-per-file" : undefined;
}

/** The hunks between two versions, taken off the file's budget; or why there are none. */
function compare(
  [old, next]: readonly [Version, Version],
  file: FileBudget,
  limits: HistoryLimits,
): readonly Hunk[] | string {
  if (typeof old === "string") return old;
  if (typeof next === "string") return next;
  if (old.text === next.text) return "same-text" satisfies HistorySkip;
  const hunks = diffTexts(old.text, next.text);
  if (hunks === undefined) return "too-different" satisfies HistorySkip;
  let bytes = 0;
  for (const hunk of hunks) {
    const changed = Buffer.byteLength(hunk.old) + Buffer.byteLength(hunk.new);
    if (changed > limits.hunkBytes) return "hunk-too-large" satisfies HistorySkip;
    bytes += changed + Buffer.byteLength(hunk.contextBefore) + Buffer.byteLength(hunk.contextAfter);
  }
  if (bytes > file.bytes) return "bytes-per-file" satisfies HistorySkip;
  file.bytes -= bytes;
  return hunks;
}

type Description = Pick<HistoryRow, "commit" | "date" | "subject" | "body">;

/** Gives what a row says of its commit; the rows of one commit follow each other, so only the last one is kept. */
function createDescriber({ clean, onMasked }: RowOptions): (commit: LoggedCommit) => Promise<Description> {
  let last: { readonly commit: LoggedCommit; readonly description: Description } | undefined;
  return async (commit) => {
    if (last?.commit !== commit) {
      const { text, masked } = await clean(decodeMessage(commit.message ?? new Uint8Array()));
      onMasked(masked);
      const date = commit.seconds === null ? null : isoDate(commit.seconds);
      last = { commit, description: { commit: commit.id, date, ...splitMessage(text) } };
    }
    return last.description;
  };
}
