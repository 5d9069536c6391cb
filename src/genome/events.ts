/** What a genome build tells whoever listens. */
import type { StatusCounts } from "./audit/status.ts";
import type { GitReason } from "./git-reason.ts";

export type GenomeEvent =
  | { readonly type: "hub"; readonly hub: string; readonly links: number }
  | { readonly type: "repository-found"; readonly url: string; readonly done: number; readonly total: number }
  | { readonly type: "repository-missing"; readonly url: string; readonly reason: GitReason }
  | {
      /** A remote failed for now, and is asked again after a pause. */
      readonly type: "repository-retry";
      readonly url: string;
      readonly reason: GitReason;
      readonly seconds: number;
    }
  | {
      /** What git tells of a clone or fetch under way, at most a few times a second. */
      readonly type: "repository-transfer";
      readonly url: string;
      readonly phase: "receiving" | "resolving";
      readonly percent: number;
    }
  | {
      readonly type: "repository-ready";
      readonly url: string;
      readonly how: "local" | "cloned" | "updated" | "unchanged";
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly type: "repository-read";
      readonly name: string;
      readonly genes: number;
      readonly bytes: number;
      readonly done: number;
      readonly total: number;
    }
  | {
      /** How many of the texts were compared with others, in search of duplicates. */
      readonly type: "comparing";
      readonly done: number;
      readonly total: number;
    }
  | {
      /** Changes written to history.jsonl so far, over all repositories. */
      readonly type: "history";
      readonly repository: string;
      readonly rows: number;
      readonly bytes: number;
      readonly done: number;
      readonly total: number;
    }
  | {
      /** The integrity report is written; how many checks ended in each status. */
      readonly type: "audited";
      readonly counts: StatusCounts;
    }
  | {
      readonly type: "genome-done";
      readonly dir: string;
      readonly genes: number;
      readonly bytes: number;
      readonly sha256: string;
    };
