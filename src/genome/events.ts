/** What a genome build tells whoever listens. */
import type { GitReason } from "./git.ts";

export type GenomeEvent =
  | { readonly type: "hub"; readonly hub: string; readonly links: number }
  | { readonly type: "repository-found"; readonly url: string; readonly done: number; readonly total: number }
  | { readonly type: "repository-missing"; readonly url: string; readonly reason: GitReason }
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
      readonly type: "genome-done";
      readonly dir: string;
      readonly genes: number;
      readonly bytes: number;
      readonly sha256: string;
    };
